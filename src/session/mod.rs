//! Sessions: a signed cookie outside, a hash in Redis inside, saved field by field.
//!
//! | | round trips | commands | inner commands |
//! |---|---|---|---|
//! | load | 1 (0 without a genuine cookie) | 1 (2 with a user) | 1 (2), and 2 more once every `touch_every` |
//! | save, unchanged | 0 | 0 | 0 |
//! | save, changed | 1 | 1 | 3, and 1 more where keys are deleted |
//! | login | 2 | 2 (3 where a user was logged in) | 6 (8), then 4 (3 for a new session) |
//! | destroy | 1 | 1 (2 with a user) | 2 (4) |
//!
//! What ends a session in its first minute leaves a mark, 2 inner commands more: the save that began it may be on its way a
//! second time, and would make it again.
//!
//! What the user's record does is told in [`user`]. Where Redis fails, every one of them fails: whether to serve
//! somebody whose session cannot be read is the caller's to say.

mod config;
mod cookie;
pub(crate) mod csrf;
mod data;
pub(crate) mod end;
pub(crate) mod id;
mod list;
mod load;
mod login;
mod save;
pub(crate) mod user;
#[cfg(all(feature = "worker-types", target_arch = "wasm32"))]
mod worker;
pub(crate) mod write;

use std::rc::Rc;

use crate::client::Redis;
use crate::error::EdgeError;

pub(crate) use config::Config;
use end::{By, End};
use id::{Id, Place};
use user::Enter;
use write::Write;

pub use cookie::{Cookie, SameSite};
pub use data::{Conflict, Session, Status};
pub use list::SessionInfo;
pub use load::Load;
pub use login::Login;
pub use save::Save;
pub use user::Revoke;

/// Opens and saves sessions. Clones are cheap.
///
/// The cookie is `__Host-session`: Secure, HttpOnly, SameSite=Lax, for this host alone.
#[derive(Clone)]
pub struct Sessions(pub(crate) Rc<Config>);

