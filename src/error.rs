//! The one error of this crate.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, as a stable name: match on this, never on the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option is missing or impossible.
    InvalidConfig,
    /// An argument of a call is not what the call expects.
    InvalidArgument,
    /// The token is missing or wrong.
    Unauthorized,
    /// The token is right but may not do this.
    Forbidden,
    /// The plan's limit of requests is used up.
    QuotaExceeded,
    /// The request or the reply is larger than allowed.
    TooLarge,
    /// The deadline passed first.
    Timeout,
    /// No answer came: what was sent may or may not have been done.
    Network,
    /// The server, or something in front of it, failed (HTTP 5xx).
    ServerError,
    /// Redis refused the command.
    RedisError,
    /// This server or runtime cannot do it.
    Unsupported,
    /// Somebody else changed the same thing first.
    Conflict,
    /// The answer cannot be trusted: cut short, malformed, of the wrong count.
    Corrupt,
    /// The caller aborted it.
    Aborted,
}

/// Every failure of this crate: a [`kind`](Self::kind), its stable [`code`](Self::code), and a message
/// that never holds a token, a stored value or a whole command.
///
/// ```
/// use upstash_edge::{EdgeError, ErrorKind, Redis};
/// let error = Redis::builder("ftp://example.com", "token").build().err();
/// assert_eq!(error.as_ref().map(EdgeError::kind), Some(ErrorKind::InvalidConfig));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeError(Box<Inner>);

// In a box, for every result carries the room of its error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

/// Redis says that it cannot serve now, which is no fault of the command: starting, failing over, busy, full.
const AWAY: [&[u8]; 9] = [
    b"LOADING",
    b"READONLY",
    b"MASTERDOWN",
    b"CLUSTERDOWN",
    b"TRYAGAIN",
    b"BUSY ",
    b"OOM",
    b"MISCONF",
    b"NOREPLICAS",
];

impl EdgeError {
    // Out of line, for it would be built in place wherever it can come from.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind, message: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            message: Cow::Borrowed(message),
        }))
    }

    /// One whose message is not known before the program runs.
    pub(crate) fn with_text(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            message: Cow::Owned(message),
        }))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn config(message: &'static str) -> Self {
        Self::new(ErrorKind::InvalidConfig, message)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn argument(message: &'static str) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn corrupt(message: &'static str) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// What an error text of Redis, or of the REST server in front of it, means.
    ///
    /// Redis quotes arguments in some of its texts, so what is kept ends before the first quote.
    pub(crate) fn from_redis(text: &[u8]) -> Self {
        let ends = |at: &usize| match text.get(*at) {
            // That of "don't" quotes nothing.
            Some(b'\'') => text.get(at.saturating_sub(1)..at + 2) != Some(b"n't"),
            Some(b) => matches!(b, b'"' | b'`') || !(b' '..=b'~').contains(b),
            None => true,
        };
        let mut kept = (0..160).find(ends).unwrap_or(160);
        // The one text that repeats an argument without quotes.
        if text.starts_with(b"ERR Unsupported option ") {
            kept = kept.min(22);
        }
        let shown: String = text.iter().take(kept).map(|b| char::from(*b)).collect();
        // Nothing of a transaction was done, for the reason that follows.
        let reason = text.strip_prefix(b"EXECABORT Transaction discarded because of: ");
        let reason = reason.unwrap_or(text);
        let starts = |prefix: &[u8]| reason.starts_with(prefix);
        let kind = if starts(b"NOPERM") {
            ErrorKind::Forbidden
        } else if starts(b"NOAUTH") || starts(b"WRONGPASS") || starts(b"Unauthorized") {
            ErrorKind::Unauthorized
        } else if starts(b"ERR max daily request limit") || starts(b"ERR max requests limit") {
            ErrorKind::QuotaExceeded
        } else if starts(b"ERR max request size") {
            ErrorKind::TooLarge
        } else if AWAY.iter().any(|prefix| starts(prefix)) {
            ErrorKind::ServerError
        } else {
            ErrorKind::RedisError
        };
        Self::with_text(kind, shown.trim_ascii_end().to_owned())
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code, the same in Rust and JavaScript: `"timeout"`, `"invalid_argument"`, ..
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::InvalidConfig => "invalid_config",
            ErrorKind::InvalidArgument => "invalid_argument",
            ErrorKind::Unauthorized => "unauthorized",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::QuotaExceeded => "quota_exceeded",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Network => "network",
            ErrorKind::ServerError => "server_error",
            ErrorKind::RedisError => "redis_error",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Aborted => "aborted",
        }
    }

    /// The message, without the code.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Timeout
                | ErrorKind::Network
                | ErrorKind::ServerError
                | ErrorKind::QuotaExceeded
                | ErrorKind::Conflict
        )
    }

    /// Whether Redis could not be asked, as opposed to having refused: the moment for a failure policy.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Timeout
                | ErrorKind::Network
                | ErrorKind::ServerError
                | ErrorKind::QuotaExceeded
                | ErrorKind::Corrupt
        )
    }
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        f.write_str(": ")?;
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for EdgeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_texts_that_quote_arguments_are_cut_before_the_quote() {
        let error = EdgeError::from_redis(
            b"ERR unknown command 'secret', with args beginning with: 'password'",
        );
        assert_eq!(error.message(), "ERR unknown command");
        assert_eq!(error.kind(), ErrorKind::RedisError);
        for whole in [
            "CROSSSLOT Keys in request don't hash to the same slot",
            "READONLY You can't write against a read only replica.",
        ] {
            assert_eq!(EdgeError::from_redis(whole.as_bytes()).message(), whole);
        }
    }

    #[test]
    fn a_redis_that_is_away_is_an_outage_and_a_wrong_command_is_none() {
        for text in [
            "LOADING Redis is loading the dataset in memory",
            "OOM command not allowed",
            "BUSY Redis is busy",
            "EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.",
        ] {
            assert!(EdgeError::from_redis(text.as_bytes()).is_outage(), "{text}");
        }
        for text in [
            "WRONGTYPE Operation against a key",
            "BUSYGROUP Consumer Group name already exists",
            "ERR syntax error",
        ] {
            assert!(
                !EdgeError::from_redis(text.as_bytes()).is_outage(),
                "{text}"
            );
        }
    }

    #[test]
    fn texts_of_permission_and_quota_have_their_own_codes() {
        assert_eq!(
            EdgeError::from_redis(b"NOPERM this user has no permissions").code(),
            "forbidden"
        );
        assert_eq!(
            EdgeError::from_redis(b"ERR max daily request limit exceeded. Limit: 10000").code(),
            "quota_exceeded"
        );
    }
}
