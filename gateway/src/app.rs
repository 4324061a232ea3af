//! One request, from end to end.

use std::net::SocketAddr;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};

use crate::answer::{self, Answer};
use crate::auth::Tokens;
use crate::body::{self, BodyError};
use crate::command::{self, Command};
use crate::execute::Execution;
use crate::format::Format;
use crate::route::{self, Endpoint, Query};
use crate::stats::{self, Stats};
use crate::sync_token::SyncTokens;
use crate::upstream::Upstream;
use crate::{Config, Error, cors};

/// What every request needs.
pub(crate) struct App {
    tokens: Tokens,
    upstream: Upstream,
    stats: Stats,
    sync_tokens: SyncTokens,
    max_request_bytes: usize,
}

impl App {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            tokens: Tokens::new(config)?,
            upstream: Upstream::new(config)?,
            stats: Stats::default(),
            sync_tokens: SyncTokens::new(),
            max_request_bytes: config.max_request_bytes,
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
        let with_body = matches!(parts.method, Method::POST | Method::PUT);
        if !with_body && !matches!(parts.method, Method::GET | Method::HEAD) {
            let text = "ERR method not allowed";
            return Err(answer::error(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        let query = route::query(&parts.uri).ok_or_else(|| bad("ERR invalid query"))?;
        let access = self
            .tokens
            .access(&parts.headers, query.token.as_deref())
            .ok_or_else(|| answer::error(StatusCode::UNAUTHORIZED, "Unauthorized"))?;
        let format = Format::of(&parts.headers).map_err(bad)?;
        let endpoint = route::endpoint(&parts.uri).ok_or_else(|| bad("ERR invalid path"))?;
        let body = if with_body {
            self.body(body).await?
        } else {
            Bytes::new()
        };
        let execution = Execution {
            upstream: &self.upstream,
            access,
            stats: &self.stats,
        };
        let mut answer = run(&execution, endpoint, body, query, format).await?;
        if let Ok(token) = HeaderValue::from_str(&self.sync_tokens.next()) {
            answer.headers_mut().insert("upstash-sync-token", token);
        }
        Ok(answer)
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Answer> {
        let limit = self.max_request_bytes;
        body::read(body, limit).await.map_err(|error| match error {
            BodyError::TooLarge => answer::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("ERR max request size exceeded. Limit: {limit} bytes"),
            ),
            BodyError::Broken => bad("ERR the request body ended early"),
        })
    }
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
            let command =
                path_command(segments, &body, query).ok_or_else(|| bad("ERR empty command"))?;
            one(execution, command, format).await
        }
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
        .ok_or_else(|| answer::failure(crate::upstream::Failure::Lost))
}

fn bad(text: &str) -> Answer {
    answer::error(StatusCode::BAD_REQUEST, text)
}

/// The body, if there is one, is the last argument but for those of the query.
fn path_command(mut segments: Vec<Vec<u8>>, body: &Bytes, query: Query) -> Option<Command> {
    if !body.is_empty() {
        segments.push(body.to_vec());
    }
    segments.extend(query.arguments);
    Command::new(segments)
}
