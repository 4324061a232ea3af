//! Saving a session, as an op.

use super::data::{Field, Session, Status};
use super::id::Id;
use super::{Sessions, cookie};
use crate::error::{EdgeError, ErrorKind};
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static SAVE: Script = script!("../lua/session_save.lua");
/// Lua unpacks some 8,000 values at most; each change is two of them.
const MOST_CHANGES: usize = 1_000;

static DESTROY: Script = script!("../lua/session_destroy.lua");

/// Saves a session: see [`Sessions::save`].
pub struct Save<'s> {
    sessions: Sessions,
    session: &'s mut Session,
    plan: Plan,
    now: u64,
}

enum Plan {
    Nothing,
    /// Write, under this id from now on; whether the browser must learn it.
    Write {
        id: Id,
        tell: bool,
    },
    Destroy,
}

impl<'s> Save<'s> {
    pub(super) fn new(sessions: &Sessions, session: &'s mut Session) -> Self {
        Self {
            sessions: sessions.clone(),
            session,
            plan: Plan::Nothing,
            now: 0,
        }
    }

    fn plan(&self, cx: &Context<'_>) -> Result<Plan, EdgeError> {
        let session = &self.session;
        let unchanged = session.changes.is_empty() && session.login.is_none();
        Ok(match &session.id {
            _ if session.destroyed => Plan::Destroy,
            _ if unchanged => Plan::Nothing,
            None => Plan::Write {
                id: Id::draw(cx)?,
                tell: true,
            },
            Some(id) if session.login.is_some() => Plan::Write {
                id: id.redraw(cx)?,
                tell: true,
            },
            Some(id) => Plan::Write {
                id: id.clone(),
                tell: false,
            },
        })
    }

    fn write(&self, id: &Id, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let (config, session) = (&self.sessions.0, &self.session);
        let bytes: usize = session
            .entries()
            .map(|(key, json)| key.len() + json.len())
            .sum();
        if bytes > config.max_bytes {
            return Err(EdgeError::new(
                ErrorKind::TooLarge,
                "the session's data is larger than it may be",
            ));
        }
        if session.changes.len() > MOST_CHANGES {
            return Err(EdgeError::new(
                ErrorKind::TooLarge,
                "a session takes at most 1000 changed keys in one save",
            ));
        }
        let presented = session.id.as_ref().map(Id::hash).unwrap_or_default();
        let current = session.id.as_ref().unwrap_or(id).key(&config.name);
        let (next, hash) = (id.key(&config.name), id.hash());
        let keys: &[&str] = if next == current {
            &[&current]
        } else {
            &[&current, &next]
        };
        let ends = if session.id.is_none() || session.login.is_some() {
            cx.now().saturating_add(config.absolute_ms).into()
        } else {
            Arg::Text("")
        };
        let mut args = vec![
            Arg::from(&presented),
            (&hash).into(),
            cx.now().into(),
            config.idle_ms.into(),
            ends,
            session.login.as_deref().unwrap_or_default().into(),
        ];
        let names: Vec<String> = session
            .changes
            .keys()
            .map(|key| String::from("d") + key)
            .collect();
        for (name, (key, change)) in names.iter().zip(&session.changes) {
            args.push(name.into());
            args.push(
                session
                    .fields
                    .get(key)
                    .map_or(0, |field| field.version)
                    .into(),
            );
            args.push(change.as_deref().unwrap_or_default().into());
        }
        out.script(&SAVE, keys, &args, Repeat::Never);
        Ok(())
    }

    /// What was written is what is stored now.
    fn settle(session: &mut Session, id: Id, version: u64) {
        for (key, change) in std::mem::take(&mut session.changes) {
            match change {
                Some(json) => session.fields.insert(key, Field { version, json }),
                None => session.fields.remove(&key),
            };
        }
        session.user_id = session.login.take().or(session.user_id.take());
        session.status = Status::Valid;
        session.id = Some(id);
    }
}

impl Op for Save<'_> {
    type Output = Vec<String>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.plan = self.plan(cx)?;
        self.now = cx.now();
        match (&self.plan, &self.session.id) {
            (Plan::Write { id, .. }, _) => self.write(id, cx, out)?,
            (Plan::Destroy, Some(id)) => {
                let key = id.key(&self.sessions.0.name);
                // Ended twice is ended; the reply is not told apart.
                let hash = id.hash();
                out.script(&DESTROY, &[&key], &[(&hash).into()], Repeat::Harmless);
            }
            (Plan::Destroy, None) | (Plan::Nothing, _) => {}
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<String>, EdgeError> {
        let config = &self.sessions.0;
        match self.plan {
            Plan::Nothing => Ok(Vec::new()),
            Plan::Destroy => {
                if self.session.id.is_some() {
                    replies.take()?.int()?;
                }
                *self.session = Session::empty(Status::New, cx.now());
                Ok(vec![cookie::remove()])
            }
            Plan::Write { id, tell } => {
                let mut reply = replies.take()?.array()?;
                let conflict = |message| Err(EdgeError::new(ErrorKind::Conflict, message));
                match reply.entry()?.int()? {
                    1 => {}
                    0 => {
                        return conflict(
                            "another request changed the same key of the session first",
                        );
                    }
                    _ => return conflict("the session ended before it was saved"),
                }
                let version = reply.entry()?.count()?;
                self.session.expires_at = reply.entry()?.count()?;
                let signer = config.secrets.first().map_or(&[][..], Vec::as_slice);
                let told = tell.then(|| cookie::set(&id.sign(&config.name, signer)));
                if self.session.id.is_none() {
                    self.session.created_at = self.now;
                }
                Self::settle(self.session, id, version);
                Ok(told.into_iter().collect())
            }
        }
    }

    fn timeout_ms(&self) -> Option<u64> {
        // Who sends nothing waits for nothing.
        let waits = !matches!(self.plan, Plan::Nothing);
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}
