//! The algorithms, as pure functions of a state and the time: what the script does in Redis, for when it is away.

use std::collections::VecDeque;

use super::decision::Verdict;
use super::limit::{Algorithm, Limit};

/// What one limit has counted.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// When, and how much, oldest first.
    Sliding(VecDeque<(u64, u32)>),
    /// The window's start, and what was taken.
    Fixed(u64, u32),
    /// When, and what was missing then, in parts of a token, as many as `every` has milliseconds.
    Bucket(u64, u64),
}

impl State {
    pub fn new(limit: &Limit) -> Self {
        match limit.algorithm {
            Algorithm::SlidingWindow => Self::Sliding(VecDeque::new()),
            Algorithm::FixedWindow => Self::Fixed(0, 0),
            Algorithm::TokenBucket { .. } => Self::Bucket(0, 0),
        }
    }

    /// Whether a check of `cost` passes at `now`.
    ///
    /// Changes nothing, not even to forget what is over: the clock may step back.
    pub fn look(&self, limit: &Limit, cost: u32, now: u64) -> Verdict {
        let mut state = self.clone();
        state.advance(limit, now);
        let window = limit.window_ms;
        match (&state, limit.algorithm) {
            (Self::Bucket(at, missing), Algorithm::TokenBucket { refill }) => {
                let full = u64::from(limit.limit) * window;
                let asked = *missing + u64::from(cost) * window;
                let after = |parts: u64| match parts {
                    0 => 0,
                    _ => *at - now + parts.div_ceil(refill.into()),
                };
                let over = if cost > 0 {
                    asked.saturating_sub(full)
                } else {
                    0
                };
                Verdict {
                    left: u32::try_from(full.saturating_sub(*missing) / window).unwrap_or(u32::MAX),
                    retry_after_ms: after(over),
                    ends_ms: after(*missing),
                    spent_ms: after(asked),
                }
            }
            (Self::Fixed(start, used), _) => {
                let left = limit.limit.saturating_sub(*used);
                let over_ms = *start + window - now;
                Verdict {
                    left,
                    retry_after_ms: if cost > left { over_ms } else { 0 },
                    ends_ms: if *used > 0 { over_ms } else { 0 },
                    spent_ms: over_ms,
                }
            }
            (Self::Sliding(pairs), _) => {
                let newest = pairs.back().map_or(0, |pair| pair.0);
                let used: u32 = pairs.iter().map(|pair| pair.1).sum();
                let left = limit.limit.saturating_sub(used);
                let mut need = i64::from(used) + i64::from(cost) - i64::from(limit.limit);
                // The earliest pair whose end frees enough.
                let frees = pairs.iter().find(|pair| {
                    need -= i64::from(pair.1);
                    need <= 0
                });
                let frees = frees.filter(|_| cost > left);
                Verdict {
                    left,
                    retry_after_ms: frees.map_or(0, |pair| pair.0 + window - now),
                    ends_ms: if used > 0 { newest + window - now } else { 0 },
                    spent_ms: now.max(newest) + window - now,
                }
            }
            // Not reached: what a state is kept under names its kind.
            (Self::Bucket(..), _) => Verdict::default(),
        }
    }

    /// Forgets what is over. Time never runs backwards against what was counted last, whoever's clock counted it.
    fn advance(&mut self, limit: &Limit, now: u64) {
        match self {
            Self::Sliding(pairs) => {
                let at = pairs.back().map_or(now, |newest| newest.0.max(now));
                while pairs
                    .front()
                    .is_some_and(|pair| pair.0 + limit.window_ms <= at)
                {
                    pairs.pop_front();
                }
            }
            Self::Fixed(start, used) => {
                let current = now - now % limit.window_ms;
                if current > *start {
                    (*start, *used) = (current, 0);
                }
            }
            Self::Bucket(at, missing) => {
                if let Algorithm::TokenBucket { refill } = limit.algorithm {
                    let came = now.saturating_sub(*at).saturating_mul(refill.into());
                    *missing = missing.saturating_sub(came);
                    *at = now.max(*at);
                }
            }
        }
    }

    /// Counts a check that passes.
    pub fn take(&mut self, limit: &Limit, cost: u32, now: u64) {
        self.advance(limit, now);
        match self {
            Self::Sliding(pairs) => {
                let bucket = |at: u64| at * 128 / limit.window_ms;
                match pairs.back_mut() {
                    Some((newest, taken))
                        if *newest >= now
                            || limit.limit > 128 && bucket(*newest) == bucket(now) =>
                    {
                        *newest = now.max(*newest);
                        *taken += cost;
                    }
                    _ => pairs.push_back((now, cost)),
                }
            }
            Self::Fixed(_, used) => *used += cost,
            Self::Bucket(_, missing) => *missing += u64::from(cost) * limit.window_ms,
        }
    }

    /// Gives back what was taken, at most all of it; of a sliding window what came last is first.
    pub fn give_back(&mut self, limit: &Limit, cost: u32, now: u64) {
        self.advance(limit, now);
        match self {
            Self::Sliding(pairs) => {
                let mut left = cost;
                while let Some(newest) = pairs.back_mut() {
                    if newest.1 > left {
                        newest.1 -= left;
                        return;
                    }
                    left -= newest.1;
                    pairs.pop_back();
                }
            }
            Self::Fixed(_, used) => *used = used.saturating_sub(cost),
            Self::Bucket(_, missing) => {
                *missing = missing.saturating_sub(u64::from(cost) * limit.window_ms);
            }
        }
    }
}
