//! What becomes of a handler's answer: what the client gets of it, and what is stored.

use super::super::flow::{Fetched, Step};
use super::super::http::Fields;
use super::{Found, GetOrFetch};
use crate::op::Context;

/// What to do with what a handler answered.
pub(crate) struct Kept {
    /// Its body is to be told: it is stored.
    pub stored: bool,
    /// The client gets another answer than the handler's: `text` is its head.
    pub built: bool,
    /// Where, in what was found, the body begins that is still true: the handler's says no more than that.
    pub renewed_at: usize,
    /// That head, or else what is to be added to `Cache-Status`.
    pub text: String,
}

impl GetOrFetch {
    /// Takes the head of what a handler answered. `may_store` is what its caller says of it; its body, where it is to be
    /// told, comes with [`Self::body`], and else nothing more.
    pub fn kept(
        &mut self,
        cx: &Context<'_>,
        status: u16,
        fields: Fields<'_>,
        may_store: bool,
    ) -> Kept {
        let mut kept = Kept {
            stored: false,
            built: false,
            renewed_at: 0,
            text: String::new(),
        };
        let now = cx.now();
        let serves = |found: &Found| found.instants.serves_on_error(now);
        let stands_in = self.usable && self.found.as_ref().is_some_and(serves);
        let Some(exchange) = &mut self.exchange else {
            return kept;
        };
        // RFC 5861, section 4.
        if stands_in && matches!(status, 500 | 502 | 503 | 504) {
            kept.built = true;
            kept.text = exchange.told_found(now, status);
            return kept;
        }
        let stores = self.settle && (self.leased || self.passing);
        let renewed = exchange.answered(status, fields, now, stores && self.usable);
        if stores
            && may_store
            && let Some(times) = exchange.plan(self.times)
        {
            self.times = times;
            kept.stored = true;
        }
        kept.built = renewed || kept.stored && exchange.not_modified();
        kept.text = exchange.cache_status(kept.stored, renewed);
        if renewed {
            kept.renewed_at = exchange.found_body_at();
        }
        if kept.built {
            kept.text = exchange.told_answer(renewed, &kept.text);
        }
        kept
    }

    /// Takes the body of what is to be stored. `decoded`: the runtime has undone its `Content-Encoding`.
    pub fn body(&mut self, cx: &Context<'_>, body: &[u8], decoded: bool) -> Step {
        let payload = self
            .exchange()
            .map(|exchange| exchange.payload(body, decoded));
        self.fetched(cx, payload.map_or(Fetched::Nothing, Fetched::Value))
    }

    /// The fields that the handler is to be asked with: see `Exchange::conditions`.
    pub fn conditions(&self) -> String {
        match self.exchange() {
            Some(exchange) if self.settle && self.leased => exchange.conditions(self.usable),
            _ => String::new(),
        }
    }
}
