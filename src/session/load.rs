//! Opening a session, as an op.

use super::data::{Field, Session, Status};
use super::id::Id;
use super::{Sessions, cookie};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Array, Commands, Repeat, Replies};

static LOAD: Script = script!("../lua/session_load.lua");

/// Opens a session: see [`Sessions::load`].
pub struct Load {
    sessions: Sessions,
    id: Option<Id>,
    status: Status,
}

impl Load {
    pub(super) fn new(sessions: &Sessions, header: &str) -> Self {
        let config = &sessions.0;
        let mut status = Status::New;
        // Of several cookies the first genuine one counts: a tossed one cannot shadow it.
        let id = cookie::values(header).find_map(|value| {
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
        if let Some(id) = &self.id {
            let hash = id.hash();
            let args = [
                (&hash).into(),
                cx.now().into(),
                config.idle_ms.into(),
                config.touch_every_ms.into(),
            ];
            out.script(&LOAD, &[&id.key(&config.name)], &args, Repeat::Harmless);
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Session, EdgeError> {
        let Some(id) = self.id else {
            return Ok(Session::empty(self.status, cx.now()));
        };
        let mut reply = replies.take()?.array()?;
        match reply.entry()?.int()? {
            1 => {
                let fields = reply.entry()?.array()?;
                let seen = reply.entry()?.count()?;
                read(id, fields, seen, self.sessions.0.idle_ms)
            }
            0 => Ok(Session::empty(Status::Expired, cx.now())),
            _ => Ok(Session::empty(Status::Invalid, cx.now())),
        }
    }

    fn timeout_ms(&self) -> Option<u64> {
        // Who sends nothing waits for nothing.
        let waits = self.id.is_some();
        Some(if waits { self.sessions.0.timeout_ms } else { 0 })
    }
}

fn read(id: Id, mut fields: Array<'_>, seen: u64, idle_ms: u64) -> Result<Session, EdgeError> {
    let damaged = || EdgeError::corrupt("the stored session is damaged");
    let mut session = Session::empty(Status::Valid, seen);
    session.id = Some(id);
    while let Some(field) = fields.next() {
        let (field, value) = (field.text()?, fields.entry()?.text()?);
        match field {
            "c" => session.created_at = value.parse().map_err(|_| damaged())?,
            "a" => session.expires_at = value.parse().map_err(|_| damaged())?,
            "u" => session.user_id = Some(value.to_owned()),
            _ => {
                let Some(key) = field.strip_prefix('d') else {
                    continue;
                };
                let (version, json) = value.split_once(' ').ok_or_else(damaged)?;
                let field = Field {
                    version: version.parse().map_err(|_| damaged())?,
                    json: json.to_owned(),
                };
                session.fields.insert(key.to_owned(), field);
            }
        }
    }
    session.expires_at = session.expires_at.min(seen.saturating_add(idle_ms));
    Ok(session)
}
