//! What a check answers.

use serde::Serialize;

use super::{Limit, OnFailure};

/// The answer to a check: whether, and if not, when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Whether the request may pass.
    pub allowed: bool,
    /// The limit, as configured.
    pub limit: u32,
    /// How much may still pass at this moment.
    pub remaining: u32,
    /// Each limit that was checked.
    pub policies: Vec<Policy>,
    /// Milliseconds until a check of this cost can pass if nobody else asks; 0 when this one was allowed.
    pub retry_after_ms: u64,
    /// When the full limit is back if nobody asks again, in epoch milliseconds.
    pub reset_at: u64,
    /// The name of the limit that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited_by: Option<String>,
    /// Who decided.
    pub source: Source,
    /// When it was decided, by the clock of the check.
    #[serde(skip)]
    pub(super) decided_at: u64,
}

/// The state of one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The limit's name.
    pub name: String,
    /// How much may pass within a window.
    pub limit: u32,
    /// The window, in milliseconds.
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
    /// Redis did not answer, and the failure policy decided.
    Failure,
}

/// What the script said.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    pub allowed: bool,
    pub remaining: u32,
    pub retry_after_ms: u64,
    pub reset_at: u64,
}

impl Decision {
    pub(super) fn new(limit: &Limit, verdict: Verdict, source: Source, now: u64) -> Self {
        Self {
            allowed: verdict.allowed,
            limit: limit.limit,
            remaining: verdict.remaining,
            policies: vec![Policy {
                name: limit.name.clone(),
                limit: limit.limit,
                window_ms: limit.window_ms,
                remaining: verdict.remaining,
                reset_at: verdict.reset_at,
            }],
            retry_after_ms: verdict.retry_after_ms,
            reset_at: verdict.reset_at,
            limited_by: (!verdict.allowed).then(|| limit.name.clone()),
            source,
            decided_at: now,
        }
    }

    /// Redis did not answer. A refusal says to come back in a second: nobody knows better.
    pub(super) fn failure(limit: &Limit, policy: OnFailure, now: u64) -> Self {
        let allowed = policy == OnFailure::Allow;
        let retry_after_ms = if allowed { 0 } else { 1_000 };
        let verdict = Verdict {
            allowed,
            remaining: if allowed { limit.limit } else { 0 },
            retry_after_ms,
            reset_at: now + retry_after_ms,
        };
        let mut decision = Self::new(limit, verdict, Source::Failure, now);
        decision.limited_by = None;
        decision
    }
}
