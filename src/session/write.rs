//! What a save writes, as an op of its own: one request of one command, 3 inner commands, 4 where keys are deleted or a
//! login moves it (6 in the session's first minute). When Redis fails the caller is told; it is asked again, for a repeated save is
//! known by its nonce.

use super::Sessions;
use super::id::Id;
use super::load::stored;
use crate::base64;
use crate::error::{EdgeError, ErrorKind};
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Array, Commands, Repeat, Replies};

static SAVE: Script = script!("../lua/session_save.lua");
/// Lua unpacks some 8,000 values at most; each change is two of them.
const MOST_CHANGES: usize = 1_000;

/// A key that changes.
#[derive(Clone)]
pub(crate) struct Change {
    pub name: String,
    /// Of the value that was read; empty when there was none, `*` to overwrite whatever there is.
    pub token: String,
    /// `None` deletes.
    pub json: Option<String>,
}

/// A login whose first trip is made.
#[derive(Clone)]
pub(crate) struct Entered {
    pub user: String,
    /// JSON.
    pub info: String,
    pub generation: String,
    pub ends_at: u64,
    pub persistent: bool,
}

/// All that a save must know.
pub(crate) struct Draft {
    /// The one presented; none begins a session.
    pub id: Option<Id>,
    /// The one from now on, if it is to be another.
    pub next: Option<Id>,
    pub login: Option<Entered>,
    /// As loaded; of a session to begin, how many attempts there were before.
    pub version: u64,
    pub clears: bool,
    pub changes: Vec<Change>,
    /// Of what is stored already and stays.
    pub kept_bytes: usize,
    pub ends_at: u64,
    pub persistent: bool,
}

/// What a save came to.
pub(crate) enum Outcome {
    Saved(Saved),
    /// Others changed these first, and nothing was written.
    Clashed(Vec<Clash>),
}

pub(crate) struct Saved {
    /// What its values are known by.
    pub token: String,
    pub version: u64,
    pub saved_at: u64,
    pub expires_at: u64,
    pub ends_at: u64,
    /// The id is `next` from now on.
    pub replaced: bool,
    pub cookie: Option<String>,
}

pub(crate) struct Clash {
    pub name: String,
    pub theirs: Option<String>,
}

pub(crate) struct Write {
    pub sessions: Sessions,
    pub draft: Draft,
    now: u64,
}

impl Write {
    pub fn new(sessions: Sessions, draft: Draft) -> Self {
        Self {
            sessions,
            draft,
            now: 0,
        }
    }

    pub fn refuse_too_much(&self) -> Result<(), EdgeError> {
        let changes = &self.draft.changes;
        let mut bytes = self.draft.kept_bytes;
        for change in changes {
            if let Some(json) = &change.json {
                // The name is the key and a letter.
                bytes += change.name.len() - 1 + json.len();
            }
        }
        let problem = if bytes > self.sessions.0.max_bytes {
            "the session's data is larger than it may be"
        } else if changes.len() > MOST_CHANGES {
            "a session takes at most 1000 changed keys in one save"
        } else {
            return Ok(());
        };
        Err(EdgeError::new(ErrorKind::TooLarge, problem))
    }
}

impl Op for Write {
    type Output = Outcome;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.refuse_too_much()?;
        self.now = cx.now();
        let (config, draft) = (&self.sessions.0, &mut self.draft);
        if let Some(login) = &draft.login {
            draft.ends_at = login.ends_at;
            draft.persistent = login.persistent;
        } else if draft.id.is_none() {
            draft.ends_at = cx.now().saturating_add(config.absolute_ms);
        }
        let Some(key) = draft.id.as_ref().or(draft.next.as_ref()) else {
            return Err(EdgeError::argument("the session has no id"));
        };
        let key = key.key(&config.name);
        let presented = draft.id.as_ref().map(Id::hash).unwrap_or_default();
        let next = draft.next.as_ref().map(Id::hash).unwrap_or_default();
        let rotates = draft.id.is_some() && draft.next.is_some() && draft.login.is_none();
        let when =
            |is: bool, number: u64| -> Arg<'static> { if is { number.into() } else { "".into() } };
        let flag = |is: bool| if is { "1" } else { "" };
        let (user, generation, info) = match &draft.login {
            Some(login) => (
                login.user.as_str(),
                login.generation.as_str(),
                login.info.as_str(),
            ),
            None => ("", "", ""),
        };
        let nonce = base64::url(&cx.random::<6>()?);
        let mut args = vec![
            Arg::from(&presented),
            (&next).into(),
            cx.now().into(),
            config.idle_ms.into(),
            when(draft.id.is_none() || draft.login.is_some(), draft.ends_at),
            when(rotates, cx.now().saturating_add(config.grace_ms)),
            user.into(),
            generation.into(),
            info.into(),
            flag(draft.persistent).into(),
            (&nonce).into(),
            draft.version.into(),
            flag(draft.clears).into(),
        ];
        for change in &draft.changes {
            args.push((&change.name).into());
            args.push((&change.token).into());
            args.push(change.json.as_deref().unwrap_or_default().into());
        }
        let moved = draft.next.as_ref().map(|id| id.key(&config.name));
        match moved.as_deref().filter(|moved| *moved != key) {
            Some(moved) => out.script(&SAVE, &[&key, moved], &args, Repeat::Harmless),
            None => out.script(&SAVE, &[&key], &args, Repeat::Harmless),
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Outcome, EdgeError> {
        let mut reply = replies.take()?.array()?;
        match reply.entry()?.int()? {
            1 => {}
            0 => return clashes(reply).map(Outcome::Clashed),
            _ => {
                return Err(EdgeError::new(
                    ErrorKind::Conflict,
                    "the session was over, or its id replaced, before it was saved",
                ));
            }
        }
        let (config, draft) = (&self.sessions.0, &self.draft);
        let token = reply.entry()?.text()?.to_owned();
        let expires_at = reply.entry()?.count()?;
        let replaced = reply.entry()?.int()? == 1;
        let next = draft.next.as_ref().filter(|_| replaced);
        let age = draft
            .persistent
            .then(|| draft.ends_at.saturating_sub(self.now) / 1000);
        let cookie = next.map(|id| config.cookie.set(&config.signed(id), age));
        let written = number_of(&token);
        // Where others saved since it was loaded, their keys are not known here, and a clear must not pass over them.
        let knows_all = draft.clears || written == draft.version + 1;
        Ok(Outcome::Saved(Saved {
            version: if knows_all { written } else { draft.version },
            token,
            saved_at: self.now,
            expires_at,
            ends_at: draft.ends_at,
            replaced,
            cookie,
        }))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.sessions.0.timeout_ms)
    }
}

/// Of the save that wrote it.
fn number_of(token: &str) -> u64 {
    let digits = token.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

fn clashes(mut reply: Array<'_>) -> Result<Vec<Clash>, EdgeError> {
    let mut clashes = Vec::new();
    while let Some(name) = reply.next() {
        let theirs = stored(reply.entry()?.text()?).map(|(_, json)| json.to_owned());
        clashes.push(Clash {
            name: name.text()?.to_owned(),
            theirs,
        });
    }
    Ok(clashes)
}
