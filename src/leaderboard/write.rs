//! Writing scores and taking members off, as ops.

use super::{Leaderboard, read::number};
use crate::base64;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies, Reply};

static WRITE: Script = script!("../lua/leaderboard_write.lua");
static REMOVE: Script = script!("../lua/leaderboard_remove.lua");

/// What the number does to a score.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Set,
    Best,
    By,
}

/// Writes a score: see [`Leaderboard::add`] and [`Leaderboard::increment`].
#[must_use = "an op does nothing until it is run"]
pub struct WriteScore {
    pub(super) board: Leaderboard,
    pub(super) how: How,
    pub(super) member: String,
    pub(super) number: f64,
    pub(super) at: Option<u64>,
}

impl WriteScore {
    /// Of which moment the score is, in epoch milliseconds: of which day and week. Default: now, by this clock.
    pub fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }
}

impl Op for WriteScore {
    type Output = f64;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let at = self.at.unwrap_or(cx.now());
        let mut keys = self.board.all_keys(at);
        let how = match self.how {
            How::Set => "set",
            How::Best => "best",
            How::By => {
                keys.push(self.board.slot() + "n:" + &base64::url(&cx.random::<12>()?));
                "by"
            }
        };
        // The shortest digits that are this number, and no other's.
        let number = format!("{:e}", self.number);
        let mut args: Vec<Arg<'_>> = vec![how.into(), (&number).into(), (&self.member).into()];
        for window in &self.board.windows {
            let end = window.end_ms(at);
            args.push(
                end.map_or(0, |end| end.saturating_add(self.board.keep_ms))
                    .into(),
            );
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        // Set again it is the same; what is added has a nonce.
        out.script(&WRITE, &keys, &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<f64, EdgeError> {
        match replies.take()? {
            Reply::Nil => Err(EdgeError::argument(
                "by must not take a score beyond 2^53 - 1",
            )),
            scores => number(scores.array()?.entry()?.text()?),
        }
    }
}

/// Takes a member off: see [`Leaderboard::remove`].
#[must_use = "an op does nothing until it is run"]
pub struct RemoveMember {
    pub(super) board: Leaderboard,
    pub(super) member: String,
    pub(super) at: Option<u64>,
}

impl RemoveMember {
    /// Off the boards of another moment, in epoch milliseconds. Default: now, by this clock.
    pub fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }
}

impl Op for RemoveMember {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let keys = self.board.all_keys(self.at.unwrap_or(cx.now()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        out.script(&REMOVE, &keys, &[(&self.member).into()], Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        replies.take().map(|_| ())
    }
}
