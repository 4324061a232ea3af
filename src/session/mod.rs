//! Sessions: a signed cookie outside, a hash in Redis inside, saved field by field.

mod cookie;
mod data;
mod id;
mod load;
mod save;

use std::rc::Rc;

use crate::error::EdgeError;

pub use data::{Session, Status};
pub use load::Load;
pub use save::Save;

/// Opens and saves sessions. Clones are cheap.
///
/// The cookie is `__Host-session`: Secure, HttpOnly, SameSite=Lax, for this host alone.
#[derive(Clone)]
pub struct Sessions(Rc<Config>);

/// No Debug: it holds the secrets.
#[derive(Clone)]
struct Config {
    secrets: Vec<Vec<u8>>,
    name: String,
    idle_ms: u64,
    absolute_ms: u64,
    touch_every_ms: u64,
    timeout_ms: u64,
    max_bytes: usize,
}

impl Sessions {
    /// Sessions with the defaults: namespace `session`, over after 30 min without a visit and after 24 h in any case,
    /// a visit noted once a minute, 2 s of patience with Redis, at most 64 KiB of data.
    ///
    /// The first secret signs, all verify: to change it, put the new one in front and drop the old one a day later.
    ///
    /// # Errors
    /// `invalid_config` when there is no secret or one is shorter than 32 bytes.
    pub fn new<S: AsRef<[u8]>>(secrets: &[S]) -> Result<Self, EdgeError> {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|s| s.as_ref().to_vec()).collect();
        if secrets.is_empty() || secrets.iter().any(|secret| secret.len() < 32) {
            return Err(EdgeError::config(
                "secrets must be one or more, each of at least 32 bytes",
            ));
        }
        Ok(Self(Rc::new(Config {
            secrets,
            name: "session".to_owned(),
            idle_ms: 30 * 60_000,
            absolute_ms: 24 * 3_600_000,
            touch_every_ms: 60_000,
            timeout_ms: 2_000,
            max_bytes: 65_536,
        })))
    }

    /// The namespace: a cookie of one namespace is not valid in another.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut Rc::make_mut(&mut self.0).name);
        self
    }

    /// How long a session lives without a visit and at most, in milliseconds (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
    ///
    /// # Errors
    /// `invalid_config` when `idle_ms` is 0 or above `absolute_ms`, or `absolute_ms` is past 10,000 days.
    pub fn lifetime_ms(mut self, idle_ms: u64, absolute_ms: u64) -> Result<Self, EdgeError> {
        if idle_ms == 0 || idle_ms > absolute_ms || absolute_ms > 10_000 * 86_400_000 {
            return Err(EdgeError::config(
                "idle must be longer than 0 and not above absolute, absolute at most 10000 days",
            ));
        }
        let config = Rc::make_mut(&mut self.0);
        config.idle_ms = idle_ms;
        config.absolute_ms = absolute_ms;
        config.touch_every_ms = config.touch_every_ms.min(idle_ms / 2);
        Ok(self)
    }

    /// Opens the session of a request by its `Cookie` header (empty when there is none).
    ///
    /// One EVALSHA; none when no cookie verifies.
    pub fn load(&self, cookie_header: &str) -> Load {
        Load::new(self, cookie_header)
    }

    /// Saves what changed; answers the `Set-Cookie` values to send. One EVALSHA; none when nothing changed.
    pub fn save<'s>(&self, session: &'s mut Session) -> Save<'s> {
        Save::new(self, session)
    }
}
