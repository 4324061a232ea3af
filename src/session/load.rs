//! Opening a session, as an op: one request, of one command, and of a second where a user is logged in.

use super::Sessions;
use super::data::{Field, Session, Status};
use super::id::Id;
use super::user::ask_generation;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Array, Commands, Repeat, Replies};

static LOAD: Script = script!("../lua/session_load.lua");

/// Opens a session: see [`Sessions::load`].
#[must_use = "an op does nothing until it is run"]
pub struct Load {
    sessions: Sessions,
    /// And whether the first secret signed it.
    id: Option<(Id, bool)>,
    status: Status,
}

impl Load {
    pub(super) fn new(sessions: &Sessions, header: &str) -> Self {
        let config = &sessions.0;
        let mut status = Status::New;
        // Of several cookies the first genuine one counts: a tossed one cannot shadow it.
        let id = config.cookie.values(header).find_map(|value| {
            status = Status::Invalid;
            Id::verify(value, &config.name, &config.secrets)
        });
        Self {
            sessions: sessions.clone(),
            id,
            status,
        }
    }
}

impl Op for Load {
    type Output = Session;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let config = &self.sessions.0;
        if let Some((id, _)) = &self.id {
            let hash = id.hash();
            let args = [
                (&hash).into(),
                cx.now().into(),
                config.idle_ms.into(),
                config.touch_every_ms.into(),
            ];
            out.script(&LOAD, &[&id.key(&config.name)], &args, Repeat::Harmless);
            if let Some(user) = &id.user {
                ask_generation(&config.name, user, out);
            }
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Session, EdgeError> {
        let Some((id, newest)) = self.id else {
            return Ok(Session::empty(self.status, cx.now()));
        };
        let over = Session::empty(Status::Expired, cx.now());
        let mut reply = replies.take()?.array()?;
        // Read in any case: who cannot be told the generation must not be let in.
        let generation = match id.user {
            Some(_) => replies.take()?.text()?,
            None => "",
        };
        if reply.entry()?.int()? == 0 {
            return Ok(over);
        }
        let fields = reply.entry()?.array()?;
        let seen = reply.entry()?.count()?;
        let mut session = read(fields)?;
        // A revoked session has an earlier generation; a user whose record is gone has none.
        if session.generation != generation || session.user_id.is_some() != id.user.is_some() {
            return Ok(over);
        }
        if session.user_id.is_some() && generation.is_empty() {
            return Ok(over);
        }
        session.came_late = reply.entry()?.int()? == 1;
        session.signed_anew = !newest && !session.came_late;
        session.expires_at = session
            .ends_at
            .min(seen.saturating_add(self.sessions.0.idle_ms));
        session.id = Some(id);
        Ok(session)
    }

    fn timeout_ms(&self) -> Option<u64> {
        // Who sends nothing waits for nothing.
        let waits = self.id.is_some();
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}

/// A value as it is stored: its token, a space, JSON.
pub(super) fn stored(value: &str) -> Option<(&str, &str)> {
    let space = value.bytes().position(|b| b == b' ')?;
    Some((value.get(..space)?, value.get(space + 1..)?))
}

fn read(mut fields: Array<'_>) -> Result<Session, EdgeError> {
    let damaged = || EdgeError::corrupt("the stored session is damaged");
    let mut session = Session::empty(Status::Valid, 0);
    while let Some(field) = fields.next() {
        let (name, value) = (field.text()?, fields.entry()?.text()?);
        let number = || value.parse().map_err(|_| damaged());
        match name {
            "c" => session.created_at = number()?,
            "a" => session.ends_at = number()?,
            "v" => session.version = number()?,
            "u" => session.user_id = Some(value.to_owned()),
            "g" => value.clone_into(&mut session.generation),
            "m" => session.persistent = value == "1",
            _ if matches!(name.as_bytes().first(), Some(b'd' | b'f')) => {
                let (token, json) = stored(value).ok_or_else(damaged)?;
                session.fields.push(Field {
                    name: name.to_owned(),
                    token: token.to_owned(),
                    json: json.to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(session)
}
