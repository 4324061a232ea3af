//! A session in hand: what was read, and what is to be changed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::id::Id;
use super::login::Login;
use super::user::{UserTag, refuse_nobody, user_tag};
use super::write::{Change, Clash, Entered};
use crate::error::EdgeError;

/// How a session was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The request carried no cookie of ours.
    New,
    /// It was found, and is in time.
    Valid,
    /// The cookie is genuine but opens nothing any more: idle, past its end, logged out, revoked, its id replaced.
    Expired,
    /// The cookie is not genuine: no secret signed it.
    Invalid,
}

/// One visitor's data, read once; changes wait for [`Sessions::save`](super::Sessions::save).
///
/// No Debug: it holds the id.
pub struct Session {
    pub(crate) status: Status,
    pub(crate) id: Option<Id>,
    /// The id from its next save on.
    pub(crate) next: Option<Id>,
    /// It came with the id before the last rotation.
    pub(crate) came_late: bool,
    /// Its cookie is signed by a secret that is to be dropped.
    pub(crate) signed_anew: bool,
    pub(crate) fields: Vec<Field>,
    pub(super) changes: Vec<Change>,
    pub(super) clears: bool,
    pub(crate) version: u64,
    pub(crate) user_id: Option<String>,
    pub(crate) generation: String,
    pub(crate) persistent: bool,
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) ends_at: u64,
    pub(super) login: Option<Login>,
    pub(super) entered: Option<Entered>,
    pub(super) rotates: bool,
    pub(super) destroyed: bool,
    pub(super) conflicts: Vec<Conflict>,
}

/// A stored value. Its name is `d` and the key, or `f` and the key of a flash.
pub(crate) struct Field {
    pub name: String,
    /// What tells this value from the one before and the one after.
    pub token: String,
    pub json: String,
}

/// A key that another request changed first.
#[derive(Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key.
    pub key: String,
    /// What this session would make it, as JSON; `None`: it would be deleted.
    pub ours: Option<String>,
    /// What the other request made it, as JSON; `None`: it was deleted.
    pub theirs: Option<String>,
}

fn data(key: &str) -> String {
    String::from("d") + key
}

fn flashed(key: &str) -> String {
    String::from("f") + key
}

fn written(value: &(impl Serialize + ?Sized)) -> Result<String, EdgeError> {
    serde_json::to_string(value)
        .map_err(|_| EdgeError::argument("value must be something that JSON can hold"))
}

impl Session {
    // Out of line: a load would build it in three places.
    #[inline(never)]
    pub(super) fn empty(status: Status, now: u64) -> Self {
        Self {
            status,
            id: None,
            next: None,
            came_late: false,
            signed_anew: false,
            fields: Vec::new(),
            changes: Vec::new(),
            clears: false,
            version: 0,
            user_id: None,
            generation: String::new(),
            persistent: false,
            created_at: now,
            expires_at: now,
            ends_at: 0,
            login: None,
            entered: None,
            rotates: false,
            destroyed: false,
            conflicts: Vec::new(),
        }
    }

    /// Of a visitor of whom nothing is known.
    pub(crate) fn anonymous(now: u64) -> Self {
        Self::empty(Status::New, now)
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
        let login = self.login.as_ref().map(|login| login.user.as_str());
        login.or(self.user_id.as_deref())
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
        serde_json::from_str(self.json(&data(key))?).ok()
    }

