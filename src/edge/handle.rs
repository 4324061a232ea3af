//! A request of a Rust Worker through an [`Edge`].

use worker::{Context, Headers, Request, Response};

use super::{Edge, Problem, Visit};
use crate::client::Redis;
use crate::error::EdgeError;
use crate::ratelimit::{Decision, Identifier};

impl Edge {
    /// Answers one request: reads what it needs in one trip, refuses, or runs `handler` and saves what that changed.
    ///
    /// `id` is whom the limiter counts, `None` for nobody. A refusal is a 429 with `RateLimit`, `Retry-After` and a
    /// [`Problem`]; an answer that passes tells its limits as well. A session's cookies are put on the answer.
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
        handler: impl AsyncFnOnce(Request, &mut Visit) -> Result<Response, E>,
    ) -> Result<Response, E>
    where
        E: From<EdgeError> + From<worker::Error>,
    {
        let cookies = request.headers().get("Cookie")?.unwrap_or_default();
        let mut visit = redis.run(self.open(id, &cookies)).await?;
        if let Some(refusal) = visit.decision.as_ref().filter(|it| !it.allowed) {
            return Ok(refused(refusal)?);
        }
        let response = handler(request, &mut visit).await?;
        let told = response.headers().get("Cache-Control")?;
        let background = |save| context.wait_until(save);
        let closed = self.close(redis, &mut visit, told.as_deref(), background);
        let closed = closed.await?;
        if response.status_code() == 101 {
            // A WebSocket: its head cannot be changed.
            return Ok(response);
        }
        // A copy, for those of an answer that `fetch` made cannot be changed.
        let headers = response.headers().clone();
        if let Some(told) = closed.cache_control {
            headers.set("Cache-Control", &told)?;
        }
        for cookie in closed.cookies {
            headers.append("Set-Cookie", &cookie)?;
        }
        if let Some(decision) = &visit.decision {
            tell(decision, &headers)?;
        }
        Ok(response.with_headers(headers))
    }
}

fn tell(decision: &Decision, headers: &Headers) -> worker::Result<()> {
    for (name, value) in decision.headers() {
        headers.set(name, &value)?;
    }
    Ok(())
}

fn refused(decision: &Decision) -> worker::Result<Response> {
    let response = Problem::quota_exceeded(decision).response()?;
    tell(decision, response.headers())?;
    Ok(response)
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
