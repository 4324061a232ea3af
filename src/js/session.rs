//! Sessions. A session's state lives in JavaScript between load and save, and comes back as text: nothing of one stays
//! here. Values are JSON text that nobody here parses.
//!
//! Texts are JSON arrays of strings without nesting. A configuration: namespace; the cookie's name, `lax`, `strict` or
//! `none`, domain (or empty), path, `1` when secure; the idle and the absolute limit, how often a visit is noted, the
//! grace, the timeout (milliseconds); the largest size in bytes; the secrets. A save: the id (empty begins a session),
//! the one from now on (or empty), the version it was loaded with, `1` when it clears, the bytes of what stays, the
//! absolute end (epoch ms), `1` when persistent; for a login its user (else empty), generation and info (JSON); then for
//! each change the field, its token, its new JSON (empty deletes).

use wasm_bindgen::prelude::wasm_bindgen;

use super::json::Json;
use super::{added, with};
use crate::error::EdgeError;
use crate::session::end::{By, End};
use crate::session::id::{Id, Place};
use crate::session::user::{EndAll, Enter, Handles, Infos, Listed, Spared, user_tag};
use crate::session::write::{Change, Draft, Entered, Outcome, Write};
use crate::session::{Cookie, SameSite, Session, Sessions, Status, csrf};
use crate::wire::json_texts;

/// Why sessions cannot be so configured; `undefined` when they can.
#[wasm_bindgen]
pub fn sessions_problem(config: &str) -> Option<String> {
    built(config).err().map(|error| error.to_string())
}

