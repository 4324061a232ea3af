//! What a store is, and a cache as one.

use std::future::Future;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::client::Redis;
use crate::error::EdgeError;

/// Any store of one kind of values. Implement it with `async fn`.
pub trait Store {
    /// What it holds.
    type Value;
    /// Why it cannot.
    type Error;

    /// The value under `key`, `None` when there is none.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>>;

    /// Puts `value` there.
    fn set(&self, key: &str, value: &Self::Value) -> impl Future<Output = Result<(), Self::Error>>;

    /// Nothing stands there then.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Self::Error>>;
}

/// A [`Cache`] in a Redis, of values that JSON can hold.
pub struct CacheStore<T> {
    redis: Redis,
    cache: Cache,
    value: PhantomData<fn() -> T>,
}

impl<T> CacheStore<T> {
    /// Entries live as long as the cache says.
    #[must_use]
    pub fn new(redis: Redis, cache: Cache) -> Self {
        Self {
            redis,
            cache,
            value: PhantomData,
        }
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Store for CacheStore<T> {
    type Value = T;
    type Error = EdgeError;

    async fn get(&self, key: &str) -> Result<Option<T>, EdgeError> {
        self.redis.run(self.cache.get(key)).await
    }

    async fn set(&self, key: &str, value: &T) -> Result<(), EdgeError> {
        self.redis.run(self.cache.set(key, value)?).await
    }

    async fn delete(&self, key: &str) -> Result<(), EdgeError> {
        self.redis.run(self.cache.delete(key)).await.map(|_| ())
    }
}
