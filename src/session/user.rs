//! The record of a user: which sessions are whose, and the generation that makes them valid. It lies in a slot of its
//! own, apart from the sessions'.
//!
//! | | round trips | commands | inner commands |
//! |---|---|---|---|
//! | first trip of a login | 1 | 1 (2 when a user was logged in) | 6 (8) |
//! | list | 2 (1 when there is none) | 1, then 1 a session | 2, then 1 a session |
//! | revoke | 1 | 2 | 4 |
//! | revoke all | 1 | 1 (2 with an exception) | 4 (8, and 2 in the spared session) |
//!
//! Races: each script says those it stops. When Redis fails the caller is told, and nothing is taken for revoked.

use sha2::{Digest, Sha256};

use super::Sessions;
use super::end::End;
use super::id::{Id, Place};
use crate::base64;
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static ENTER: Script = script!("../lua/user_enter.lua");
static LEAVE: Script = script!("../lua/user_leave.lua");
static GENERATION: Script = script!("../lua/user_generation.lua");
static LIST: Script = script!("../lua/user_list.lua");
static INFO: Script = script!("../lua/session_info.lua");
static REVOKE_ALL: Script = script!("../lua/user_revoke_all.lua");
static KEEP: Script = script!("../lua/session_keep.lua");

/// Who is logged in, in the cookie: 128 bits of a hash, so that the user's record is found without asking.
pub(crate) type UserTag = [u8; 16];

/// That of `user` in namespace `name`. Unkeyed: to change the secrets must not lose anybody's record.
pub(crate) fn user_tag(name: &str, user: &str) -> UserTag {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name.as_bytes());
    hash.update(user.as_bytes());
    let mut tag = [0; 16];
    for (to, from) in tag.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    tag
}

/// Why `user` cannot be one.
pub(super) fn refuse_nobody(user: &str) -> Result<(), EdgeError> {
    if user.is_empty() {
        return Err(EdgeError::argument("user id must not be empty"));
    }
    Ok(())
}

/// `{name:tag}:g`, the generation, and `{name:tag}:i`, the index.
struct Keys {
    generation: String,
    index: String,
}

fn keys_of(name: &str, user: &UserTag) -> Keys {
    let mut slot = String::from("{") + &keys::part(name) + ":";
    slot += &base64::url(user);
    slot += "}:";
    Keys {
        generation: slot.clone() + "g",
        index: slot + "i",
    }
}

/// Never a counter: a record that was evicted and made anew must not repeat one.
fn drawn(cx: &Context<'_>) -> Result<String, EdgeError> {
    Ok(base64::url(&cx.random::<16>()?))
}

/// Asks for the user's generation.
pub(super) fn ask_generation(name: &str, user: &UserTag, out: &mut Commands) {
    let keys = keys_of(name, user);
    out.script(&GENERATION, &[&keys.generation], &[], Repeat::Harmless);
}

/// Tells the user's record that a session has probably ended.
pub(super) fn leave(name: &str, user: &UserTag, place: &Place, out: &mut Commands) {
    let keys = keys_of(name, user);
    let member = place.text();
    let args = [(&member).into()];
    out.script(&LEAVE, &[&keys.index], &args, Repeat::Harmless);
}

/// The first trip of a login; its output is the user's generation, and when the session ends at the latest.
pub(crate) struct Enter {
    pub sessions: Sessions,
    /// The id from now on, with the user's tag.
    pub id: Id,
    pub absolute_ms: u64,
    /// Set when it is encoded.
    pub ends_at: u64,
    /// The one before: that session is over when the login is saved.
    pub before: Option<Id>,
}

impl Op for Enter {
    type Output = (String, u64);

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.ends_at = cx.now().saturating_add(self.absolute_ms);
        let (name, place) = (&self.sessions.0.name, self.id.place());
        let user = self.id.user.unwrap_or_default();
        let keys = keys_of(name, &user);
        let (drawn, member) = (drawn(cx)?, place.text());
        let args = [
            (&drawn).into(),
            (&member).into(),
            self.ends_at.into(),
            cx.now().into(),
        ];
        let keys = [keys.generation.as_str(), &keys.index];
        out.script(&ENTER, &keys, &args, Repeat::Harmless);
        if let Some(before) = &self.before
            && let Some(user) = &before.user
        {
            leave(name, user, before.place(), out);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Self::Output, EdgeError> {
        Ok((replies.take()?.text()?.to_owned(), self.ends_at))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.sessions.0.timeout_ms)
    }
}

