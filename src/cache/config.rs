//! What a cache may be told.

use super::Cache;
use super::failure::{CacheFailure, Listener};
use super::freshness::Times;
use super::key::{self, Space};
use super::watch::Watch;
use crate::duration;
use crate::error::EdgeError;

/// How long one caller may fetch while the others wait, and how long all of them wait for Redis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub lock_ms: u64,
    pub timeout_ms: u64,
}

/// `timeout` bounds what a caller waits, and the timers of a busy isolate are late: by 17 ms where it was measured
/// (`tests/faults/cache.test.mjs`).
const fn in_time(timeout_ms: u64) -> u64 {
    let sooner = timeout_ms / 4;
    timeout_ms - if sooner < 25 { sooner } else { 25 }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            space: Space {
                name: "cache".into(),
                shards: 1,
            },
            times: Times {
                ttl_ms: 3_600_000,
                stale_ms: 0,
                error_ms: 0,
                jitter: 0,
            },
            tags: Vec::new(),
            early_refresh: 0.0,
            patience: Patience {
                lock_ms: 10_000,
                timeout_ms: in_time(500),
            },
            watch: Watch::default(),
        }
    }
}

impl Cache {
    /// A cache with the defaults: name `cache`, one shard, values fresh for 1 h and never served stale,
    /// a lease of 10 s for the one who fetches, 500 ms of patience with Redis.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The namespace of its keys.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.space.name = name.into();
        self
    }

    /// Over how many slots of a cluster it is spread. What concerns all keys costs a command for each.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 1,024.
    pub fn shards(mut self, shards: u32) -> Result<Self, EdgeError> {
        if !(1..=1_024).contains(&shards) {
            return Err(EdgeError::config("shards must be 1 to 1024"));
        }
        self.space.shards = shards;
        Ok(self)
    }

    /// How long a value is fresh, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn ttl_ms(mut self, ttl_ms: u64) -> Result<Self, EdgeError> {
        self.times.ttl_ms = duration::kept(ttl_ms)?;
        Ok(self)
    }

    /// Which share of that time is taken off at random, up to this (0 to 1): what was stored together does not end
    /// together.
    ///
    /// # Errors
    /// `invalid_config` when it is no share.
    pub fn jitter(self, share: f64) -> Result<Self, EdgeError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(EdgeError::config("jitter must be 0 to 1"));
        }
        Ok(self.jitter_thousandths((share * 1_000.0) as u32))
    }

    /// The share in thousandths; more than all is all.
    pub(crate) fn jitter_thousandths(mut self, share: u32) -> Self {
        self.times.jitter = share.min(1_000);
        self
    }

    /// For how long after that it may be served while one caller refreshes it, in milliseconds
    /// (RFC 5861, `stale-while-revalidate`).
    #[must_use]
    pub fn stale_while_revalidate_ms(mut self, stale_ms: u64) -> Self {
        self.times.stale_ms = stale_ms.min(duration::LONGEST_MS);
        self
    }

    /// For how long after that it may be served when fetching fails, in milliseconds (RFC 5861, `stale-if-error`).
    #[must_use]
    pub fn stale_if_error_ms(mut self, error_ms: u64) -> Self {
        self.times.error_ms = error_ms.min(duration::LONGEST_MS);
        self
    }

    /// For how long one caller may fetch a missing value while the others wait, in milliseconds; 0: nobody waits, and
    /// everybody fetches.
    ///
    /// # Errors
    /// `invalid_config` when it is past 10,000 days.
    pub fn lock_ms(mut self, lock_ms: u64) -> Result<Self, EdgeError> {
        self.patience.lock_ms = duration::kept(lock_ms.max(1))?.min(lock_ms);
        Ok(self)
    }

    /// How eagerly a value is refreshed before it ends: the `beta` of XFetch (Vattani and others, VLDB 2015). 1 is
    /// right for most, more is earlier, 0 (the default) is never.
    ///
    /// # Errors
    /// `invalid_config` when it is not 0 to 1,000.
    pub fn early_refresh(mut self, beta: f64) -> Result<Self, EdgeError> {
        if !(0.0..=1_000.0).contains(&beta) {
            return Err(EdgeError::config("early_refresh must be 0 to 1000"));
        }
        self.early_refresh = beta;
        Ok(self)
    }

    /// How long a caller waits for Redis, at most, after which a read is a miss, in milliseconds. The cache gives up
    /// 25 ms sooner, or a quarter of it if that is less, since timers are late.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Result<Self, EdgeError> {
        self.patience.timeout_ms = in_time(duration::timeout(timeout_ms)?);
        Ok(self)
    }

    /// Whether hits and misses are counted; they are unless this says no. See [`Self::stats`].
    #[must_use]
    pub fn metrics(mut self, metrics: bool) -> Self {
        self.watch.metrics = metrics;
        self
    }

    /// Whom to tell of what this cache's callers are not told: failed look-ups and stores. It must not panic.
    #[must_use]
    pub fn on_error(mut self, listener: impl Fn(CacheFailure) + 'static) -> Self {
        self.watch.listener = Listener::new(listener);
        self
    }

    /// The tags that what it stores carries: see [`Self::invalidate_tags`].
    ///
    /// # Errors
    /// `invalid_argument` when one is empty, or when they are more than 64.
    pub fn tags<S: AsRef<str>>(mut self, tags: &[S]) -> Result<Self, EdgeError> {
        self.tags = key::tags(tags)?;
        Ok(self)
    }
}
