//! Rate limits. A limiter's configuration comes along with every call, for people build limiters inside handlers; what
//! an isolate remembers is found by it again.
//!
//! Texts are JSON arrays of strings without nesting. Limits: for each its name (empty: none), `s`, `f` or `t` for its
//! algorithm, its limit, its window in milliseconds, and what a token bucket refills in it (else empty). A limiter: its
//! name, `allow`, `deny` or `local`, its timeout in milliseconds, how much it remembers, `client` or `server`, `true`
//! where it counts for statistics, its limits. An identifier: itself, or for each limit the limit's name and an identifier.

use std::cell::RefCell;
use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;

use super::json::Json;
use super::{added, text, with};
use crate::base64;
use crate::client::Server;
use crate::error::EdgeError;
use crate::ratelimit::{
    Check, Clock, Decision, Identifier, Limit, Limits, Memory, OnFailure, RateLimiter, Source,
    Stats,
};
use crate::recent::Recent;
use crate::wire::json_texts;

/// Past so many, the one unused longest is made anew at its next call, or begins to remember anew.
const MOST: usize = 1_000;

thread_local! {
    static LIMITERS: RefCell<Recent<RateLimiter>> = const { RefCell::new(Recent::new(MOST)) };
    static MEMORIES: RefCell<Recent<Memory>> = const { RefCell::new(Recent::new(MOST)) };
}

/// Why a limiter, or with `limits` alone some limits, cannot be made; `undefined` when they can.
#[wasm_bindgen]
pub fn limiter_problem(limiter: &str, limits: &str) -> Option<String> {
    let problem = if limiter.is_empty() {
        limits_of(&json_texts(limits)).err()
    } else {
        built(limiter).err()
    };
    problem.map(|error| text(&error))
}

/// Adds a check, a refund when `cost` is below 0, or with NaN a reset. A check's outcome is a `Decision`; the others'
/// is `null`. `limits` are those of this call alone, or empty.
#[wasm_bindgen]
pub fn push_limit(
    batch: f64,
    limiter: &str,
    id: &str,
    limits: &str,
    cost: f64,
    now: f64,
) -> Option<String> {
    let limiter = match limiter_of(batch, limiter) {
        Ok(limiter) => limiter,
        Err(error) => return Some(text(&error)),
    };
    let (id, now) = (identifier(id), now as u64);
    let null = |()| "null".to_owned();
    if cost.is_nan() {
        return added(with(batch, |batch| batch.op(limiter.reset(id), now, null)));
    }
    if cost < 0.0 {
        let refund = limiter.refund(id, -cost as u32);
        return added(with(batch, |batch| batch.op(refund, now, null)));
    }
    match check(&limiter, id, limits, cost) {
        Ok(check) => added(with(batch, |batch| batch.op(check, now, told))),
        Err(error) => Some(text(&error)),
    }
}

/// Why a check, as [`push_limit`] takes it, cannot be sent; `undefined` when it can.
#[wasm_bindgen]
pub fn check_problem(limiter: &str, id: &str, limits: &str, cost: f64) -> Option<String> {
    let prepared = built(limiter)
        .and_then(|limiter| check(&limiter, identifier(id), limits, cost))
        .and_then(|mut check| check.prepare());
    prepared.err().map(|error| text(&error))
}

/// Whether a check of cost 1 would be refused by what this isolate remembers, without asking the server at `url`.
#[wasm_bindgen]
pub fn limit_recalls(url: &str, limiter: &str, id: &str, now: f64) -> bool {
    let server = Server::at(url).borrow().id;
    let recalls = |limiter: RateLimiter| {
        let mut check = limiter.check(identifier(id));
        // A wrong one is told when it is sent.
        check.prepare().is_ok() && check.recalls(now as u64)
    };
    limiter_at(server, limiter).is_ok_and(recalls)
}

fn check(
    limiter: &RateLimiter,
    id: Identifier,
    limits: &str,
    cost: f64,
) -> Result<Check, EdgeError> {
    let check = limiter.check(id).cost(cost as u32);
    if limits.is_empty() {
        return Ok(check);
    }
    Ok(check.limits(limits_of(&json_texts(limits))?))
}

/// Adds a question for the statistics of an hour; its outcome is `{"since", "allowed", "refused", "mostRefused":
/// [{"id", "refused"}]}`.
#[wasm_bindgen]
pub fn push_limit_stats(batch: f64, limiter: &str, hours_ago: u32, now: f64) -> Option<String> {
    match limiter_of(batch, limiter) {
        Ok(limiter) => added(with(batch, |batch| {
            batch.op(limiter.stats(hours_ago), now as u64, stats)
        })),
        Err(error) => Some(text(&error)),
    }
}

/// What tells one identifier's quota from another's in headers, and tells nobody the identifier.
#[wasm_bindgen]
pub fn partition_key(secret: &str, id: &str) -> String {
    base64::url(&crate::ratelimit::partition_key(secret.as_bytes(), id))
}

