//! What an entry holds: JSON or bytes, as it is or deflated.
//!
//! Deflated is zlib's format (RFC 1950): every `CompressionStream` writes it (the oldest have no `deflate-raw`), 12 bytes
//! shorter than gzip's, and with a checksum, which `deflate-raw` lacks. JavaScript deflates, by its runtime's streams; the
//! crate reads it, and writes plain.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::de::DeserializeOwned;

use crate::host::LARGEST_ANSWER;
use crate::wire::Arg;

/// What a value is to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Bytes,
    /// Of HTTP, whole: see [`exchange`](super::exchange).
    Answer,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub kind: Kind,
    pub deflated: bool,
}

impl Codec {
    pub fn letter(self) -> char {
        match (self.kind, self.deflated) {
            (Kind::Json, false) => 'j',
            (Kind::Bytes, false) => 'b',
            (Kind::Answer, _) => 'a',
            (Kind::Json, true) => 'J',
            (Kind::Bytes, true) => 'B',
        }
    }

    pub fn of(letter: u8) -> Option<Self> {
        let kind = match letter {
            b'j' | b'J' => Kind::Json,
            b'b' | b'B' => Kind::Bytes,
            b'a' => Kind::Answer,
            _ => return None,
        };
        let deflated = letter.is_ascii_uppercase();
        Some(Self { kind, deflated })
    }
}

/// What is to be written: text where it is text, for that travels cheaper than bytes.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub codec: Codec,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Text(String),
    Bytes(Vec<u8>),
}

impl Payload {
    pub fn json(json: String) -> Self {
        Self {
            codec: Codec {
                kind: Kind::Json,
                deflated: false,
            },
            data: Data::Text(json),
        }
    }

    pub fn new(codec: Codec, bytes: Vec<u8>) -> Self {
        let data = match String::from_utf8(bytes) {
            Ok(text) => Data::Text(text),
            Err(bytes) => Data::Bytes(bytes.into_bytes()),
        };
        Self { codec, data }
    }

    pub fn arg(&self) -> Arg<'_> {
        match &self.data {
            Data::Text(text) => Arg::Text(text),
            Data::Bytes(bytes) => Arg::Bytes(bytes),
        }
    }
}

/// The value itself; `None` when it cannot be inflated, or would be larger than any reply of Redis.
pub(super) fn inflated(codec: Codec, payload: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !codec.deflated {
        return Some(payload.into());
    }
    // A few KB of it can say gigabytes.
    let inflated = decompress_to_vec_zlib_with_limit(payload, LARGEST_ANSWER);
    inflated.ok().map(Cow::Owned)
}

/// The value that JSON says.
pub(super) fn value<T: DeserializeOwned>(codec: Codec, payload: &[u8]) -> Option<T> {
    serde_json::from_slice(&inflated(codec, payload)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    const DEFLATED: Codec = Codec {
        kind: Kind::Bytes,
        deflated: true,
    };

    #[test]
    fn what_would_be_larger_than_any_reply_is_not_inflated() {
        let largest = compress_to_vec_zlib(&vec![0; LARGEST_ANSWER], 1);
        assert_eq!(inflated(DEFLATED, &largest).unwrap().len(), LARGEST_ANSWER);
        let larger = compress_to_vec_zlib(&vec![0; LARGEST_ANSWER + 1], 1);
        assert!(larger.len() < 1 << 20);
        assert_eq!(inflated(DEFLATED, &larger), None);
    }

    proptest! {
        #[test]
        fn what_was_deflated_comes_back(bytes in any::<Vec<u8>>()) {
            let deflated = compress_to_vec_zlib(&bytes, 6);
            prop_assert_eq!(inflated(DEFLATED, &deflated), Some(Cow::Borrowed(bytes.as_slice())));
            // Cut short it is nothing.
            prop_assert_eq!(inflated(DEFLATED, &deflated[..deflated.len() - 1]), None);
        }

        #[test]
        fn any_bytes_are_inflated_or_not(bytes in any::<Vec<u8>>(), begins: bool) {
            let bytes = if begins { [b"\x78\x9c", bytes.as_slice()].concat() } else { bytes };
            let _ = inflated(DEFLATED, &bytes);
        }
    }
}