    /// All keys and their JSON texts, changes included.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts()
            .filter_map(|(name, json)| Some((name.strip_prefix('d')?, json)))
    }

    /// Names and JSON texts of all that will be stored.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let kept = self
            .kept()
            .map(|field| (field.name.as_str(), field.json.as_str()));
        let set = self
            .changes
            .iter()
            .filter_map(|change| Some((change.name.as_str(), change.json.as_deref()?)));
        kept.chain(set)
    }

    /// What the next save leaves as it is.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Field> {
        let changed = |name: &str| self.changes.iter().any(|change| change.name == name);
        let fields = if self.clears {
            &[]
        } else {
            self.fields.as_slice()
        };
        fields.iter().filter(move |field| !changed(&field.name))
    }

    fn json(&self, name: &str) -> Option<&str> {
        match self.changes.iter().find(|change| change.name == name) {
            Some(change) => change.json.as_deref(),
            None if self.clears => None,
            None => Some(&self.stored(name)?.json),
        }
    }

    fn stored(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Puts `value` under `key`. If another request changes the same key first, the save fails with `conflict`.
    ///
    /// # Errors
    /// `invalid_argument` when `value` cannot be written as JSON.
    pub fn set(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), EdgeError> {
        let json = written(value)?;
        self.put(data(key), json, false);
        Ok(())
    }

    /// Puts `value` under `key`, whatever another request makes of it meanwhile: the last write wins.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn overwrite(
        &mut self,
        key: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), EdgeError> {
        let json = written(value)?;
        self.put(data(key), json, true);
        Ok(())
    }

    fn put(&mut self, name: String, json: String, overwrites: bool) {
        let same = self.stored(&name).is_some_and(|field| field.json == json);
        if same && !self.clears && !overwrites {
            self.changes.retain(|change| change.name != name);
            return;
        }
        let token = match self.stored(&name) {
            _ if overwrites => "*".to_owned(),
            Some(field) => field.token.clone(),
            None => String::new(),
        };
        self.change(Change {
            name,
            token,
            json: Some(json),
        });
    }

    fn change(&mut self, change: Change) {
        match self.changes.iter_mut().find(|it| it.name == change.name) {
            Some(before) => *before = change,
            None => self.changes.push(change),
        }
    }

    /// Removes `key`. That another request removed it too is no conflict.
    pub fn delete(&mut self, key: &str) {
        self.remove(data(key));
    }

    fn remove(&mut self, name: String) {
        match self.stored(&name).map(|field| field.token.clone()) {
            Some(token) if !self.clears => self.change(Change {
                name,
                token,
                json: None,
            }),
            _ => self.changes.retain(|change| change.name != name),
        }
    }

    /// Removes all data, flashed values too; not the login. If another request sets anything meanwhile, whichever of the
    /// two saves comes later fails with `conflict`.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.clears = self.id.is_some();
    }

    /// Keeps `value` under `key` for one [`Self::take_flash`], in this request or the next; the last write wins.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn flash(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), EdgeError> {
        let json = written(value)?;
        self.put(flashed(key), json, true);
        Ok(())
    }

    /// The value that was flashed under `key`, which is gone then; `None` also when it is not a `T`.
    pub fn take_flash<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let name = flashed(key);
        let value = serde_json::from_str(self.json(&name)?).ok();
        self.remove(name);
        value
    }

    /// Binds the session to a user. It gets a new id when it is saved by
    /// [`Sessions::commit`](super::Sessions::commit), and the old one is dead at once: who planted an id in this browser
    /// must not become the user (OWASP ASVS 5.0, 7.2.4). Its data stays, what other requests save meanwhile included.
    ///
    /// # Errors
    /// `invalid_argument` when the user's id is empty; `invalid_config` when its absolute limit is 0 or past 10,000 days.
    pub fn login(&mut self, login: impl Into<Login>) -> Result<(), EdgeError> {
        let login = login.into();
        refuse_nobody(&login.user)?;
        login.check()?;
        self.login = Some(login);
        self.entered = None;
        Ok(())
    }

    /// Gives the session a new id when it is saved. For the grace that [`Sessions`](super::Sessions) allow, requests
    /// that still carry the old one read and write the session, and never receive the new cookie: of one that does,
    /// this does nothing.
    pub fn rotate(&mut self) {
        self.rotates = !self.came_late;
    }

    /// Ends the session when it is saved: its data and its cookie are removed (OWASP ASVS 5.0, 7.4.1).
    pub fn destroy(&mut self) {
        self.destroyed = true;
    }

    /// Which keys other requests changed first, when the last save failed with `conflict` for that; else none.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Whether a save would write.
    pub(crate) fn is_changed(&self) -> bool {
        self.clears || !self.changes.is_empty() || self.moves()
    }

    /// Whether a save would tell the browser something: another id, or that it is over.
    pub(crate) fn moves(&self) -> bool {
        let begins = self.id.is_none() && (self.next.is_some() || !self.changes.is_empty());
        begins || self.login.is_some() || self.rotates || self.destroyed || self.signed_anew
    }

    pub(super) fn clash(&mut self, clashes: Vec<Clash>) {
        let conflicts = clashes.into_iter().map(|clash| Conflict {
            key: clash.name.get(1..).unwrap_or_default().to_owned(),
            ours: self.json(&clash.name).map(str::to_owned),
            theirs: clash.theirs,
        });
        self.conflicts = conflicts.collect();
    }

    /// Whose it is from its next save on.
    fn tag(&self, name: &str) -> Option<UserTag> {
        match &self.login {
            Some(login) => Some(user_tag(name, &login.user)),
            None => self.id.as_ref().and_then(|id| id.user),
        }
    }

    /// Draws the id from its next save on, if `begins` or it is to have another.
    pub(super) fn draw(&mut self, name: &str, begins: bool) -> Result<(), EdgeError> {
        let user = self.tag(name);
        let next = match (self.next.take(), &self.id) {
            // Drawn before the login: it has still the handle of the old one.
            (Some(next), Some(id)) if self.login.is_some() && next.place() == id.place() => {
                Some(id.login(user)?)
            }
            (Some(mut next), _) => {
                next.user = user;
                Some(next)
            }
            (None, Some(id)) if self.login.is_some() => Some(id.login(user)?),
            (None, Some(id)) if self.rotates => Some(id.redraw()?),
            (None, None) if begins => Some(Id::draw(user)?),
            _ => None,
        };
        self.next = next;
        Ok(())
    }
}
