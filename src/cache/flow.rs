//! What a flow and who drives it tell each other.

use super::failure::CacheFailure;
use super::payload::Payload;

/// What should happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send what the flow encodes, and tell it the replies.
    Send,
    /// Wait.
    Sleep { ms: u64 },
    /// Say whether what was found can be used.
    Judge,
    /// Run the caller's function.
    Fetch,
    /// Nothing more.
    End,
}

/// What the caller is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What was found, and judged to be of use.
    Found,
    /// What its function gave, be it an error.
    Fetched,
}

/// An answer, if this step gives it (one step does), what should happen next, and what failed before it.
pub(crate) struct Step {
    pub answer: Option<Answer>,
    pub next: Next,
    pub failed: Option<CacheFailure>,
}

impl Step {
    pub fn then(next: Next) -> Self {
        Self::with(None, next)
    }

    pub fn answer(answer: Answer, next: Next) -> Self {
        Self::with(Some(answer), next)
    }

    pub fn with(answer: Option<Answer>, next: Next) -> Self {
        let failed = None;
        Self {
            answer,
            next,
            failed,
        }
    }
}

/// What the caller's function gave.
pub(crate) enum Fetched {
    /// A value to be stored.
    Value(Payload),
    /// Nothing that is to be stored.
    Nothing,
    Failed,
}
