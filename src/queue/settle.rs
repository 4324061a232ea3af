//! What became of jobs, as an op.

use super::{Lease, Queue, clock};
use crate::base64;
use crate::duration::LONGEST_MS;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static SETTLE: Script = script!(
    "../lua/queue.lua",
    "../lua/queue_end.lua",
    "../lua/queue_settle.lua"
);

/// Of what a job died, in bytes that are kept.
const LONGEST_REASON: usize = 200;

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done: it is gone, or where it repeats waits for its next time.
    Done,
    /// It failed, of this: it is to be taken again after a wait that grows, or is dead when it was taken for the last time.
    Failed(String),
    /// It is to be taken again after so many milliseconds, or is dead when it was taken for the last time.
    Later(u64),
    /// It is dead, of this, without another attempt.
    Dead(String),
    /// It is worked on: it is leased from now on for so many milliseconds.
    Extend(u64),
}

/// Says what became of jobs: see [`Queue::settle`].
#[must_use = "an op does nothing until it is run"]
pub struct Settle {
    queue: Queue,
    verdicts: Vec<(Lease, Verdict)>,
}

impl Settle {
    pub(super) fn of(queue: Queue, verdicts: Vec<(Lease, Verdict)>) -> Result<Self, EdgeError> {
        for (_, verdict) in &verdicts {
            if let Verdict::Later(ms) | Verdict::Extend(ms) = verdict
                && *ms > LONGEST_MS
            {
                return Err(EdgeError::argument("a delay must be at most 10000 days"));
            }
        }
        Ok(Self { queue, verdicts })
    }
}

impl Op for Settle {
    type Output = Vec<bool>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.verdicts.is_empty() {
            return Ok(());
        }
        let nonce = self.queue.nonce_key(&base64::url(&cx.random::<12>()?));
        let [jobs, records] = self.queue.keys();
        let mut args: Vec<Arg<'_>> = vec![clock(cx), self.queue.dead.into()];
        for (lease, verdict) in &self.verdicts {
            let (what, rest) = self.queue.told(cx, lease, verdict)?;
            args.extend([Arg::from(&lease.id), Arg::from(&lease.token), what.into()]);
            args.push(rest);
        }
        out.script(&SETTLE, &[&jobs, &records, &nonce], &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<bool>, EdgeError> {
        if self.verdicts.is_empty() {
            return Ok(Vec::new());
        }
        let told = replies.take()?.text()?;
        if told.len() != self.verdicts.len() {
            return Err(EdgeError::corrupt("a digit for each job was expected"));
        }
        Ok(told.bytes().map(|digit| digit == b'1').collect())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}

impl Queue {
    /// A verdict in the words of `lua/queue_settle.lua`.
    fn told<'a>(
        &self,
        cx: &Context<'_>,
        lease: &Lease,
        verdict: &'a Verdict,
    ) -> Result<(&'static str, Arg<'a>), EdgeError> {
        let is_last = self.is_last(lease);
        Ok(match verdict {
            Verdict::Done => ("a", "".into()),
            Verdict::Failed(_) if !is_last => {
                let drawn = u32::from_le_bytes(cx.random::<4>()?);
                ("r", self.backoff.after(lease.attempts, drawn).into())
            }
            Verdict::Later(ms) if !is_last => ("r", (*ms).into()),
            Verdict::Later(_) => ("x", "it was put off for the last time".into()),
            Verdict::Failed(reason) | Verdict::Dead(reason) => ("x", cut(reason).into()),
            Verdict::Extend(ms) => ("e", (*ms).into()),
        })
    }

    pub(super) fn is_last(&self, lease: &Lease) -> bool {
        lease.attempts >= self.attempts
    }
}

/// As much of it as is kept, whole characters.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = String::from("a") + &"\u{e9}".repeat(200);
        assert_eq!(cut(&long).len(), 199);
    }
}
