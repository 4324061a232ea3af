//! What all sessions of one kind share.

use super::cookie::Cookie;
use super::data::Session;
use super::id::Id;
use crate::duration;
use crate::error::EdgeError;

/// No Debug: it holds the secrets.
#[derive(Clone)]
pub(crate) struct Config {
    pub(super) secrets: Vec<Vec<u8>>,
    pub name: String,
    pub cookie: Cookie,
    pub(super) idle_ms: u64,
    pub absolute_ms: u64,
    pub(super) touch_every_ms: u64,
    pub(super) grace_ms: u64,
    pub(super) timeout_ms: u64,
    pub max_bytes: usize,
}

const LONGEST_MS: u64 = 10_000 * 86_400_000;

/// An absolute limit, in milliseconds.
pub(super) fn absolute(ms: u64) -> Result<u64, EdgeError> {
    if ms == 0 || ms > LONGEST_MS {
        return Err(EdgeError::config(
            "absolute must be longer than 0 and at most 10000 days",
        ));
    }
    Ok(ms)
}

impl Config {
    /// The defaults of [`Sessions::new`](super::Sessions::new).
    pub fn new<S: AsRef<[u8]>>(secrets: &[S]) -> Result<Self, EdgeError> {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|s| s.as_ref().to_vec()).collect();
        if secrets.is_empty() || secrets.iter().any(|secret| secret.len() < 32) {
            return Err(EdgeError::config(
                "secrets must be one or more, each of at least 32 bytes",
            ));
        }
        Ok(Self {
            secrets,
            name: "session".to_owned(),
            cookie: Cookie::default(),
            idle_ms: 30 * 60_000,
            absolute_ms: 24 * 3_600_000,
            touch_every_ms: 60_000,
            grace_ms: 10_000,
            timeout_ms: 2_000,
            max_bytes: 65_536,
        })
    }

    pub fn lifetime_ms(&mut self, idle_ms: u64, absolute_ms: u64) -> Result<(), EdgeError> {
        self.absolute_ms = absolute(absolute_ms)?;
        if idle_ms == 0 || idle_ms > absolute_ms {
            return Err(EdgeError::config(
                "idle must be longer than 0 and not above absolute",
            ));
        }
        self.idle_ms = idle_ms;
        self.touch_every_ms(self.touch_every_ms);
        Ok(())
    }

    pub fn touch_every_ms(&mut self, ms: u64) {
        self.touch_every_ms = ms.min(self.idle_ms / 2);
    }

    pub fn grace_ms(&mut self, ms: u64) {
        self.grace_ms = ms.min(LONGEST_MS);
    }

    pub fn timeout_ms(&mut self, ms: u64) -> Result<(), EdgeError> {
        self.timeout_ms = duration::timeout(ms)?;
        Ok(())
    }

    /// The cookie's value.
    pub(super) fn signed(&self, id: &Id) -> String {
        let signer = self.secrets.first().map_or(&[][..], Vec::as_slice);
        id.sign(&self.name, signer)
    }

    /// The same id, signed by the first secret, where another had signed it: nobody is logged out when that is dropped.
    pub(crate) fn resigned(&self, session: &mut Session, now: u64) -> Option<String> {
        let id = session.id.as_ref().filter(|_| session.signed_anew)?;
        let age = session
            .persistent
            .then(|| session.ends_at.saturating_sub(now) / 1000);
        let cookie = self.cookie.set(&self.signed(id), age);
        session.signed_anew = false;
        Some(cookie)
    }
}
