//! Whole HTTP answers: what a flow of the cache (`cache.rs`) knows of one request beside its steps. Heads are text: a line
//! `name:value` for each field, names in lower case.

use wasm_bindgen::prelude::wasm_bindgen;

use super::cache::{FLOWS, flowing, of, told};
use super::json::Json;
use crate::cache::{Asked, Exchange, Fields, Kept};
use crate::op::Context;

/// Begins the flow of a request, as `flow_begin` does another; `ttl_ms` is for answers that state no lifetime, 0 being none.
/// NaN when it cannot be: then nothing but the handler is left.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "an object would cost more")]
pub fn respond_begin(
    cache: &str,
    method: &str,
    url: &str,
    key: Option<String>,
    fields: &str,
    ttl_ms: f64,
    tags: &str,
    early: u32,
    background: bool,
    now: f64,
    deadline: f64,
) -> f64 {
    let (Ok(cache), Ok(asked)) = (
        of(cache, 0.0, tags),
        Asked::new(method, url, Fields(fields)),
    ) else {
        return f64::NAN;
    };
    let ttl_ms = (ttl_ms > 0.0).then_some(ttl_ms as u64);
    let mut flow = cache.answering(Exchange::new(asked, key, ttl_ms));
    flow.early(early);
    if background {
        flow.in_background();
    }
    FLOWS.with_borrow_mut(|flows| flows.put(flow, now, deadline))
}

/// The head of what was found, as the client gets it: the status and where the body begins in it (0: there is none), a space
/// between them; behind a line feed the fields. `failed` is the status of the handler in whose place it stands, or 0.
#[wasm_bindgen]
pub fn respond_found(flow: f64, now: f64, failed: u16) -> String {
    let head = flowing(flow, |flow| {
        let exchange = flow.exchange()?;
        Some(exchange.told_found(now as u64, failed))
    });
    head.flatten().unwrap_or_default()
}

/// The head, as of what was found, that a client gets who wants no handler asked; `undefined` when it does not mind.
#[wasm_bindgen]
pub fn respond_refused(flow: f64) -> Option<String> {
    let refused = flowing(flow, |flow| flow.exchange().and_then(Exchange::refusal)).flatten();
    refused.map(str::to_owned)
}

/// The fields that the handler is to be asked with in place of the client's; one without a value is to be left away.
#[wasm_bindgen]
pub fn respond_conditions(flow: f64) -> String {
    flowing(flow, |flow| flow.conditions()).unwrap_or_default()
}

/// Takes the head of what the handler answered. What is to be done with it: 1 tell its body, for it is stored, and 2 give
/// the client another head, which follows, as of what was found; a space; where in what was found the body begins that is
/// still true, or 0. Behind a line feed that head, or what is to be added to `Cache-Status`.
#[wasm_bindgen]
pub fn respond_keep(flow: f64, status: u16, fields: &str, may_store: bool, now: f64) -> String {
    let cx = Context::at(now as u64);
    let kept = flowing(flow, |flow| {
        flow.kept(&cx, status, Fields(fields), may_store)
    });
    // A flow that was forgotten leaves the handler's answer as it is.
    let Some(Kept {
        stored,
        built,
        renewed_at,
        text,
    }) = kept
    else {
        return "0 0\n".to_owned();
    };
    let mut json = Json::default();
    json.number("", u64::from(stored) + 2 * u64::from(built));
    json.number(" ", renewed_at as u64);
    json.raw("\n");
    json.raw(&text);
    json.text
}

/// Takes the body of what is to be stored; the step, as `flow_step` gives it. `decoded`: the runtime has undone its
/// `Content-Encoding`.
#[wasm_bindgen]
pub fn respond_body(flow: f64, body: &[u8], decoded: bool, now: f64) -> String {
    let cx = Context::at(now as u64);
    told(flowing(flow, |flow| flow.body(&cx, body, decoded)))
}

/// Which keys an answer of this status and head makes invalid, as a JSON array; `undefined` when it makes none.
#[wasm_bindgen]
pub fn respond_invalidates(flow: f64, status: u16, fields: &str) -> Option<String> {
    let keys = flowing(flow, |flow| {
        let exchange = flow.exchange()?;
        Some(exchange.invalidates(status, Fields(fields)))
    });
    let mut json = Json::default();
    for key in keys.flatten()? {
        json.text(if json.text.is_empty() { "[" } else { "," }, &key);
    }
    json.raw("]");
    (json.text.len() > 1).then_some(json.text)
}
