//! Strings: a value under a key.

use std::time::Duration;

use super::call::{Call, milliseconds, op};
use crate::wire::Arg;

/// The value; `None` when there is no such key.
///
/// ```
/// use upstash_edge::{EdgeError, Redis, commands};
/// # async fn greeting(redis: Redis) -> Result<String, EdgeError> {
/// let (greeting, visits) = redis
///     .run((commands::get("greeting"), commands::incr("visits")))
///     .await?;
/// # Ok(greeting.unwrap_or_default() + &visits.to_string())
/// # }
/// ```
pub fn get(key: &str) -> Call<Option<String>> {
    Call::new("GET").arg(key)
}

/// Sets the value, and takes away what time to live the key had: see the methods of [`Set`].
///
/// ```
/// use std::time::Duration;
/// use upstash_edge::commands::{Set, set};
/// let lock: Set<bool> = set("lock", "me").ttl(Duration::from_secs(10)).nx();
/// ```
pub fn set<'a>(key: &str, value: impl Into<Arg<'a>>) -> Set<()> {
    Set(Call::new("SET").arg(key).arg(value))
}

/// SET with its options. Of two times to live the last one counts.
#[must_use = "an op does nothing until it is run"]
pub struct Set<T>(pub(super) Call<T>);

op!(Set<T>, T);

impl<T> Set<T> {
    /// The key expires after this time, 1 ms or more.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self(lasting(self.0, ttl))
    }

    /// The key expires at this moment, in epoch milliseconds.
    pub fn expires_at(self, at: u64) -> Self {
        Self(self.0.set_last(["PXAT".into(), at.into()]))
    }

    /// Leaves the key's time to live as it is.
    pub fn keep_ttl(self) -> Self {
        Self(self.0.set_last(["KEEPTTL".into()]))
    }

    /// Replies the value before, `None` when there was none.
    pub fn get(self) -> Set<Option<String>> {
        Set(self.0.arg("GET").reading())
    }
}

impl Set<()> {
    /// Only where there is no such key yet; replies whether it was set.
    pub fn nx(self) -> Set<bool> {
        Set(self.0.arg("NX").reading())
    }

    /// Only where there is such a key already; replies whether it was set.
    pub fn xx(self) -> Set<bool> {
        Set(self.0.arg("XX").reading())
    }
}

fn lasting<T>(call: Call<T>, ttl: Duration) -> Call<T> {
    match milliseconds(ttl) {
        Ok(ms) => call.set_last(["PX".into(), ms.into()]),
        Err(error) => call.refuse(error),
    }
}

/// The value, and the key is deleted; `None` when there is no such key.
pub fn getdel(key: &str) -> Call<Option<String>> {
    Call::new("GETDEL").arg(key)
}

/// The value, and the key's time to live is changed as the methods of [`Getex`] say; `None` when there is no such key.
pub fn getex(key: &str) -> Getex {
    Getex(Call::new("GETEX").arg(key))
}

/// GETEX with its options, of which the last one counts.
#[must_use = "an op does nothing until it is run"]
pub struct Getex(Call<Option<String>>);

op!(Getex, Option<String>);

impl Getex {
    /// The key expires after this time, 1 ms or more.
    pub fn ttl(self, ttl: Duration) -> Self {
        Self(lasting(self.0, ttl))
    }

    /// The key expires at this moment, in epoch milliseconds.
    pub fn expires_at(self, at: u64) -> Self {
        Self(self.0.set_last(["PXAT".into(), at.into()]))
    }

    /// The key no longer expires.
    pub fn persist(self) -> Self {
        Self(self.0.set_last(["PERSIST".into()]))
    }
}

/// The part from byte `start` to byte `end`, both included, negative ones counted from the end; empty when there is no
/// such key.
pub fn getrange(key: &str, start: i64, end: i64) -> Call<String> {
    Call::new("GETRANGE").arg(key).arg(start).arg(end)
}

/// Writes over the value from byte `offset` on; its new length in bytes.
pub fn setrange<'a>(key: &str, offset: u64, value: impl Into<Arg<'a>>) -> Call<u64> {
    Call::new("SETRANGE").arg(key).arg(offset).arg(value)
}

/// Writes behind the value; its new length in bytes.
pub fn append<'a>(key: &str, value: impl Into<Arg<'a>>) -> Call<u64> {
    Call::new("APPEND").arg(key).arg(value)
}

/// The length in bytes; 0 when there is no such key.
pub fn strlen(key: &str) -> Call<u64> {
    Call::new("STRLEN").arg(key)
}

/// Adds 1; the new value.
pub fn incr(key: &str) -> Call<i64> {
    Call::new("INCR").arg(key)
}

/// Adds; the new value.
pub fn incrby(key: &str, by: i64) -> Call<i64> {
    Call::new("INCRBY").arg(key).arg(by)
}

/// Adds; the new value.
pub fn incrbyfloat(key: &str, by: f64) -> Call<f64> {
    Call::new("INCRBYFLOAT").arg(key).float("by", by)
}

/// Takes 1; the new value.
pub fn decr(key: &str) -> Call<i64> {
    Call::new("DECR").arg(key)
}

/// Takes; the new value.
pub fn decrby(key: &str, by: i64) -> Call<i64> {
    Call::new("DECRBY").arg(key).arg(by)
}

/// One value a key, in order, `None` where there is none.
pub fn mget<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<Vec<Option<String>>> {
    Call::new("MGET").args(keys)
}

/// Sets each key to its value, all at once.
pub fn mset<'a>(
    pairs: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Call<()> {
    Call::new("MSET").pairs(pairs)
}

/// The same, if none of the keys is there yet; whether they were set.
pub fn msetnx<'a>(
    pairs: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Call<bool> {
    Call::new("MSETNX").pairs(pairs)
}
