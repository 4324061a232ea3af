//! What can be set.

use std::fmt;
use std::time::Duration;

/// What a gateway serves, and to whom.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where Redis is: `redis://[user:password@]host:port[/db]`.
    pub redis_url: String,
    /// The standard token: every command.
    pub token: String,
    /// The read-only token: read commands alone.
    pub read_only_token: Option<String>,
    /// The largest request body, in bytes; a larger one is a 413. 10 MB unless set.
    pub max_request_bytes: usize,
    /// How long a connection to Redis may take to be made. 1 s unless set.
    pub connect_timeout: Duration,
    /// How long Redis may take to answer one request. 5 s unless set.
    pub response_timeout: Duration,
}

impl Config {
    /// The defaults, for a Redis and a standard token.
    pub fn new(redis_url: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            redis_url: redis_url.into(),
            token: token.into(),
            read_only_token: None,
            max_request_bytes: 10_000_000,
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(5),
        }
    }

    /// With a read-only token.
    #[must_use]
    pub fn read_only_token(mut self, token: impl Into<String>) -> Self {
        self.read_only_token = Some(token.into());
        self
    }

    /// With another limit of the request body, in bytes.
    #[must_use]
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// With another time for a connection to Redis to be made.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// With another time for Redis to answer one request.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }
}

/// Without the tokens and the URL, which may hold a password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("max_request_bytes", &self.max_request_bytes)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}
