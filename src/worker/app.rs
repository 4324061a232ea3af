//! What every handler needs, from the environment of one request.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{JSON, Reflect};
use serde::Serialize;
use worker::{Context, Env, Response};

use super::failure::Failure;
use super::{admin, front, watch};
use crate::client::Redis;
use crate::error::EdgeError;
use crate::front::config::{ADDRESS_HEADER, sessions};
use crate::front::limits::about;
use crate::front::traffic::Carrying;
use crate::health::{HealthStatus, health};
use crate::op::Op;
use crate::session::Sessions;

/// One request's view of the world.
pub(super) struct App<'a> {
    pub redis: Redis,
    pub context: &'a Context,
    pub env: &'a Env,
    pub trips: Rc<Trips>,
}

/// What this request sent so far.
#[derive(Default)]
pub(super) struct Trips {
    pub requests: Cell<usize>,
    pub commands: Cell<usize>,
    pub ms: Cell<u64>,
}

/// Health as JSON: `checkedAt` is a text, as in ISO 8601.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    status: &'static str,
    latency_ms: u64,
    checked_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

const HEALTH_TIMEOUT_MS: u64 = 1_000;

impl<'a> App<'a> {
    pub fn new(env: &'a Env, context: &'a Context) -> Result<Self, Failure> {
        Ok(Self::counting(env, context, Rc::default())?)
    }

    /// One that counts in `trips` what it sends.
    pub fn counting(
        env: &'a Env,
        context: &'a Context,
        trips: Rc<Trips>,
    ) -> Result<Self, EdgeError> {
        let seen = Rc::clone(&trips);
        let redis = Redis::from_env(env)?.observed(move |event| {
            seen.requests.set(seen.requests.get() + 1);
            seen.commands
                .set(seen.commands.get() + event.commands.len());
            seen.ms.set(seen.ms.get() + event.duration_ms);
        });
        Ok(Self {
            redis,
            context,
            env,
            trips,
        })
    }

    pub async fn health(&self) -> Result<Response, Failure> {
        let health = health(&self.redis, HEALTH_TIMEOUT_MS).await;
        let (name, status) = match health.status {
            HealthStatus::Healthy => ("healthy", 200),
            HealthStatus::Degraded => ("degraded", 200),
            HealthStatus::Unhealthy => ("unhealthy", 503),
        };
        let checked_at = js_sys::Date::new(&(health.checked_at as f64).into());
        let shown = Shown {
            status: name,
            latency_ms: health.latency_ms,
            checked_at: checked_at.to_iso_string().into(),
            error: health.error,
        };
        self.json(&shown, status)
    }

    /// Runs `op`, and takes along what was counted.
    pub async fn run<O: Op>(&self, op: O) -> Result<O::Output, EdgeError> {
        self.redis.run(self.carrying(op)).await
    }

    /// `op`, taking along what was counted where there is a console to show it.
    pub fn carrying<O>(&self, op: O) -> Carrying<O> {
        let traffic = admin::is_on(self.env).then(watch::traffic);
        Carrying { op, traffic }
    }

    /// The header that tells the client's address.
    pub fn address_header(&self) -> String {
        let config = front::config(self.env).ok().flatten();
        let named = config.map(|config| config.address_header.clone());
        named.unwrap_or_else(|| ADDRESS_HEADER.to_owned())
    }

    /// Sessions, signed by `SESSION_SECRETS`.
    pub fn sessions(&self) -> Result<Sessions, Failure> {
        let name = "SESSION_SECRETS";
        let read = sessions(&text(self.env, name).unwrap_or_default());
        Ok(read.map_err(|error| about(name, &error))?)
    }

    /// A JSON answer that no cache keeps, with what it cost in `Server-Timing`.
    pub fn json(&self, body: &impl Serialize, status: u16) -> Result<Response, Failure> {
        let response = Response::from_json(body)?.with_status(status);
        let headers = response.headers();
        headers.set("Cache-Control", "no-store")?;
        headers.set("Server-Timing", &self.trips.server_timing())?;
        Ok(response)
    }
}

impl Trips {
    /// `redis;dur=2;desc="1 round trip, 3 commands"` (W3C Server-Timing).
    fn server_timing(&self) -> String {
        let mut text = String::from("redis;dur=");
        text += &self.ms.get().to_string();
        text += ";desc=\"";
        for (count, one, many) in [
            (self.requests.get(), " round trip, ", " round trips, "),
            (self.commands.get(), " command\"", " commands\""),
        ] {
            text += &count.to_string();
            text += if count == 1 { one } else { many };
        }
        text
    }
}

/// Whether the demonstration is open.
pub(super) fn has_demo(env: &Env) -> bool {
    text(env, "DEMO").is_some_and(|value| value == "1")
}

/// A secret or variable; one that is no text, such as a table of `wrangler.toml`, as JSON.
pub(super) fn text(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok()?;
    let json = || JSON::stringify(&value).ok()?.as_string();
    value.as_string().or_else(json)
}
