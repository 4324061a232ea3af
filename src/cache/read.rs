//! Reading entries: one script for each shard, one round trip for all.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::entry;
use super::failure::{CacheFailure, CacheOperation};
use super::freshness::Freshness;
use super::key::{Shard, Space};
use super::payload::{self, Codec, Kind};
use super::watch::{Served, Watch};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies, Reply};

static READ: Script = script!("../lua/cache_entry.lua", "../lua/cache_read.lua");

/// Reads entries, as bytes. Whatever is wrong, with the wire or with what stands there, is a miss.
pub(crate) struct Read {
    space: Space,
    shards: Vec<Shard>,
    /// `None`: the headers alone, whatever the entries are.
    wanted: Option<Kind>,
    timeout_ms: u64,
    watch: Watch,
    asked: Option<u64>,
}

impl Read {
    pub(super) fn new(
        space: &Space,
        shards: Vec<Shard>,
        wanted: Option<Kind>,
        timeout_ms: u64,
        watch: &Watch,
    ) -> Self {
        Self {
            space: space.clone(),
            shards,
            wanted,
            timeout_ms,
            watch: watch.clone(),
            asked: None,
        }
    }

    pub fn encode(&mut self, now: u64, out: &mut Commands) -> Result<(), EdgeError> {
        if !self.watch.allows(now) {
            return Ok(());
        }
        self.asked = Some(now);
        for shard in &self.shards {
            let mut keys = vec![shard.tags.as_str()];
            keys.extend(shard.keys.iter().map(|keys| keys.entry.as_str()));
            let args = [u32::from(self.wanted.is_none()).into()];
            out.script(&READ, &keys, &args, Repeat::Harmless);
        }
        self.watch.send(&self.space, now, out)
    }

    /// Tells `found` the payload of each entry that is wanted and fresh, by its place among what was asked for; what
    /// failed, if something did.
    pub fn decode<'a>(
        &self,
        now: u64,
        replies: &mut Replies<'a>,
        mut found: impl FnMut(usize, Codec, &'a [u8]),
    ) -> Option<CacheFailure> {
        let read = CacheOperation::Read;
        let mut failed = match self.asked {
            None => Some(CacheFailure::skipped(read)),
            Some(_) => None,
        };
        for shard in &self.shards {
            let mut entries = self.asked.and_then(|asked| {
                let reply = replies.take();
                self.watch.saw(reply.is_ok(), asked, now);
                match reply.and_then(Reply::array) {
                    Ok(entries) => Some(entries),
                    Err(error) => {
                        failed.get_or_insert(CacheFailure::new(read, &error));
                        None
                    }
                }
            });
            for place in &shard.places {
                let mut next = || entries.as_mut()?.next();
                let fresh = match (next(), next()) {
                    (Some(Reply::Bytes(bytes)), Some(expired)) => {
                        let wanted = self.wanted.unwrap_or(Kind::Bytes);
                        entry::decode(bytes, wanted).filter(|entry| {
                            let expired = expired == Reply::Int(1);
                            entry.instants.freshness(now, expired) == Freshness::Fresh
                                && (self.wanted.is_none() || entry.codec.kind == wanted)
                        })
                    }
                    _ => None,
                };
                if self.wanted.is_some() {
                    let hit = fresh.is_some();
                    let served = if hit { Served::Hit } else { Served::Miss };
                    self.watch.count(served, now);
                }
                if let Some(entry) = fresh {
                    found(*place, entry.codec, entry.payload);
                }
            }
        }
        self.watch.listener.tell(failed);
        failed
    }

    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }
}

/// Reads one key: see [`Cache::get`](super::Cache::get).
pub struct Get<T> {
    read: Read,
    value: PhantomData<fn() -> T>,
}

/// Reads the bytes of one key: see [`Cache::get_bytes`](super::Cache::get_bytes).
pub struct GetBytes {
    read: Read,
}

/// Reads several keys: see [`Cache::get_many`](super::Cache::get_many).
pub struct GetMany<T> {
    read: Read,
    count: usize,
    value: PhantomData<fn() -> T>,
}

/// Looks for one key: see [`Cache::has`](super::Cache::has).
pub struct Has {
    read: Read,
}

impl<T> Get<T> {
    pub(super) fn new(read: Read) -> Self {
        let value = PhantomData;
        Self { read, value }
    }
}

impl<T> GetMany<T> {
    pub(super) fn new(read: Read, count: usize) -> Self {
        let value = PhantomData;
        Self { read, count, value }
    }
}

impl GetBytes {
    pub(super) fn new(read: Read) -> Self {
        Self { read }
    }
}

impl Has {
    pub(super) fn new(read: Read) -> Self {
        Self { read }
    }
}

impl<T: DeserializeOwned> Op for Get<T> {
    type Output = Option<T>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.read.encode(cx.now(), out)
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Option<T>, EdgeError> {
        let mut value = None;
        self.read.decode(cx.now(), replies, |_, codec, payload| {
            value = payload::value(codec, payload);
        });
        Ok(value)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.read.timeout_ms())
    }
}

impl Op for GetBytes {
    type Output = Option<Vec<u8>>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.read.encode(cx.now(), out)
    }

    fn decode(
        self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Option<Vec<u8>>, EdgeError> {
        let mut bytes = None;
        self.read.decode(cx.now(), replies, |_, codec, payload| {
            bytes = payload::inflated(codec, payload).map(Cow::into_owned);
        });
        Ok(bytes)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.read.timeout_ms())
    }
}

impl<T: DeserializeOwned> Op for GetMany<T> {
    type Output = Vec<Option<T>>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.read.encode(cx.now(), out)
    }

    fn decode(
        self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Vec<Option<T>>, EdgeError> {
        let mut values: Vec<Option<T>> = (0..self.count).map(|_| None).collect();
        self.read
            .decode(cx.now(), replies, |place, codec, payload| {
                if let Some(value) = values.get_mut(place) {
                    *value = payload::value(codec, payload);
                }
            });
        Ok(values)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.read.timeout_ms())
    }
}

impl Op for Has {
    type Output = bool;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.read.encode(cx.now(), out)
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        let mut has = false;
        self.read.decode(cx.now(), replies, |_, _, _| has = true);
        Ok(has)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.read.timeout_ms())
    }
}
