//! Who may: the token once, then a session of its own kind.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use worker::{Env, Request, Response};

use super::super::app::{App, text};
use super::super::failure::Failure;
use super::super::input::{self, Target};
use crate::front::config::opens_console;
use crate::front::visitor::{By, Visitor};
use crate::ratelimit::{Limit, OnFailure, RateLimiter, Source};
use crate::session::{Cookie, Login, SameSite, Session, Sessions};

const NAME: &str = "ADMIN_TOKEN";
/// Who is signed in.
const ADMIN: &str = "admin";
/// An administrator that is away for half an hour signs in again, and after 12 h in any case.
const IDLE_MS: u64 = 30 * 60_000;
const ABSOLUTE_MS: u64 = 12 * 3_600_000;
/// So many tokens an address may try in 10 minutes.
const TRIES: u32 = 10;
const TRIES_MS: u64 = 600_000;

/// Who may use the console, and how that is known.
pub(in crate::worker) struct Access {
    token: String,
    sessions: Sessions,
}

/// A sign-in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
}

/// Whether there is a console to look at what is counted.
pub(in crate::worker) fn is_on(env: &Env) -> bool {
    opens_console(&text(env, NAME).unwrap_or_default())
}

impl Access {
    pub fn of(env: &Env) -> Result<Self, Failure> {
        let token = text(env, NAME).unwrap_or_default().trim().to_owned();
        if token.is_empty() {
            return Err(Failure::new(
                404,
                "not_configured",
                "the console is off: ADMIN_TOKEN is not set",
            ));
        }
        if !opens_console(&token) {
            return Err(Failure::new(
                404,
                "not_configured",
                "the console is off: ADMIN_TOKEN must be 16 characters or more",
            ));
        }
        // Signed by what the token makes: with another token nobody is signed in any more.
        let secret = mac(&token, b"sessions").ok_or_else(Failure::not_found)?;
        let secret = secret.finalize().into_bytes();
        let cookie = Cookie::named("__Host-console").same_site(SameSite::Strict);
        let sessions = Sessions::new(&[secret])?
            .name("console")
            .cookie(cookie)?
            .lifetime_ms(IDLE_MS, ABSOLUTE_MS)?;
        Ok(Self { token, sessions })
    }

    /// In constant time, whatever the lengths.
    fn is_token(&self, given: &str) -> bool {
        let (own, given) = (mac(&self.token, b"token"), mac(given, b"token"));
        own.zip(given)
            .is_some_and(|(own, given)| given.verify_slice(&own.finalize().into_bytes()).is_ok())
    }

    /// A page of another site, a sibling host among them, may ask nothing here.
    pub fn same_origin(&self, request: &Request, target: &Target) -> Result<(), Failure> {
        let headers = request.headers();
        let (_, host) = target.public();
        let reads = matches!(request.inner().method().as_str(), "GET" | "HEAD");
        let from_here = match headers.get("Sec-Fetch-Site")?.as_deref() {
            None | Some("same-origin") => true,
            // An address that somebody typed.
            Some("none") => reads,
            Some(_) => false,
        };
        let origin = headers.get("Origin")?;
        // By the host alone: in front of this one may stand something that ends TLS.
        let origin_fits = origin.as_deref().is_none_or(|origin| {
            let behind = origin.split_once("://").map(|(_, host)| host);
            behind == Some(host)
        });
        if from_here && origin_fits {
            return Ok(());
        }
        Err(Failure::forbidden("a page of another site may not do this"))
    }
}

/// A key of any length fits; were there one that does not, nobody would be let in.
fn mac(token: &str, what: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(b"upstash-edge console ");
    mac.update(what);
    Some(mac)
}

impl Access {
    /// Opens the administrator's session, as an op: it travels with what it lets see.
    pub fn load(&self, request: &Request) -> Result<crate::session::Load, Failure> {
        Ok(self.sessions.load(&input::cookies(request)?))
    }

    /// Whether a request says at all that somebody is signed in: else Redis need not be asked.
    pub fn claims(&self, request: &Request) -> Result<(), Failure> {
        let holder = self.sessions.holder(&input::cookies(request)?);
        holder.map(|_| ()).ok_or_else(unauthorized)
    }
}

pub(super) fn unauthorized() -> Failure {
    Failure::new(401, "unauthorized", "sign in with the ADMIN_TOKEN")
}

pub(super) fn is_admin(session: &Session) -> Result<(), Failure> {
    match session.user_id() {
        Some(ADMIN) => Ok(()),
        _ => Err(unauthorized()),
    }
}

impl App<'_> {
    /// Lets an administrator in.
    pub(super) async fn let_in(
        &self,
        access: &Access,
        request: &Request,
    ) -> Result<Session, Failure> {
        access.claims(request)?;
        let session = self.redis.run(access.load(request)?).await?;
        is_admin(&session)?;
        Ok(session)
    }

    /// `GET /api/admin/session`
    pub(super) async fn signed_in(
        &self,
        access: &Access,
        request: &Request,
    ) -> Result<Response, Failure> {
        let session = self.let_in(access, request).await?;
        self.json(&json!({ "expiresAt": session.expires_at() }), 200)
    }

    /// `POST /api/admin/session` `{"token": ".."}`
    pub(super) async fn sign_in(
        &self,
        access: &Access,
        request: &Request,
        asked: &Token,
    ) -> Result<Response, Failure> {
        let headers = request.headers();
        let address = headers.get(&self.address_header())?;
        let visitor = Visitor {
            address: address.as_deref(),
            cookies: "",
            header: None,
        };
        let id = visitor.id(&By::Address, None);
        let id = id.unwrap_or_else(|| "nobody".to_owned());
        let limit = Limit::sliding_window(TRIES, std::time::Duration::from_millis(TRIES_MS))?;
        // Nobody guesses while nobody counts; and without Redis there is no session either.
        let limiter = RateLimiter::new(limit)
            .name("console-sign-in")
            .on_failure(OnFailure::Deny);
        let decision = self.redis.run(limiter.check(&id)).await?;
        if decision.source == Source::Failure {
            return Err(Failure::away());
        }
        if !decision.allowed {
            let body = json!({ "error": { "code": "too_many_requests", "message": "too many tokens were tried from this address" },
                "retryAfterMs": decision.retry_after_ms });
            return self.decided(&decision, &body);
        }
        if !access.is_token(&asked.token) {
            return Err(Failure::new(
                401,
                "unauthorized",
                "this is not the ADMIN_TOKEN",
            ));
        }
        let mut session = self.redis.run(access.load(request)?).await?;
        session.login(Login::of(ADMIN))?;
        let cookies = access.sessions.commit(&self.redis, &mut session).await?;
        // Whoever has the token has not been guessing.
        self.redis.run(limiter.reset(&id)).await?;
        let response = self.json(&json!({ "expiresAt": session.expires_at() }), 200)?;
        for cookie in cookies {
            response.headers().append("Set-Cookie", &cookie)?;
        }
        Ok(response)
    }

    /// `DELETE /api/admin/session`
    pub(super) async fn sign_out(
        &self,
        access: &Access,
        request: &Request,
    ) -> Result<Response, Failure> {
        let mut session = self.let_in(access, request).await?;
        session.destroy();
        let cookies = access.sessions.commit(&self.redis, &mut session).await?;
        let response = self.json(&json!({ "signedOut": true }), 200)?;
        for cookie in cookies {
            response.headers().append("Set-Cookie", &cookie)?;
        }
        Ok(response)
    }
}
