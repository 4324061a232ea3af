//! What came of each command, as its op or its caller reads it.

use super::{Outcome, Task};
use crate::error::EdgeError;
use crate::wire::{Replies, Slot, frame};

impl Task {
    /// Each command's outcome, in order.
    pub fn slots(&self) -> Vec<Slot<'_>> {
        (0..self.outcomes.len())
            .map(|command| self.slot(command))
            .collect()
    }

    /// The outcome of one command.
    pub fn slot(&self, command: usize) -> Slot<'_> {
        match self.outcomes.get(command) {
            Some(Outcome::Failed(error)) => Err(error.clone()),
            Some(Outcome::Reply { body, at }) => {
                let body = self.bodies.get(*body).map_or(&[][..], Vec::as_slice);
                frame(body.get(*at..).unwrap_or_default()).map(|(reply, _)| reply)
            }
            Some(Outcome::Waiting | Outcome::Whole) | None => {
                Err(EdgeError::corrupt("a command was never answered"))
            }
        }
    }

    pub fn replies<'a>(&'a self, slots: &'a [Slot<'a>]) -> Replies<'a> {
        Replies::new(slots, self.commands.scopes())
    }
}

/// For a pump that settles each command as soon as it can be.
#[cfg(all(feature = "js-client", target_arch = "wasm32"))]
impl Task {
    /// The number of the answer that holds a command's reply, and that answer.
    pub fn answer(&self, command: usize) -> Option<(usize, &[u8])> {
        match self.outcomes.get(command)? {
            Outcome::Reply { body, .. } => Some((*body, self.bodies.get(*body)?)),
            _ => None,
        }
    }

    pub fn answers(&self) -> usize {
        self.bodies.len()
    }

    /// The number of the answer of which `part` is a part, and where in it that begins: the difference of their
    /// addresses.
    pub fn place(&self, part: &[u8]) -> Option<(usize, usize)> {
        self.bodies.iter().enumerate().find_map(|(answer, body)| {
            let start = (part.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
            let end = start.checked_add(part.len())?;
            (end <= body.len()).then_some((answer, start))
        })
    }

    pub fn last_answer(&self) -> Option<&[u8]> {
        self.bodies.last().map(Vec::as_slice)
    }

    /// `error` is the outcome of this command, if it still waits.
    pub fn give_up(&mut self, command: usize, error: &EdgeError) {
        if let Some(outcome) = self.outcomes.get_mut(command) {
            outcome.settle(|| Outcome::Failed(error.clone()));
        }
    }

    /// The replies to the commands of one scope, the first of which is number `first`.
    pub fn replies_of_scope<'a>(
        &'a self,
        slots: &'a [Slot<'a>],
        first: usize,
        scope: usize,
    ) -> Replies<'a> {
        Replies::of_scope(slots, first, self.commands.scopes(), scope)
    }
}
