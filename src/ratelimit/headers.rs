//! A decision as HTTP headers.

use super::Decision;

impl Decision {
    /// `RateLimit-Policy`, `RateLimit` and, for a refusal, `Retry-After`
    /// (draft-ietf-httpapi-ratelimit-headers-11, RFC 9110 section 10.2.3).
    ///
    /// Seconds are rounded up: who comes back when told is not refused for a fraction.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
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
            let wait_ms = if self.allowed {
                policy.reset_at.saturating_sub(self.decided_at)
            } else {
                self.retry_after_ms
            };
            quoted(&mut states, &policy.name);
            parameter(&mut states, "r", policy.remaining.into());
            parameter(&mut states, "t", wait_ms.div_ceil(1_000));
        }
        let mut headers = vec![("RateLimit-Policy", policies), ("RateLimit", states)];
        if !self.allowed {
            let seconds = self.retry_after_ms.div_ceil(1_000).max(1);
            headers.push((
                "Retry-After",
                itoa::Buffer::new().format(seconds).to_owned(),
            ));
        }
        headers
    }
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
    use super::super::decision::{Source, Verdict};
    use super::super::{Decision, Limit};
    use std::time::Duration;

    fn decision(allowed: bool) -> Decision {
        let limit = Limit::sliding_window(100, Duration::from_secs(60))
            .unwrap()
            .named("burst")
            .unwrap();
        let verdict = Verdict {
            allowed,
            remaining: 50,
            retry_after_ms: if allowed { 0 } else { 1_001 },
            reset_at: 30_000,
        };
        Decision::new(&limit, verdict, Source::Redis, 500)
    }

    #[test]
    fn an_allowed_request_is_told_its_quota() {
        let headers = decision(true).headers();
        assert_eq!(headers[0].1, "\"burst\";q=100;w=60");
        assert_eq!(headers[1].1, "\"burst\";r=50;t=30");
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_refused_one_is_told_when_to_come_back_never_too_early() {
        let headers = decision(false).headers();
        assert_eq!(headers[1].1, "\"burst\";r=50;t=2");
        assert_eq!(headers[2], ("Retry-After", "2".to_owned()));
    }
}
