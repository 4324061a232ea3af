//! The cache: fresh from Redis in one round trip, from the origin when there is no telling.

mod entry;
mod fetch;
mod ops;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Pump, Redis};
use crate::duration;
use crate::error::EdgeError;
use crate::host::LocalFuture;
use crate::keys;

pub use ops::{Delete, Get, Set};

use entry::Times;
use fetch::GetOrFetch;

/// Values under keys, for a while. Plain data: build it wherever it is needed.
///
/// To a reader a Redis that is slow or gone is a miss, never an error; who writes is told.
#[derive(Clone, Debug)]
pub struct Cache {
    name: String,
    ttl_ms: u64,
    stale_ms: u64,
    patience: Patience,
}

/// How long one caller may fetch while the others wait, and how long all of them wait for Redis.
#[derive(Clone, Copy, Debug)]
struct Patience {
    lock_ms: u64,
    timeout_ms: u64,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            name: "cache".to_owned(),
            ttl_ms: 3_600_000,
            stale_ms: 0,
            patience: Patience {
                lock_ms: 10_000,
                timeout_ms: 500,
            },
        }
    }
}

impl Cache {
    /// A cache with the defaults: name `cache`, values fresh for 1 h and never served stale,
    /// a lease of 10 s for the one who fetches, 500 ms of patience with Redis.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The namespace of its keys.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// How long a value is fresh, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn ttl_ms(mut self, ttl_ms: u64) -> Result<Self, EdgeError> {
        self.ttl_ms = sensible(ttl_ms)?;
        Ok(self)
    }

    /// For how long after that it may be served while one caller refreshes it, in milliseconds
    /// (RFC 5861, `stale-while-revalidate`).
    #[must_use]
    pub fn stale_while_revalidate_ms(mut self, stale_ms: u64) -> Self {
        self.stale_ms = stale_ms.min(LONGEST_MS);
        self
    }

    /// For how long one caller may fetch a missing value while the others wait, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn lock_ms(mut self, lock_ms: u64) -> Result<Self, EdgeError> {
        self.patience.lock_ms = sensible(lock_ms)?;
        Ok(self)
    }

    /// How long it waits for Redis, after which a read is a miss, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Result<Self, EdgeError> {
        self.patience.timeout_ms = duration::timeout(timeout_ms)?;
        Ok(self)
    }

    /// The value under `key`, if it is fresh. `None` also when Redis does not answer. One GET.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Get<T> {
        Get::new(self.keys(key).entry, self.patience.timeout_ms)
    }

    /// Puts `value` under `key`; a fetch of the same key that is on its way will not overwrite it.
    ///
    /// One EVALSHA; inside it two SETs.
    ///
    /// # Errors
    /// `invalid_argument` when `value` cannot be written as JSON.
    pub fn set(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<Set, EdgeError> {
        let json = serde_json::to_string(value)
            .map_err(|_| EdgeError::argument("value must be something that JSON can hold"))?;
        Ok(Set::new(
            self.keys(key),
            json,
            self.times(),
            self.patience.timeout_ms,
        ))
    }

    /// Removes `key`; says whether it was there. One EVALSHA; inside it a DEL and a SET.
    pub fn delete(&self, key: &str) -> Delete {
        Delete::new(self.keys(key), self.patience.timeout_ms)
    }

    /// The value under `key`, else what `fetcher` gives, which is then stored.
    ///
    /// One round trip for a hit. Of all callers that miss at once, in all isolates, one runs its fetcher and the
    /// others wait for what it stores, at most twice the lease. When Redis does not answer in time, the fetcher runs.
    /// The store, and the refresh of a stale value, happen before this returns; after a failed look-up there is no
    /// store, for a failing Redis must not cost the caller a second time.
    ///
    /// # Errors
    /// The fetcher's own.
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
        let mut pump = self.pump(redis, key, fetcher, false);
        let answer = pump.answer().await;
        pump.finish().await;
        answer
    }

    /// The same, but the store and the refresh go to `background`: the `waitUntil` of the runtime.
    ///
    /// # Errors
    /// The fetcher's own.
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
        let mut pump = self.pump(redis, key, fetcher, true);
        let answer = pump.answer().await;
        if !pump.is_finished() {
            background(Box::pin(async move { pump.finish().await }));
        }
        answer
    }

    fn pump<T, E, F, R>(
        &self,
        redis: &Redis,
        key: &str,
        fetcher: F,
        background: bool,
    ) -> Pump<GetOrFetch<T, E>, F>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut() -> R,
        R: Future<Output = Result<T, E>>,
    {
        let flow = GetOrFetch::new(self.keys(key), self.times(), self.patience, background);
        Pump::new(redis.clone(), flow, fetcher)
    }

    fn times(&self) -> Times {
        Times {
            ttl_ms: self.ttl_ms,
            stale_ms: self.stale_ms,
        }
    }

    /// The entry and its lease, in one slot.
    fn keys(&self, key: &str) -> Keys {
        let slot = String::from("{") + &keys::part(&self.name) + ":0}:";
        let key = keys::part(key);
        Keys {
            entry: slot.clone() + "e:" + &key,
            lease: slot + "l:" + &key,
        }
    }
}

/// The names of an entry and of the lease to fetch it.
struct Keys {
    entry: String,
    lease: String,
}

const LONGEST_MS: u64 = 10_000 * 86_400_000;

fn sensible(ms: u64) -> Result<u64, EdgeError> {
    if ms == 0 || ms > LONGEST_MS {
        return Err(EdgeError::config(
            "a time to live must be 1 ms to 10000 days",
        ));
    }
    Ok(ms)
}
