//! What stands under a key: an ASCII header, then the value. Pure.
//!
//! `ue1;CODEC;WRITTEN;FRESH;STALE;ERROR;COST;TAGS;EPOCH;COUNTER;` and the payload: format 1; `j` JSON or `b` bytes, `J` and
//! `B` the same deflated; when it was written, until when it is fresh, until when it may be served stale, until when in place of an error, all in epoch milliseconds;
//! how many milliseconds fetching it took; its tags, a comma between them, and which `t` of which count they are judged by
//! (`lua/cache_entry.lua`), all three empty when it has none.
//! A value that does not begin like a header was written by another client: JSON to who asks for that, bytes to who asks
//! for bytes, fresh as long as it is there. Another format, another codec and a broken header are no entry.

use super::freshness::Instants;
use super::payload::{Codec, Kind};

/// An entry, a view into the bytes that hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub instants: Instants,
    pub codec: Codec,
    pub payload: &'a [u8],
}

/// The header up to the tags; the scripts, which know epoch and counter, write the rest.
pub(super) fn head(instants: &Instants, codec: Codec, cost_ms: u64, tags: &[String]) -> String {
    let mut head = String::with_capacity(80);
    head.push_str("ue1;");
    head.push(codec.letter());
    head.push(';');
    for number in [
        instants.written,
        instants.fresh_until,
        instants.stale_until,
        instants.error_until,
        cost_ms,
    ] {
        head.push_str(itoa::Buffer::new().format(number));
        head.push(';');
    }
    for (at, tag) in tags.iter().enumerate() {
        if at > 0 {
            head.push(',');
        }
        head.push_str(tag);
    }
    head.push(';');
    head
}

/// Reads an entry; `None` when it is none. What another client wrote is what is `wanted`.
pub(super) fn decode(bytes: &[u8], wanted: Kind) -> Option<Entry<'_>> {
    if is_plain(bytes) {
        let instants = Instants {
            written: 0,
            fresh_until: u64::MAX,
            stale_until: u64::MAX,
            error_until: u64::MAX,
        };
        let codec = Codec {
            kind: wanted,
            deflated: false,
        };
        return Some(Entry {
            instants,
            codec,
            payload: bytes,
        });
    }
    let (letter, rest) = bytes.strip_prefix(b"ue1;")?.split_first()?;
    let codec = Codec::of(*letter)?;
    let mut rest = rest.strip_prefix(b";")?;
    let mut next = || {
        let end = rest.iter().position(|b| *b == b';')?;
        let (field, behind) = rest.split_at_checked(end)?;
        rest = behind.get(1..)?;
        Some(field)
    };
    let instants = Instants {
        written: number(next()?)?,
        fresh_until: number(next()?)?,
        stale_until: number(next()?)?,
        error_until: number(next()?)?,
    };
    number(next()?)?;
    // Tags, epoch and counter were judged where they stand.
    for _ in 0..3 {
        next()?;
    }
    Some(Entry {
        instants,
        codec,
        payload: rest,
    })
}

/// Whether it does not begin as a header of any format: `ue`, digits, `;`.
fn is_plain(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"ue") else {
        return true;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits == 0 || rest.get(digits) != Some(&b';')
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INSTANTS: Instants = Instants {
        written: 1,
        fresh_until: 2,
        stale_until: 3,
        error_until: 4,
    };

    const JSON: Codec = Codec {
        kind: Kind::Json,
        deflated: false,
    };

    #[test]
    fn a_header_is_what_the_documentation_says() {
        assert_eq!(head(&INSTANTS, JSON, 5, &[]), "ue1;j;1;2;3;4;5;;");
        let tags = ["a".to_owned(), "b".to_owned()];
        assert_eq!(head(&INSTANTS, JSON, 5, &tags), "ue1;j;1;2;3;4;5;a,b;");
    }

    #[test]
    fn what_another_client_wrote_is_all_payload() {
        for plain in [
            &b"{\"a\":1}"[..],
            b"",
            b"ue",
            b"ue1",
            b"ue;1;",
            b"uefa;",
            b"\"ue1;\"",
        ] {
            for kind in [Kind::Json, Kind::Bytes] {
                let entry = decode(plain, kind).unwrap();
                assert_eq!((entry.payload, entry.codec.kind), (plain, kind));
                assert!(!entry.codec.deflated);
                assert_eq!(entry.instants.fresh_until, u64::MAX);
            }
        }
    }

    #[test]
    fn an_unknown_format_or_codec_or_a_broken_header_is_no_entry() {
        for broken in [
            "ue2;j;1;2;3;4;5;;;;0",
            "ue1;x;1;2;3;4;5;;;;0",
            "ue1;j;1;2;3;4;5;;;",
            "ue1;j;1;2;3;;5;;;;0",
            "ue1;j;1;2;3;4;x;;;;0",
            "ue1;j;1;2;-3;4;5;;;;0",
            "ue1;j;1;2;3:;4;5;;;;0",
            "ue1;j1;2;3;4;5;;;;0",
            "ue1;j;1;2;99999999999999999999;4;5;;;;0",
            "ue1;jj;1;2;3;4;5;;;;0",
            "ue1;;1;2;3;4;5;;;;0",
            "ue1;j",
            "ue1;",
        ] {
            assert_eq!(decode(broken.as_bytes(), Kind::Json), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_payload_comes_back(
            payload in any::<Vec<u8>>(), bytes: bool, deflated: bool, wants_bytes: bool, instants in any::<[u64; 4]>(), cost: u64,
            tags in proptest::collection::vec("[a-z%0-9]{1,9}", 0..3), mark in "[A-Za-z0-9_-]{0,9};[0-9]{0,9};",
        ) {
            let [written, fresh_until, stale_until, error_until] = instants;
            let instants = Instants { written, fresh_until, stale_until, error_until };
            let kind = |bytes| if bytes { Kind::Bytes } else { Kind::Json };
            let codec = Codec { kind: kind(bytes), deflated };
            let head = head(&instants, codec, cost, &tags) + &mark;
            let entry = [head.as_bytes(), &payload].concat();
            prop_assert_eq!(decode(&entry, kind(wants_bytes)), Some(Entry { instants, codec, payload: &payload }));
        }

        #[test]
        fn any_bytes_are_an_entry_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..100), begins: bool) {
            let bytes = if begins { [b"ue1;j;", bytes.as_slice()].concat() } else { bytes };
            if let Some(entry) = decode(&bytes, Kind::Json) {
                prop_assert!(bytes.ends_with(entry.payload));
            }
        }

        #[test]
        fn header_like_text_is_an_entry_or_none(text in "ue[0-9]?;?[jJbB]?;?([0-9]{0,3};){0,9}[a-z]{0,3}") {
            if let Some(entry) = decode(text.as_bytes(), Kind::Bytes) {
                prop_assert!(text.as_bytes().ends_with(entry.payload));
            }
        }
    }
}
