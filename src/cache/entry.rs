//! What stands under a key: a small ASCII header, then the value as JSON. Pure.
//!
//! `ue1;j;WRITTEN;FRESH;STALE;` and the payload: format 1, codec JSON, then three instants in epoch milliseconds:
//! when it was written, until when it is fresh, until when it may be served stale.
//! A value without such a header was written by another client: it is plain JSON, fresh as long as it is there.

/// How long an entry is fresh, and for how long after that it may be served stale, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub ttl_ms: u64,
    pub stale_ms: u64,
}

impl Times {
    /// How long Redis has to keep it.
    pub fn kept_ms(self) -> u64 {
        self.ttl_ms.saturating_add(self.stale_ms)
    }
}

/// An entry, a view into the bytes that hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub fresh_until: u64,
    pub stale_until: u64,
    pub payload: &'a [u8],
}

/// What an entry is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it while one caller refreshes it (RFC 5861, section 3).
    Stale,
    /// Do not serve it.
    Gone,
}

/// `payload`, written at `now`.
pub(super) fn encode(payload: &str, times: Times, now: u64) -> String {
    let mut entry = String::with_capacity(payload.len() + 50);
    entry.push_str("ue1;j;");
    let fresh_until = now.saturating_add(times.ttl_ms);
    for instant in [now, fresh_until, fresh_until.saturating_add(times.stale_ms)] {
        entry.push_str(itoa::Buffer::new().format(instant));
        entry.push(';');
    }
    entry.push_str(payload);
    entry
}

/// Reads an entry; what has no header is all payload.
pub(super) fn decode(bytes: &[u8]) -> Entry<'_> {
    header(bytes).unwrap_or(Entry {
        fresh_until: u64::MAX,
        stale_until: u64::MAX,
        payload: bytes,
    })
}

fn header(bytes: &[u8]) -> Option<Entry<'_>> {
    let (_written, rest) = instant(bytes.strip_prefix(b"ue1;j;")?)?;
    let (fresh_until, rest) = instant(rest)?;
    let (stale_until, payload) = instant(rest)?;
    Some(Entry {
        fresh_until,
        stale_until,
        payload,
    })
}

fn instant(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|b| *b == b';')?;
    let (digits, rest) = bytes.split_at_checked(end)?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest.get(1..)?))
}

impl Entry<'_> {
    pub fn freshness(&self, now: u64) -> Freshness {
        if now < self.fresh_until {
            Freshness::Fresh
        } else if now < self.stale_until {
            Freshness::Stale
        } else {
            Freshness::Gone
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_is_fresh_then_stale_then_gone_to_the_millisecond() {
        let times = Times {
            ttl_ms: 100,
            stale_ms: 50,
        };
        let text = encode("0", times, 1_000);
        assert_eq!(text, "ue1;j;1000;1100;1150;0");
        let entry = decode(text.as_bytes());
        assert_eq!(entry.freshness(1_099), Freshness::Fresh);
        assert_eq!(entry.freshness(1_100), Freshness::Stale);
        assert_eq!(entry.freshness(1_149), Freshness::Stale);
        assert_eq!(entry.freshness(1_150), Freshness::Gone);
    }

    #[test]
    fn what_another_client_wrote_is_all_payload() {
        assert_eq!(decode(b"{\"a\":1}").payload, b"{\"a\":1}");
        assert_eq!(decode(b"ue1;j;1;2").payload, b"ue1;j;1;2");
        assert_eq!(decode(b"").freshness(u64::MAX - 1), Freshness::Fresh);
    }

    proptest! {
        #[test]
        fn any_payload_comes_back(payload in any::<String>(), ttl_ms in 0u64..1 << 40, now in 0u64..1 << 42) {
            let text = encode(&payload, Times { ttl_ms, stale_ms: 7 }, now);
            let entry = decode(text.as_bytes());
            prop_assert_eq!(entry.payload, payload.as_bytes());
            prop_assert_eq!(entry.fresh_until, now + ttl_ms);
        }

        #[test]
        fn any_bytes_are_an_entry(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(bytes.ends_with(decode(&bytes).payload));
        }
    }
}
