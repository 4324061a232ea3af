//! The demonstration of limiter and cache.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use worker::{Delay, Response};

use super::app::App;
use super::failure::{Failure, asked};
use super::input::Query;
use super::watch::demo;
use crate::error::EdgeError;
use crate::ratelimit::{Decision, Limit};

/// The slowest origin the demonstration plays.
const SLOWEST_MS: u32 = 10_000;

impl App<'_> {
    /// `POST /api/limit/{id}?limit=10&window=10s&cost=1&timeout=1s`
    pub async fn limit(&self, id: &str, query: &Query) -> Result<Response, Failure> {
        let window = Duration::from_millis(query.duration_ms("window", 10_000)?);
        let limit = Limit::sliding_window(query.number("limit", 10)?, window).map_err(asked)?;
        let timeout_ms = query.duration_ms("timeout", 1_000)?;
        let limiter = demo(self.env)?.limiter;
        let limiter = limiter.timeout_ms(timeout_ms).map_err(asked)?;
        let check = limiter.check(id).cost(query.number("cost", 1)?);
        let decision = self.run(check.limits(limit)).await?;
        self.decided(&decision, &decision)
    }

    /// `body`, as 200 or 429, with the decision in its headers.
    pub fn decided(&self, decision: &Decision, body: &impl Serialize) -> Result<Response, Failure> {
        let response = self.json(body, if decision.allowed { 200 } else { 429 })?;
        for (name, value) in decision.headers() {
            response.headers().set(name, &value)?;
        }
        Ok(response)
    }

    /// `GET /api/cache/{key}`
    pub async fn cache_get(&self, key: &str) -> Result<Response, Failure> {
        let cache = demo(self.env)?.values;
        match self.run(cache.get::<Value>(key)).await? {
            Some(value) => self.json(&value, 200),
            None => Err(Failure::not_found()),
        }
    }

    /// `PUT /api/cache/{key}?ttl=60s`
    pub async fn cache_put(
        &self,
        key: &str,
        value: &Value,
        query: &Query,
    ) -> Result<Response, Failure> {
        let ttl_ms = query.duration_ms("ttl", 60_000)?;
        let cache = demo(self.env)?.values.ttl_ms(ttl_ms).map_err(asked)?;
        self.run(cache.set(key, value)?).await?;
        self.json(&json!({ "stored": true, "ttlMs": ttl_ms }), 200)
    }

    /// `DELETE /api/cache/{key}`
    pub async fn cache_delete(&self, key: &str) -> Result<Response, Failure> {
        let cache = demo(self.env)?.values;
        let deleted = self.run(cache.delete(key)).await? == 1;
        self.json(&json!({ "deleted": deleted }), 200)
    }

    /// `GET /api/fetch/{key}?ttl=60s&ms=300&timeout=500ms`: a cache in front of an origin that takes `ms`.
    pub async fn fetch(&self, key: &str, query: &Query) -> Result<Response, Failure> {
        let ttl_ms = query.duration_ms("ttl", 60_000)?;
        let timeout_ms = query.duration_ms("timeout", 500)?;
        let cache = demo(self.env)?
            .answers
            .ttl_ms(ttl_ms)
            .and_then(|cache| cache.timeout_ms(timeout_ms))
            .map_err(asked)?;
        let ms = query.number("ms", 300)?;
        if ms > SLOWEST_MS {
            return Err(Failure::bad("ms must be at most 10000"));
        }
        let (asked_origin, named) = (Rc::new(Cell::new(false)), key.to_owned());
        let fetched = Rc::clone(&asked_origin);
        let origin = move || {
            let (fetched, named) = (Rc::clone(&fetched), named.clone());
            async move {
                fetched.set(true);
                Delay::from(Duration::from_millis(ms.into())).await;
                Ok::<_, EdgeError>(json!({
                    "key": named,
                    "madeAt": worker::Date::now().as_millis(),
                    "tookMs": ms,
                }))
            }
        };
        let background = |future| self.context.wait_until(future);
        let value = cache
            .get_or_fetch_in(&self.redis, key, origin, background)
            .await?;
        let response = self.json(&value, 200)?;
        // RFC 9211
        let status = if asked_origin.get() {
            "upstash-edge; fwd=miss"
        } else {
            "upstash-edge; hit"
        };
        response.headers().set("Cache-Status", status)?;
        Ok(response)
    }
}
