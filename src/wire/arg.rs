//! The arguments of commands.

use super::json;

/// One argument of a command.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// Text, sent as it is.
    Text(&'a str),
    /// An integer.
    Int(i64),
    /// An integer past the signed ones.
    Unsigned(u64),
    /// A value, byte for byte; keys are text. Bytes that are UTF-8 travel as the text they are, others as a raw body,
    /// or as Latin-1 that a script of one inner command turns back.
    Bytes(&'a [u8]),
}

impl Arg<'_> {
    /// As JSON.
    pub(super) fn write_into(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Text(text) => json::string_into(out, text),
            // As text: a server that reads JSON numbers as doubles would round them.
            Self::Int(number) => json::string_into(out, itoa::Buffer::new().format(number)),
            Self::Unsigned(number) => json::string_into(out, itoa::Buffer::new().format(number)),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => json::string_into(out, text),
                Err(_) => json::latin1_into(out, bytes),
            },
        }
    }

    /// Whether JSON cannot carry it.
    pub(crate) fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if std::str::from_utf8(bytes).is_err())
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Arg<'_> {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Arg<'_> {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl From<usize> for Arg<'_> {
    fn from(number: usize) -> Self {
        (number as u64).into()
    }
}

/// Which of `args` are bytes that are no text, the first one's place being `first`.
pub(super) fn places(args: &[Arg<'_>], first: u32) -> Vec<u32> {
    let args = (first..).zip(args);
    args.filter(|(_, arg)| arg.is_bytes())
        .map(|(place, _)| place)
        .collect()
}
