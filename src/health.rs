//! Whether Redis can be written and read, and how fast.

use crate::base64;
use crate::client::Redis;
use crate::duration::LONGEST_TIMEOUT_MS;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Replies};

/// What a health check found.
#[derive(Clone, Debug)]
pub struct Health {
    /// In one word.
    pub status: HealthStatus,
    /// How long the round trip took, in milliseconds.
    pub latency_ms: u64,
    /// When it was checked, in epoch milliseconds.
    pub checked_at: u64,
    /// Why it is not healthy: a stable error code.
    pub error: Option<&'static str>,
}

/// Healthy or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// What was written came back, within half the time allowed.
    Healthy,
    /// It came back late, or wrong.
    Degraded,
    /// It did not come back.
    Unhealthy,
}

/// Writes, reads back and compares, in one round trip of at most `timeout_ms` milliseconds.
///
/// One SET and one GET of a key of this check alone, gone after ten seconds.
pub async fn health(redis: &Redis, timeout_ms: u64) -> Health {
    match redis.run(HealthCheck::new(timeout_ms)).await {
        Ok(health) => health,
        Err(error) => Health::unhealthy(&error, redis.now(), 0),
    }
}

impl Health {
    fn unhealthy(error: &EdgeError, checked_at: u64, latency_ms: u64) -> Self {
        Self {
            status: HealthStatus::Unhealthy,
            latency_ms,
            checked_at,
            error: Some(error.code()),
        }
    }
}

/// [`health`] as an op.
pub(crate) struct HealthCheck {
    timeout_ms: u64,
    key: String,
    started: u64,
}

impl HealthCheck {
    pub fn new(timeout_ms: u64) -> Self {
        Self {
            timeout_ms: timeout_ms.clamp(1, LONGEST_TIMEOUT_MS),
            key: String::from("upstash-edge:health:"),
            started: 0,
        }
    }

    /// Whether what came back is what was written.
    fn compare(&self, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        replies.take()?;
        Ok(replies.take()?.bytes()? == Some(self.key.as_bytes()))
    }
}

impl Op for HealthCheck {
    type Output = Health;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.started = cx.now();
        // A key of its own: another check at the same moment must not look like a wrong answer.
        self.key += &base64::url(&cx.random::<12>()?);
        let key = Arg::from(&self.key);
        out.command("SET", &[key, key, "EX".into(), 10u32.into()])?;
        out.command("GET", &[key])
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Health, EdgeError> {
        let checked_at = cx.now();
        let latency_ms = checked_at.saturating_sub(self.started);
        let (status, error) = match self.compare(replies) {
            Ok(true) if latency_ms <= self.timeout_ms / 2 => (HealthStatus::Healthy, None),
            Ok(true) => (HealthStatus::Degraded, Some("timeout")),
            Ok(false) => (HealthStatus::Degraded, Some("corrupt")),
            Err(error) => return Ok(Health::unhealthy(&error, checked_at, latency_ms)),
        };
        Ok(Health {
            status,
            latency_ms,
            checked_at,
            error,
        })
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}
