//! Statistics: what was allowed and refused, by the hour, and who was refused most.
//!
//! Counted here and sent along with a later check, so they cost no round trip and hardly any command. What an isolate
//! has counted since its last sending is lost with it.

use std::cmp::Reverse;

use super::RateLimiter;
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static TALLY: Script = script!("../lua/tally.lua");

const EVERY_MS: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;
const KEPT_MS: u64 = 48 * HOUR_MS;
const MOST_HERE: usize = 10;
const MOST_KEPT: u32 = 100;

/// What one isolate has counted since it last sent.
#[derive(Debug, Default)]
pub(super) struct Tally {
    since: u64,
    allowed: u32,
    refused: u32,
    /// Those refused most, at least as often as they were: a newcomer takes over the count of the least
    /// (Metwally, Agrawal and El Abbadi, "Space-Saving").
    most: Vec<(String, u32)>,
}

impl Tally {
    /// Counts a decision, and whom it refused where a limit did.
    pub fn count(&mut self, allowed: bool, refused: Option<&str>, now: u64) {
        if self.allowed == 0 && self.refused == 0 {
            self.since = now;
        }
        let count = if allowed {
            &mut self.allowed
        } else {
            &mut self.refused
        };
        *count = count.saturating_add(1);
        let Some(id) = refused else { return };
        if let Some((_, count)) = self.most.iter_mut().find(|(held, _)| held == id) {
            *count = count.saturating_add(1);
        } else if self.most.len() < MOST_HERE {
            self.most.push((id.to_owned(), 1));
        } else if let Some(least) = self.most.iter_mut().min_by_key(|(_, count)| *count) {
            *least = (id.to_owned(), least.1.saturating_add(1));
        }
    }

    /// Appends what was counted, when it is time: a clock that went back does not hold it up.
    pub fn send(&mut self, name: &str, now: u64, out: &mut Commands) {
        let counted = self.allowed > 0 || self.refused > 0;
        if !counted || (self.since..self.since + EVERY_MS).contains(&now) {
            return;
        }
        let tally = std::mem::take(self);
        let keys = keys_of(name, tally.since / HOUR_MS);
        let mut args = vec![
            tally.allowed.into(),
            tally.refused.into(),
            KEPT_MS.into(),
            MOST_KEPT.into(),
        ];
        for (id, count) in &tally.most {
            args.extend([Arg::from(id), (*count).into()]);
        }
        out.script(&TALLY, &[&keys.0, &keys.1], &args, Repeat::Never);
    }

    /// Adds what was counted and not sent yet to the statistics of its hour.
    fn add_to(&self, stats: &mut Stats) {
        if self.since / HOUR_MS * HOUR_MS != stats.since {
            return;
        }
        stats.allowed += u64::from(self.allowed);
        stats.refused += u64::from(self.refused);
        for (id, count) in &self.most {
            let count = u64::from(*count);
            match stats.most_refused.iter_mut().find(|(held, _)| held == id) {
                Some((_, held)) => *held += count,
                None => stats.most_refused.push((id.clone(), count)),
            }
        }
        stats.most_refused.sort_by_key(|(_, count)| Reverse(*count));
        stats.most_refused.truncate(MOST_KEPT as usize);
    }
}

/// `{name}:stats:hour` and `{name}:refused:hour`, the hours since the epoch.
fn keys_of(name: &str, hour: u64) -> (String, String) {
    let of = |what: &str| {
        let mut key = String::from("{");
        key.push_str(&keys::part(name));
        key.push_str(what);
        key.push_str(itoa::Buffer::new().format(hour));
        key
    };
    (of("}:stats:"), of("}:refused:"))
}

/// What was counted within one hour of the clock: what isolates have sent, and what this one has yet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// When the hour began, in epoch milliseconds.
    pub since: u64,
    /// How many checks were allowed.
    pub allowed: u64,
    /// How many were refused.
    pub refused: u64,
    /// Those refused most, with how often at most, the most often first; 100 at most. Long identifiers are hashed; one
    /// given for a limit alone stands behind the limit's name and a colon.
    pub most_refused: Vec<(String, u64)>,
}

/// The statistics of an hour: see [`RateLimiter::stats`].
pub struct ReadStats {
    limiter: RateLimiter,
    hours_ago: u32,
    hour: u64,
}

impl ReadStats {
    pub(super) fn new(limiter: &RateLimiter, hours_ago: u32) -> Self {
        Self {
            limiter: limiter.clone(),
            hours_ago,
            hour: 0,
        }
    }
}

impl Op for ReadStats {
    type Output = Stats;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.hour = (cx.now() / HOUR_MS).saturating_sub(self.hours_ago.into());
        let (stats, refused) = keys_of(&self.limiter.name, self.hour);
        out.command("HMGET", &[Arg::from(&stats), "a".into(), "r".into()])?;
        let most = (MOST_KEPT - 1).into();
        let range = [Arg::from(&refused), 0u32.into(), most, "WITHSCORES".into()];
        out.command("ZREVRANGE", &range)
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Stats, EdgeError> {
        let mut counts = replies.take()?.array()?;
        let mut next = || -> Result<u64, EdgeError> {
            match counts.entry()?.bytes()? {
                None => Ok(0),
                Some(digits) => number(digits),
            }
        };
        let (allowed, refused) = (next()?, next()?);
        let mut most = replies.take()?.array()?;
        let mut most_refused = Vec::new();
        while let Some(id) = most.next() {
            let score = most.entry()?.text()?.as_bytes();
            most_refused.push((id.text()?.to_owned(), number(score)?));
        }
        let mut stats = Stats {
            since: self.hour * HOUR_MS,
            allowed,
            refused,
            most_refused,
        };
        let isolate = self.limiter.isolate.0.borrow();
        isolate.tally.add_to(&mut stats);
        Ok(stats)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.limiter.timeout_ms)
    }
}

fn number(digits: &[u8]) -> Result<u64, EdgeError> {
    let text = std::str::from_utf8(digits).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| EdgeError::corrupt("a count was expected in the reply"))
}
