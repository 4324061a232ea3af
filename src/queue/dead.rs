//! Dead jobs, as ops.

use serde::de::DeserializeOwned;

use super::take::number;
use super::{MOST_JOBS, Queue, clock, few};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static DEAD: Script = script!("../lua/queue.lua", "../lua/queue_dead.lua");

/// A job that was taken as often as it may be, or that nobody can do.
#[derive(Clone, Debug)]
pub struct DeadJob {
    /// By which it is requeued or purged.
    pub id: String,
    /// Since when it is dead, in epoch milliseconds of Redis's clock.
    pub died_at: u64,
    /// How often it was taken.
    pub attempts: u32,
    /// Of what it died, as it was told; up to 200 bytes.
    pub reason: String,
    json: String,
}

impl DeadJob {
    /// Its payload.
    ///
    /// # Errors
    /// `corrupt` when it is of another type.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, EdgeError> {
        serde_json::from_str(&self.json)
            .map_err(|_| EdgeError::corrupt("the payload is of another type"))
    }
}

/// Lists dead jobs: see [`Queue::dead`].
#[must_use = "an op does nothing until it is run"]
pub struct ReadDead {
    pub(super) queue: Queue,
    pub(super) n: usize,
}

impl Op for ReadDead {
    type Output = Vec<DeadJob>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let [jobs, records] = self.queue.keys();
        let args = [clock(cx), "list".into(), self.n.into()];
        out.script(&DEAD, &[&jobs, &records], &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<DeadJob>, EdgeError> {
        let mut listed = replies.take()?.array()?;
        let mut dead = Vec::new();
        while let Some(id) = listed.next() {
            dead.push(DeadJob {
                id: id.text()?.to_owned(),
                died_at: number(listed.entry()?)?,
                attempts: number(listed.entry()?)?,
                reason: listed.entry()?.text()?.to_owned(),
                json: listed.entry()?.text()?.to_owned(),
            });
        }
        Ok(dead)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}

/// Requeues or purges dead jobs: see [`Queue::requeue`].
#[must_use = "an op does nothing until it is run"]
pub struct EndDead {
    pub(super) queue: Queue,
    pub(super) what: &'static str,
    /// Else all.
    pub(super) ids: Option<Vec<String>>,
}

impl EndDead {
    pub(super) fn of(queue: Queue, what: &'static str, ids: &[&str]) -> Result<Self, EdgeError> {
        few(ids.len())?;
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Ok(Self {
            queue,
            what,
            ids: Some(ids),
        })
    }

    fn is_empty(&self) -> bool {
        self.ids.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Op for EndDead {
    type Output = u64;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        // To the script no ids are all.
        if self.is_empty() {
            return Ok(());
        }
        let [jobs, records] = self.queue.keys();
        let mut args: Vec<Arg<'_>> = vec![clock(cx), self.what.into(), MOST_JOBS.into()];
        args.extend(self.ids.iter().flatten().map(Arg::from));
        // Sent again it would not count what it has dealt with, or deal with a thousand more.
        out.script(&DEAD, &[&jobs, &records], &args, Repeat::Never);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<u64, EdgeError> {
        if self.is_empty() {
            return Ok(0);
        }
        replies.take()?.count()
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}
