//! Jobs that repeat, as an op.

use super::{Queue, clock};
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static SCHEDULE: Script = script!(
    "../lua/queue.lua",
    "../lua/queue_end.lua",
    "../lua/queue_schedule.lua"
);

/// Sets or ends a job that repeats: see [`Queue::schedule`].
#[must_use = "an op does nothing until it is run"]
pub struct Schedule {
    queue: Queue,
    id: String,
    plan: Option<(u64, String)>,
}

impl Schedule {
    pub(super) fn of(
        queue: Queue,
        id: &str,
        plan: Option<(u64, String)>,
    ) -> Result<Self, EdgeError> {
        if !keys::is_name(id) {
            return Err(EdgeError::argument("id must be 1 to 128 bytes long"));
        }
        let id = String::from("*") + id;
        Ok(Self { queue, id, plan })
    }
}

impl Op for Schedule {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let [jobs, records] = self.queue.keys();
        let (every, payload) = match &self.plan {
            Some((every, payload)) => ((*every).into(), payload.as_str()),
            None => ("".into(), ""),
        };
        let args = [clock(cx), (&self.id).into(), payload.into(), every];
        out.script(&SCHEDULE, &[&jobs, &records], &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        replies.take().map(|_| ())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}
