//! Check, refund and reset, as ops.

use super::call::Call;
use super::{Decision, Limits, OnFailure};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Commands, Repeat, Replies};

/// A check of one identifier: see [`RateLimiter::check`](super::RateLimiter::check).
pub struct Check {
    call: Call,
    cost: u32,
    now: u64,
    forgotten: u64,
    recalled: Option<Decision>,
}

impl Check {
    pub(super) fn new(call: Call) -> Self {
        Self {
            call,
            cost: 1,
            now: 0,
            forgotten: 0,
            recalled: None,
        }
    }

    /// Takes `cost` places instead of one; 0 looks and takes none.
    #[must_use]
    pub fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// Other limits than the limiter's, for this identifier. What was counted under the same name, algorithm and window
    /// counts, whatever the limit was; several limits count anew when one of their windows is another.
    #[must_use]
    pub fn limits(mut self, limits: impl Into<Limits>) -> Self {
        self.call.limits = limits.into();
        self
    }
}

impl Op for Check {
    type Output = Decision;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.prepare()?;
        let cost = self.cost;
        self.now = cx.now();
        self.forgotten = self.call.isolate().forgotten();
        self.recalled = self.recall(self.now);
        if self.recalled.is_some() {
            return Ok(());
        }
        // A check that may have been counted is not counted twice.
        let repeat = if cost == 0 {
            Repeat::Harmless
        } else {
            Repeat::Never
        };
        self.call.script(cost.into(), self.now, out, repeat);
        self.call.send_tally(self.now, out);
        Ok(())
    }

    fn decode(
        mut self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Decision, EdgeError> {
        let decision = match self.recalled.take() {
            Some(decision) => decision,
            None => self.decide(cx, replies)?,
        };
        // Looking is no request.
        if self.cost > 0 {
            self.call.tally(&decision, cx.now());
        }
        Ok(decision)
    }

    fn timeout_ms(&self) -> Option<u64> {
        // What is answered already makes nobody wait.
        Some(match self.recalled {
            Some(_) => 0,
            None => self.call.limiter.timeout_ms,
        })
    }
}

impl Check {
    fn recall(&self, now: u64) -> Option<Decision> {
        let (key, limit) = self.call.memorable().filter(|_| self.cost > 0)?;
        self.call.isolate().recall(key, limit, self.cost, now)
    }

    /// Whether it would be refused by what this isolate remembers; asked after [`Self::prepare`].
    #[cfg(all(feature = "js-limiter", target_arch = "wasm32"))]
    pub(crate) fn recalls(&self, now: u64) -> bool {
        self.recall(now).is_some()
    }

    /// Whether it was refused already, by what this isolate remembers; asked after `encode`.
    pub(crate) fn is_recalled(&self) -> bool {
        self.recalled.is_some()
    }

    /// What can be wrong with a check is told before it is sent.
    pub(crate) fn prepare(&mut self) -> Result<(), EdgeError> {
        if self.call.limits.iter().any(|limit| self.cost > limit.limit) {
            return Err(EdgeError::argument(
                "cost must not be above the limit: such a check could never pass",
            ));
        }
        self.call.name()
    }

    fn decide(&self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Decision, EdgeError> {
        let (call, cost) = (&self.call, self.cost);
        let replied = replies.take();
        match replied.and_then(|reply| call.decision(reply, cost, self.now)) {
            Ok(decision) => {
                let mut isolate = call.isolate();
                if decision.allowed && cost > 0 {
                    isolate.outdate(call.keys());
                }
                if let (false, Some((key, limit))) = (decision.allowed, call.memorable())
                    && isolate.forgotten() == self.forgotten
                {
                    isolate.remember(key, limit, cost, &decision);
                }
                drop(isolate);
                Ok(decision)
            }
            Err(error) if error.is_outage() => Ok(match call.limiter.on_failure {
                OnFailure::Local => {
                    let keys = call.keys();
                    call.isolate().decide(keys, &call.limits, cost, cx.now())
                }
                policy => Decision::failure(&call.limits, policy == OnFailure::Allow, cx.now()),
            }),
            Err(error) => Err(error),
        }
    }
}

/// Places given back: see [`RateLimiter::refund`](super::RateLimiter::refund).
pub struct Refund {
    call: Call,
    cost: u32,
}

impl Refund {
    pub(super) fn new(call: Call, cost: u32) -> Self {
        Self { call, cost }
    }
}

impl Op for Refund {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.call.name()?;
        let (call, now) = (&self.call, cx.now());
        let mut isolate = call.isolate();
        isolate.give_back(call.keys(), &call.limits, self.cost, now);
        isolate.forget(call.keys());
        if self.cost > 0 {
            call.script(-i64::from(self.cost), now, out, Repeat::Never);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        if self.cost > 0 {
            replies.take()?;
            // Again: a check that was sent after it may have been refused before it.
            self.call.isolate().forget(self.call.keys());
        }
        Ok(())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.call.limiter.timeout_ms)
    }
}

/// An identifier forgotten: see [`RateLimiter::reset`](super::RateLimiter::reset).
pub struct Reset {
    call: Call,
}

impl Reset {
    pub(super) fn new(call: Call) -> Self {
        Self { call }
    }
}

impl Op for Reset {
    type Output = ();

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.call.name()?;
        let keys = self.call.keys();
        let mut isolate = self.call.isolate();
        isolate.reset(keys);
        isolate.forget(keys);
        let args: Vec<_> = keys.keys.iter().map(Into::into).collect();
        // Nobody is told how many there were.
        out.harmless("DEL", &args)
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        replies.take()?.int()?;
        self.call.isolate().forget(self.call.keys());
        Ok(())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.call.limiter.timeout_ms)
    }
}
