//! Keys, whatever they hold, and the database they are in.

use std::time::Duration;

use super::call::{Call, op};
use super::reply::FromReply;
use crate::error::EdgeError;
use crate::wire::{Arg, Reply};

/// Deletes keys; how many there were.
pub fn del<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("DEL").args(keys)
}

/// The same; large values are freed after the reply.
pub fn unlink<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("UNLINK").args(keys)
}

/// How many of the keys there are; one that is named twice counts twice.
pub fn exists<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("EXISTS").args(keys)
}

/// How many of the keys there are; they count as used just now, where the server evicts what is not.
pub fn touch<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("TOUCH").args(keys)
}

/// The key expires after this time, 1 ms or more; `false` when there is no such key.
pub fn expire(key: &str, ttl: Duration) -> Expire {
    Expire(Call::new("PEXPIRE").arg(key).ms(ttl))
}

/// The key expires at this moment, in epoch milliseconds; `false` when there is no such key.
pub fn expire_at(key: &str, at: u64) -> Expire {
    Expire(Call::new("PEXPIREAT").arg(key).arg(at))
}

/// PEXPIRE or PEXPIREAT, on a condition if there is one; then `false` also when it was not met.
#[must_use = "an op does nothing until it is run"]
pub struct Expire(Call<bool>);

op!(Expire, bool);

impl Expire {
    /// Only where the key does not expire yet.
    pub fn nx(self) -> Call<bool> {
        self.0.arg("NX")
    }

    /// Only where the key expires already.
    pub fn xx(self) -> Call<bool> {
        self.0.arg("XX")
    }

    /// Only where the key expires earlier.
    pub fn gt(self) -> Call<bool> {
        self.0.arg("GT")
    }

    /// Only where the key expires later, or does not expire.
    pub fn lt(self) -> Call<bool> {
        self.0.arg("LT")
    }
}

/// How long a key has to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// There is no such key.
    NoKey,
    /// It does not expire.
    Persistent,
    /// Milliseconds.
    Ms(u64),
}

impl FromReply for Ttl {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        match reply {
            Reply::Int(-2) => Ok(Self::NoKey),
            Reply::Int(-1) => Ok(Self::Persistent),
            reply => reply.count().map(Self::Ms),
        }
    }
}

/// How long the key has to live, to the millisecond.
pub fn ttl(key: &str) -> Call<Ttl> {
    Call::new("PTTL").arg(key)
}

/// The key no longer expires; whether it would have.
pub fn persist(key: &str) -> Call<bool> {
    Call::new("PERSIST").arg(key)
}

/// Renames the key, in place of what has the new name; `redis_error` when there is no such key.
pub fn rename(key: &str, name: &str) -> Call<()> {
    Call::new("RENAME").arg(key).arg(name)
}

/// Renames the key if nothing has the new name; whether it was renamed.
pub fn renamenx(key: &str, name: &str) -> Call<bool> {
    Call::new("RENAMENX").arg(key).arg(name)
}

/// Copies the value, with its time to live, to a key that is not there yet; whether it was copied.
pub fn copy(source: &str, destination: &str) -> Call<bool> {
    Call::new("COPY").arg(source).arg(destination)
}

/// What kind of value it is: `string`, `list`, `set`, `zset`, `hash`, `stream`; `none` when there is no such key.
pub fn type_of(key: &str) -> Call<String> {
    Call::new("TYPE").arg(key)
}

/// A key at random; `None` when there is none.
pub fn randomkey() -> Call<Option<String>> {
    Call::new("RANDOMKEY")
}

/// How many keys there are.
pub fn dbsize() -> Call<u64> {
    Call::new("DBSIZE")
}

/// `PONG`.
pub fn ping() -> Call<String> {
    Call::new("PING")
}

/// Sends a message to who is subscribed to the channel; how many received it.
pub fn publish<'a>(channel: &str, message: impl Into<Arg<'a>>) -> Call<u64> {
    Call::new("PUBLISH").arg(channel).arg(message)
}