/// The first trip of a list: the user's generation, and handles.
pub(crate) struct Handles {
    pub sessions: Sessions,
    pub user: String,
}

impl Op for Handles {
    type Output = (String, Vec<String>);

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        refuse_nobody(&self.user)?;
        let name = &self.sessions.0.name;
        let keys = keys_of(name, &user_tag(name, &self.user));
        let keys = [keys.generation.as_str(), &keys.index];
        out.script(&LIST, &keys, &[], Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Self::Output, EdgeError> {
        let mut reply = replies.take()?.array()?;
        let generation = reply.entry()?.text()?.to_owned();
        let mut handles = Vec::new();
        for handle in reply.entry()?.array()? {
            handles.push(handle.text()?.to_owned());
        }
        Ok((generation, handles))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.sessions.0.timeout_ms)
    }
}

/// What a list tells of one session; `info` is JSON.
pub(crate) struct Listed {
    pub handle: String,
    pub created_at: u64,
    pub last_seen_at: u64,
    pub expires_at: u64,
    pub info: String,
}

/// The second trip of a list: those of the sessions that are valid.
pub(crate) struct Infos {
    pub sessions: Sessions,
    pub user: String,
    pub generation: String,
    pub handles: Vec<String>,
}

impl Op for Infos {
    type Output = Vec<Listed>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let config = &self.sessions.0;
        self.handles.retain(|handle| Place::parse(handle).is_some());
        for place in self.handles.iter().filter_map(|text| Place::parse(text)) {
            let args = [
                cx.now().into(),
                config.idle_ms.into(),
                (&self.user).into(),
                (&self.generation).into(),
            ];
            out.script(&INFO, &[&place.key(&config.name)], &args, Repeat::Harmless);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<Listed>, EdgeError> {
        let mut infos = Vec::new();
        for handle in self.handles {
            let mut reply = replies.take()?.array()?;
            let Some(created_at) = reply.next() else {
                continue;
            };
            infos.push(Listed {
                handle,
                created_at: created_at.count()?,
                last_seen_at: reply.entry()?.count()?,
                expires_at: reply.entry()?.count()?,
                info: reply.entry()?.text()?.to_owned(),
            });
        }
        Ok(infos)
    }

    fn timeout_ms(&self) -> Option<u64> {
        let waits = !self.handles.is_empty();
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}

/// Ends one session of a user: see [`Sessions::revoke`].
#[must_use = "an op does nothing until it is run"]
pub struct Revoke(pub(super) End);

impl Op for Revoke {
    type Output = bool;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.0.encode(cx, out)
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        self.0.decode(cx, replies)
    }

    fn timeout_ms(&self) -> Option<u64> {
        self.0.timeout_ms()
    }
}

/// Whom a revocation spares: an id, and the generation it was loaded with.
pub(crate) struct Spared {
    pub id: Id,
    pub generation: String,
}

/// Ends all sessions of a user, but one: how many, and the generation of the one it spared.
pub(crate) struct EndAll {
    pub sessions: Sessions,
    pub user: String,
    pub spared: Option<Spared>,
    pub next: String,
}

impl Op for EndAll {
    type Output = (u64, String);

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        refuse_nobody(&self.user)?;
        let name = &self.sessions.0.name;
        let tag = user_tag(name, &self.user);
        // Another user's session is no exception here.
        self.spared = self.spared.take().filter(|it| it.id.user == Some(tag));
        self.next = drawn(cx)?;
        let (keys, other) = (keys_of(name, &tag), drawn(cx)?);
        let (spared, member) = match &self.spared {
            Some(it) => (it.generation.as_str(), it.id.place().text()),
            None => ("", String::new()),
        };
        let args = [
            spared.into(),
            (&self.next).into(),
            (&other).into(),
            (&member).into(),
            cx.now().into(),
        ];
        let keys = [keys.generation.as_str(), &keys.index];
        out.script(&REVOKE_ALL, &keys, &args, Repeat::Harmless);
        if let Some(it) = &self.spared {
            let args = [spared.into(), (&self.next).into()];
            out.script(&KEEP, &[&it.id.key(name)], &args, Repeat::Harmless);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Self::Output, EdgeError> {
        // Whether the exception was made is not told apart: where not, it is logged out, which is safe.
        Ok((replies.take()?.count()?, self.next))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.sessions.0.timeout_ms)
    }
}
