//! What of sessions goes between here and JavaScript, as text. Values are JSON that nobody here parses.
//!
//! In, JSON arrays of strings without nesting. A configuration: namespace; the cookie's name, `lax`, `strict` or
//! `none`, domain (or empty), path, `1` when secure; the idle and the absolute limit, how often a visit is noted, the
//! grace, the timeout (milliseconds); the largest size in bytes; the secrets. A save: the id (empty begins a session),
//! the one from now on (or empty), the version it was loaded with, `1` when it clears, the bytes of what stays, the
//! absolute end (epoch ms), `1` when persistent; for a login its user (else empty), generation and info (JSON); then for
//! each change the field, its token, its new JSON (empty deletes).

use std::rc::Rc;

use crate::error::EdgeError;
use crate::js::json::Json;
use crate::session::id::Id;
use crate::session::user::Listed;
use crate::session::write::{Change, Draft, Entered, Outcome};
use crate::session::{Config, Cookie, SameSite, Session, Sessions, Status};
use crate::wire::json_texts;

pub fn built(config: &str) -> Result<Sessions, EdgeError> {
    let fields = json_texts(config);
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let number = |at: usize| number(field(at));
    let same_site = match field(2) {
        "strict" => SameSite::Strict,
        "none" => SameSite::None,
        _ => SameSite::Lax,
    };
    let text = |at: usize| field(at).to_owned();
    let cookie = Cookie {
        name: text(1),
        same_site,
        domain: text(3),
        path: text(4),
        secure: field(5) == "1",
    };
    // Not by the builder: each of its steps would be a copy of all.
    let mut config = Config::new(fields.get(12..).unwrap_or_default())?;
    config.name = text(0);
    config.cookie = cookie.checked()?;
    config.lifetime_ms(number(6), number(7))?;
    config.touch_every_ms(number(8));
    config.grace_ms(number(9));
    config.timeout_ms(number(10))?;
    config.max_bytes = number(11) as usize;
    Ok(Sessions(Rc::new(config)))
}

/// What is no number becomes 0, which is refused where it matters.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

pub fn draft(save: &str) -> Draft {
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
pub fn told(session: &Session, anew: Option<String>) -> String {
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

pub fn outcome(outcome: Outcome) -> String {
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

pub fn entered((generation, ends_at): (String, u64)) -> String {
    let mut json = Json::default();
    json.text("{\"generation\":", &generation);
    json.number(",\"endsAt\":", ends_at);
    json.raw("}");
    json.text
}

pub fn handles((generation, handles): (String, Vec<String>)) -> String {
    let mut json = Json::default();
    json.text("[", &generation);
    for handle in &handles {
        json.text(",", handle);
    }
    json.raw("]");
    json.text
}

pub fn ended_all((count, generation): (u64, String)) -> String {
    let mut json = Json::default();
    json.number("[", count);
    json.text(",", &generation);
    json.raw("]");
    json.text
}

pub fn listed(infos: Vec<Listed>) -> String {
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
