//! Streams: entries in the order of their ids, `milliseconds-number`.

use super::call::{Call, op};
use super::reply::FromReply;
use crate::error::EdgeError;
use crate::wire::{Arg, Reply};

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// `1700000000000-0`
    pub id: String,
    /// In the order they were given; none when the entry was deleted and only its id is left in a group.
    pub fields: Vec<(String, String)>,
}

impl FromReply for StreamEntry {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let (id, fields): (_, Option<_>) = FromReply::from_reply(reply)?;
        let fields = fields.unwrap_or_default();
        Ok(Self { id, fields })
    }
}

/// Xrange by the stream they are from.
pub type Streams = Vec<(String, Vec<StreamEntry>)>;

/// How long a stream may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim<'a> {
    /// The newest of this number.
    MaxLen(u64),
    /// About this number of the newest, or some more: cheaper.
    MaxLenAbout(u64),
    /// Those whose ids are not below this one.
    MinId(&'a str),
    /// Those whose ids are not below this one, or some more: cheaper.
    MinIdAbout(&'a str),
}

impl<'a> Trim<'a> {
    fn words(self) -> [Arg<'a>; 3] {
        match self {
            Self::MaxLen(length) => ["MAXLEN".into(), "=".into(), length.into()],
            Self::MaxLenAbout(length) => ["MAXLEN".into(), "~".into(), length.into()],
            Self::MinId(id) => ["MINID".into(), "=".into(), id.into()],
            Self::MinIdAbout(id) => ["MINID".into(), "~".into(), id.into()],
        }
    }
}

/// Adds an entry, with an id of the server's own; its id.
///
/// ```
/// use upstash_edge::commands::{Call, Trim, xadd};
/// let id: Call<String> = xadd("events", [("kind", "login")]).trim(Trim::MaxLenAbout(1_000));
/// ```
pub fn xadd<'a>(
    key: &str,
    fields: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Xadd<String> {
    xadd_as(key, "*", fields)
}

/// The same, with this id, which must be above the last one: else `redis_error`.
pub fn xadd_as<'a>(
    key: &str,
    id: &str,
    fields: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Xadd<String> {
    Xadd(Call::new("XADD").arg(key).arg(id).pairs(fields).hold(1))
}

/// XADD with its options.
#[must_use = "an op does nothing until it is run"]
pub struct Xadd<T>(Call<T>);

op!(Xadd<T>, T);

impl<T> Xadd<T> {
    /// Drops the oldest entries.
    pub fn trim(self, trim: Trim<'_>) -> Call<T> {
        self.0.args(trim.words())
    }
}

impl Xadd<String> {
    /// Only if there is such a stream; `None` when there is none.
    pub fn nomkstream(self) -> Xadd<Option<String>> {
        Xadd(self.0.arg("NOMKSTREAM").reading())
    }
}

/// How many entries there are.
pub fn xlen(key: &str) -> Call<u64> {
    Call::new("XLEN").arg(key)
}

/// The entries from one id to another, both included; `-` is the first and `+` the last there is, and `(` before an id
/// leaves that one out.
pub fn xrange(key: &str, start: &str, end: &str) -> Xrange {
    Xrange(Call::new("XRANGE").arg(key).arg(start).arg(end))
}

/// The same, the newest first, and so from the higher id to the lower one.
pub fn xrevrange(key: &str, end: &str, start: &str) -> Xrange {
    Xrange(Call::new("XREVRANGE").arg(key).arg(end).arg(start))
}

/// XRANGE or XREVRANGE with its option.
#[must_use = "an op does nothing until it is run"]
pub struct Xrange(Call<Vec<StreamEntry>>);

op!(Xrange, Vec<StreamEntry>);

impl Xrange {
    /// The first `count` at most.
    pub fn count(self, count: u64) -> Call<Vec<StreamEntry>> {
        self.0.arg("COUNT").arg(count)
    }
}

/// The entries behind an id of each stream; `None` when there are none. It does not wait for any.
pub fn xread<'a>(
    streams: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Xread {
    Xread(from_streams(Call::new("XREAD"), streams))
}

/// Xrange for `consumer` of `group`: behind `>`, those that nobody was given yet; behind an id, those that this
/// consumer was given and has not acknowledged. `None` when there is nothing new.
pub fn xreadgroup<'a>(
    group: &str,
    consumer: &str,
    streams: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Xread {
    let call = Call::new("XREADGROUP").arg("GROUP").arg(group);
    Xread(from_streams(call.arg(consumer), streams))
}

/// All keys, then all ids, behind every option.
fn from_streams<'a, T>(
    call: Call<T>,
    streams: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Call<T> {
    let pairs = streams.into_iter().map(|(key, id)| (key.into(), id.into()));
    let (keys, ids): (Vec<Arg<'_>>, Vec<Arg<'_>>) = pairs.unzip();
    let from = call.len();
    call.arg("STREAMS").args(keys).args(ids).hold(from)
}

/// XREAD or XREADGROUP with its option.
#[must_use = "an op does nothing until it is run"]
pub struct Xread(Call<Option<Streams>>);

op!(Xread, Option<Streams>);

impl Xread {
    /// At most `count` of each stream.
    pub fn count(self, count: u64) -> Call<Option<Streams>> {
        self.0.arg("COUNT").arg(count)
    }
}

/// Deletes entries; how many there were.
pub fn xdel<'a>(key: &str, ids: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("XDEL").arg(key).args(ids)
}

