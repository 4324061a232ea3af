//! Flows of several steps: what to do next, as a value.
//!
//! A flow never waits and never calls anybody. A pump does what it asks (send these commands, sleep, run the
//! caller's function) and tells it what came of it. It may answer early and go on: a stale page now, a fresh one after.

use crate::op::Context;
use crate::wire::{Commands, Replies};

/// What happened since the last step.
pub(crate) enum Event<'r, 'a, T> {
    /// Nothing yet.
    Started,
    /// The commands were answered, each in its own way.
    Answered(&'r mut Replies<'a>),
    /// The time passed.
    Slept,
    /// The caller's function ended.
    Fetched(T),
}

/// What should happen next.
pub(crate) enum Next {
    /// Begin. (What a pump has before the first step.)
    Start,
    /// Send what the step appended.
    Send { timeout_ms: u64 },
    /// Wait.
    Sleep { ms: u64 },
    /// Run the caller's function.
    Fetch,
    /// Nothing more.
    End,
}

/// An answer, if this step gives it, and what should happen next.
pub(crate) struct Step<A> {
    pub answer: Option<A>,
    pub next: Next,
}

impl<A> Step<A> {
    pub fn then(next: Next) -> Self {
        Self { answer: None, next }
    }

    pub fn answer(answer: A, next: Next) -> Self {
        Self {
            answer: Some(answer),
            next,
        }
    }
}

/// A state machine of several steps.
pub(crate) trait Flow {
    /// What the caller waits for, given exactly once; also what the caller's own function gives.
    type Answer;

    fn step(
        &mut self,
        cx: &Context<'_>,
        event: Event<'_, '_, Self::Answer>,
        out: &mut Commands,
    ) -> Step<Self::Answer>;
}