fn built(config: &str) -> Result<RateLimiter, EdgeError> {
    let fields = json_texts(config);
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let on_failure = match field(1) {
        "allow" => OnFailure::Allow,
        "deny" => OnFailure::Deny,
        _ => OnFailure::Local,
    };
    let clock = match field(4) {
        "server" => Clock::Server,
        _ => Clock::Client,
    };
    let limits = limits_of(fields.get(6..).unwrap_or_default())?;
    let limiter = RateLimiter::new(limits)
        .name(field(0))
        .on_failure(on_failure)
        .clock(clock)
        .analytics(field(5) == "true");
    limiter
        .memory(number(field(3)) as usize)
        .timeout_ms(number(field(2)))
}

/// The limiter of this configuration for the server that the batch is for.
fn limiter_of(batch: f64, config: &str) -> Result<RateLimiter, EdgeError> {
    limiter_at(
        with(batch, |batch| batch.server().id).unwrap_or_default(),
        config,
    )
}

fn limiter_at(server: u64, config: &str) -> Result<RateLimiter, EdgeError> {
    let mut key = itoa::Buffer::new().format(server).to_owned();
    key.push(':');
    let server = key.len();
    key.push_str(config);
    LIMITERS.with_borrow_mut(|known| {
        known.get(&key, || {
            let limiter = built(config)?;
            // The memory is that of all limiters of its name: what one of them gives back or resets none may refuse.
            let mut name = key.clone();
            name.truncate(server);
            name.push_str(json_texts(config).first().map_or("", String::as_str));
            let memory = MEMORIES.with_borrow_mut(|known| {
                known.get(&name, || Ok::<_, EdgeError>(limiter.shared()))
            })?;
            Ok(limiter.sharing(&memory))
        })
    })
}

fn limits_of(fields: &[String]) -> Result<Limits, EdgeError> {
    let mut limits = Vec::new();
    for fields in fields.chunks(5) {
        let [name, algorithm, limit, window, refill] = fields else {
            return Err(EdgeError::config(
                "limits must be made by slidingWindow, fixedWindow or tokenBucket",
            ));
        };
        let (limit, window) = (count(limit), Duration::from_millis(number(window)));
        let limit = match algorithm.as_str() {
            "s" => Limit::sliding_window(limit, window),
            "f" => Limit::fixed_window(limit, window),
            _ => Limit::token_bucket(limit, count(refill), window),
        }?;
        limits.push(if name.is_empty() {
            limit
        } else {
            limit.named(name)?
        });
    }
    Limits::new(&limits)
}

fn identifier(id: &str) -> Identifier {
    let mut ids = json_texts(id);
    if ids.len() == 1 {
        return Identifier::One(ids.pop().unwrap_or_default());
    }
    let mut ids = ids.into_iter();
    let mut each = Vec::new();
    while let (Some(name), Some(id)) = (ids.next(), ids.next()) {
        each.push((name, id));
    }
    Identifier::Each(each)
}

/// What is no whole number becomes one that is refused.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn count(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

fn told(decision: Decision) -> String {
    let mut json = Json::default();
    json.raw("{\"allowed\":");
    json.raw(if decision.allowed { "true" } else { "false" });
    json.number(",\"limit\":", decision.limit.into());
    json.number(",\"remaining\":", decision.remaining.into());
    json.raw(",\"policies\":[");
    for (at, policy) in decision.policies.iter().enumerate() {
        // A limit's name holds nothing that would have to be escaped.
        json.raw(if at == 0 {
            "{\"name\":\""
        } else {
            ",{\"name\":\""
        });
        json.raw(&policy.name);
        json.number("\",\"limit\":", policy.limit.into());
        json.number(",\"windowMs\":", policy.window_ms);
        json.number(",\"remaining\":", policy.remaining.into());
        json.number(",\"resetAt\":", policy.reset_at);
        json.raw("}");
    }
    json.number("],\"retryAfterMs\":", decision.retry_after_ms);
    json.number(",\"resetAt\":", decision.reset_at);
    if let Some(name) = &decision.limited_by {
        json.raw(",\"limitedBy\":\"");
        json.raw(name);
        json.raw("\"");
    }
    json.raw(match decision.source {
        Source::Redis => ",\"source\":\"redis\"",
        Source::Memory => ",\"source\":\"memory\"",
        Source::Local => ",\"source\":\"local\"",
        Source::Failure => ",\"source\":\"failure\"",
    });
    json.number(",\"decidedAt\":", decision.decided_at());
    json.raw(match decision.clock() {
        Clock::Client => ",\"clock\":\"client\"}",
        Clock::Server => ",\"clock\":\"server\"}",
    });
    json.text
}

fn stats(stats: Stats) -> String {
    let mut json = Json::default();
    json.number("{\"since\":", stats.since);
    json.number(",\"allowed\":", stats.allowed);
    json.number(",\"refused\":", stats.refused);
    json.raw(",\"mostRefused\":[");
    for (at, (id, refused)) in stats.most_refused.iter().enumerate() {
        json.raw(if at == 0 { "{\"id\":" } else { ",{\"id\":" });
        json.string(id);
        json.number(",\"refused\":", *refused);
        json.raw("}");
    }
    json.raw("]}");
    json.text
}
