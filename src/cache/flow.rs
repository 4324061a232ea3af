//! What a flow and who drives it tell each other.

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

/// An answer, if this step gives it (one step does), and what should happen next.
pub(crate) struct Step {
    pub answer: Option<Answer>,
    pub next: Next,
}

impl Step {
    pub fn then(next: Next) -> Self {
        let answer = None;
        Self { answer, next }
    }

    pub fn answer(answer: Answer, next: Next) -> Self {
        let answer = Some(answer);
        Self { answer, next }
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
