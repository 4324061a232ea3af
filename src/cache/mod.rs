//! The cache: fresh from Redis in one round trip, from the origin when there is no telling.
//!
//! | what | commands sent | commands inside | when Redis fails |
//! |---|---|---|---|
//! | `get`, `get_bytes`, `get_many`, `has` | 1 EVALSHA a shard | 1 MGET; 1 HMGET for each entry with tags | a miss |
//! | `set`, `set_bytes`, `set_many` | 1 EVALSHA a shard | 1 DEL and 1 SET an entry; 1 HMGET if tagged | told |
//! | `delete`, `delete_many` | 1 EVALSHA a shard | 2 DELs | told |
//! | `get_or_fetch`: hit | 1 EVALSHA | 1 MGET; 1 HMGET if tagged | fetched |
//! | `get_or_fetch`: miss | 2 EVALSHAs, one after the other | 3 and 3; 1 HMGET more if tagged | fetched, not stored |
//! | `look`: hit | 1 EVALSHA | 1 HMGET; 1 HGET if it varies; 1 HMGET if tagged | the handler asked |
//! | `look`: miss | 2 EVALSHAs, one after the other | 3 and 5; 2 HMGETs more if tagged | asked, not stored |
//! | `invalidate_tags`, `expire_tags` | 1 EVALSHA a shard | 4, however many entries | told |
//!
//! Hits and misses are counted in the isolate; every 10 s at most up to 3 HINCRBYs go along with what is sent anyway.
//!
//! The races that each script stops stand in its head, in `src/lua/`. After three failures in a row nobody asks for 2 s:
//! reads are misses at once.

mod breaker;
mod config;
mod drive;
mod entry;
mod exchange;
#[cfg(any(test, all(feature = "worker", target_arch = "wasm32")))]
#[cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "its tests run natively")
)]
mod explore;
mod failure;
mod fetch;
mod flow;
mod freshness;
mod http;
mod key;
mod look;
mod payload;
mod read;
mod watch;
mod write;

use std::future::{Future, poll_fn};
use std::pin::Pin;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base64;
use crate::client::Redis;
use crate::error::EdgeError;
use crate::host::LocalFuture;
use crate::op::Context;

pub(crate) use exchange::Exchange;
#[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
pub(crate) use fetch::keep::Kept;
#[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
pub(crate) use flow::{Answer, Fetched, Next, Step};
pub(crate) use http::Asked;
#[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
pub(crate) use http::Fields;
#[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
pub(crate) use key::tags;
pub(crate) use payload::{Codec, Kind, Payload};
pub(crate) use {fetch::GetOrFetch, read::Read};

pub use failure::{CacheFailure, CacheOperation};
pub use look::{Answered, Head, Keep, Look, Looked};
pub use read::{Get, GetBytes, GetMany, Has};
pub use watch::{CacheStats, ReadCacheStats};
pub use write::{Delete, Invalidate, Set};

use config::Patience;
use drive::Drive;
use freshness::{Times, earliness};
use key::Space;
use watch::Watch;

/// Values under keys, for a while. Building one does nothing: build it wherever it is needed. Clones share what this
/// isolate has seen of Redis's failures.
///
/// To a reader a Redis that is slow or gone is a miss, never an error; who writes is told.
#[derive(Clone, Debug)]
pub struct Cache {
    space: Space,
    times: Times,
    tags: Vec<String>,
    early_refresh: f64,
    patience: Patience,
    watch: Watch,
}