/// Drops the oldest entries; how many.
pub fn xtrim(key: &str, trim: Trim<'_>) -> Call<u64> {
    Call::new("XTRIM").arg(key).args(trim.words())
}

/// Makes a group that is given what is behind `id` (`$`: what is added from now on), and the stream if there is none.
/// `redis_error` when there is such a group.
pub fn xgroup_create(key: &str, group: &str, id: &str) -> Call<()> {
    Call::new("XGROUP").args(["CREATE", key, group, id, "MKSTREAM"])
}

/// Removes a group; whether there was one.
pub fn xgroup_destroy(key: &str, group: &str) -> Call<bool> {
    Call::new("XGROUP").args(["DESTROY", key, group])
}

/// Xrange are done with; how many the group was waiting for.
pub fn xack<'a>(
    key: &str,
    group: &str,
    ids: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    Call::new("XACK").arg(key).arg(group).args(ids)
}

/// An entry that was given to a consumer and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The entry's id.
    pub id: String,
    /// Who has it.
    pub consumer: String,
    /// Since it was given last, in milliseconds.
    pub idle_ms: u64,
    /// How often it was given.
    pub deliveries: u64,
}

impl FromReply for Pending {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let mut entries = reply.array()?;
        Ok(Self {
            id: String::from_reply(entries.entry()?)?,
            consumer: String::from_reply(entries.entry()?)?,
            idle_ms: entries.entry()?.count()?,
            deliveries: entries.entry()?.count()?,
        })
    }
}

/// The first `count` entries of the group that are not acknowledged, from one id to another, as in [`xrange`].
pub fn xpending(key: &str, group: &str, start: &str, end: &str, count: u64) -> Call<Vec<Pending>> {
    Call::new("XPENDING")
        .args([key, group, start, end])
        .arg(count)
}

/// Gives entries that others have had for `min_idle_ms` to this consumer; those that it got.
pub fn xclaim<'a>(
    key: &str,
    group: &str,
    consumer: &str,
    min_idle_ms: u64,
    ids: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<StreamEntry>> {
    Call::new("XCLAIM")
        .args([key, group, consumer])
        .arg(min_idle_ms)
        .args(ids)
}

/// The same, of the first 100 from id `start` on: where to go on (`0-0` after the last), and the entries that it got.
pub fn xautoclaim(
    key: &str,
    group: &str,
    consumer: &str,
    min_idle_ms: u64,
    start: &str,
) -> Call<(String, Vec<StreamEntry>)> {
    Call::new("XAUTOCLAIM")
        .args([key, group, consumer])
        .arg(min_idle_ms)
        .arg(start)
}
