//! One key, one command.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::Keys;
use super::entry::{self, Freshness, Times};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static WRITE: Script = script!("../lua/cache_write.lua");

/// How long a fetch that was on its way may still come in late: longer than a request of any edge runtime lives.
const TOMBSTONE_MS: u64 = 300_000;

/// Reads one key: see [`Cache::get`](super::Cache::get).
pub struct Get<T> {
    key: String,
    timeout_ms: u64,
    value: PhantomData<fn() -> T>,
}

impl<T> Get<T> {
    pub(super) fn new(key: String, timeout_ms: u64) -> Self {
        Self {
            key,
            timeout_ms,
            value: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> Op for Get<T> {
    type Output = Option<T>;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        out.command("GET", &[Into::into(&self.key)])
    }

    /// Whatever is wrong, with the wire or with what stands there, is a miss.
    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Option<T>, EdgeError> {
        let Ok(Some(bytes)) = replies.take().and_then(crate::wire::Reply::bytes) else {
            return Ok(None);
        };
        let entry = entry::decode(bytes);
        Ok(match entry.freshness(cx.now()) {
            Freshness::Fresh => serde_json::from_slice(entry.payload).ok(),
            Freshness::Stale | Freshness::Gone => None,
        })
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

/// Writes one key: see [`Cache::set`](super::Cache::set).
pub struct Set {
    keys: Keys,
    json: String,
    times: Times,
    timeout_ms: u64,
}

impl Set {
    pub(super) fn new(keys: Keys, json: String, times: Times, timeout_ms: u64) -> Self {
        Self {
            keys,
            json,
            times,
            timeout_ms,
        }
    }
}

impl Op for Set {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let entry = entry::encode(&self.json, self.times, cx.now());
        let kept_ms = self.times.kept_ms();
        write(out, &self.keys, &entry, kept_ms, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        replies.take().map(|_| ())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

/// Removes one key: see [`Cache::delete`](super::Cache::delete).
pub struct Delete {
    keys: Keys,
    timeout_ms: u64,
}

impl Delete {
    pub(super) fn new(keys: Keys, timeout_ms: u64) -> Self {
        Self { keys, timeout_ms }
    }
}

impl Op for Delete {
    type Output = bool;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        write(out, &self.keys, "", 0, Repeat::Never);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        Ok(replies.take()?.int()? == 1)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

fn write(out: &mut Commands, keys: &Keys, entry: &str, kept_ms: u64, repeat: Repeat) {
    let args = [entry.into(), kept_ms.into(), TOMBSTONE_MS.into()];
    // Sent again it sets or deletes the same once more.
    out.script(&WRITE, &[&keys.entry, &keys.lease], &args, repeat);
}