impl Cache {
    /// The value under `key`, if it is fresh. `None` also when Redis does not answer.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Get<T> {
        Get::new(self.read(&[key], Some(Kind::Json)))
    }

    /// The bytes under `key`, if they are fresh: those that [`Self::set_bytes`] put there, or all of what another client
    /// wrote. What [`Self::set`] put there is a miss, as bytes are to [`Self::get`].
    pub fn get_bytes(&self, key: &str) -> GetBytes {
        GetBytes::new(self.read(&[key], Some(Kind::Bytes)))
    }

    /// The values under `keys`, each as [`Self::get`] would give it, in one round trip.
    pub fn get_many<T: DeserializeOwned>(&self, keys: &[&str]) -> GetMany<T> {
        GetMany::new(self.read(keys, Some(Kind::Json)), keys.len())
    }

    /// Whether there is a fresh value under `key`, or bytes. None travel.
    pub fn has(&self, key: &str) -> Has {
        Has::new(self.read(&[key], None))
    }

    /// Puts `value` under `key`; a fetch of the same key that is on its way will not overwrite it.
    ///
    /// # Errors
    /// `invalid_argument` when `value` cannot be written as JSON.
    pub fn set(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<Set, EdgeError> {
        self.set_many(&[(key, value)])
    }

    /// Puts each value under its key, as [`Self::set`] would, in one round trip; those of one shard at once.
    ///
    /// # Errors
    /// `invalid_argument` when a value cannot be written as JSON.
    pub fn set_many(&self, items: &[(&str, &(impl Serialize + ?Sized))]) -> Result<Set, EdgeError> {
        let mut payloads = Vec::with_capacity(items.len());
        for (_, value) in items {
            let json = serde_json::to_string(value);
            let json = json
                .map_err(|_| EdgeError::argument("value must be something that JSON can hold"))?;
            payloads.push(Payload::json(json));
        }
        let keys: Vec<&str> = items.iter().map(|(key, _)| *key).collect();
        Ok(self.write(&keys, payloads))
    }

    /// Puts `bytes` under `key`, as [`Self::set`] puts a value. Alone in its request they travel as they are, in company
    /// at about twice their size.
    pub fn set_bytes(&self, key: &str, bytes: &[u8]) -> Set {
        let codec = Codec {
            kind: Kind::Bytes,
            deflated: false,
        };
        self.write(&[key], vec![Payload::new(codec, bytes.to_vec())])
    }

    /// Removes `key`; how many were there, 0 or 1. A fetch of it that is on its way will not be stored.
    pub fn delete(&self, key: &str) -> Delete {
        self.delete_many(&[key])
    }

    /// Removes `keys` in one round trip; how many of them were there.
    pub fn delete_many(&self, keys: &[&str]) -> Delete {
        Delete::new(
            self.space.shards(keys.iter().copied()),
            self.patience.timeout_ms,
        )
    }

    /// Makes every value that was stored with one of `tags` gone; a fetch that is on its way will not be stored with
    /// it. One round trip; a command for each shard and 1,000 tags, however many values that are.
    ///
    /// A shard remembers the 10,000 tags invalidated last. When it forgets older ones, values with tags that are older
    /// than what it forgot are gone as well.
    ///
    /// # Errors
    /// `invalid_argument` when a tag is empty.
    pub fn invalidate_tags<S: AsRef<str>>(&self, tags: &[S]) -> Result<Invalidate, EdgeError> {
        self.invalidate(tags, true)
    }

    /// Makes every value that was stored with one of `tags` stale: it may still be served while it is refreshed.
    ///
    /// # Errors
    /// As [`Self::invalidate_tags`].
    pub fn expire_tags<S: AsRef<str>>(&self, tags: &[S]) -> Result<Invalidate, EdgeError> {
        self.invalidate(tags, false)
    }

    /// How often this cache was asked, by all isolates. Each sends what it has counted along with what it asks anyway,
    /// every 10 s at most: up to 3 HINCRBYs. One round trip.
    pub fn stats(&self) -> ReadCacheStats {
        let timeout_ms = self.patience.timeout_ms;
        ReadCacheStats::new(self.watch.clone(), self.space.clone(), timeout_ms)
    }

    /// How many keys there are, by SCAN over the whole database: one request a page of some 1,000. One that the server
    /// moves meanwhile may count twice.
    ///
    /// # Errors
    /// What befell a request.
    pub async fn count_keys(&self, redis: &Redis) -> Result<u64, EdgeError> {
        let mut keys = redis.scan().matching(&self.space.pattern()).count(1_000);
        let mut count = 0;
        while let Some(key) = poll_fn(|cx| Pin::new(&mut keys).poll_next(cx)).await {
            key?;
            count += 1;
        }
        Ok(count)
    }

    /// The glob of the keys of all entries.
    #[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
    pub(crate) fn pattern(&self) -> String {
        self.space.pattern()
    }

    fn invalidate<S: AsRef<str>>(&self, tags: &[S], gone: bool) -> Result<Invalidate, EdgeError> {
        let hashes = self.space.all_tags().collect();
        let timeout_ms = self.patience.timeout_ms;
        let tags = key::any_tags(tags)?;
        Ok(Invalidate::new(hashes, tags, gone, timeout_ms))
    }

    /// Reads the headers alone where nothing is `wanted`.
    pub(crate) fn read(&self, keys: &[&str], wanted: Option<Kind>) -> Read {
        let shards = self.space.shards(keys.iter().copied());
        let timeout_ms = self.patience.timeout_ms;
        Read::new(&self.space, shards, wanted, timeout_ms, &self.watch)
    }

    /// Puts each payload under its key.
    pub(crate) fn write(&self, keys: &[&str], payloads: Vec<Payload>) -> Set {
        Set::new(
            self.space.shards(keys.iter().copied()),
            payloads,
            self.times,
            self.tags.clone(),
            self.patience.timeout_ms,
        )
    }

    /// The value under `key`, else what `fetcher` gives, which is then stored.
    ///
    /// One round trip for a hit. Of all callers that miss at once, in all isolates, one runs its fetcher and the
    /// others wait for what it stores, at most twice the lease. When Redis does not answer in time, the fetcher runs.
    /// A stale value is refreshed before this returns, and so is the store; after a failed look-up there is no
    /// store, for a failing Redis must not cost the caller a second time.
    ///
    /// # Errors
    /// The fetcher's own, when there is nothing that may be served in its place.
    pub async fn get_or_fetch<T, E, F, R>(
        &self,
        redis: &Redis,
        key: &str,
        fetcher: F,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut() -> R,
        R: Future<Output = Result<T, E>>,
    {
        let mut drive = Drive::new(redis.clone(), self.flow(redis, key), fetcher);
        let answer = drive.answer().await;
        drive.finish().await;
        answer
    }

    /// What `fetcher` gives, stored in place of whatever stands under `key`; what others are fetching is then not.
    ///
    /// # Errors
    /// As [`Self::get_or_fetch`].
    pub async fn refresh<T, E, F, R>(&self, redis: &Redis, key: &str, fetcher: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut() -> R,
        R: Future<Output = Result<T, E>>,
    {
        let mut flow = self.flow(redis, key);
        flow.refreshing();
        let mut drive = Drive::new(redis.clone(), flow, fetcher);
        let answer = drive.answer().await;
        drive.finish().await;
        answer
    }

    /// The same as [`Self::get_or_fetch`], but a stale value is answered at once, and the store and the refresh go to `background`: the
    /// `waitUntil` of the runtime.
    ///
    /// # Errors
    /// As [`Self::get_or_fetch`].
    pub async fn get_or_fetch_in<T, E, F, R>(
        &self,
        redis: &Redis,
        key: &str,
        fetcher: F,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned + 'static,
        E: 'static,
        F: FnMut() -> R + 'static,
        R: Future<Output = Result<T, E>> + 'static,
    {
        let mut flow = self.flow(redis, key);
        flow.in_background();
        let mut drive = Drive::new(redis.clone(), flow, fetcher);
        let answer = drive.answer().await;
        if !drive.is_finished() {
            background(Box::pin(async move { drive.finish().await }));
        }
        answer
    }

    fn flow(&self, redis: &Redis, key: &str) -> GetOrFetch {
        let mut flow = self.fetching(key);
        if let Ok(drawn) = redis.context().random::<4>() {
            flow.early(earliness(self.early_refresh, u32::from_le_bytes(drawn)));
        }
        flow
    }

    /// Looks for the stored answer to a request (RFC 9111, as a shared cache); `url` is absolute. Runs with whatever else
    /// the request asks of Redis: [`Looked`] goes on from there.
    ///
    /// An answer that states no lifetime is stored for `ttl_ms`, if that is some; `key` takes the place of the URL.
    ///
    /// # Errors
    /// `invalid_argument` when `url` is no absolute URL of `http` or `https`.
    pub fn look(
        &self,
        method: &str,
        url: &str,
        head: &Head,
        key: Option<&str>,
        ttl_ms: Option<u64>,
    ) -> Result<Look, EdgeError> {
        let asked = Asked::new(method, url, head.fields())?;
        let exchange = Exchange::new(asked, key.map(str::to_owned), ttl_ms);
        Ok(Look::new(self.answering(exchange), self.early_refresh))
    }

    /// The flow of a whole answer of HTTP.
    pub(crate) fn answering(&self, exchange: Exchange) -> GetOrFetch {
        self.fetching(exchange.key()).answering(exchange)
    }

    pub(crate) fn fetching(&self, key: &str) -> GetOrFetch {
        GetOrFetch::new(
            &self.space,
            key,
            self.times,
            self.tags.clone(),
            self.patience,
            &self.watch,
        )
    }
}

/// 96 random bits, as text.
fn nonce(cx: &Context<'_>) -> Result<String, EdgeError> {
    Ok(base64::url(&cx.random::<12>()?))
}
