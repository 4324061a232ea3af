//! A decision as HTTP headers.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Decision;
use crate::base64;

/// Which headers tell a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderStyle {
    /// `RateLimit-Policy` and `RateLimit` as structured fields (draft-ietf-httpapi-ratelimit-headers-11).
    #[default]
    Draft11,
    /// `RateLimit-Limit`, `-Remaining` and `-Reset` in seconds from now, and `RateLimit-Policy` (draft 6 of the same).
    Draft6,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset` in epoch seconds, as many services send them.
    XRateLimit,
}

/// What tells one identifier's quota from another's in headers, and tells nobody the identifier: 128 bits of its
/// HMAC-SHA256 under `secret`, for `pk` of [`Decision::headers_in`]. Not a plain hash: addresses can be tried.
#[must_use]
pub fn partition_key(secret: &[u8], id: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // Not reached: HMAC takes a key of any length.
        return Vec::new();
    };
    mac.update(id.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .take(16)
        .copied()
        .collect()
}

/// Header names and values.
type Headers = Vec<(&'static str, String)>;

impl Decision {
    /// [`Self::headers_in`] the default style, without a partition key.
    #[must_use]
    pub fn headers(&self) -> Headers {
        self.headers_in(HeaderStyle::default(), None)
    }

    /// The decision in headers of one style and, for a refusal, `Retry-After` (RFC 9110 section 10.2.3).
    ///
    /// `partition_key` is draft 11's `pk`: see [`partition_key`]. Of several limits the other styles tell the one of
    /// which least is left. Seconds are rounded up: who comes back when told is not refused for a fraction.
    #[must_use]
    pub fn headers_in(&self, style: HeaderStyle, partition_key: Option<&[u8]>) -> Headers {
        let mut headers = match style {
            HeaderStyle::Draft11 => self.draft_11(partition_key),
            HeaderStyle::Draft6 => self.draft_6(),
            HeaderStyle::XRateLimit => vec![
                ("X-RateLimit-Limit", text(self.limit.into())),
                ("X-RateLimit-Remaining", text(self.remaining.into())),
                ("X-RateLimit-Reset", text(self.full_at().div_ceil(1_000))),
            ],
        };
        if !self.allowed {
            let seconds = self.retry_after_ms.div_ceil(1_000).max(1);
            headers.push(("Retry-After", text(seconds)));
        }
        headers
    }

    fn draft_11(&self, partition_key: Option<&[u8]>) -> Headers {
        let mut policies = String::new();
        let mut states = String::new();
        for policy in &self.policies {
            if !policies.is_empty() {
                policies.push_str(", ");
                states.push_str(", ");
            }
            quoted(&mut policies, &policy.name);
            parameter(&mut policies, "q", policy.limit.into());
            parameter(&mut policies, "w", policy.window_ms.div_ceil(1_000));
            quoted(&mut states, &policy.name);
            parameter(&mut states, "r", policy.remaining.into());
            parameter(&mut states, "t", self.seconds_to(policy.reset_at));
            if let Some(key) = partition_key {
                for header in [&mut policies, &mut states] {
                    header.push_str(";pk=:");
                    header.push_str(&base64::padded(key));
                    header.push(':');
                }
            }
        }
        vec![("RateLimit-Policy", policies), ("RateLimit", states)]
    }

    fn draft_6(&self) -> Headers {
        let mut policies = String::new();
        for policy in &self.policies {
            if !policies.is_empty() {
                policies.push_str(", ");
            }
            policies.push_str(&text(policy.limit.into()));
            parameter(&mut policies, "w", policy.window_ms.div_ceil(1_000));
        }
        vec![
            ("RateLimit-Limit", text(self.limit.into())),
            ("RateLimit-Remaining", text(self.remaining.into())),
            ("RateLimit-Reset", text(self.seconds_to(self.full_at()))),
            ("RateLimit-Policy", policies),
        ]
    }

    /// When the limit of which least is left is full again.
    fn full_at(&self) -> u64 {
        let least = self.policies.iter().min_by_key(|policy| policy.remaining);
        least.map_or(self.reset_at, |policy| policy.reset_at)
    }

    /// Until a quota is back; for a refusal until it is worth coming back, for `Retry-After` must not be earlier.
    fn seconds_to(&self, reset_at: u64) -> u64 {
        let wait_ms = if self.allowed {
            reset_at.saturating_sub(self.decided_at)
        } else {
            self.retry_after_ms
        };
        wait_ms.div_ceil(1_000)
    }
}

fn text(number: u64) -> String {
    itoa::Buffer::new().format(number).to_owned()
}

/// A limit's name holds nothing that a structured field's string (RFC 9651) would have to escape.
fn quoted(header: &mut String, name: &str) {
    header.push('"');
    header.push_str(name);
    header.push('"');
}

fn parameter(header: &mut String, name: &str, value: u64) {
    header.push(';');
    header.push_str(name);
    header.push('=');
    header.push_str(itoa::Buffer::new().format(value));
}

#[cfg(test)]
mod tests {
    use super::super::decision::Verdict;
    use super::super::{Limit, Limits};
    use super::*;
    use std::time::Duration;

    /// 50 of 100 a minute are left, or nothing of 10 a second.
    fn decision(allowed: bool) -> Decision {
        let limit = |limit, seconds, name| {
            let limit = Limit::sliding_window(limit, Duration::from_secs(seconds)).unwrap();
            limit.named(name).unwrap()
        };
        let limits = Limits::new(&[limit(100, 60, "burst"), limit(10, 1, "second")]).unwrap();
        let verdict = |left, retry_after_ms, ends_ms| Verdict {
            left,
            retry_after_ms,
            ends_ms,
            spent_ms: 0,
        };
        let second = if allowed {
            verdict(60, 0, 0)
        } else {
            verdict(0, 1_001, 1_500)
        };
        Decision::new(&limits, &[verdict(50, 0, 29_500), second], 0, 500)
    }

    #[test]
    fn an_allowed_request_is_told_its_quota() {
        let headers = decision(true).headers();
        assert_eq!(headers[0].1, "\"burst\";q=100;w=60, \"second\";q=10;w=1");
        assert_eq!(headers[1].1, "\"burst\";r=50;t=30, \"second\";r=60;t=0");
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_refused_one_is_told_when_to_come_back_never_too_early() {
        let headers = decision(false).headers();
        assert_eq!(headers[1].1, "\"burst\";r=50;t=2, \"second\";r=0;t=2");
        assert_eq!(headers[2], ("Retry-After", "2".to_owned()));
    }

    #[test]
    fn other_styles_tell_the_limit_of_which_least_is_left() {
        let of = |allowed, style| {
            let headers = decision(allowed).headers_in(style, None).into_iter();
            headers.map(|(_, value)| value).collect::<Vec<_>>()
        };
        let draft_6 = ["100", "50", "30", "100;w=60, 10;w=1"];
        assert_eq!(of(true, HeaderStyle::Draft6), draft_6);
        let draft_6 = ["10", "0", "2", "100;w=60, 10;w=1", "2"];
        assert_eq!(of(false, HeaderStyle::Draft6), draft_6);
        assert_eq!(of(true, HeaderStyle::XRateLimit), ["100", "50", "30"]);
        assert_eq!(of(false, HeaderStyle::XRateLimit), ["10", "0", "2", "2"]);
    }

    #[test]
    fn a_partition_key_is_a_byte_sequence_that_hides_the_identifier() {
        // RFC 4231, test case 2, cut to 128 bits.
        let key = partition_key(b"Jefe", "what do ya want for nothing?");
        assert_eq!(key[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(key.len(), 16);
        let headers = decision(true).headers_in(HeaderStyle::Draft11, Some(&[1, 2, 3, 4]));
        assert!(headers[0].1.ends_with(";q=10;w=1;pk=:AQIDBA==:"));
        assert!(headers[1].1.ends_with(";r=60;t=0;pk=:AQIDBA==:"));
    }
}
