//! Parts of sorted sets: by rank, by score, and by name among members of one score.
//!
//! Scores and names are given as Rust's ranges: `1.0..=5.0`, `..10.0`, `"a".."c"`, `..`.

use std::ops::{Bound, RangeBounds};

use super::call::{Call, op};
use crate::wire::Arg;

/// The members from rank `start` to rank `stop`, both included, negative ones counted from the highest score.
pub fn zrange(key: &str, start: i64, stop: i64) -> Zrange {
    Zrange(Call::new("ZRANGE").arg(key).arg(start).arg(stop))
}

/// The same, ranks counted from the highest score, which comes first.
pub fn zrevrange(key: &str, start: i64, stop: i64) -> Zrange {
    Zrange(zrange(key, start, stop).0.arg("REV"))
}

/// Members in an order, with their scores if asked for.
#[must_use = "an op does nothing until it is run"]
pub struct Zrange(pub(super) Call<Vec<String>>);

op!(Zrange, Vec<String>);

impl Zrange {
    /// Each member with its score.
    pub fn with_scores(self) -> Call<Vec<(String, f64)>> {
        self.0.arg("WITHSCORES").reading()
    }
}

/// The members whose scores lie in the range, the lowest first.
///
/// ```
/// use upstash_edge::commands::{ZrangeByScore, zrangebyscore};
/// let due: ZrangeByScore<String> = zrangebyscore("jobs", ..=1_700_000_000_000.0).limit(0, 10);
/// ```
pub fn zrangebyscore(key: &str, scores: impl RangeBounds<f64>) -> ZrangeByScore<String> {
    let call = Call::new("ZRANGE").arg(key);
    let call = score(
        score(call, scores.start_bound(), "-inf"),
        scores.end_bound(),
        "+inf",
    );
    ZrangeByScore(call.arg("BYSCORE"))
}

/// The same, the highest first.
pub fn zrevrangebyscore(key: &str, scores: impl RangeBounds<f64>) -> ZrangeByScore<String> {
    let call = Call::new("ZRANGE").arg(key);
    let call = score(
        score(call, scores.end_bound(), "+inf"),
        scores.start_bound(),
        "-inf",
    );
    ZrangeByScore(call.arg("BYSCORE").arg("REV"))
}

/// The members in the range of names, where all have one score, compared byte by byte.
pub fn zrangebylex<'a>(key: &str, names: impl RangeBounds<&'a str>) -> ZrangeByLex {
    ZrangeByLex(lex(Call::new("ZRANGE").arg(key), &names).arg("BYLEX"))
}

/// Members by score, with their scores if asked for.
#[must_use = "an op does nothing until it is run"]
pub struct ZrangeByScore<T>(Call<Vec<T>>);

op!(ZrangeByScore<T>, Vec<T>);

impl<T> ZrangeByScore<T> {
    /// At most `count`, after `offset` others.
    pub fn limit(self, offset: u64, count: u64) -> Self {
        Self(limit(self.0, offset, count))
    }
}

impl ZrangeByScore<String> {
    /// Each member with its score.
    pub fn with_scores(self) -> ZrangeByScore<(String, f64)> {
        ZrangeByScore(self.0.arg("WITHSCORES").reading())
    }
}

/// Members by name.
#[must_use = "an op does nothing until it is run"]
pub struct ZrangeByLex(Call<Vec<String>>);

op!(ZrangeByLex, Vec<String>);

impl ZrangeByLex {
    /// At most `count`, after `offset` others.
    pub fn limit(self, offset: u64, count: u64) -> Self {
        Self(limit(self.0, offset, count))
    }
}

fn limit<T>(call: Call<T>, offset: u64, count: u64) -> Call<T> {
    call.set_last(["LIMIT".into(), offset.into(), count.into()])
}

/// How many members have scores in the range.
pub fn zcount(key: &str, scores: impl RangeBounds<f64>) -> Call<u64> {
    by_score("ZCOUNT", key, &scores)
}

/// How many members are in the range of names, where all have one score.
pub fn zlexcount<'a>(key: &str, names: impl RangeBounds<&'a str>) -> Call<u64> {
    lex(Call::new("ZLEXCOUNT").arg(key), &names)
}

/// Removes the members from rank `start` to rank `stop`, both included; how many.
pub fn zremrangebyrank(key: &str, start: i64, stop: i64) -> Call<u64> {
    Call::new("ZREMRANGEBYRANK").arg(key).arg(start).arg(stop)
}

/// Removes the members whose scores lie in the range; how many.
pub fn zremrangebyscore(key: &str, scores: impl RangeBounds<f64>) -> Call<u64> {
    by_score("ZREMRANGEBYSCORE", key, &scores)
}

/// Removes the members in the range of names, where all have one score; how many.
pub fn zremrangebylex<'a>(key: &str, names: impl RangeBounds<&'a str>) -> Call<u64> {
    lex(Call::new("ZREMRANGEBYLEX").arg(key), &names)
}

fn by_score(name: &'static str, key: &str, scores: &impl RangeBounds<f64>) -> Call<u64> {
    let call = Call::new(name).arg(key);
    score(
        score(call, scores.start_bound(), "-inf"),
        scores.end_bound(),
        "+inf",
    )
}

fn score<T>(call: Call<T>, bound: Bound<&f64>, unbounded: &str) -> Call<T> {
    match bound {
        Bound::Included(score) => call.float("score", *score),
        Bound::Excluded(score) if score.is_nan() => call.float("score", *score),
        Bound::Excluded(score) => call.arg(&("(".to_owned() + &score.to_string())),
        Bound::Unbounded => call.arg(unbounded),
    }
}

fn lex<'a, T>(call: Call<T>, names: &impl RangeBounds<&'a str>) -> Call<T> {
    let word = |bound: Bound<&&str>, unbounded: &str| match bound {
        Bound::Included(name) => "[".to_owned() + name,
        Bound::Excluded(name) => "(".to_owned() + name,
        Bound::Unbounded => unbounded.to_owned(),
    };
    let (start, end) = (word(names.start_bound(), "-"), word(names.end_bound(), "+"));
    call.args([Arg::from(&start), Arg::from(&end)])
}
