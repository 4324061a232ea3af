//! Writing and removing entries, and invalidating them by tags. Who writes is told of a failure.

use super::entry;
use super::freshness::Times;
use super::key::Shard;
use super::nonce;
use super::payload::Payload;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static SET: Script = script!("../lua/cache_epoch.lua", "../lua/cache_set.lua");
static SET_BYTES: Script = script!(
    "../lua/bytes.lua",
    "../lua/cache_epoch.lua",
    "../lua/cache_set.lua"
);
pub(super) static DELETE: Script = script!("../lua/cache_delete.lua");
static TAGS: Script = script!("../lua/cache_tags.lua");

/// So many invalidated tags a shard remembers, about 60 bytes each.
const MOST_TAGS: u32 = 10_000;

/// Lua takes some 8,000 values at once, two for each tag.
const TAGS_AT_ONCE: usize = 1_000;

/// Writes keys: see [`Cache::set`](super::Cache::set).
pub struct Set {
    shards: Vec<Shard>,
    /// By the places of the keys.
    payloads: Vec<Payload>,
    times: Times,
    tags: Vec<String>,
    timeout_ms: u64,
}

impl Set {
    pub(super) fn new(
        shards: Vec<Shard>,
        payloads: Vec<Payload>,
        times: Times,
        tags: Vec<String>,
        timeout_ms: u64,
    ) -> Self {
        Self {
            shards,
            payloads,
            times,
            tags,
            timeout_ms,
        }
    }
}

impl Op for Set {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let epoch = if self.tags.is_empty() {
            "-".to_owned()
        } else {
            nonce(cx)?
        };
        for shard in &self.shards {
            let payloads = shard
                .places
                .iter()
                .filter_map(|place| self.payloads.get(*place));
            let payloads: Vec<(String, &Payload)> = payloads
                .map(|payload| {
                    let instants = jittered(self.times, cx).from(cx.now());
                    (
                        entry::head(&instants, payload.codec, 0, &self.tags),
                        payload,
                    )
                })
                .collect();
            let mut keys = vec![shard.tags.as_str()];
            let kept_ms = self.times.kept_ms();
            let mut args = vec![Arg::Text(&epoch), kept_ms.into()];
            for (names, (head, payload)) in shard.keys.iter().zip(&payloads) {
                keys.extend([names.entry.as_str(), &names.lease]);
                args.extend([Arg::Text(head), payload.arg()]);
            }
            let script = if args.iter().any(Arg::is_bytes) {
                &SET_BYTES
            } else {
                &SET
            };
            // Sent again it sets the same once more.
            out.script(script, &keys, &args, Repeat::Harmless);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        self.shards
            .iter()
            .try_for_each(|_| replies.take().map(|_| ()))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

/// `times` with their jitter; a runtime without randomness goes without.
pub(super) fn jittered(times: Times, cx: &Context<'_>) -> Times {
    if times.jitter == 0 {
        return times;
    }
    match cx.random::<4>() {
        Ok(drawn) => times.jittered(u32::from_le_bytes(drawn)),
        Err(_) => times,
    }
}

/// Removes keys: see [`Cache::delete`](super::Cache::delete).
pub struct Delete {
    shards: Vec<Shard>,
    timeout_ms: u64,
}

impl Delete {
    pub(super) fn new(shards: Vec<Shard>, timeout_ms: u64) -> Self {
        Self { shards, timeout_ms }
    }
}

impl Op for Delete {
    type Output = u64;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        for shard in &self.shards {
            let mut keys: Vec<&str> = Vec::with_capacity(2 * shard.keys.len());
            keys.extend(shard.keys.iter().map(|names| names.entry.as_str()));
            keys.extend(shard.keys.iter().map(|names| names.lease.as_str()));
            out.script(&DELETE, &keys, &[], Repeat::Never);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<u64, EdgeError> {
        let mut deleted = 0;
        for _ in &self.shards {
            deleted += replies.take()?.count()?;
        }
        Ok(deleted)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

/// Makes all entries with a tag gone or stale: see [`Cache::invalidate_tags`](super::Cache::invalidate_tags).
pub struct Invalidate {
    /// The hashes of tags of all shards.
    hashes: Vec<String>,
    tags: Vec<String>,
    gone: bool,
    timeout_ms: u64,
}

impl Invalidate {
    pub(super) fn new(hashes: Vec<String>, tags: Vec<String>, gone: bool, timeout_ms: u64) -> Self {
        Self {
            hashes,
            tags,
            gone,
            timeout_ms,
        }
    }
}

impl Op for Invalidate {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.tags.is_empty() {
            self.hashes.clear();
            return Ok(());
        }
        let epoch = nonce(cx)?;
        for hash in &self.hashes {
            let kind = if self.gone { "g" } else { "s" };
            for tags in self.tags.chunks(TAGS_AT_ONCE) {
                let mut args = vec![Arg::Text(kind), Arg::Text(&epoch), MOST_TAGS.into()];
                args.extend(tags.iter().map(Arg::from));
                // Sent again it invalidates once more.
                out.script(&TAGS, &[hash], &args, Repeat::Harmless);
            }
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        let parts = self.tags.chunks(TAGS_AT_ONCE).len();
        (0..self.hashes.len() * parts).try_for_each(|_| replies.take().map(|_| ()))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}
