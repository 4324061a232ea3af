//! Tokens: who asks.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::{self, HeaderMap};
use subtle::ConstantTimeEq;

use crate::upstream::{Login, Upstream};
use crate::{Config, Error};

/// What a token permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Every command.
    Standard,
    /// Read commands alone.
    ReadOnly,
    /// What Redis's own ACL lets the user do.
    Acl,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) access: Access,
    pub(crate) upstream: Arc<Upstream>,
}

/// The tokens that are let in.
pub(crate) struct Tokens {
    known: RwLock<Vec<Known>>,
}

struct Known {
    token: String,
    caller: Caller,
    /// Of a token for an ACL user.
    login: Option<Login>,
}

impl Tokens {
    pub(crate) fn new(config: &Config, upstream: &Arc<Upstream>) -> Result<Self, Error> {
        let tokens = Self {
            known: RwLock::default(),
        };
        let caller = |access| Caller {
            access,
            upstream: Arc::clone(upstream),
        };
        tokens.add(&config.token, caller(Access::Standard), None)?;
        if let Some(token) = &config.read_only_token {
            tokens.add(token, caller(Access::ReadOnly), None)?;
        }
        for acl in &config.acl_tokens {
            let login = Login {
                user: acl.user.clone(),
                password: acl.password.clone(),
            };
            let caller = Caller {
                access: Access::Acl,
                upstream: Arc::new(Upstream::new(config, Some(&login))?),
            };
            tokens.add(&acl.token, caller, Some(login))?;
        }
        Ok(tokens)
    }

    /// Whose the caller's token is; `None` when it is missing or wrong.
    pub(crate) fn caller(&self, headers: &HeaderMap, query: Option<&[u8]>) -> Option<Caller> {
        let token = bearer(headers).or(query)?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // Every known token is compared, each in constant time: how long it took tells nothing.
        let found = known.iter().fold(None, |found, known| {
            if bool::from(known.token.as_bytes().ct_eq(token)) {
                Some(&known.caller)
            } else {
                found
            }
        });
        found.cloned()
    }

    /// A token for a user of Redis's ACL, until the gateway ends: the same for the same login.
    pub(crate) fn issue(&self, login: Login, upstream: Upstream) -> Result<String, Error> {
        if let Some(token) = self.issued(&login) {
            return Ok(token);
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|_| Error::config("this machine has no randomness"))?;
        let token = URL_SAFE_NO_PAD.encode(random);
        let caller = Caller {
            access: Access::Acl,
            upstream: Arc::new(upstream),
        };
        self.add(&token, caller, Some(login))?;
        Ok(token)
    }

    fn issued(&self, login: &Login) -> Option<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let same = known
            .iter()
            .find(|known| known.login.as_ref() == Some(login));
        same.map(|known| known.token.clone())
    }

    fn add(&self, token: &str, caller: Caller, login: Option<Login>) -> Result<(), Error> {
        if token.is_empty() {
            return Err(Error::config("a token may not be empty"));
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|known| known.token == token) {
            return Err(Error::config("two tokens may not be the same"));
        }
        known.push(Known {
            token: token.to_owned(),
            caller,
            login,
        });
        Ok(())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
