//! A log that remembers everything, and what each algorithm says by it.

use upstash_edge::{Decision, Limit};

use super::{bucket, fixed, sliding};

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Sliding,
    Fixed,
    Bucket { refill: u32 },
}

/// Every admitted check, never forgotten.
pub struct Log {
    pub kind: Kind,
    pub window: u64,
    pub admitted: Vec<(u64, u32)>,
}

impl Log {
    pub fn new(kind: Kind, window: u64) -> Self {
        let admitted = Vec::new();
        Self {
            kind,
            window,
            admitted,
        }
    }

    pub fn limit(&self, limit: u32) -> Limit {
        match self.kind {
            Kind::Sliding => sliding(limit, self.window),
            Kind::Fixed => fixed(limit, self.window),
            Kind::Bucket { refill } => bucket(limit, refill, self.window),
        }
    }

    /// Time never runs backwards against what was admitted last.
    pub fn at(&self, now: u64) -> u64 {
        self.admitted.last().map_or(now, |(at, _)| now.max(*at))
    }

    pub fn admit(&mut self, now: u64, cost: u32) {
        let at = self.at(now);
        self.admitted.extend((cost > 0).then_some((at, cost)));
    }

    /// What was admitted within the `window` that ends at `at`.
    pub fn used(&self, at: u64, window: u64) -> u32 {
        let live = self
            .admitted
            .iter()
            .filter(|(stamp, _)| stamp + window > at);
        live.map(|(_, cost)| cost).sum()
    }

    /// What a check at `at` finds taken; of a bucket in parts of a token, as many as `every` has milliseconds.
    fn taken(&self, at: u64) -> u64 {
        let all = self.admitted.iter();
        match self.kind {
            Kind::Sliding => self.used(at, self.window).into(),
            Kind::Fixed => {
                let start = at - at % self.window;
                let since = all.filter(|(stamp, _)| *stamp >= start);
                since.map(|(_, cost)| u64::from(*cost)).sum()
            }
            Kind::Bucket { refill } => {
                // What is missing is the most that was taken since some moment beyond what has come since then.
                let mut sum = 0;
                let missing = all.rev().map(|(stamp, cost)| {
                    sum += i128::from(*cost) * i128::from(self.window);
                    sum - i128::from(at - stamp) * i128::from(refill)
                });
                missing.max().unwrap_or(0).max(0).try_into().unwrap()
            }
        }
    }

    fn parts(&self, cost: u32) -> u64 {
        match self.kind {
            Kind::Bucket { .. } => u64::from(cost) * self.window,
            _ => cost.into(),
        }
    }

    pub fn fits(&self, at: u64, limit: u32, cost: u32) -> bool {
        cost == 0 || self.taken(at) + self.parts(cost) <= self.parts(limit)
    }

    pub fn left(&self, at: u64, limit: u32) -> u64 {
        self.parts(limit).saturating_sub(self.taken(at)) / self.parts(1)
    }

    /// The first moment from `at` on at which `holds`, which goes on holding: found by halving, not by arithmetic.
    fn first(at: u64, holds: impl Fn(u64) -> bool) -> u64 {
        let (mut low, mut high) = (at, at + 400 * 86_400_000);
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// What an exact decision at `now` is, by this log, in all that it tells.
    pub fn assert_exact(&self, decision: &Decision, now: u64, limit: u32, cost: u32, keep: u64) {
        let at = self.at(now);
        let fits = self.fits(at, limit, cost);
        assert_eq!(decision.allowed, fits);
        let taken = if fits { cost } else { 0 };
        let left = self.left(at, limit).saturating_sub(taken.into());
        assert_eq!(u64::from(decision.remaining), left);
        let retry = if fits {
            0
        } else {
            Self::first(at, |moment| self.fits(moment, limit, cost)) - now
        };
        assert_eq!(decision.retry_after_ms, retry.min(keep));
        let mut after = Self::new(self.kind, self.window);
        after.admitted.clone_from(&self.admitted);
        after.admit(now, taken);
        let full = match after.taken(at) {
            0 => now,
            _ => Self::first(at, |moment| after.taken(moment) == 0),
        };
        assert_eq!(decision.reset_at, full.min(now + keep));
    }
}