impl Sessions {
    /// Sessions with the defaults: namespace `session`, over after 30 min without a visit and after 24 h in any case,
    /// a visit noted once a minute, 10 s of grace after a rotation, 2 s of patience with Redis, at most 64 KiB of data.
    ///
    /// The first secret signs, all verify. To change it, put the new one behind the old, when all isolates have both in
    /// front of it, and drop the old one when the longest absolute limit has passed. A session that is saved before
    /// gets its cookie signed anew.
    ///
    /// # Errors
    /// `invalid_config` when there is no secret or one is shorter than 32 bytes.
    pub fn new<S: AsRef<[u8]>>(secrets: &[S]) -> Result<Self, EdgeError> {
        Ok(Self(Rc::new(Config::new(secrets)?)))
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Rc::make_mut(&mut self.0));
        self
    }

    fn checked(
        mut self,
        change: impl FnOnce(&mut Config) -> Result<(), EdgeError>,
    ) -> Result<Self, EdgeError> {
        change(Rc::make_mut(&mut self.0))?;
        Ok(self)
    }

    /// The namespace: a cookie of one namespace is not valid in another.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.with(|config| name.clone_into(&mut config.name))
    }

    /// The cookie's name and attributes.
    ///
    /// # Errors
    /// `invalid_config` when browsers would drop such a cookie, or it would write a header of its own.
    pub fn cookie(self, cookie: Cookie) -> Result<Self, EdgeError> {
        let cookie = cookie.checked()?;
        Ok(self.with(|config| config.cookie = cookie))
    }

    /// How long a session lives without a visit and at most, in milliseconds (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
    ///
    /// # Errors
    /// `invalid_config` when `idle_ms` is 0 or above `absolute_ms`, or `absolute_ms` is past 10,000 days.
    pub fn lifetime_ms(self, idle_ms: u64, absolute_ms: u64) -> Result<Self, EdgeError> {
        self.checked(|config| config.lifetime_ms(idle_ms, absolute_ms))
    }

    /// A visit is noted when the last one noted is so long ago, in milliseconds; half of the idle limit at most, or who
    /// comes often would be idle.
    #[must_use]
    pub fn touch_every_ms(self, ms: u64) -> Self {
        self.with(|config| config.touch_every_ms(ms))
    }

    /// How long the old id still opens the session after a rotation, in milliseconds.
    #[must_use]
    pub fn grace_ms(self, ms: u64) -> Self {
        self.with(|config| config.grace_ms(ms))
    }

    /// How long Redis is waited for, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(self, ms: u64) -> Result<Self, EdgeError> {
        self.checked(|config| config.timeout_ms(ms))
    }

    /// How many bytes of data a session holds at most, keys and JSON.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.with(|config| config.max_bytes = bytes)
    }

    /// Opens the session of a request by its `Cookie` header (empty when there is none).
    pub fn load(&self, cookie_header: &str) -> Load {
        Load::new(self, cookie_header)
    }

    /// Whose a `Cookie` header is, without asking Redis: the same for all sessions of a user, and for a session that
    /// nobody has logged in to as long as it lives. `None` when no secret signed it. It may be over by now.
    #[cfg_attr(
        not(any(test, all(feature = "worker", target_arch = "wasm32"))),
        allow(dead_code, reason = "for the deployable Worker")
    )]
    pub(crate) fn holder(&self, cookie_header: &str) -> Option<String> {
        let config = &self.0;
        let mut values = config.cookie.values(cookie_header);
        let id = values.find_map(|value| Id::verify(value, &config.name, &config.secrets));
        id.map(|(id, _)| id.holder())
    }

    /// Saves what changed; answers the `Set-Cookie` values to send.
    ///
    /// Two saves that change different keys both hold. It fails with `conflict` when another request changed the same
    /// key first (see [`Session::conflicts`]), or ended the session: no save brings it back. With `too_large` it fails
    /// before anything is sent. A login is saved by [`Self::commit`].
    pub fn save<'s>(&self, session: &'s mut Session) -> Save<'s> {
        Save::new(self, session)
    }

    /// Saves what changed, a login included: that takes two round trips, the user's record first. If the second fails,
    /// nothing has been gained.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub async fn commit(
        &self,
        redis: &Redis,
        session: &mut Session,
    ) -> Result<Vec<String>, EdgeError> {
        session.draw(&self.0.name, session.login.is_some())?;
        if let (Some(login), Some(id)) = (&session.login, &session.next) {
            // What cannot be saved is not begun.
            Write::new(self.clone(), save::draft(session)).refuse_too_much()?;
            let enter = Enter {
                sessions: self.clone(),
                id: id.clone(),
                absolute_ms: login.absolute_ms.unwrap_or(self.0.absolute_ms),
                before: session.id.clone(),
                ends_at: 0,
            };
            let (generation, ends_at) = redis.run(enter).await?;
            session.entered = Some(login.entered(generation, ends_at));
        }
        redis.run(self.save(session)).await
    }

    /// A token for the forms of one response. It holds for this session until the id changes; for a session that is new
    /// it makes the next save happen. After [`Session::login`] or [`Session::rotate`] it is one for the new id.
    ///
    /// # Errors
    /// `unsupported` when the runtime has no randomness.
    pub fn csrf_token(&self, session: &mut Session) -> Result<String, EdgeError> {
        session.draw(&self.0.name, true)?;
        match session.next.as_ref().or(session.id.as_ref()) {
            Some(id) => csrf::token(id, &self.0.name),
            None => Err(EdgeError::argument("the session has no id")),
        }
    }

    /// Whether `token` was made for this session, in constant time.
    #[must_use]
    pub fn verify_csrf(&self, session: &Session, token: &str) -> bool {
        let ids = [session.id.as_ref(), session.next.as_ref()];
        let mut ids = ids.into_iter().flatten();
        ids.any(|id| csrf::verify(id, &self.0.name, token))
    }

    /// Ends one session of a user, by the handle that [`Self::list`] told; whether there was one.
    pub fn revoke(&self, user_id: &str, handle: &str) -> Revoke {
        Revoke(End {
            sessions: self.clone(),
            by: By::User {
                id: user_id.to_owned(),
                handle: Place::parse(handle),
            },
        })
    }
}
