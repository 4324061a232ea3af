//! What a client is told once.

use std::rc::Rc;

use super::{Redis, Server, Shared};
use crate::duration;
use crate::error::EdgeError;
use crate::host::Host;

/// Options of a [`Redis`] client.
pub struct Builder {
    url: String,
    token: String,
    timeout_ms: u64,
    retry: Option<Retry>,
}

/// When a command whose answer was lost is sent again, if that is harmless: see [`Access`](crate::commands::Access).
///
/// The n-th wait is drawn evenly from 1 to `base_ms` * 2^n, at most `max_ms` ("full jitter"), and never ends past
/// the call's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often at most, after the first time.
    pub attempts: u32,
    /// The first wait's upper end, in milliseconds.
    pub base_ms: u64,
    /// Every wait's upper end, in milliseconds.
    pub max_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            base_ms: 50,
            max_ms: 1_000,
        }
    }
}

impl Retry {
    /// How long to wait before attempt `attempt` (1 is the first repetition), given a random number.
    pub(super) fn wait_ms(self, attempt: u32, drawn: u64) -> u64 {
        let doubled = 1u64.checked_shl(attempt - 1).unwrap_or(u64::MAX);
        // At least 1 ms, so that no setting makes it spin.
        drawn % self.base_ms.saturating_mul(doubled).min(self.max_ms).max(1) + 1
    }
}

pub(super) struct Config {
    pub url: String,
    /// `Bearer ..`.
    pub authorization: String,
    pub timeout_ms: u64,
    pub retry: Option<Retry>,
}

impl Builder {
    pub(super) fn new(url: &str, token: &str) -> Self {
        Self {
            url: url.trim().trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
            timeout_ms: 5_000,
            retry: Some(Retry::default()),
        }
    }

    /// How long a whole call may take, in milliseconds, when its ops have no opinion. Default 5,000.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// How commands are sent again after network errors, HTTP 429 and 5xx; `None` sends exactly once.
    #[must_use]
    pub fn retry(mut self, retry: Option<Retry>) -> Self {
        self.retry = retry;
        self
    }

    /// A client of the web's `fetch`.
    ///
    /// # Errors
    /// `invalid_config` when the URL or the token cannot be right.
    #[cfg(all(feature = "web", target_arch = "wasm32"))]
    pub fn build(self) -> Result<Redis, EdgeError> {
        self.build_with(crate::host::Web)
    }

    /// A client inside a tokio runtime, for development and tests: of a gateway, by `http:`.
    ///
    /// # Errors
    /// `invalid_config` when the URL or the token cannot be right, and for `https:`.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub fn build(self) -> Result<Redis, EdgeError> {
        // As an outage it would let everybody pass.
        if self.url.starts_with("https:") {
            return Err(EdgeError::config(
                "url must be http: here; the native host has no TLS",
            ));
        }
        self.build_with(crate::host::Native::default())
    }

    /// A client whose door to the outside is `host`.
    ///
    /// # Errors
    /// `invalid_config` when the URL or the token cannot be right.
    pub fn build_with(self, host: impl Host + 'static) -> Result<Redis, EdgeError> {
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        if !rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_url_byte)) {
            return Err(EdgeError::config(
                "url must be the REST URL of the database: https:// and a host",
            ));
        }
        // A token is a header's value: a line break in it would be another header.
        if self.token.is_empty() || !self.token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(EdgeError::config(
                "token must be the REST token of the database: visible ASCII, not empty",
            ));
        }
        duration::timeout(self.timeout_ms)?;
        let server = Server::at(&self.url);
        Ok(Redis {
            shared: Rc::new(Shared {
                config: Config {
                    url: self.url,
                    authorization: "Bearer ".to_owned() + &self.token,
                    timeout_ms: self.timeout_ms,
                    retry: self.retry,
                },
                host: Box::new(host),
                server,
            }),
            observer: None,
        })
    }
}

/// No query, no fragment and no user info, which would carry the token into logs.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b'\\')
}
