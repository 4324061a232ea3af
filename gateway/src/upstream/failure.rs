//! Why Redis gave no reply.

use redis::RedisError;

/// Why Redis gave no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// Redis refused the gateway's own login: nothing was sent.
    Login,
    /// Redis no longer lets in the user whose token this is: nothing was sent.
    Unauthorized,
    /// The connection ended: what was sent may have been done or not.
    Lost,
    /// No reply in time: what was sent may have been done or not.
    TimedOut,
}

impl Failure {
    /// Whether it is certain that nothing reached Redis.
    pub(crate) fn nothing_sent(self) -> bool {
        match self {
            Self::Unreachable | Self::Login | Self::Unauthorized => true,
            Self::Lost | Self::TimedOut => false,
        }
    }

    /// For the caller. Among the replies to a pipeline no HTTP status tells an outage from a wrong command, so the first
    /// word does: clients know that one from Redis.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unreachable => "MASTERDOWN the gateway cannot reach Redis",
            Self::Login => "ERR Redis refused the gateway's login",
            Self::Unauthorized => "WRONGPASS invalid username-password pair or user is disabled.",
            Self::Lost => "MASTERDOWN the gateway lost its connection to Redis",
            Self::TimedOut => "MASTERDOWN Redis did not answer the gateway in time",
        }
    }
}

/// Of an error that came after something was sent.
impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Lost
        }
    }
}
