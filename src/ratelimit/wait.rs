//! A check that waits for its turn.

use super::{Decision, Identifier, RateLimiter};
use crate::client::Redis;
use crate::duration;
use crate::error::EdgeError;

impl RateLimiter {
    /// Asks for `cost` places for `id`, and when they are refused asks again at the moment that was named, until they
    /// are granted or that moment is past `timeout_ms`; then the refusal is the answer, at once.
    ///
    /// Nobody stands in line: of two who wait, either may come first. Drop the future to stop waiting.
    ///
    /// # Errors
    /// Those of [`Self::check`]; `invalid_config` when `timeout_ms` is 0 or past 2,147,483,647.
    pub async fn wait(
        &self,
        redis: &Redis,
        id: impl Into<Identifier>,
        cost: u32,
        timeout_ms: u64,
    ) -> Result<Decision, EdgeError> {
        let (id, timeout_ms) = (id.into(), duration::timeout(timeout_ms)?);
        let started = redis.now();
        loop {
            let spent = redis.now().saturating_sub(started);
            let mut patient = self.clone();
            patient.timeout_ms = self.timeout_ms.min(timeout_ms.saturating_sub(spent).max(1));
            let decision = redis.run(patient.check(id.clone()).cost(cost)).await?;
            let waited = redis.now().saturating_sub(started);
            let left = timeout_ms.saturating_sub(waited);
            if decision.allowed || decision.retry_after_ms > left {
                return Ok(decision);
            }
            // A timer may end a little early, and to ask then would be a request for nothing.
            redis.sleep(decision.retry_after_ms + 1).await;
        }
    }
}
