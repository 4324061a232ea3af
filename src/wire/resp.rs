//! RESP2, framed in place (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use super::reply::{Array, Reply};
use crate::error::EdgeError;

/// Deeper than any command of Redis replies; a hostile reply must not exhaust the stack.
const MAX_DEPTH: usize = 32;

/// The reply at the start of `bytes`, and how many bytes it takes.
///
/// The whole reply is walked once, so what lies inside an array is known to be well-formed.
///
/// # Errors
/// `corrupt` when the bytes are cut short or not RESP2.
pub(crate) fn frame(bytes: &[u8]) -> Result<(Reply<'_>, usize), EdgeError> {
    let mut reader = Reader {
        bytes,
        at: 0,
        deep: false,
    };
    match reader.reply(MAX_DEPTH) {
        Some(reply) => Ok((reply, reader.at)),
        None if reader.deep => Err(EdgeError::corrupt("the reply is nested too deep")),
        None => Err(EdgeError::corrupt("the reply is not whole RESP2")),
    }
}

/// Its methods answer `None` where the bytes are not what they should be: the error is made once, at the end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    deep: bool,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, depth: usize) -> Option<Reply<'a>> {
        let line = self.line()?;
        let (kind, text) = line.split_first()?;
        match kind {
            b'+' => Some(Reply::Status(text)),
            b'-' => Some(Reply::Error(text)),
            b':' => integer(text).map(Reply::Int),
            b'$' => match length(text)? {
                None => Some(Reply::Nil),
                Some(length) => self.bulk(length).map(Reply::Bytes),
            },
            b'*' => match length(text)? {
                None => Some(Reply::Nil),
                Some(length) => self.array(length, depth).map(Reply::Array),
            },
            _ => None,
        }
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        self.at += end + 2;
        Some(rest.get(..end).unwrap_or_default())
    }

    fn bulk(&mut self, length: usize) -> Option<&'a [u8]> {
        let whole = self
            .at
            .checked_add(length)
            .and_then(|end| Some((self.bytes.get(self.at..end)?, end)))
            .filter(|(_, end)| {
                self.bytes
                    .get(*end..)
                    .is_some_and(|rest| rest.starts_with(b"\r\n"))
            });
        let (bulk, end) = whole?;
        self.at = end + 2;
        Some(bulk)
    }

    fn array(&mut self, length: usize, depth: usize) -> Option<Array<'a>> {
        self.deep |= depth == 0;
        let depth = depth.checked_sub(1)?;
        let start = self.at;
        // Each entry takes bytes, so a length that lies ends at the end of the bytes, not of memory.
        for _ in 0..length {
            self.reply(depth)?;
        }
        let inside = self.bytes.get(start..self.at).unwrap_or_default();
        Some(Array::new(length, inside))
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    // Gathered below zero, for the least i64 has no positive twin.
    let mut number: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number
            .checked_mul(10)
            .and_then(|n| n.checked_sub(i64::from(digit - b'0')))?;
    }
    if negative {
        return Some(number);
    }
    number.checked_neg()
}

/// `-1` is nil; anything else negative is no length.
fn length(text: &[u8]) -> Option<Option<usize>> {
    match integer(text)? {
        -1 => Some(None),
        length => usize::try_from(length).ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_type_is_read_in_place() {
        assert_eq!(frame(b"+OK\r\n"), Ok((Reply::Status(b"OK"), 5)));
        assert_eq!(frame(b":-12\r\n"), Ok((Reply::Int(-12), 6)));
        assert_eq!(frame(b"$-1\r\n"), Ok((Reply::Nil, 5)));
        assert_eq!(frame(b"*-1\r\n"), Ok((Reply::Nil, 5)));
        assert_eq!(
            frame(b"$4\r\na\r\nb\r\n"),
            Ok((Reply::Bytes(b"a\r\nb"), 10))
        );
        assert_eq!(frame(b"-ERR no\r\n"), Ok((Reply::Error(b"ERR no"), 9)));
        let (reply, used) = frame(b"*2\r\n:1\r\n*1\r\n$0\r\n\r\n").unwrap();
        assert_eq!(used, 18);
        let mut array = reply.array().unwrap();
        assert_eq!(array.entry(), Ok(Reply::Int(1)));
        assert_eq!(
            array.entry().unwrap().array().unwrap().entry(),
            Ok(Reply::Bytes(b""))
        );
        assert!(array.entry().is_err());
    }

    #[test]
    fn the_ends_of_the_integers_are_read() {
        assert_eq!(
            frame(b":9223372036854775807\r\n").unwrap().0,
            Reply::Int(i64::MAX)
        );
        assert_eq!(
            frame(b":-9223372036854775808\r\n").unwrap().0,
            Reply::Int(i64::MIN)
        );
        assert!(frame(b":9223372036854775808\r\n").is_err());
    }

    #[test]
    fn lengths_that_lie_are_corrupt_and_cost_nothing() {
        for bytes in [
            &b"$5\r\nabc\r\n"[..],
            b"$-2\r\n",
            b"*99999999999\r\n:1\r\n",
            b"$99999999999999999999\r\n",
            b"*1\r\n",
            b"$3\r\nabcXX",
            b"",
            b"OK\r\n",
        ] {
            assert!(frame(bytes).is_err(), "{bytes:?}");
        }
        assert!(frame("*1\r\n".repeat(200).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_reply_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((_, used)) = frame(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }

        #[test]
        fn a_cut_reply_is_never_read(value in proptest::collection::vec(any::<u8>(), 0..50), cut in 0usize..50) {
            let mut whole = format!("*2\r\n${}\r\n", value.len()).into_bytes();
            whole.extend_from_slice(&value);
            whole.extend_from_slice(b"\r\n:7\r\n");
            let cut = cut.min(whole.len() - 1);
            prop_assert!(frame(&whole[..cut]).is_err());
            prop_assert!(frame(&whole).is_ok());
        }
    }
}
