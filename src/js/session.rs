//! Sessions. A session's state lives in JavaScript between load and save, and comes back as text ([`texts`]): nothing of
//! one stays here.

mod texts;

use wasm_bindgen::prelude::wasm_bindgen;

use super::{added, text, with};
use crate::error::EdgeError;
use crate::session::end::{By, End};
use crate::session::id::{Id, Place};
use crate::session::user::{EndAll, Enter, Handles, Infos, Spared, user_tag};
use crate::session::write::Write;
use crate::session::{Sessions, csrf};
use crate::wire::json_texts;
use texts::{built, draft};

/// Why sessions cannot be so configured; `undefined` when they can.
#[wasm_bindgen]
pub fn sessions_problem(config: &str) -> Option<String> {
    built(config).err().map(|error| text(&error))
}

/// Adds a load, by the `Cookie` header. Its outcome: `status`, and if that is `valid` what [`texts::told`] says.
#[wasm_bindgen]
pub fn push_session_load(batch: f64, config: &str, cookies: &str, now: f64) -> Option<String> {
    push(config, |sessions| {
        let config = sessions.0.clone();
        let load = sessions.load(cookies);
        with(batch, |batch| {
            batch.op(load, now as u64, move |mut session| {
                // Made now, for a save that changes nothing asks nobody.
                let anew = config.resigned(&mut session, now as u64);
                texts::told(&session, anew)
            })
        })
    })
}

/// Adds the first trip of a login: `id` is the one from now on, `before` the one until now or empty. Its outcome:
/// `generation`, and `endsAt`, the absolute end.
#[wasm_bindgen]
pub fn push_session_enter(
    batch: f64,
    config: &str,
    id: &str,
    before: &str,
    absolute_ms: f64,
    now: f64,
) -> Option<String> {
    push(config, |sessions| {
        let absolute_ms = if absolute_ms > 0.0 {
            absolute_ms as u64
        } else {
            sessions.0.absolute_ms
        };
        let enter = Enter {
            id: Id::parse(id)?,
            before: Id::parse(before),
            absolute_ms,
            ends_at: 0,
            sessions,
        };
        with(batch, |batch| batch.op(enter, now as u64, texts::entered))
    })
}

/// Adds a save. Its outcome: `token`, `version`, `savedAt`, `expiresAt`, `endsAt`, whether the id was `replaced`, and the `cookie`,
/// if there is one to set; or `conflicts`, for each the field and what it is, as JSON, or `null`.
#[wasm_bindgen]
pub fn push_session_save(batch: f64, config: &str, save: &str, now: f64) -> Option<String> {
    push(config, |sessions| {
        let write = Write::new(sessions, draft(save));
        with(batch, |batch| batch.op(write, now as u64, texts::outcome))
    })
}

/// Why a save would be refused before it is sent; `undefined` when it would not.
#[wasm_bindgen]
pub fn session_refusal(config: &str, save: &str) -> Option<String> {
    let refused = built(config)
        .and_then(|sessions| Write::new(sessions, draft(save)).refuse_too_much())
        .err();
    refused.map(|error| text(&error))
}

/// Adds the end of a session: of the one with this `id`, or, when that is empty, of the user's with this handle. Its
/// outcome: whether there was one.
#[wasm_bindgen]
pub fn push_session_end(
    batch: f64,
    config: &str,
    id: &str,
    user: &str,
    handle: &str,
    now: f64,
) -> Option<String> {
    push(config, |sessions| {
        let by = match Id::parse(id) {
            Some(id) => By::Holder(id),
            None => By::User {
                id: user.to_owned(),
                handle: Place::parse(handle),
            },
        };
        let end = End { sessions, by };
        with(batch, |batch| {
            batch.op(end, now as u64, |ended| {
                (if ended { "true" } else { "false" }).to_owned()
            })
        })
    })
}

/// Adds the first trip of a list. Its outcome: the user's generation, and handles.
#[wasm_bindgen]
pub fn push_session_handles(batch: f64, config: &str, user: &str, now: f64) -> Option<String> {
    push(config, |sessions| {
        let user = user.to_owned();
        with(batch, |batch| {
            batch.op(Handles { sessions, user }, now as u64, texts::handles)
        })
    })
}

/// Adds the second trip, with that outcome. Its own: the `SessionInfo`s.
#[wasm_bindgen]
pub fn push_session_infos(
    batch: f64,
    config: &str,
    user: &str,
    handles: &str,
    now: f64,
) -> Option<String> {
    push(config, |sessions| {
        let mut handles = json_texts(handles).into_iter();
        let infos = Infos {
            sessions,
            user: user.to_owned(),
            generation: handles.next().unwrap_or_default(),
            handles: handles.collect(),
        };
        with(batch, |batch| batch.op(infos, now as u64, texts::listed))
    })
}

/// Adds the end of all sessions of a user, but of the one with this id, if that is not empty, loaded with this
/// generation. Its outcome: how many, and the generation of the one that was spared.
#[wasm_bindgen]
pub fn push_session_end_all(
    batch: f64,
    config: &str,
    user: &str,
    id: &str,
    generation: &str,
    now: f64,
) -> Option<String> {
    push(config, |sessions| {
        let spared = Id::parse(id).map(|id| Spared {
            id,
            generation: generation.to_owned(),
        });
        let end = EndAll {
            sessions,
            user: user.to_owned(),
            spared,
            next: String::new(),
        };
        with(batch, |batch| batch.op(end, now as u64, texts::ended_all))
    })
}

/// The id of a session's next save: of a new one when `id` is empty, with another secret when nobody logs in, else of
/// the login of `user`. A `!` and the text of an error when none can be drawn.
#[wasm_bindgen]
pub fn session_id(config: &str, id: &str, user: &str) -> String {
    let drawn = || {
        let sessions = built(config)?;
        let tag = (!user.is_empty()).then(|| user_tag(&sessions.0.name, user));
        match (Id::parse(id), tag) {
            (None, tag) => Id::draw(tag),
            (Some(id), None) => id.redraw(),
            (Some(id), tag) => id.login(tag),
        }
    };
    said(drawn().map(|id| id.text()))
}

/// A CSRF token for the session of this id; or a `!` and the text of an error.
#[wasm_bindgen]
pub fn session_csrf(config: &str, id: &str) -> String {
    let made = || {
        let id = Id::parse(id).ok_or_else(|| EdgeError::argument("the session has no id"))?;
        csrf::token(&id, &built(config)?.0.name)
    };
    said(made())
}

/// Whether `token` was made for the session of this id.
#[wasm_bindgen]
pub fn session_csrf_holds(config: &str, id: &str, token: &str) -> bool {
    match (built(config), Id::parse(id)) {
        (Ok(sessions), Some(id)) => csrf::verify(&id, &sessions.0.name, token),
        _ => false,
    }
}

/// The `Set-Cookie` value that removes the cookie.
#[wasm_bindgen]
pub fn session_cookie_removal(config: &str) -> String {
    built(config).map_or_else(|_| String::new(), |sessions| sessions.0.cookie.remove())
}

/// `None` of `add`: the batch is over, or the id is none.
fn push(
    config: &str,
    add: impl FnOnce(Sessions) -> Option<Result<(), EdgeError>>,
) -> Option<String> {
    match built(config) {
        Ok(sessions) => added(add(sessions)),
        Err(error) => Some(text(&error)),
    }
}

fn said(made: Result<String, EdgeError>) -> String {
    made.unwrap_or_else(|error| "!".to_owned() + &text(&error))
}
