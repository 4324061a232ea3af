//! What an isolate has seen of a cache: whether its Redis answers, and what was hit and missed.

use std::cell::RefCell;
use std::rc::Rc;

use super::breaker::Breaker;
use super::failure::Listener;
use super::key::Space;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Replies, Reply};

/// What is counted is sent along with what is asked anyway, this often at most.
const EVERY_MS: u64 = 10_000;

const FIELDS: [&str; 3] = ["h", "m", "s"];

/// What a read came to.
#[derive(Clone, Copy)]
pub(super) enum Served {
    Hit,
    Miss,
    Stale,
}

#[derive(Debug, Default)]
struct Isolate {
    breaker: Breaker,
    since: u64,
    counts: [u32; 3],
}

/// Clones share what was seen.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    isolate: Rc<RefCell<Isolate>>,
    pub metrics: bool,
    pub listener: Listener,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            isolate: Rc::default(),
            metrics: true,
            listener: Listener::default(),
        }
    }
}

impl Watch {
    /// Whether Redis is to be asked at `now`.
    pub fn allows(&self, now: u64) -> bool {
        self.isolate.borrow_mut().breaker.allows(now)
    }

    /// What was asked at `asked` was answered, or was not by `now`.
    pub fn saw(&self, answered: bool, asked: u64, now: u64) {
        self.isolate.borrow_mut().breaker.saw(answered, asked, now);
    }

    /// Counts one read.
    pub fn count(&self, served: Served, now: u64) {
        if !self.metrics {
            return;
        }
        let mut isolate = self.isolate.borrow_mut();
        if isolate.counts == [0; 3] {
            isolate.since = now;
        }
        if let Some(count) = isolate.counts.get_mut(served as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// Appends what was counted, when it is time: a clock that went back does not hold it up.
    pub fn send(&self, space: &Space, now: u64, out: &mut Commands) -> Result<(), EdgeError> {
        let mut isolate = self.isolate.borrow_mut();
        let since = isolate.since;
        if (since..since.saturating_add(EVERY_MS)).contains(&now) {
            return Ok(());
        }
        isolate.flush(space, out)
    }
}

impl Isolate {
    /// One HINCRBY for each kind. What is lost on the way was not counted.
    fn flush(&mut self, space: &Space, out: &mut Commands) -> Result<(), EdgeError> {
        let counts = std::mem::take(&mut self.counts);
        for (field, count) in FIELDS.iter().zip(counts) {
            if count > 0 {
                let args = [Arg::Text(&space.counts()), Arg::Text(field), count.into()];
                out.command("HINCRBY", &args)?;
            }
        }
        Ok(())
    }
}

/// How often a cache was asked, by all isolates, since it was first used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Answered by a fresh value.
    pub hits: u64,
    /// Answered by no value, or by what was fetched.
    pub misses: u64,
    /// Answered by a stale value.
    pub stale: u64,
}

impl CacheStats {
    /// The share that the cache answered, stale values included: 0 to 1, 0 when nothing was asked.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let served = self.hits + self.stale;
        served as f64 / (served + self.misses).max(1) as f64
    }
}

/// Reads the counts: see [`Cache::stats`](super::Cache::stats).
pub struct ReadCacheStats {
    watch: Watch,
    space: Space,
    sent: usize,
    timeout_ms: u64,
}

impl ReadCacheStats {
    pub(super) fn new(watch: Watch, space: Space, timeout_ms: u64) -> Self {
        Self {
            watch,
            space,
            sent: 0,
            timeout_ms,
        }
    }
}

impl Op for ReadCacheStats {
    type Output = CacheStats;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let before = out.len();
        let mut isolate = self.watch.isolate.borrow_mut();
        isolate.flush(&self.space, out)?;
        self.sent = out.len() - before;
        let [hits, misses, stale] = FIELDS.map(Arg::Text);
        let key = self.space.counts();
        out.command("HMGET", &[Arg::Text(&key), hits, misses, stale])
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<CacheStats, EdgeError> {
        for _ in 0..self.sent {
            replies.take()?;
        }
        let mut counts = replies.take()?.array()?;
        let mut count = || match counts.entry()? {
            Reply::Nil => Ok(0),
            counted => Ok(counted.text()?.parse().unwrap_or(0)),
        };
        Ok(CacheStats {
            hits: count()?,
            misses: count()?,
            stale: count()?,
        })
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}
