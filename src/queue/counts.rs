//! How many jobs there are, as an op.

use super::{Queue, clock};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static COUNTS: Script = script!("../lua/queue.lua", "../lua/queue_counts.lua");

/// How many jobs there are of each kind, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// They wait no longer; those whose lease has ended are among them.
    pub ready: u64,
    /// They wait: for their time, another attempt, or their next turn.
    pub delayed: u64,
    /// They are worked on.
    pub leased: u64,
    /// They are dead.
    pub dead: u64,
    /// For how long the oldest has been ready, in milliseconds; 0 when none is.
    pub oldest_ready_ms: u64,
}

/// Counts jobs: see [`Queue::counts`].
#[must_use = "an op does nothing until it is run"]
pub struct ReadCounts(pub(super) Queue);

impl Op for ReadCounts {
    type Output = QueueCounts;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let [jobs, records] = self.0.keys();
        out.script(&COUNTS, &[&jobs, &records], &[clock(cx)], Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<QueueCounts, EdgeError> {
        let mut counts = replies.take()?.array()?;
        let mut next = || counts.entry()?.count();
        Ok(QueueCounts {
            ready: next()?,
            delayed: next()?,
            leased: next()?,
            dead: next()?,
            oldest_ready_ms: next()?,
        })
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.0.timeout_ms)
    }
}
