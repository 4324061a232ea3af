//! Reading a board, as ops.

use super::{Leaderboard, TOKEN, Window};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Array, Commands, Repeat, Replies, Reply};

static PLACE: Script = script!("../lua/leaderboard_place.lua");

/// One member of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Who.
    pub member: String,
    /// With what score.
    pub score: f64,
    /// From 1, the highest.
    pub rank: u64,
}

/// What is asked of a board.
pub(super) enum Question {
    Top(u32),
    Around(String, u32),
    Rank(String),
    Score(String),
    Count,
}

pub(super) type Decode<T> = fn(Reply<'_>) -> Result<T, EdgeError>;

/// Reads a board: see [`Leaderboard::top`] and those beside it.
#[must_use = "an op does nothing until it is run"]
pub struct ReadBoard<T> {
    pub(super) board: Leaderboard,
    pub(super) question: Question,
    pub(super) decode: Decode<T>,
    pub(super) window: Option<Window>,
    pub(super) at: Option<u64>,
}

impl<T> ReadBoard<T> {
    /// Which of the boards. Default: the first.
    pub fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// That of another day or week: the one of this moment, in epoch milliseconds. Default: now, by this clock.
    pub fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }
}

impl<T> Op for ReadBoard<T> {
    type Output = T;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let windows = &self.board.windows;
        let window = self.window.or(windows.first().copied());
        let Some(window) = window.filter(|window| windows.contains(window)) else {
            return Err(EdgeError::argument(
                "window must be one of this leaderboard's",
            ));
        };
        let [hash, set] = self.board.keys(window, self.at.unwrap_or(cx.now()));
        let mut place = |member: &String, n: &[Arg<'_>]| {
            let args = [&[member.into()], n].concat();
            out.script(&PLACE, &[&hash, &set], &args, Repeat::Harmless);
            Ok(())
        };
        match &self.question {
            Question::Rank(member) => place(member, &[]),
            Question::Around(member, n) => place(member, &[(*n).into()]),
            Question::Top(n) => {
                let range = [(&set).into(), 0.into(), (n - 1).into(), "WITHSCORES".into()];
                out.command("ZREVRANGE", &range)
            }
            Question::Score(member) => out.command("HGET", &[(&hash).into(), member.into()]),
            Question::Count => out.command("ZCARD", &[(&set).into()]),
        }
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<T, EdgeError> {
        (self.decode)(replies.take()?)
    }
}

pub(super) fn top(reply: Reply<'_>) -> Result<Vec<Ranked>, EdgeError> {
    ranked(reply.array()?, 0)
}

pub(super) fn around(reply: Reply<'_>) -> Result<Vec<Ranked>, EdgeError> {
    if reply == Reply::Nil {
        return Ok(Vec::new());
    }
    let mut parts = reply.array()?;
    let before = parts.entry()?.count()?;
    ranked(parts.entry()?.array()?, before)
}

pub(super) fn rank(reply: Reply<'_>) -> Result<Option<u64>, EdgeError> {
    match reply {
        Reply::Nil => Ok(None),
        before => Ok(Some(before.count()? + 1)),
    }
}

pub(super) fn score(reply: Reply<'_>) -> Result<Option<f64>, EdgeError> {
    match reply {
        Reply::Nil => Ok(None),
        own => number(own.text()?.get(TOKEN..).unwrap_or_default()).map(Some),
    }
}

/// Members with their tokens, and their scores, of whom the first has `before` before it.
fn ranked(mut flat: Array<'_>, before: u64) -> Result<Vec<Ranked>, EdgeError> {
    let mut entries = Vec::new();
    for rank in before + 1.. {
        let Some(member) = flat.next() else { break };
        let member = member.text()?.get(TOKEN..);
        entries.push(Ranked {
            member: member.unwrap_or_default().to_owned(),
            score: number(flat.entry()?.text()?)?,
            rank,
        });
    }
    Ok(entries)
}

pub(super) fn number(text: &str) -> Result<f64, EdgeError> {
    text.parse()
        .map_err(|_| EdgeError::corrupt("a score was expected in the reply"))
}
