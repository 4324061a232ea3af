//! `/api/admin/..`: what the console asks. Everything needs the administrator's session; without `ADMIN_TOKEN` there is
//! nothing. The routes stand in docs/console.md.

mod access;
mod caches;
mod limits;
mod metrics;
mod sessions;

use serde::de::DeserializeOwned;
use worker::{Env, Request, Response};

use super::app::App;
use super::failure::Failure;
use super::input::{self, Target};

pub(super) use access::{Access, is_on};
pub(super) use caches::{Delete, Explore, Invalidate, Show};
pub(super) use limits::Play;
pub(super) use sessions::{List, Revoke};

/// What the console asks for, by method and path.
pub(super) enum Admin {
    SignedIn,
    SignIn,
    SignOut,
    Metrics,
    Limit,
    Cache,
    CacheValue,
    CacheDelete,
    CacheInvalidate,
    Sessions,
    SessionsRevoke,
}

impl Admin {
    /// The route below `/api/admin/`.
    pub fn of(method: &str, segments: &[&str]) -> Result<Self, Failure> {
        Ok(match (segments, method) {
            (["session"], "GET" | "HEAD") => Self::SignedIn,
            (["session"], "POST") => Self::SignIn,
            (["session"], "DELETE") => Self::SignOut,
            (["session"], _) => return Err(Failure::method("GET, HEAD, POST, DELETE")),
            (["metrics"], "GET" | "HEAD") => Self::Metrics,
            (["cache"], "GET" | "HEAD") => Self::Cache,
            (["metrics" | "cache"], _) => return Err(Failure::method("GET, HEAD")),
            (["limit"], "POST") => Self::Limit,
            (["cache", "value"], "POST") => Self::CacheValue,
            (["cache", "delete"], "POST") => Self::CacheDelete,
            (["cache", "invalidate"], "POST") => Self::CacheInvalidate,
            (["sessions"], "POST") => Self::Sessions,
            (["sessions", "revoke"], "POST") => Self::SessionsRevoke,
            (["limit" | "sessions"], _)
            | (["cache", "value" | "delete" | "invalidate"], _)
            | (["sessions", "revoke"], _) => return Err(Failure::method("POST")),
            _ => return Err(Failure::not_found()),
        })
    }
}

impl App<'_> {
    /// Answers a request of the console.
    pub async fn admin(
        &self,
        route: &Admin,
        mut request: Request,
        target: &Target,
        env: &Env,
    ) -> Result<Response, Failure> {
        let access = Access::of(env)?;
        access.same_origin(&request, target)?;
        match route {
            Admin::SignedIn => return self.signed_in(&access, &request).await,
            Admin::SignIn => {
                let token = body(&mut request).await?;
                return self.sign_in(&access, &request, &token).await;
            }
            Admin::SignOut => return self.sign_out(&access, &request).await,
            Admin::Metrics => return self.metrics(&access, &request).await,
            _ => {}
        }
        // Before the body is read: a stranger makes nobody gather anything.
        self.let_in(&access, &request).await?;
        match route {
            Admin::Cache => self.cache_explore(&Explore::of(&target.query()?)?).await,
            Admin::Limit => self.play(&body::<Play>(&mut request).await?).await,
            Admin::CacheValue => self.cache_show(&body::<Show>(&mut request).await?).await,
            Admin::CacheDelete => {
                let asked = body::<Delete>(&mut request).await?;
                self.cache_remove(&asked).await
            }
            Admin::CacheInvalidate => {
                let asked = body::<Invalidate>(&mut request).await?;
                self.cache_invalidate(&asked).await
            }
            Admin::Sessions => self.sessions_list(&body::<List>(&mut request).await?).await,
            Admin::SessionsRevoke => {
                let asked = body::<Revoke>(&mut request).await?;
                self.sessions_revoke(&asked).await
            }
            _ => Err(Failure::not_found()),
        }
    }
}

/// The body, an object of what the route takes and nothing else.
///
/// JSON by its type too: a form of another site's page cannot send that without being asked first.
async fn body<T: DeserializeOwned>(request: &mut Request) -> Result<T, Failure> {
    let told = request.headers().get("Content-Type")?.unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    if !told.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(
            415,
            "invalid_argument",
            "the body must be application/json",
        ));
    }
    let value = input::json(request).await?;
    serde_json::from_value(value)
        .map_err(|_| Failure::bad("the body must be an object of what docs/console.md says"))
}