/// Adds a load, by the `Cookie` header. Its outcome: `status`, and if that is `valid` what [`told`] says.
#[wasm_bindgen]
pub fn push_session_load(batch: f64, config: &str, cookies: &str, now: f64) -> Option<String> {
    push(config, |sessions| {
        let config = sessions.0.clone();
        let load = sessions.load(cookies);
        with(batch, |batch| {
            batch.op(load, now as u64, move |mut session| {
                // Made now, for a save that changes nothing asks nobody.
                let anew = config.resigned(&mut session, now as u64);
                told(&session, anew)
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
        with(batch, |batch| {
            batch.op(enter, now as u64, |(generation, ends_at)| {
                let mut json = Json::default();
                json.text("{\"generation\":", &generation);
                json.number(",\"endsAt\":", ends_at);
                json.raw("}");
                json.text
            })
        })
    })
}

/// Adds a save. Its outcome: `token`, `version`, `savedAt`, `expiresAt`, `endsAt`, whether the id was `replaced`, and the `cookie`,
/// if there is one to set; or `conflicts`, for each the field and what it is, as JSON, or `null`.
#[wasm_bindgen]
pub fn push_session_save(batch: f64, config: &str, save: &str, now: f64) -> Option<String> {
    push(config, |sessions| {
        let write = Write::new(sessions, draft(save));
        with(batch, |batch| batch.op(write, now as u64, outcome))
    })
}

/// Why a save would be refused before it is sent; `undefined` when it would not.
#[wasm_bindgen]
pub fn session_refusal(config: &str, save: &str) -> Option<String> {
    let refused = built(config)
        .and_then(|sessions| Write::new(sessions, draft(save)).refuse_too_much())
        .err();
    refused.map(|error| error.to_string())
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
            batch.op(
                Handles { sessions, user },
                now as u64,
                |(generation, handles)| {
                    let mut json = Json::default();
                    json.text("[", &generation);
                    for handle in &handles {
                        json.text(",", handle);
                    }
                    json.raw("]");
                    json.text
                },
            )
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
        with(batch, |batch| batch.op(infos, now as u64, listed))
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
        with(batch, |batch| {
            batch.op(end, now as u64, |(count, generation)| {
                let mut json = Json::default();
                json.number("[", count);
                json.text(",", &generation);
                json.raw("]");
                json.text
            })
        })
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
        Err(error) => Some(error.to_string()),
    }
}

fn said(made: Result<String, EdgeError>) -> String {
    made.unwrap_or_else(|error| "!".to_owned() + &error.to_string())
}

fn built(config: &str) -> Result<Sessions, EdgeError> {
    let fields = json_texts(config);
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let number = |at: usize| number(field(at));
    let same_site = match field(2) {
        "strict" => SameSite::Strict,
        "none" => SameSite::None,
        _ => SameSite::Lax,
    };
    let cookie = Cookie::named(field(1))
        .same_site(same_site)
        .domain(field(3))
        .path(field(4))
        .secure(field(5) == "1");
    Sessions::new(fields.get(12..).unwrap_or_default())?
        .name(field(0))
        .cookie(cookie)?
        .lifetime_ms(number(6), number(7))?
        .touch_every_ms(number(8))
        .grace_ms(number(9))
        .max_bytes(number(11) as usize)
        .timeout_ms(number(10))
}

/// What is no number becomes 0, which is refused where it matters.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn draft(save: &str) -> Draft {
    let mut fields = json_texts(save).into_iter();
    let mut next = || fields.next().unwrap_or_default();
    let (id, new) = (next(), next());
    let (version, clears, kept) = (next(), next(), next());
    let (ends_at, persistent) = (number(&next()), next() == "1");
    let (user, generation, info) = (next(), next(), next());
    let login = (!user.is_empty()).then_some(Entered {
        user,
        info,
        generation,
        ends_at,
        persistent,
    });
    let mut changes = Vec::new();
    while let (Some(name), Some(token), Some(json)) = (fields.next(), fields.next(), fields.next())
    {
        let json = Some(json).filter(|json| !json.is_empty());
        changes.push(Change { name, token, json });
    }
    Draft {
        id: Id::parse(&id),
        next: Id::parse(&new),
        login,
        version: number(&version),
        clears: clears == "1",
        changes,
        kept_bytes: number(&kept) as usize,
        ends_at,
        persistent,
    }
}

/// A session: `createdAt`, `expiresAt`, `endsAt`, `version`, `generation`, `id`, whether it came `late`, with the id
/// before the last rotation, and is `persistent`, `anew`, its cookie where that is to be signed by the first secret,
/// `userId`, and `fields`, for each its name, token and JSON.
fn told(session: &Session, anew: Option<String>) -> String {
    let mut json = Json::default();
    json.text(
        "{\"status\":",
        match session.status {
            Status::New => "new",
            Status::Valid => "valid",
            Status::Expired => "expired",
            Status::Invalid => "invalid",
        },
    );
    json.number(",\"createdAt\":", session.created_at);
    json.number(",\"expiresAt\":", session.expires_at);
    if let Some(id) = &session.id {
        json.number(",\"endsAt\":", session.ends_at);
        json.number(",\"version\":", session.version);
        json.text(",\"generation\":", &session.generation);
        json.text(",\"id\":", &id.text());
        json.number(",\"late\":", session.came_late.into());
        json.number(",\"persistent\":", session.persistent.into());
    }
    if let Some(cookie) = &anew {
        json.text(",\"anew\":", cookie);
    }
    if let Some(user) = &session.user_id {
        json.text(",\"userId\":", user);
    }
    json.raw(",\"fields\":[");
    for (at, field) in session.fields.iter().enumerate() {
        json.text(if at == 0 { "" } else { "," }, &field.name);
        json.text(",", &field.token);
        json.text(",", &field.json);
    }
    json.raw("]}");
    json.text
}

fn outcome(outcome: Outcome) -> String {
    let mut json = Json::default();
    match outcome {
        Outcome::Saved(saved) => {
            json.text("{\"token\":", &saved.token);
            json.number(",\"version\":", saved.version);
            json.number(",\"savedAt\":", saved.saved_at);
            json.number(",\"expiresAt\":", saved.expires_at);
            json.number(",\"endsAt\":", saved.ends_at);
            json.number(",\"replaced\":", saved.replaced.into());
            if let Some(cookie) = &saved.cookie {
                json.text(",\"cookie\":", cookie);
            }
            json.raw("}");
        }
        Outcome::Clashed(clashes) => {
            json.raw("{\"conflicts\":[");
            for (at, clash) in clashes.iter().enumerate() {
                json.text(if at == 0 { "" } else { "," }, &clash.name);
                match &clash.theirs {
                    Some(theirs) => json.text(",", theirs),
                    None => json.raw(",null"),
                }
            }
            json.raw("]}");
        }
    }
    json.text
}

fn listed(infos: Vec<Listed>) -> String {
    let mut json = Json::default();
    json.raw("[");
    for (at, it) in infos.iter().enumerate() {
        json.text(
            if at == 0 {
                "{\"handle\":"
            } else {
                ",{\"handle\":"
            },
            &it.handle,
        );
        json.number(",\"createdAt\":", it.created_at);
        json.number(",\"lastSeenAt\":", it.last_seen_at);
        json.number(",\"expiresAt\":", it.expires_at);
        // JSON already.
        json.raw(",\"info\":");
        json.raw(&it.info);
        json.raw("}");
    }
    json.raw("]");
    json.text
}
