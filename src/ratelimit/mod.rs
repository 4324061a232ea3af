//! Rate limiting: exact, atomic, one command for a check.

mod check;
mod decision;
mod headers;

use crate::duration;
use crate::error::EdgeError;
use crate::keys;

pub use check::Check;
pub use decision::{Decision, Policy, Source};

/// How much is allowed in how long: at most `limit` within any `window`.
///
/// The window slides: it ends now, wherever the clock stands.
///
/// ```
/// use std::time::Duration;
/// use upstash_edge::Limit;
/// assert!(Limit::sliding_window(10, Duration::from_secs(10)).is_ok());
/// assert!(Limit::sliding_window(0, Duration::from_secs(10)).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    name: String,
    limit: u32,
    window_ms: u64,
}

const LONGEST_WINDOW_MS: u64 = 366 * 86_400_000;

impl Limit {
    /// At most `limit` (total cost) within any `window`, named `default`.
    ///
    /// # Errors
    /// `invalid_config` when `limit` is 0 or past 2,147,483,647, or `window` is not 1 ms to 366 days.
    pub fn sliding_window(limit: u32, window: std::time::Duration) -> Result<Self, EdgeError> {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        // Running totals wrap at 2^32, so what is in a window must stay below half of it.
        if limit == 0 || limit > i32::MAX.unsigned_abs() {
            return Err(EdgeError::config("limit must be 1 to 2147483647"));
        }
        if window_ms == 0 || window_ms > LONGEST_WINDOW_MS {
            return Err(EdgeError::config("window must be 1 ms to 366 days"));
        }
        Ok(Self {
            name: "default".to_owned(),
            limit,
            window_ms,
        })
    }

    /// The same under another name: what `Decision::policies` and the headers call it.
    ///
    /// # Errors
    /// `invalid_config` unless the name is 1 to 64 visible ASCII characters without `"` and `\`,
    /// for it is written into headers.
    pub fn named(mut self, name: &str) -> Result<Self, EdgeError> {
        let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(EdgeError::config(
                "name of a limit must be 1 to 64 visible ASCII characters without quotes and backslashes",
            ));
        }
        name.clone_into(&mut self.name);
        Ok(self)
    }
}

/// What a check answers when Redis does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The request passes.
    #[default]
    Allow,
    /// The request is refused.
    Deny,
}

/// Limits how often an identifier may pass. Plain data: build it wherever it is needed.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    limit: Limit,
    name: String,
    on_failure: OnFailure,
    timeout_ms: u64,
}

impl RateLimiter {
    /// A limiter with the defaults: name `ratelimit`, passing when Redis fails, waiting 1 s for it.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            name: "ratelimit".to_owned(),
            on_failure: OnFailure::default(),
            timeout_ms: 1_000,
        }
    }

    /// The namespace of its keys. Limiters of one name share what they have counted.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// What it answers when Redis does not.
    #[must_use]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// How long it waits for Redis, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Result<Self, EdgeError> {
        self.timeout_ms = duration::timeout(timeout_ms)?;
        Ok(self)
    }

    /// Asks for one place for `id`. Any string is an identifier.
    ///
    /// One EVALSHA; inside it one GET, and one SET when the check is allowed.
    pub fn check(&self, id: &str) -> Check {
        Check::new(self, self.key(id), 1)
    }

    /// `{name:id}:sw:limit:window`: a changed window is a new key and starts empty.
    fn key(&self, id: &str) -> String {
        let mut key = String::from("{");
        key.push_str(&keys::part(&self.name));
        key.push(':');
        key.push_str(&keys::part(id));
        key.push_str("}:sw:");
        key.push_str(&keys::part(&self.limit.name));
        key.push(':');
        key.push_str(itoa::Buffer::new().format(self.limit.window_ms));
        key
    }
}
