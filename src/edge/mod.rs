//! The whole request in one trip: a limit, a session and a cached answer, read by one POST.
//!
//! | what happens | requests before the answer | behind it |
//! |---|---|---|
//! | a refusal that this isolate remembers | 0 | |
//! | a refusal | 1 | 1 where the cache had nothing fresh: its lease is given back |
//! | a hit, a 304 among them | 1 | |
//! | a stale hit | 1 | 1 for who refreshes it |
//! | a miss | 1 | 1: what the handler answered is stored, or is not to be |
//! | the handler changed the session | 1 more (2 for a login) | |
//!
//! [`Edge::open`] is the trip, an op, and [`Edge::close`] what follows the handler, both on plain data. `Edge::handle`
//! is the two of them around the handler of a Rust Worker.

mod answer;
mod close;
#[cfg(all(feature = "worker-types", target_arch = "wasm32"))]
mod handle;
#[cfg(all(feature = "worker-types", target_arch = "wasm32"))]
mod http;
#[cfg(all(feature = "worker-types", target_arch = "wasm32"))]
mod keep;
mod open;
mod problem;

use crate::cache::Cache;
use crate::duration;
use crate::error::EdgeError;
use crate::ratelimit::{Identifier, RateLimiter};
use crate::session::Sessions;

pub use close::Closed;
pub use open::{Open, Visit};
pub use problem::Problem;

/// Who is served when a session cannot be read: Redis is gone, too slow, or over its quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSessionFailure {
    /// The request, as one without a session. What its handler changes in the session cannot be saved, and fails.
    #[default]
    Anonymous,
    /// Nobody.
    Refuse,
}

/// What a request passes through: a limit, a session, a cache of whole answers. Building one does nothing; clones are cheap.
///
/// ```
/// use std::time::Duration;
/// use upstash_edge::{Edge, Limit, RateLimiter, Sessions};
/// # fn main() -> Result<(), upstash_edge::EdgeError> {
/// let limiter = RateLimiter::new(Limit::sliding_window(100, Duration::from_secs(60))?);
/// let sessions = Sessions::new(&["a secret of 32 bytes or more, not in the source"])?;
/// let edge = Edge::new().limiter(limiter).sessions(sessions);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Edge {
    limiter: Option<RateLimiter>,
    sessions: Option<Sessions>,
    cache: Option<Cache>,
    ttl_ms: Option<u64>,
    on_session_failure: OnSessionFailure,
    saves_in_background: bool,
}

impl Edge {
    /// One through which everything passes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits how often. Keep the limiter from one request to the next, so that it remembers refusals.
    #[must_use]
    pub fn limiter(mut self, limiter: RateLimiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Opens and saves sessions.
    #[must_use]
    pub fn sessions(mut self, sessions: Sessions) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Keeps answers, as a shared cache by RFC 9111. Keep it from one request to the next, so that it counts its hits.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// For how long an answer is kept that states no lifetime, in milliseconds; without this it is not kept.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn ttl_ms(mut self, ttl_ms: u64) -> Result<Self, EdgeError> {
        self.ttl_ms = Some(duration::kept(ttl_ms)?);
        Ok(self)
    }

    /// Who is served when the session cannot be read. Limits have a policy of their own.
    #[must_use]
    pub fn on_session_failure(mut self, policy: OnSessionFailure) -> Self {
        self.on_session_failure = policy;
        self
    }

    /// Answers before a changed session is saved, where the save has no cookie to tell: nobody then hears of a conflict,
    /// or of a Redis that is gone. Off by default.
    #[must_use]
    pub fn save_in_background(mut self, on: bool) -> Self {
        self.saves_in_background = on;
        self
    }

    /// What one request needs of Redis, as one op: a check of `id` (`None` counts nobody) and the session of its
    /// `Cookie` header. A refusal that this isolate remembers sends nothing, the session is not loaded then.
    pub fn open(&self, id: Option<Identifier>, cookie_header: &str) -> Open {
        Open::new(self, id, cookie_header)
    }
}
