//! Tokens: who asks.

use hyper::header::{self, HeaderMap};
use subtle::ConstantTimeEq;

use crate::{Config, Error};

/// What a token permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Every command.
    Standard,
    /// Read commands alone.
    ReadOnly,
}

/// The tokens that are let in.
pub(crate) struct Tokens {
    known: Vec<(Box<[u8]>, Access)>,
}

impl Tokens {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        if config.token.is_empty() || config.read_only_token.as_deref() == Some("") {
            return Err(Error::config("a token may not be empty"));
        }
        if config.read_only_token.as_deref() == Some(config.token.as_str()) {
            return Err(Error::config("two tokens may not be the same"));
        }
        let mut known = vec![(config.token.as_bytes().into(), Access::Standard)];
        if let Some(token) = &config.read_only_token {
            known.push((token.as_bytes().into(), Access::ReadOnly));
        }
        Ok(Self { known })
    }

    /// What the caller's token permits; `None` when it is missing or wrong.
    pub(crate) fn access(&self, headers: &HeaderMap, query_token: Option<&[u8]>) -> Option<Access> {
        let token = bearer(headers).or(query_token)?;
        // Every known token is compared, each in constant time: how long it took tells nothing.
        self.known.iter().fold(None, |found, (known, access)| {
            if bool::from(known.as_ref().ct_eq(token)) {
                Some(*access)
            } else {
                found
            }
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
