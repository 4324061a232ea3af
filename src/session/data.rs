//! A session in hand: what was read, and what is to be changed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::id::Id;
use crate::error::EdgeError;

/// How a session was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The request carried no cookie of ours.
    New,
    /// It was found, and is in time.
    Valid,
    /// The cookie is genuine but its session is over: idle, past its end, logged out.
    Expired,
    /// The cookie is not genuine, or its id was replaced.
    Invalid,
}

/// One visitor's data, read once; changes wait for [`Sessions::save`](super::Sessions::save).
pub struct Session {
    pub(super) status: Status,
    pub(super) id: Option<Id>,
    pub(super) fields: BTreeMap<String, Field>,
    /// New JSON text by key; `None` deletes.
    pub(super) changes: BTreeMap<String, Option<String>>,
    pub(super) user_id: Option<String>,
    pub(super) created_at: u64,
    pub(super) expires_at: u64,
    pub(super) login: Option<String>,
    pub(super) destroyed: bool,
}

/// A stored value and the version it was read at.
pub(super) struct Field {
    pub version: u64,
    pub json: String,
}

impl Session {
    pub(super) fn empty(status: Status, now: u64) -> Self {
        Self {
            status,
            id: None,
            fields: BTreeMap::new(),
            changes: BTreeMap::new(),
            user_id: None,
            created_at: now,
            expires_at: now,
            login: None,
            destroyed: false,
        }
    }

    /// How it was found.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether nothing of it is stored yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.status != Status::Valid
    }

    /// Who logged in.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.login.as_deref().or(self.user_id.as_deref())
    }

    /// When it began, in epoch milliseconds.
    #[must_use]
    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// When it ends if nobody comes back, in epoch milliseconds.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The value under `key`, changes included; `None` also when it is not a `T`.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.json(key)?).ok()
    }

    /// All keys and their JSON texts, changes included.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let stored = self
            .fields
            .keys()
            .filter(|key| !self.changes.contains_key(*key));
        stored
            .chain(self.changes.keys())
            .filter_map(|key| Some((key.as_str(), self.json(key)?)))
    }

    fn json(&self, key: &str) -> Option<&str> {
        match self.changes.get(key) {
            Some(change) => change.as_deref(),
            None => self.fields.get(key).map(|field| field.json.as_str()),
        }
    }

    /// Puts `value` under `key`.
    ///
    /// # Errors
    /// `invalid_argument` when `value` cannot be written as JSON.
    pub fn set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), EdgeError> {
        let json = serde_json::to_string(value)
            .map_err(|_| EdgeError::argument("value must be something that JSON can hold"))?;
        if self.fields.get(key).is_some_and(|field| field.json == json) {
            self.changes.remove(key);
        } else {
            self.changes.insert(key.to_owned(), Some(json));
        }
        Ok(())
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: &str) {
        if self.fields.contains_key(key) {
            self.changes.insert(key.to_owned(), None);
        } else {
            self.changes.remove(key);
        }
    }

    /// Binds the session to a user. It gets a new id when it is saved, and the old one is dead at once:
    /// who planted an id in this browser must not become the user (OWASP ASVS 5.0, 7.2.4).
    ///
    /// # Errors
    /// `invalid_argument` when `user_id` is empty.
    pub fn login(&mut self, user_id: &str) -> Result<(), EdgeError> {
        if user_id.is_empty() {
            return Err(EdgeError::argument("user id must not be empty"));
        }
        self.login = Some(user_id.to_owned());
        Ok(())
    }

    /// Ends the session when it is saved: its data and its cookie are removed (OWASP ASVS 5.0, 7.4.1).
    pub fn destroy(&mut self) {
        self.destroyed = true;
    }
}
