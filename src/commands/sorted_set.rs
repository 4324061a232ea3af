//! Sorted sets: members, each once, in the order of their scores. Each of these replies as if it were empty when there
//! is no such key. A score is any `f64` but NaN, infinities included.

use super::call::{Call, op};
use super::sorted_range::Zrange;
use crate::wire::Arg;

/// Sets the members' scores; how many members are new. See the methods of [`Zadd`].
///
/// ```
/// use upstash_edge::commands::{Call, zadd};
/// let changed: Call<u64> = zadd("highscores", [("ada", 31.5), ("bob", 12.0)]).ch().gt();
/// ```
pub fn zadd<'a>(key: &str, members: impl IntoIterator<Item = (impl Into<Arg<'a>>, f64)>) -> Zadd {
    let mut call = Call::new("ZADD").arg(key);
    for (member, score) in members {
        call = call.float("score", score).arg(member);
    }
    Zadd(call.hold(1))
}

/// ZADD with its options.
#[must_use = "an op does nothing until it is run"]
pub struct Zadd(Call<u64>);

op!(Zadd, u64);

impl Zadd {
    /// Replies how many members are new or have another score.
    pub fn ch(self) -> Self {
        Self(self.0.arg("CH"))
    }

    /// Only adds.
    pub fn nx(self) -> Call<u64> {
        self.0.arg("NX")
    }

    /// Only changes members that are there.
    pub fn xx(self) -> Call<u64> {
        self.0.arg("XX")
    }

    /// Adds, and changes a score only to a greater one.
    pub fn gt(self) -> Call<u64> {
        self.0.arg("GT")
    }

    /// Adds, and changes a score only to a lesser one.
    pub fn lt(self) -> Call<u64> {
        self.0.arg("LT")
    }
}

/// Adds to the member's score, 0 when it is new; the new score.
pub fn zincrby<'a>(key: &str, by: f64, member: impl Into<Arg<'a>>) -> Call<f64> {
    Call::new("ZINCRBY").arg(key).float("by", by).arg(member)
}

/// The member's score; `None` when it is none.
pub fn zscore<'a>(key: &str, member: impl Into<Arg<'a>>) -> Call<Option<f64>> {
    Call::new("ZSCORE").arg(key).arg(member)
}

/// One score a member, in order, `None` where it is none.
pub fn zmscore<'a>(
    key: &str,
    members: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<Option<f64>>> {
    Call::new("ZMSCORE").arg(key).args(members)
}

/// How many members have a lower score, or the same and come before it; `None` when it is none.
pub fn zrank<'a>(key: &str, member: impl Into<Arg<'a>>) -> Call<Option<u64>> {
    Call::new("ZRANK").arg(key).arg(member)
}

/// The same, from the highest score.
pub fn zrevrank<'a>(key: &str, member: impl Into<Arg<'a>>) -> Call<Option<u64>> {
    Call::new("ZREVRANK").arg(key).arg(member)
}

/// Removes members; how many there were.
pub fn zrem<'a>(key: &str, members: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("ZREM").arg(key).args(members)
}

/// How many members there are.
pub fn zcard(key: &str) -> Call<u64> {
    Call::new("ZCARD").arg(key)
}

/// Takes `count` members with the lowest scores, the lowest first, as many as there are at most.
pub fn zpopmin(key: &str, count: u64) -> Call<Vec<(String, f64)>> {
    Call::new("ZPOPMIN").arg(key).arg(count)
}

/// Takes `count` members with the highest scores, the highest first, as many as there are at most.
pub fn zpopmax(key: &str, count: u64) -> Call<Vec<(String, f64)>> {
    Call::new("ZPOPMAX").arg(key).arg(count)
}

/// `count` different members at random, as many as there are at most; when negative, that many, any of them more than
/// once.
pub fn zrandmember(key: &str, count: i64) -> Zrange {
    Zrange(Call::new("ZRANDMEMBER").arg(key).arg(count))
}

/// The members of the first key that are in none of the others, in the order of their scores.
pub fn zdiff<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Zrange {
    Zrange(Call::new("ZDIFF").counted(keys))
}

/// As [`zdiff`], stored in `destination` in place of what it was; how many members it has.
pub fn zdiffstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    Call::new("ZDIFFSTORE").arg(destination).counted(keys)
}

/// The members of all keys, in the order of the sums of their scores.
pub fn zinter<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Zrange {
    Zrange(Call::new("ZINTER").counted(keys))
}

/// The members of any key, in the order of the sums of their scores.
pub fn zunion<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Zrange {
    Zrange(Call::new("ZUNION").counted(keys))
}

/// The members of all keys, stored in `destination` in place of what it was; how many members it has.
pub fn zinterstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Zstore {
    Zstore(Call::new("ZINTERSTORE").arg(destination).counted(keys))
}

/// The members of any key, stored in `destination` in place of what it was; how many members it has.
pub fn zunionstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Zstore {
    Zstore(Call::new("ZUNIONSTORE").arg(destination).counted(keys))
}

/// ZINTERSTORE or ZUNIONSTORE with its options.
#[must_use = "an op does nothing until it is run"]
pub struct Zstore(Call<u64>);

op!(Zstore, u64);

/// What becomes of the scores that a member has in several keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum, as when nothing is said.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Zstore {
    /// One factor a key for its scores, in order.
    pub fn weights(self, weights: impl IntoIterator<Item = f64>) -> Self {
        let call = self.0.arg("WEIGHTS");
        let weigh = |call: Call<u64>, weight| call.float("weight", weight);
        Self(weights.into_iter().fold(call, weigh))
    }

    /// What becomes of several scores.
    pub fn aggregate(self, how: Aggregate) -> Self {
        let how = match how {
            Aggregate::Sum => "SUM",
            Aggregate::Min => "MIN",
            Aggregate::Max => "MAX",
        };
        Self(self.0.arg("AGGREGATE").arg(how))
    }
}
