//! Rate limiting: exact, atomic, one command for a check.

mod call;
mod check;
mod decision;
mod headers;
mod isolate;
mod key;
mod limit;
mod lru;
mod state;
mod tally;
mod wait;
#[cfg(any(test, all(feature = "worker", target_arch = "wasm32")))]
#[cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "its tests run natively")
)]
mod window;

use std::cell::RefCell;
use std::rc::Rc;

use crate::duration;
use crate::error::EdgeError;

pub use check::{Check, Refund, Reset};
pub use decision::{Clock, Decision, Policy, Source};
pub use headers::{HeaderStyle, partition_key};
pub use key::Identifier;
pub use limit::{Limit, Limits};
pub use tally::{ReadStats, Stats};
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
pub(crate) use window::ReadWindow;

use call::Call;
use isolate::Isolate;

/// What a check answers when Redis does not: gone, too slow, or over its quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The request passes.
    #[default]
    Allow,
    /// The request is refused.
    Deny,
    /// This isolate counts by the same limits: each isolate for itself, from nothing.
    Local,
}

/// Limits how often an identifier may pass.
///
/// Building one does nothing: build it wherever it is needed. Clones share what this isolate remembers of refusals and
/// counts by itself: use each for one database.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    limits: Limits,
    name: Rc<str>,
    on_failure: OnFailure,
    timeout_ms: u64,
    clock: Clock,
    analytics: bool,
    /// Whether it remembers refusals.
    remembers: bool,
    isolate: Memory,
}

/// What an isolate remembers of refusals and has counted by itself, of one database and the limiters of one name.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Rc<RefCell<Isolate>>);

impl Memory {
    fn new(max_entries: usize) -> Self {
        Self(Rc::new(RefCell::new(Isolate::new(max_entries))))
    }
}

const REMEMBERED: usize = 10_000;

impl RateLimiter {
    /// A limiter with the defaults: name `ratelimit`, passing when Redis fails, waiting 1 s for it, by the caller's
    /// clock, remembering 10,000 refusals.
    #[must_use]
    pub fn new(limits: impl Into<Limits>) -> Self {
        Self {
            limits: limits.into(),
            name: "ratelimit".into(),
            on_failure: OnFailure::default(),
            timeout_ms: 1_000,
            clock: Clock::default(),
            analytics: false,
            remembers: true,
            isolate: Memory::new(REMEMBERED),
        }
    }

    /// The namespace of its keys. Limiters of one name share what the same limits have counted.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
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

    /// By whose time it counts. [`Decision::clock`] tells when Redis refused to say its own and the caller's was taken.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many refused identifiers this isolate remembers, 0 for none: they are refused again without a request until
    /// the moment that Redis named, 5 s at most. Only a limiter of one limit, by the caller's clock, remembers; and only
    /// as long as it or a clone lives: keep one in a `thread_local!` to remember from one request to the next.
    ///
    /// An entry takes about 120 bytes, and none is taken before there is one.
    #[must_use]
    pub fn memory(mut self, max_entries: usize) -> Self {
        self.remembers = max_entries > 0;
        self.isolate = Memory::new(max_entries);
        self
    }

    /// Shares what another limiter remembers and counts.
    #[cfg(all(feature = "js-limiter", target_arch = "wasm32"))]
    pub(crate) fn sharing(mut self, memory: &Memory) -> Self {
        self.isolate = memory.clone();
        self
    }

    #[cfg(all(feature = "js-limiter", target_arch = "wasm32"))]
    pub(crate) fn shared(&self) -> Memory {
        self.isolate.clone()
    }

    /// Counts what is allowed and refused, for [`Self::stats`]; off by default.
    ///
    /// Every 10 s at most an isolate sends its counts along with a check: one EVALSHA; inside it 3 commands, and with
    /// refusals 3 to 12 more. They are kept for 48 h. Counts live in this value and its clones: keep one.
    #[must_use]
    pub fn analytics(mut self, on: bool) -> Self {
        self.analytics = on;
        self
    }

    /// What all isolates have counted of this limiter's name in an hour of the clock: this one, or some hours ago.
    /// One HMGET and one ZREVRANGE.
    pub fn stats(&self, hours_ago: u32) -> ReadStats {
        ReadStats::new(self, hours_ago)
    }

    /// Asks for one place for `id`.
    ///
    /// One EVALSHA; inside it one GET, and one SET when the check is allowed, however many limits there are. With an
    /// identifier for each limit one MGET, and one SET for each limit. TIME more by the server's clock.
    /// Many checks in one `run` are one round trip: see [`Self::check_all`].
    pub fn check(&self, id: impl Into<Identifier>) -> Check {
        Check::new(Call::new(self, id.into()))
    }

    /// Asks for one place for each identifier, in one round trip: an op, for a vector of ops is one.
    pub fn check_all<I: Into<Identifier>>(&self, ids: impl IntoIterator<Item = I>) -> Vec<Check> {
        ids.into_iter().map(|id| self.check(id)).collect()
    }

    /// Looks and takes nothing: a check that costs 0. One EVALSHA; inside it one GET.
    pub fn peek(&self, id: impl Into<Identifier>) -> Check {
        self.check(id).cost(0)
    }

    /// Gives `cost` places back, at most all that are taken: what was taken last first.
    ///
    /// One EVALSHA; inside it one GET, and one SET when there is something to give back to.
    pub fn refund(&self, id: impl Into<Identifier>, cost: u32) -> Refund {
        Refund::new(Call::new(self, id.into()), cost)
    }

    /// Forgets what was counted for `id` by this limiter's limits. One DEL.
    pub fn reset(&self, id: impl Into<Identifier>) -> Reset {
        Reset::new(Call::new(self, id.into()))
    }
}
