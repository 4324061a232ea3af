//! What a reply can become.

use std::collections::HashMap;
use std::hash::Hash;

use crate::error::EdgeError;
use crate::wire::{Array, Reply};

/// What a reply can become.
pub trait FromReply: Sized {
    /// Reads the reply.
    ///
    /// # Errors
    /// `corrupt` when it is something else.
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError>;

    /// Reads the entries of an array. Pairs may also lie flat in it, by turns, as RESP2 has fields and scores.
    ///
    /// # Errors
    /// `corrupt` when they are something else.
    fn from_entries(entries: Array<'_>) -> Result<Vec<Self>, EdgeError> {
        entries.map(Self::from_reply).collect()
    }
}

/// A value, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

/// Whatever the reply is.
impl FromReply for () {
    fn from_reply(_: Reply<'_>) -> Result<Self, EdgeError> {
        Ok(())
    }
}

impl FromReply for i64 {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        reply.int()
    }
}

/// A count, a length or an instant.
impl FromReply for u64 {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        reply.count()
    }
}

/// Whether it was done: 1 or OK, as opposed to 0 or nil.
impl FromReply for bool {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        match reply {
            Reply::Int(1) | Reply::Status(b"OK") | Reply::Bytes(b"OK") => Ok(true),
            Reply::Int(0) | Reply::Nil => Ok(false),
            _ => Err(EdgeError::corrupt("0 or 1 was expected in the reply")),
        }
    }
}

/// A score, a distance: Redis sends these as texts.
impl FromReply for f64 {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let number = reply.text()?.parse();
        number.map_err(|_| EdgeError::corrupt("a number was expected in the reply"))
    }
}

impl FromReply for String {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        reply.text().map(str::to_owned)
    }
}

impl FromReply for Bytes {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        match reply.bytes()? {
            Some(bytes) => Ok(Self(bytes.to_vec())),
            None => Err(EdgeError::corrupt("a value was expected in the reply")),
        }
    }
}

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        match reply {
            Reply::Nil => Ok(None),
            reply => T::from_reply(reply).map(Some),
        }
    }
}

impl<T: FromReply> FromReply for Vec<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        T::from_entries(reply.array()?)
    }
}

impl<A: FromReply, B: FromReply> FromReply for (A, B) {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let mut entries = reply.array()?;
        Ok((
            A::from_reply(entries.entry()?)?,
            B::from_reply(entries.entry()?)?,
        ))
    }

    fn from_entries(mut entries: Array<'_>) -> Result<Vec<Self>, EdgeError> {
        if let Some(Reply::Array(_)) = entries.clone().next() {
            return entries.map(Self::from_reply).collect();
        }
        let mut pairs = Vec::with_capacity(entries.size_hint().0 / 2);
        while let Some(first) = entries.next() {
            pairs.push((A::from_reply(first)?, B::from_reply(entries.entry()?)?));
        }
        Ok(pairs)
    }
}

impl<K: FromReply + Eq + Hash, V: FromReply> FromReply for HashMap<K, V> {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        Ok(Vec::from_reply(reply)?.into_iter().collect())
    }
}
