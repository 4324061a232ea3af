//! Saving a session, as an op.

use super::Sessions;
use super::data::{Field, Session, Status};
use super::end::{By, End};
use super::write::{Draft, Outcome, Saved, Write};
use crate::error::{EdgeError, ErrorKind};
use crate::op::{Context, Op};
use crate::wire::{Commands, Replies};

/// Saves a session: see [`Sessions::save`].
#[must_use = "an op does nothing until it is run"]
pub struct Save<'s> {
    sessions: Sessions,
    session: &'s mut Session,
    plan: Plan,
}

enum Plan {
    Nothing,
    Write(Box<Write>),
    /// Nothing of it is in Redis when there is no op.
    End(Option<End>),
}

impl<'s> Save<'s> {
    pub(super) fn new(sessions: &Sessions, session: &'s mut Session) -> Self {
        Self {
            sessions: sessions.clone(),
            session,
            plan: Plan::Nothing,
        }
    }

    fn plan(&mut self) -> Result<Plan, EdgeError> {
        let session = &mut *self.session;
        session.conflicts.clear();
        let sessions = self.sessions.clone();
        if session.destroyed {
            let end = session.id.clone().map(|id| End {
                sessions,
                by: By::Holder(id),
            });
            return Ok(Plan::End(end));
        }
        if session.login.is_some() && session.entered.is_none() {
            return Err(EdgeError::argument(
                "a login takes two round trips: save it by Sessions::commit",
            ));
        }
        let changed = session.clears || !session.changes.is_empty() || session.login.is_some();
        session.draw(&sessions.0.name, changed)?;
        if !changed && session.next.is_none() {
            return Ok(Plan::Nothing);
        }
        let draft = draft(session);
        if draft.id.is_none() {
            // Should this attempt fail, the next one is known from it.
            session.version += 1;
        }
        Ok(Plan::Write(Box::new(Write::new(sessions, draft))))
    }
}

pub(super) fn draft(session: &Session) -> Draft {
    let kept = session.kept();
    let bytes = kept.map(|field| field.name.len() - 1 + field.json.len());
    Draft {
        kept_bytes: bytes.sum(),
        id: session.id.clone(),
        next: session.next.clone(),
        login: session.entered.clone(),
        version: session.version,
        clears: session.clears,
        changes: session.changes.clone(),
        ends_at: session.ends_at,
        persistent: session.persistent,
    }
}

/// What was written is what is stored now.
fn settle(session: &mut Session, saved: Saved) -> Option<String> {
    if std::mem::take(&mut session.clears) {
        session.fields.clear();
    }
    for change in std::mem::take(&mut session.changes) {
        session.fields.retain(|field| field.name != change.name);
        if let Some(json) = change.json {
            let (name, token) = (change.name, saved.token.clone());
            session.fields.push(Field { name, token, json });
        }
    }
    if let Some(login) = session.entered.take() {
        session.login = None;
        session.user_id = Some(login.user);
        session.generation = login.generation;
        session.persistent = login.persistent;
    }
    if session.id.is_none() {
        session.created_at = saved.saved_at;
    }
    let next = session.next.take();
    if saved.replaced {
        session.id = next;
        session.signed_anew = false;
    }
    session.rotates = false;
    session.status = Status::Valid;
    session.version = saved.version;
    session.expires_at = saved.expires_at;
    session.ends_at = saved.ends_at;
    saved.cookie
}

impl Op for Save<'_> {
    type Output = Vec<String>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.plan = self.plan()?;
        match &mut self.plan {
            Plan::Write(write) => write.encode(cx, out),
            Plan::End(Some(end)) => end.encode(cx, out),
            Plan::End(None) | Plan::Nothing => Ok(()),
        }
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<String>, EdgeError> {
        let (config, session) = (&self.sessions.0, self.session);
        match self.plan {
            Plan::Nothing => Ok(config.resigned(session, cx.now()).into_iter().collect()),
            Plan::End(end) => {
                if let Some(end) = end {
                    end.decode(cx, replies)?;
                }
                *session = Session::empty(Status::New, cx.now());
                Ok(vec![config.cookie.remove()])
            }
            Plan::Write(write) => match write.decode(cx, replies)? {
                Outcome::Saved(saved) => {
                    let told = settle(session, saved);
                    let told = told.or_else(|| config.resigned(session, cx.now()));
                    Ok(told.into_iter().collect())
                }
                Outcome::Clashed(clashes) => {
                    session.clash(clashes);
                    Err(EdgeError::new(
                        ErrorKind::Conflict,
                        "another request changed the same key of the session first",
                    ))
                }
            },
        }
    }

    fn timeout_ms(&self) -> Option<u64> {
        // Who sends nothing waits for nothing.
        let waits = matches!(self.plan, Plan::Write(_) | Plan::End(Some(_)));
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}
