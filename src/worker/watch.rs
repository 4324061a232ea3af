//! What lives as long as the isolate: what its requests came to, and the demonstration's caches and limiters, which count
//! by themselves.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use worker::{Env, Response};

use super::app::Trips;
use super::{admin, front};
use crate::cache::Cache;
use crate::error::EdgeError;
use crate::front::config::FRONT;
use crate::front::traffic::{Seen, Served, Traffic};
use crate::ratelimit::{Limit, RateLimiter};

thread_local! {
    static TRAFFIC: Rc<RefCell<Traffic>> = Rc::default();
    static DEMO: OnceCell<Demo> = const { OnceCell::new() };
}

/// What this isolate counts.
pub(super) fn traffic() -> Rc<RefCell<Traffic>> {
    TRAFFIC.with(Rc::clone)
}

/// Counts one request that was answered, where there is a console.
pub(super) fn saw(response: &Response, started: u64, trips: &Trips, env: &Env) {
    if !admin::is_on(env) {
        return;
    }
    let header = |name| response.headers().get(name).ok().flatten();
    let status = header("Cache-Status").unwrap_or_default();
    // An origin's own 429 has passed through here; a limiter's was made here.
    let refused = response.status_code() == 429 && header("Via").is_none();
    let now = worker::Date::now().as_millis();
    let seen = Seen {
        ms: now.saturating_sub(started),
        redis_ms: trips.ms.get(),
        trips: trips.requests.get(),
        served: Served::told(&status),
        allowed: header("RateLimit-Policy").map(|_| !refused),
    };
    traffic().borrow_mut().count(&seen, now);
}

/// What the demonstration asks.
#[derive(Clone)]
pub(super) struct Demo {
    /// What clients PUT.
    pub values: Cache,
    /// What the slow origin answered: apart, for what is PUT need not look like that.
    pub answers: Cache,
    pub pages: Cache,
    /// Its limits come with each request. It remembers no refusal: who tries it wants to see Redis decide.
    pub limiter: RateLimiter,
    pub page_limiter: RateLimiter,
}

/// The demonstration's, the same for all requests of the isolate.
pub(super) fn demo(env: &Env) -> Result<Demo, EdgeError> {
    DEMO.with(|demo| {
        if let Some(demo) = demo.get() {
            return Ok(demo.clone());
        }
        let limit = Limit::sliding_window(100, Duration::from_secs(10))?;
        let on = admin::is_on(env);
        let limiter = |name| RateLimiter::new(limit.clone()).name(name).analytics(on);
        let cache = |name| Cache::new().name(name);
        let made = Demo {
            values: cache("demo"),
            answers: cache("demo-origin"),
            pages: cache("demo-page"),
            limiter: limiter("demo").memory(0),
            page_limiter: limiter("page"),
        };
        Ok(demo.get_or_init(|| made).clone())
    })
}

/// The caches and the limiters that this Worker asks, by name.
#[derive(Default)]
pub(super) struct Watched {
    pub caches: Vec<(String, Cache)>,
    pub limiters: Vec<(String, RateLimiter)>,
}

/// All of them.
pub(super) fn watched(env: &Env, has_demo: bool) -> Result<Watched, EdgeError> {
    let mut watched = Watched::default();
    if let Some(config) = front::config(env)? {
        let cache = (FRONT.to_owned(), config.cache.clone());
        watched.caches.push(cache);
        watched.limiters = config.limiters();
    }
    if has_demo {
        let demo = demo(env)?;
        for (name, cache) in [
            ("demo", demo.values),
            ("demo-origin", demo.answers),
            ("demo-page", demo.pages),
        ] {
            watched.caches.push((name.to_owned(), cache));
        }
        for (name, limiter) in [("demo", demo.limiter), ("page", demo.page_limiter)] {
            watched.limiters.push((name.to_owned(), limiter));
        }
    }
    Ok(watched)
}
