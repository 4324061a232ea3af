//! Any command, as an op with a typed reply.

use std::marker::PhantomData;

use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Replies, Reply};

/// Any command; `T` says what its reply is.
///
/// Strings stay strings: `"123"` becomes a number only where `T` asks for one and Redis sent an integer.
///
/// ```
/// use upstash_edge::commands::{Call, command};
/// let visits: Call<i64> = command("INCR", &["visits".into()]);
/// let page: Call<Option<String>> = command("GET", &["page".into()]);
/// ```
#[must_use]
pub fn command<T: FromReply>(name: &str, args: &[Arg<'_>]) -> Call<T> {
    Call {
        name: name.to_owned(),
        args: args.iter().map(Owned::from).collect(),
        reply: PhantomData,
    }
}

/// One command on its way: see [`command`].
pub struct Call<T> {
    name: String,
    args: Vec<Owned>,
    reply: PhantomData<fn() -> T>,
}

/// An argument that outlives its caller.
pub(super) enum Owned {
    Text(String),
    Int(i64),
    Unsigned(u64),
    Bytes(Vec<u8>),
}

impl From<&Arg<'_>> for Owned {
    fn from(arg: &Arg<'_>) -> Self {
        match arg {
            Arg::Text(text) => Self::Text((*text).to_owned()),
            Arg::Int(number) => Self::Int(*number),
            Arg::Unsigned(number) => Self::Unsigned(*number),
            Arg::Bytes(bytes) => Self::Bytes((*bytes).to_vec()),
        }
    }
}

impl Owned {
    pub(super) fn arg(&self) -> Arg<'_> {
        match self {
            Self::Text(text) => Arg::Text(text),
            Self::Int(number) => Arg::Int(*number),
            Self::Unsigned(number) => Arg::Unsigned(*number),
            Self::Bytes(bytes) => Arg::Bytes(bytes),
        }
    }
}

impl<T: FromReply> Op for Call<T> {
    type Output = T;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let args: Vec<Arg<'_>> = self.args.iter().map(Owned::arg).collect();
        out.command(&self.name, &args)
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<T, EdgeError> {
        T::from_reply(replies.take()?)
    }
}

/// What a reply can become.
pub trait FromReply: Sized {
    /// Reads the reply.
    ///
    /// # Errors
    /// `corrupt` when it is something else.
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError>;
}

/// A value, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

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
        reply.array()?.map(T::from_reply).collect()
    }
}
