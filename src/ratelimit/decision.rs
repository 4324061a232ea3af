//! What a check answers.

use serde::Serialize;

use super::Limit;

/// The answer to a check: whether, and if not, when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Whether the request may pass.
    pub allowed: bool,
    /// The limit of which least is left, as configured.
    pub limit: u32,
    /// How much of it may still pass at this moment.
    pub remaining: u32,
    /// Each limit that was checked, in the order they were given.
    pub policies: Vec<Policy>,
    /// Milliseconds until a check of this cost can pass if nobody else asks; 0 when this one was allowed.
    pub retry_after_ms: u64,
    /// When every full limit is back if nobody asks again, in epoch milliseconds.
    pub reset_at: u64,
    /// The name of the limit that refused; of several the one that will for longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited_by: Option<String>,
    /// Who decided.
    pub source: Source,
    /// When it was decided, by the clock that decided.
    #[serde(skip)]
    pub(super) decided_at: u64,
    #[serde(skip)]
    pub(super) clock: Clock,
}

/// The state of one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The limit's name.
    pub name: String,
    /// How much may pass within a window; a token bucket's capacity.
    pub limit: u32,
    /// The window, in milliseconds; of a token bucket the time from empty to full.
    pub window_ms: u64,
    /// How much may still pass at this moment.
    pub remaining: u32,
    /// When the full limit is back if nobody asks again, in epoch milliseconds.
    pub reset_at: u64,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// Redis counted.
    Redis,
    /// A refusal of Redis, remembered: no request was sent.
    Memory,
    /// Redis did not answer, and this isolate counted.
    Local,
    /// Redis did not answer, and the failure policy decided.
    Failure,
}

/// By whose time a limit is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The caller's, at each check. Callers whose clocks differ by some time shorten a window by
    /// as much at most, and who lags waits longer by as much.
    #[default]
    Client,
    /// Redis's own, the same for all callers: one inner command more (TIME).
    Server,
}

/// What one limit says to a check; times in milliseconds from the check on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What was left before it.
    pub left: u32,
    /// When it can pass; 0 when it passes.
    pub retry_after_ms: u64,
    /// When the full limit is back if the check takes nothing.
    pub ends_ms: u64,
    /// And if it takes its cost.
    pub spent_ms: u64,
}

impl Decision {
    /// What the limits say together to a check of `cost`: all or nothing.
    pub(super) fn new(limits: &[Limit], verdicts: &[Verdict], cost: u32, now: u64) -> Self {
        let allowed = verdicts.iter().all(|verdict| verdict.retry_after_ms == 0);
        let mut decision = Self {
            allowed,
            limit: 0,
            remaining: u32::MAX,
            policies: Vec::with_capacity(limits.len()),
            retry_after_ms: 0,
            reset_at: now,
            limited_by: None,
            source: Source::Redis,
            decided_at: now,
            clock: Clock::Client,
        };
        for (limit, verdict) in limits.iter().zip(verdicts) {
            let (remaining, full_ms) = if allowed && cost > 0 {
                (verdict.left.saturating_sub(cost), verdict.spent_ms)
            } else {
                (verdict.left, verdict.ends_ms)
            };
            if remaining < decision.remaining {
                decision.remaining = remaining;
                decision.limit = limit.limit;
            }
            if verdict.retry_after_ms > decision.retry_after_ms {
                decision.retry_after_ms = verdict.retry_after_ms;
                decision.limited_by = Some(limit.name.as_ref().to_owned());
            }
            let policy = Policy {
                name: limit.name.as_ref().to_owned(),
                limit: limit.limit,
                window_ms: limit.whole_window_ms(),
                remaining,
                reset_at: now + full_ms,
            };
            decision.reset_at = decision.reset_at.max(policy.reset_at);
            decision.policies.push(policy);
        }
        decision
    }

    /// Redis did not answer. A refusal says to come back in a second: nobody knows better.
    pub(super) fn failure(limits: &[Limit], allowed: bool, now: u64) -> Self {
        let retry_after_ms = if allowed { 0 } else { 1_000 };
        let verdict = |limit: &Limit| Verdict {
            left: if allowed { limit.limit } else { 0 },
            retry_after_ms,
            ends_ms: retry_after_ms,
            spent_ms: 0,
        };
        let verdicts: Vec<_> = limits.iter().map(verdict).collect();
        let mut decision = Self::new(limits, &verdicts, 0, now);
        decision.source = Source::Failure;
        decision.limited_by = None;
        decision
    }

    /// When it was decided, in epoch milliseconds, by the clock that decided.
    #[must_use]
    pub fn decided_at(&self) -> u64 {
        self.decided_at
    }

    /// By whose time it was decided: `Client` although the limiter asks the server when Redis refused to tell its time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }
}
