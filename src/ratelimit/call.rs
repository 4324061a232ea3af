//! What check, refund and reset have in common: whom they are about, and one script.

use super::decision::Verdict;
use super::isolate::Isolate;
use super::key::Keys;
use super::limit::{Algorithm, Limit};
use super::{Clock, Decision, Identifier, Limits, RateLimiter};
use crate::error::EdgeError;
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Reply};

static LIMIT: Script = script!("../lua/limit.lua");

/// A limiter, its limits for this call, and whom it is about.
pub(super) struct Call {
    pub limiter: RateLimiter,
    pub limits: Limits,
    id: Identifier,
    keys: Keys,
}

impl Call {
    pub fn new(limiter: &RateLimiter, id: Identifier) -> Self {
        Self {
            limits: limiter.limits.clone(),
            limiter: limiter.clone(),
            id,
            keys: Keys::default(),
        }
    }

    /// Makes the keys.
    pub fn name(&mut self) -> Result<(), EdgeError> {
        self.keys = Keys::new(&self.limiter.name, &self.limits, &self.id)?;
        Ok(())
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub fn isolate(&self) -> std::cell::RefMut<'_, Isolate> {
        self.limiter.isolate.0.borrow_mut()
    }

    /// The only key and the only limit, where a refusal may be remembered: with several limits an answer would have to
    /// tell the state of each, and the server's clock is not known here.
    pub fn memorable(&self) -> Option<(&str, &Limit)> {
        match (self.keys.keys.as_slice(), &*self.limits) {
            ([key], [limit]) if self.limiter.remembers && self.limiter.clock == Clock::Client => {
                Some((key, limit))
            }
            _ => None,
        }
    }

    /// Appends the script: takes `cost` when all limits have room, gives it back when it is negative.
    pub fn script(&self, cost: i64, now: u64, out: &mut Commands, repeat: Repeat) {
        let mut asking = String::from("s");
        asking.push_str(itoa::Buffer::new().format(now));
        let mut args = Vec::with_capacity(2 + 4 * self.limits.len());
        args.push(match self.limiter.clock {
            Clock::Client => Arg::Unsigned(now),
            Clock::Server => Arg::Text(&asking),
        });
        args.push(Arg::Int(cost));
        for limit in self.ordered() {
            args.push(limit.limit.into());
            args.push(limit.window_ms.into());
            args.push(match limit.algorithm {
                Algorithm::SlidingWindow => Arg::Text("s"),
                Algorithm::FixedWindow => Arg::Text("f"),
                Algorithm::TokenBucket { refill } => refill.into(),
            });
            args.push(self.keep_ms(limit).into());
        }
        let keys: Vec<&str> = self.keys.keys.iter().map(String::as_str).collect();
        out.script(&LIMIT, &keys, &args, repeat);
    }

    /// What the script replied to a check of `cost` at `now`.
    pub fn decision(&self, reply: Reply<'_>, cost: u32, now: u64) -> Result<Decision, EdgeError> {
        let mut entries = reply.array()?;
        let (now, clock) = match u64::try_from(entries.entry()?.int()?) {
            Ok(0) | Err(_) => (now, Clock::Client),
            Ok(time) => (time, Clock::Server),
        };
        let mut verdicts = vec![Verdict::default(); self.limits.len()];
        for (limit, at) in self.ordered().zip(&self.keys.order) {
            let mut next = || entries.entry()?.count();
            // A state that the clock of another caller dated ahead is gone when its key is.
            let keep_ms = self.keep_ms(limit);
            let verdict = Verdict {
                left: u32::try_from(next()?).unwrap_or(u32::MAX),
                retry_after_ms: next()?.min(keep_ms),
                ends_ms: next()?.min(keep_ms),
                spent_ms: next()?.min(keep_ms),
            };
            if let Some(place) = verdicts.get_mut(*at) {
                *place = verdict;
            }
        }
        let mut decision = Decision::new(&self.limits, &verdicts, cost, now);
        decision.clock = clock;
        Ok(decision)
    }

    /// Sends along what this isolate has counted.
    pub fn send_tally(&self, now: u64, out: &mut Commands) {
        if self.limiter.analytics {
            self.isolate().tally.send(&self.limiter.name, now, out);
        }
    }

    /// Counts a decision, for the statistics.
    pub fn tally(&self, decision: &Decision, now: u64) {
        if self.limiter.analytics {
            let by = decision.limited_by.as_deref();
            let refused = by.map(|name| self.id.label(name));
            let mut isolate = self.isolate();
            isolate
                .tally
                .count(decision.allowed, refused.as_deref(), now);
        }
    }

    /// The limits in the order of their states.
    fn ordered(&self) -> impl Iterator<Item = &Limit> {
        let limits = &*self.limits;
        self.keys.order.iter().filter_map(|at| limits.get(*at))
    }

    /// What holds several states lives as long as the longest of them.
    fn keep_ms(&self, limit: &Limit) -> u64 {
        match self.keys.keys.as_slice() {
            [_] => self.limits.iter().map(Limit::keep_ms).max().unwrap_or(0),
            _ => limit.keep_ms(),
        }
    }
}
