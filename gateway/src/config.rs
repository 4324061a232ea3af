//! What can be set.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What a gateway serves, and to whom.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where Redis is:
    /// - `redis://[user:password@]host:port[/db]`, or `rediss://` with TLS (`#insecure` at the end
    ///   trusts any certificate)
    /// - `redis-cluster://[user:password@]a:1,b:2,c:3`: a cluster, by some of its nodes
    /// - `redis-sentinel://[user:password@]name@a:1,b:2,c:3[/db]`: the master that these sentinels
    ///   call by that name; user and password are the master's
    ///
    /// `rediss-cluster://` and `rediss-sentinel://` are those with TLS.
    pub redis_url: String,
    /// A PEM file of the certificates that `rediss://` trusts, instead of those of the system.
    pub redis_ca: Option<PathBuf>,
    /// The standard token: every command.
    pub token: String,
    /// The read-only token: read commands alone.
    pub read_only_token: Option<String>,
    /// More tokens, each for a user of Redis's own ACL.
    pub acl_tokens: Vec<AclToken>,
    /// Behaves as a server that speaks only JSON on `/`, `/pipeline` and `/multi-exec`: knows
    /// base64 (and encodes `OK` too), ignores the RESP2 header, has no path commands, no
    /// subscriptions and no sync token, and wants exactly `Content-Type: application/json`.
    pub json_only: bool,
    /// The largest request body, in bytes; a larger one is a 413. 10 MB unless set.
    pub max_request_bytes: usize,
    /// How long a client may take to send a request's head, the wait on a connection that is kept included, and then
    /// its body: the connection is closed, or answered by a 408. 1 min unless set.
    pub request_timeout: Duration,
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
            redis_ca: None,
            read_only_token: None,
            acl_tokens: Vec::new(),
            json_only: false,
            max_request_bytes: 10_000_000,
            request_timeout: Duration::from_secs(60),
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

    /// With a token that does what a user of Redis's ACL may do.
    #[must_use]
    pub fn acl_token(mut self, token: AclToken) -> Self {
        self.acl_tokens.push(token);
        self
    }

    /// As a server that speaks only JSON, or not.
    #[must_use]
    pub fn json_only(mut self, json_only: bool) -> Self {
        self.json_only = json_only;
        self
    }

    /// Trusting the certificates of this PEM file, for `rediss://`.
    #[must_use]
    pub fn redis_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.redis_ca = Some(file.into());
        self
    }

    /// With another limit of the request body, in bytes.
    #[must_use]
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// With another time for a client to send its request.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
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
            .field("request_timeout", &self.request_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}

/// A token that does what a user of Redis's ACL may do.
#[derive(Clone)]
pub struct AclToken {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) token: String,
}

impl AclToken {
    /// For `user`, who logs in at Redis with `password`.
    pub fn new(
        user: impl Into<String>,
        password: impl Into<String>,
        token: impl Into<String>,
    ) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            token: token.into(),
        }
    }
}

/// Without the password and the token.
impl fmt::Debug for AclToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AclToken")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// From `user:token`, where the token is the user's password too, or `user:token:password`.
impl std::str::FromStr for AclToken {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(user), Some(token), password) if !user.is_empty() && !token.is_empty() => {
                Ok(Self::new(user, password.unwrap_or(token), token))
            }
            _ => Err(crate::Error::config(
                "an ACL token is user:token or user:token:password",
            )),
        }
    }
}
