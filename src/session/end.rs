//! Ending one session, as an op: by who holds its id, or by its user.
//!
//! One request of two commands (one where nobody is logged in), 2 inner commands (4 in the session's first minute) and 2
//! more. When Redis fails the caller is told, and the session may live on.

use super::Sessions;
use super::id::{Id, Place};
use super::user::{leave, refuse_nobody, user_tag};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static END: Script = script!("../lua/session_end.lua");

/// By what right a session is ended.
pub(crate) enum By {
    Holder(Id),
    /// What is no handle names no session.
    User {
        id: String,
        handle: Option<Place>,
    },
}

/// Its output: whether there was one.
pub(crate) struct End {
    pub sessions: Sessions,
    pub by: By,
}

impl Op for End {
    type Output = bool;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let name = &self.sessions.0.name;
        let (place, tag) = match &self.by {
            By::Holder(id) => {
                let hash = id.hash();
                let args = [(&hash).into(), cx.now().into(), "".into()];
                // Ended twice is ended; the reply is not told apart.
                out.script(&END, &[&id.key(name)], &args, Repeat::Harmless);
                (id.place(), id.user)
            }
            By::User { id, handle } => {
                refuse_nobody(id)?;
                let Some(place) = handle else { return Ok(()) };
                let args = ["".into(), cx.now().into(), id.into()];
                out.script(&END, &[&place.key(name)], &args, Repeat::Never);
                (place, Some(user_tag(name, id)))
            }
        };
        if let Some(tag) = tag {
            leave(name, &tag, place, out);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        match self.by {
            By::User { handle: None, .. } => Ok(false),
            _ => Ok(replies.take()?.int()? == 1),
        }
    }

    fn timeout_ms(&self) -> Option<u64> {
        let waits = !matches!(self.by, By::User { handle: None, .. });
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}
