//! A check, as an op.

use super::decision::{Decision, Source, Verdict};
use super::{Limit, OnFailure, RateLimiter};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies, Reply};

static SLIDING_WINDOW: Script = script!("../lua/sliding_window.lua");

/// A check of one identifier: see [`RateLimiter::check`].
pub struct Check {
    limit: Limit,
    key: String,
    cost: u32,
    on_failure: OnFailure,
    timeout_ms: u64,
}

impl Check {
    pub(super) fn new(limiter: &RateLimiter, key: String, cost: u32) -> Self {
        Self {
            limit: limiter.limit.clone(),
            key,
            cost,
            on_failure: limiter.on_failure,
            timeout_ms: limiter.timeout_ms,
        }
    }

    /// Takes `cost` places instead of one; 0 looks and takes none.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }
}

impl Op for Check {
    type Output = Decision;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.cost > self.limit.limit {
            return Err(EdgeError::argument(
                "cost must not be above the limit: such a check could never pass",
            ));
        }
        let args = [
            cx.now().into(),
            self.limit.window_ms.into(),
            self.limit.limit.into(),
            self.cost.into(),
        ];
        // A check that may have been counted is not counted twice.
        let repeat = if self.cost == 0 {
            Repeat::Harmless
        } else {
            Repeat::Never
        };
        out.script(&SLIDING_WINDOW, &[&self.key], &args, repeat);
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Decision, EdgeError> {
        match replies.take().and_then(verdict) {
            Ok(verdict) => Ok(Decision::new(&self.limit, verdict, Source::Redis, cx.now())),
            Err(error) if error.is_outage() => {
                Ok(Decision::failure(&self.limit, self.on_failure, cx.now()))
            }
            Err(error) => Err(error),
        }
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

fn verdict(reply: Reply<'_>) -> Result<Verdict, EdgeError> {
    let mut entries = reply.array()?;
    Ok(Verdict {
        allowed: entries.entry()?.int()? == 1,
        remaining: u32::try_from(entries.entry()?.count()?).unwrap_or(u32::MAX),
        retry_after_ms: entries.entry()?.count()?,
        reset_at: entries.entry()?.count()?,
    })
}
