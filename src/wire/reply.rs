//! Replies, read in place.

use super::resp;
use crate::error::EdgeError;

/// One reply of Redis, a view into the bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Nothing there.
    Nil,
    /// An integer.
    Int(i64),
    /// A short text such as `OK`.
    Status(&'a [u8]),
    /// A value, byte for byte.
    Bytes(&'a [u8]),
    /// An error inside an array (an error that is the whole reply is an `Err` of its slot).
    Error(&'a [u8]),
    /// Several replies.
    Array(Array<'a>),
}

impl<'a> Reply<'a> {
    /// The bytes of a value or status, `None` for nil.
    ///
    /// # Errors
    /// `corrupt` when the reply is something else.
    pub fn bytes(self) -> Result<Option<&'a [u8]>, EdgeError> {
        match self {
            Self::Nil => Ok(None),
            Self::Bytes(bytes) | Self::Status(bytes) => Ok(Some(bytes)),
            _ => Err(EdgeError::corrupt("a string was expected in the reply")),
        }
    }

    /// The text of a value or status.
    ///
    /// # Errors
    /// `corrupt` when the reply is something else, or not UTF-8.
    pub fn text(self) -> Result<&'a str, EdgeError> {
        self.bytes()?
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or_else(|| EdgeError::corrupt("a text was expected in the reply"))
    }

    /// The integer.
    ///
    /// # Errors
    /// `corrupt` when the reply is something else.
    pub fn int(self) -> Result<i64, EdgeError> {
        match self {
            Self::Int(number) => Ok(number),
            _ => Err(EdgeError::corrupt("an integer was expected in the reply")),
        }
    }

    /// The integer, as a count, a length or an instant: never negative.
    ///
    /// # Errors
    /// `corrupt` when the reply is something else.
    pub fn count(self) -> Result<u64, EdgeError> {
        u64::try_from(self.int()?).map_err(|_| EdgeError::corrupt("a negative count in the reply"))
    }

    /// The entries of an array.
    ///
    /// # Errors
    /// `corrupt` when the reply is something else.
    pub fn array(self) -> Result<Array<'a>, EdgeError> {
        match self {
            Self::Array(array) => Ok(array),
            _ => Err(EdgeError::corrupt("an array was expected in the reply")),
        }
    }
}

/// The entries of an array reply, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array<'a> {
    len: usize,
    rest: &'a [u8],
}

impl<'a> Array<'a> {
    pub(super) fn new(len: usize, rest: &'a [u8]) -> Self {
        Self { len, rest }
    }

    /// The next entry.
    ///
    /// # Errors
    /// `corrupt` when there is none.
    pub fn entry(&mut self) -> Result<Reply<'a>, EdgeError> {
        self.next()
            .ok_or_else(|| EdgeError::corrupt("the reply has too few entries"))
    }
}

impl<'a> Iterator for Array<'a> {
    type Item = Reply<'a>;

    fn next(&mut self) -> Option<Reply<'a>> {
        self.len = self.len.checked_sub(1)?;
        let (reply, used) = resp::frame(self.rest).ok()?;
        self.rest = self.rest.get(used..)?;
        Some(reply)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

/// One command's outcome.
pub(crate) type Slot<'a> = Result<Reply<'a>, EdgeError>;

/// Where a scope ends, among the commands and among the scopes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope {
    pub commands: usize,
    pub scopes: usize,
}

/// The replies to the commands an [`Op`](crate::Op) appended, in the order it appended them.
pub struct Replies<'a> {
    slots: &'a [Slot<'a>],
    /// Which command the first slot is of.
    base: usize,
    scopes: &'a [Scope],
    at: usize,
    end: usize,
    scope: usize,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(slots: &'a [Slot<'a>], scopes: &'a [Scope]) -> Self {
        Self::of_scope(slots, 0, scopes, 0)
    }

    /// Those to the commands of one scope alone, the first of which is number `base`.
    pub(crate) fn of_scope(
        slots: &'a [Slot<'a>],
        base: usize,
        scopes: &'a [Scope],
        scope: usize,
    ) -> Self {
        Self {
            slots,
            base,
            scopes,
            at: base,
            end: base + slots.len(),
            scope,
        }
    }

    /// The next reply.
    ///
    /// # Errors
    /// That of the command, or `corrupt` when no reply is left.
    pub fn take(&mut self) -> Result<Reply<'a>, EdgeError> {
        if self.at >= self.end {
            return Err(EdgeError::corrupt(
                "more replies were read than commands sent",
            ));
        }
        let slot = self.slots.get(self.at - self.base).cloned();
        self.at += 1;
        slot.unwrap_or_else(|| Err(EdgeError::corrupt("a reply is missing")))
    }

    /// Hands `decode` the replies of the matching [`Commands::scope`](super::Commands::scope), and steps over all
    /// of them: a decoder that stops early cannot shift its neighbours.
    pub fn scope<T>(&mut self, decode: impl FnOnce(&mut Self) -> T) -> T {
        let scope = self.scopes.get(self.scope).copied().unwrap_or(Scope {
            commands: self.at,
            scopes: self.scope,
        });
        let mut inner = Self {
            slots: self.slots,
            base: self.base,
            scopes: self.scopes,
            at: self.at,
            end: scope.commands.min(self.end),
            scope: self.scope + 1,
        };
        let decoded = decode(&mut inner);
        self.at = scope.commands;
        self.scope = scope.scopes;
        decoded
    }
}
