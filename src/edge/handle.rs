//! A request of a Rust Worker through an [`Edge`].

use worker::{Context, Request, Response};

use super::http::{head, response};
use super::keep::release;
use super::{Edge, Problem, Visit};
use crate::cache::Looked;
use crate::client::Redis;
use crate::error::EdgeError;
use crate::op::Op;
use crate::ratelimit::{Decision, Identifier};

impl Edge {
    /// Answers one request: reads what it needs in one trip, refuses, serves what the cache has, or runs `handler`, saves
    /// what that changed, and stores what it answered behind the answer.
    ///
    /// `id` is whom the limiter counts, `None` for nobody. A refusal is a 429 with `RateLimit`, `Retry-After` and a
    /// [`Problem`]; an answer that passes tells its limits as well. A session's cookies are put on the answer, and are
    /// never stored. What has seen the session is not stored, unless it says `Cache-Control: public`. A stale answer is
    /// made anew behind itself, for an anonymous visitor.
    ///
    /// # Errors
    /// What befell limiter or session where their policies do not serve; what befell a save, `conflict` among it; and
    /// what the handler fails with.
    pub async fn handle<E>(
        &self,
        redis: &Redis,
        request: Request,
        id: Option<Identifier>,
        context: &Context,
        handler: impl AsyncFnOnce(Request, &mut Visit) -> Result<Response, E> + 'static,
    ) -> Result<Response, E>
    where
        E: From<EdgeError> + From<worker::Error> + 'static,
    {
        let headers = request.headers();
        let cookies = headers.get("Cookie")?.unwrap_or_default();
        let mut open = self.open(id, &cookies);
        if self.cache.is_some() {
            let (method, url) = (request.inner().method(), request.inner().url());
            open = open.look(&method, &url, &head(headers))?.in_background();
        }
        self.handle_opened(redis, open, request, context, handler)
            .await
    }

    /// The same for what is read otherwise than the request itself would say.
    pub(crate) async fn handle_opened<E>(
        &self,
        redis: &Redis,
        open: impl Op<Output = Visit>,
        request: Request,
        context: &Context,
        handler: impl AsyncFnOnce(Request, &mut Visit) -> Result<Response, E> + 'static,
    ) -> Result<Response, E>
    where
        E: From<EdgeError> + From<worker::Error> + 'static,
    {
        let mut visit = redis.run(open).await?;
        let mut looked = visit.looked.take();
        if let Some(refusal) = visit.decision.as_ref().filter(|it| !it.allowed) {
            release(looked, redis, context);
            return Ok(refused(refusal)?);
        }
        let decision = visit.decision.clone();
        let mut asked = request;
        if let Some(mut looking) = looked.take() {
            if let Some(found) = looking.find(redis).await {
                if looking.wants_handler() {
                    let (edge, redis) = (self.clone(), redis.clone());
                    asked = conditional(asked, &looking)?;
                    context.wait_until(async move {
                        edge.refresh(&redis, looking, asked, handler).await;
                    });
                }
                return Ok(told(response(found)?, decision.as_ref())?);
            }
            asked = conditional(asked, &looking)?;
            looked = Some(looking);
        }
        let answer = match handler(asked, &mut visit).await {
            Ok(answer) => answer,
            Err(error) => {
                let stands_in = match &mut looked {
                    Some(looked) => looked.fail(redis).await,
                    None => None,
                };
                let stands_in = stands_in.ok_or(error)?;
                return Ok(told(response(stands_in)?, decision.as_ref())?);
            }
        };
        let told_control = answer.headers().get("Cache-Control")?;
        let background = |save| context.wait_until(save);
        let closed = self.close(redis, &mut visit, told_control.as_deref(), background);
        let closed = match closed.await {
            Ok(closed) => closed,
            Err(error) => {
                release(looked, redis, context);
                return Err(error.into());
            }
        };
        if answer.status_code() < 200 {
            // A WebSocket: its head cannot be changed.
            release(looked, redis, context);
            return Ok(answer);
        }
        let answer = match looked {
            Some(looked) => self.keep(redis, looked, answer, closed.is_shared, context)?,
            // A copy, for the headers of an answer that `fetch` made cannot be changed.
            None => {
                let headers = answer.headers().clone();
                answer.with_headers(headers)
            }
        };
        let headers = answer.headers();
        if let Some(control) = closed.cache_control {
            headers.set("Cache-Control", &control)?;
        }
        for cookie in closed.cookies {
            headers.append("Set-Cookie", &cookie)?;
        }
        Ok(told(answer, decision.as_ref())?)
    }
}

/// The same request, as the cache would have it asked.
fn conditional(request: Request, looked: &Looked) -> worker::Result<Request> {
    let conditions = looked.conditions();
    if conditions.is_empty() {
        return Ok(request);
    }
    let mut asked = request.clone_mut()?;
    let headers = asked.headers_mut()?;
    for (name, value) in conditions {
        match value {
            Some(value) => headers.set(&name, &value)?,
            None => headers.delete(&name)?,
        }
    }
    Ok(asked)
}

/// The answer, and its limits.
fn told(answer: Response, decision: Option<&Decision>) -> worker::Result<Response> {
    let headers = answer.headers();
    for (name, value) in decision.map(Decision::headers).unwrap_or_default() {
        headers.set(name, &value)?;
    }
    Ok(answer)
}

fn refused(decision: &Decision) -> worker::Result<Response> {
    told(
        Problem::quota_exceeded(decision).response()?,
        Some(decision),
    )
}

impl Problem {
    /// As an answer that no cache keeps.
    ///
    /// # Errors
    /// The runtime's own.
    pub fn response(&self) -> worker::Result<Response> {
        let response = Response::ok(self.json())?.with_status(self.status);
        let headers = response.headers();
        headers.set("Content-Type", Self::CONTENT_TYPE)?;
        headers.set("Cache-Control", "no-store")?;
        Ok(response)
    }
}
