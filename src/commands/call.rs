//! Any command, as an op with a typed reply.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use super::reply::FromReply;
use crate::error::{EdgeError, ErrorKind};
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Replies};

/// Any command; `T` says what its reply is.
///
/// Strings stay strings: `"123"` becomes a number only where `T` asks for one and Redis sent an integer.
///
/// ```
/// use upstash_edge::commands::{Call, command};
/// let visits: Call<i64> = command("INCR", &["visits".into()]);
/// let page: Call<Option<String>> = command("GET", &["page".into()]);
/// ```
pub fn command<T: FromReply>(name: &str, args: &[Arg<'_>]) -> Call<T> {
    Call::named(name.to_owned().into()).args(args.iter().copied())
}

/// One command on its way: see [`command`].
#[must_use = "an op does nothing until it is run"]
pub struct Call<T> {
    name: Cow<'static, str>,
    args: Vec<Owned>,
    /// Written behind all others, whatever is added to those meanwhile.
    last: Vec<Owned>,
    refused: Option<EdgeError>,
    reply: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    /// The same command, its reply read as something else: bytes, JSON, another kind of map.
    ///
    /// ```
    /// use upstash_edge::commands::{Bytes, Call, get};
    /// let picture: Call<Option<Bytes>> = get("picture").reading();
    /// ```
    pub fn reading<U: FromReply>(self) -> Call<U> {
        Call {
            name: self.name,
            args: self.args,
            last: self.last,
            refused: self.refused,
            reply: PhantomData,
        }
    }

    pub(super) fn new(name: &'static str) -> Self {
        Self::named(name.into())
    }

    fn named(name: Cow<'static, str>) -> Self {
        Self {
            name,
            args: Vec::new(),
            last: Vec::new(),
            refused: None,
            reply: PhantomData,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.args.len()
    }

    pub(super) fn arg<'a>(mut self, arg: impl Into<Arg<'a>>) -> Self {
        self.args.push(arg.into().into());
        self
    }

    pub(super) fn args<'a>(mut self, args: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.into().into()));
        self
    }

    /// By turns: fields and values, keys and values.
    pub(super) fn pairs<'a>(
        mut self,
        pairs: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
    ) -> Self {
        for (first, second) in pairs {
            self = self.arg(first).arg(second);
        }
        self
    }

    /// Keys, after how many they are.
    pub(super) fn counted<'a>(
        mut self,
        keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
    ) -> Self {
        let at = self.args.len();
        self = self.args(keys);
        let count = Owned::Unsigned((self.args.len() - at) as u64);
        self.args.insert(at, count);
        self
    }

    pub(super) fn float(mut self, name: &'static str, number: f64) -> Self {
        if number.is_nan() {
            let why = name.to_owned() + " must be a number, not NaN";
            return self.refuse(EdgeError::with_text(ErrorKind::InvalidArgument, why));
        }
        self.args.push(Owned::Text(number.to_string()));
        self
    }

    /// A duration that Redis takes in milliseconds.
    pub(super) fn ms(self, duration: Duration) -> Self {
        match milliseconds(duration) {
            Ok(ms) => self.arg(ms),
            Err(error) => self.refuse(error),
        }
    }

    /// What was added from argument number `from` on is written behind all that follows.
    pub(super) fn hold(mut self, from: usize) -> Self {
        self.last = self.args.split_off(from);
        self
    }

    /// Written behind all others, in place of what was to be.
    pub(super) fn set_last<const N: usize>(mut self, last: [Arg<'_>; N]) -> Self {
        self.last = last.into_iter().map(Owned::from).collect();
        self
    }

    /// The first reason counts.
    pub(super) fn refuse(mut self, error: EdgeError) -> Self {
        self.refused.get_or_insert(error);
        self
    }
}

pub(super) fn milliseconds(duration: Duration) -> Result<u64, EdgeError> {
    match u64::try_from(duration.as_millis()) {
        Ok(ms @ 1..) => Ok(ms),
        _ => Err(EdgeError::argument("ttl must be 1 ms or more")),
    }
}

/// A command that takes options yet is an op as it is.
macro_rules! op {
    ($name:ident $(<$reply:ident>)?, $output:ty) => {
        impl$(<$reply: $crate::commands::FromReply>)? $crate::op::Op for $name$(<$reply>)? {
            type Output = $output;

            fn encode(
                &mut self,
                cx: &$crate::op::Context<'_>,
                out: &mut $crate::wire::Commands,
            ) -> Result<(), $crate::error::EdgeError> {
                self.0.encode(cx, out)
            }

            fn decode(
                self,
                cx: &$crate::op::Context<'_>,
                replies: &mut $crate::wire::Replies<'_>,
            ) -> Result<Self::Output, $crate::error::EdgeError> {
                self.0.decode(cx, replies)
            }
        }
    };
}
pub(super) use op;

/// An argument that outlives its caller.
pub(super) enum Owned {
    Text(String),
    Int(i64),
    Unsigned(u64),
    Bytes(Vec<u8>),
}

impl From<Arg<'_>> for Owned {
    fn from(arg: Arg<'_>) -> Self {
        match arg {
            Arg::Text(text) => Self::Text(text.to_owned()),
            Arg::Int(number) => Self::Int(number),
            Arg::Unsigned(number) => Self::Unsigned(number),
            Arg::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
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
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        let args: Vec<Arg<'_>> = self.args.iter().chain(&self.last).map(Owned::arg).collect();
        out.command(&self.name, &args)
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<T, EdgeError> {
        T::from_reply(replies.take()?)
    }
}
