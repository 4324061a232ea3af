//! One request, from end to end.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};

use crate::answer::{self, Answer, bad};
use crate::auth::{Caller, Tokens};
use crate::body::{self, BodyError};
use crate::command::{self, Command};
use crate::execute::Execution;
use crate::format::Format;
use crate::route::{self, Endpoint, Query};
use crate::scripts::Scripts;
use crate::stats::{self, Stats};
use crate::sync_token::SyncTokens;
use crate::upstream::{Failure, Upstream};
use crate::{Config, Error, cors, events};

/// What every request needs.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) tokens: Tokens,
    /// Redis as the gateway itself sees it.
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) stats: Stats,
    pub(crate) scripts: Scripts,
    sync_tokens: SyncTokens,
}

impl App {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let upstream = Arc::new(Upstream::new(&config, None)?);
        Ok(Self {
            tokens: Tokens::new(&config, &upstream)?,
            upstream,
            stats: Stats::default(),
            scripts: Scripts::default(),
            sync_tokens: SyncTokens::new(),
            config,
        })
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, peer: SocketAddr, request: Request<Incoming>) -> Answer {
        let mut answer = if request.method() == Method::OPTIONS {
            cors::preflight(request.headers())
        } else if request.uri().path() == "/stats" {
            self.stats(peer, &request)
        } else {
            self.stats.request();
            self.rest(request).await.unwrap_or_else(|refusal| refusal)
        };
        cors::open(&mut answer);
        answer
    }

    fn stats(&self, peer: SocketAddr, request: &Request<Incoming>) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            answer::error(StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed")
        } else if stats::may_ask(peer, request.headers()) {
            answer::json(self.stats.json())
        } else {
            answer::error(StatusCode::FORBIDDEN, "ERR only this machine may ask")
        }
    }

    async fn rest(&self, request: Request<Incoming>) -> Result<Answer, Answer> {
        let (parts, body) = request.into_parts();
        let admitted = match self.admit(&parts) {
            Ok(admitted) => admitted,
            Err((status, text)) => {
                body::discard(body).await;
                return Err(answer::error(status, text));
            }
        };
        let body = if has_body(&parts.method) {
            self.body(body).await?
        } else {
            Bytes::new()
        };
        let execution = Execution {
            app: self,
            caller: admitted.caller,
        };
        let Admitted {
            endpoint,
            query,
            format,
            ..
        } = admitted;
        let mut answer = run(&execution, endpoint, body, query, format).await?;
        if !self.config.json_only
            && let Ok(token) = HeaderValue::from_str(&self.sync_tokens.next())
        {
            answer.headers_mut().insert("upstash-sync-token", token);
        }
        Ok(answer)
    }

    /// What can be told before the body is read.
    fn admit(&self, parts: &Parts) -> Result<Admitted, Refusal> {
        let bad = |text| (StatusCode::BAD_REQUEST, text);
        if !has_body(&parts.method) && !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed"));
        }
        let query = route::query(&parts.uri).ok_or(bad("ERR invalid query"))?;
        let query_token = query.token.as_deref().filter(|_| !self.config.json_only);
        let caller = self
            .tokens
            .caller(&parts.headers, query_token)
            .ok_or((StatusCode::UNAUTHORIZED, "Unauthorized"))?;
        let endpoint = route::endpoint(&parts.uri).ok_or(bad("ERR invalid path"))?;
        let format = if self.config.json_only {
            json_only(parts, &endpoint)?
        } else {
            Format::of(&parts.headers).map_err(bad)?
        };
        Ok(Admitted {
            caller,
            endpoint,
            query,
            format,
        })
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Answer> {
        let (limit, time) = (self.config.max_request_bytes, self.config.request_timeout);
        let read = body::read(body, limit, time).await;
        read.map_err(|error| match error {
            BodyError::TooLarge => answer::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("ERR max request size exceeded. Limit: {limit} bytes"),
            ),
            BodyError::Slow => answer::error(
                StatusCode::REQUEST_TIMEOUT,
                "ERR the request body did not come in time",
            ),
            BodyError::Broken => bad("ERR the request body ended early"),
        })
    }
}

/// A request whose head is in order.
struct Admitted {
    caller: Caller,
    endpoint: Endpoint,
    query: Query,
    format: Format,
}

type Refusal = (StatusCode, &'static str);

fn has_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT)
}

/// What a server that speaks only JSON serves, and in which format.
fn json_only(parts: &Parts, endpoint: &Endpoint) -> Result<Format, Refusal> {
    if matches!(endpoint, Endpoint::Path(_) | Endpoint::Listen(_)) {
        return Err((StatusCode::NOT_FOUND, "ERR endpoint not found"));
    }
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    if has_body(&parts.method) && content_type.is_none_or(|value| value != "application/json") {
        let text = "Invalid content type. Expected application/json.";
        return Err((StatusCode::BAD_REQUEST, text));
    }
    Ok(Format::of_json_only(&parts.headers))
}

async fn run(
    execution: &Execution<'_>,
    endpoint: Endpoint,
    body: Bytes,
    query: Query,
    format: Format,
) -> Result<Answer, Answer> {
    match endpoint {
        Endpoint::Command => one(execution, command::one(&body).map_err(bad)?, format).await,
        Endpoint::Path(segments) => {
            let command = path_command(segments, &body, query);
            one(
                execution,
                command.ok_or_else(|| bad("ERR empty command"))?,
                format,
            )
            .await
        }
        Endpoint::Listen(command) => events::stream(execution, &command).await,
        Endpoint::Pipeline => {
            let commands = command::several(&body).map_err(bad)?;
            let replies = execution.run(commands).await.map_err(answer::failure)?;
            Ok(answer::several(&replies, format))
        }
        Endpoint::MultiExec => {
            let commands = command::several(&body).map_err(bad)?;
            let replies = execution
                .transaction(commands)
                .await
                .map_err(answer::failure)?
                .map_err(|discarded| bad(&discarded))?;
            Ok(answer::several(&replies, format.for_transaction()))
        }
    }
}

async fn one(
    execution: &Execution<'_>,
    command: Command,
    format: Format,
) -> Result<Answer, Answer> {
    let replies = execution
        .run(vec![command])
        .await
        .map_err(answer::failure)?;
    replies
        .first()
        .map(|reply| answer::one(reply, format))
        .ok_or_else(|| answer::failure(Failure::Lost))
}

/// The body, if there is one, is the last argument but for those of the query.
fn path_command(mut segments: Vec<Vec<u8>>, body: &Bytes, query: Query) -> Option<Command> {
    if !body.is_empty() {
        segments.push(body.to_vec());
    }
    segments.extend(query.arguments);
    Command::new(segments)
}
