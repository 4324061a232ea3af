//! One request, from end to end.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use crate::auth::{Access, Tokens};
use crate::body::{self, BodyError};
use crate::command::{self, Command, Verdict, judge};
use crate::format::Format;
use crate::reply::{Reply, reply};
use crate::route::{self, Endpoint, Query};
use crate::stats::{self, Stats};
use crate::sync_token::SyncTokens;
use crate::upstream::{Outcome, Upstream, because};
use crate::{Config, Error, answer, cors};

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
        if config.token.is_empty() || config.read_only_token.as_deref() == Some("") {
            return Err(Error::config("a token may not be empty"));
        }
        if config.read_only_token.as_deref() == Some(config.token.as_str()) {
            return Err(Error::config("the two tokens must differ"));
        }
        Ok(Self {
            tokens: Tokens::new(config),
            upstream: Upstream::new(config)?,
            stats: Stats::default(),
            sync_tokens: SyncTokens::new(),
            max_request_bytes: config.max_request_bytes,
        })
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, peer: SocketAddr, request: Request) -> Response {
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

    fn stats(&self, peer: SocketAddr, request: &Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            answer::error(StatusCode::METHOD_NOT_ALLOWED, "ERR method not allowed")
        } else if stats::may_ask(peer, request.headers()) {
            answer::json(self.stats.json())
        } else {
            answer::error(StatusCode::FORBIDDEN, "ERR only this machine may ask")
        }
    }

    async fn rest(&self, request: Request) -> Result<Response, Response> {
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
        let mut answer = match endpoint {
            Endpoint::Command => {
                self.one(command::one(&body).map_err(bad)?, access, format)
                    .await
            }
            Endpoint::Path(segments) => {
                let command =
                    path_command(segments, &body, query).ok_or_else(|| bad("ERR empty command"))?;
                self.one(command, access, format).await
            }
            Endpoint::Pipeline => {
                let commands = command::several(&body).map_err(bad)?;
                self.pipeline(commands, access, format).await
            }
            Endpoint::MultiExec => {
                let commands = command::several(&body).map_err(bad)?;
                self.multi_exec(commands, access, format).await
            }
        }?;
        if let Ok(token) = HeaderValue::from_str(&self.sync_tokens.next()) {
            answer.headers_mut().insert("upstash-sync-token", token);
        }
        Ok(answer)
    }

    async fn body(&self, body: axum::body::Body) -> Result<Bytes, Response> {
        body::read(body, self.max_request_bytes)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => answer::error(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    &format!(
                        "ERR max request size exceeded. Limit: {} bytes",
                        self.max_request_bytes
                    ),
                ),
                BodyError::Broken => bad("ERR the request body ended early"),
            })
    }

    async fn one(
        &self,
        command: Command,
        access: Access,
        format: Format,
    ) -> Result<Response, Response> {
        let replies = self.run(vec![command], access).await?;
        let reply = replies.into_iter().next();
        Ok(answer::one(
            &reply.unwrap_or_else(|| Err("ERR".to_owned())),
            format,
        ))
    }

    async fn pipeline(
        &self,
        commands: Vec<Command>,
        access: Access,
        format: Format,
    ) -> Result<Response, Response> {
        let replies = self.run(commands, access).await?;
        Ok(answer::several(&replies, format))
    }

    /// Runs what may be run, in order; the others are answered in their places.
    async fn run(&self, commands: Vec<Command>, access: Access) -> Result<Vec<Reply>, Response> {
        let table = self
            .upstream
            .table(&commands)
            .await
            .map_err(answer::failure)?;
        let mut replies = Vec::with_capacity(commands.len());
        let mut sent = Vec::with_capacity(commands.len());
        for command in commands {
            replies.push(match judge(&command, access, &table) {
                Verdict::Send => {
                    sent.push(command);
                    None
                }
                Verdict::Answer(value) => Some(Ok(value)),
                Verdict::Refuse(error) => Some(Err(error)),
            });
        }
        let values = if sent.is_empty() {
            Vec::new()
        } else {
            self.stats.commands(sent.len());
            self.upstream.run(&sent).await.map_err(answer::failure)?
        };
        let mut values = values.into_iter();
        Ok(replies
            .into_iter()
            .filter_map(|reply_here| reply_here.or_else(|| values.next().map(reply)))
            .collect())
    }

    /// All or nothing: one command that is refused discards the others.
    async fn multi_exec(
        &self,
        commands: Vec<Command>,
        access: Access,
        format: Format,
    ) -> Result<Response, Response> {
        let table = self
            .upstream
            .table(&commands)
            .await
            .map_err(answer::failure)?;
        for command in &commands {
            if let Verdict::Refuse(error) = judge(command, access, &table) {
                return Err(bad(&because(&error)));
            }
        }
        self.stats.commands(commands.len());
        let outcome = self
            .upstream
            .transaction(&commands)
            .await
            .map_err(answer::failure)?;
        match outcome {
            Outcome::Done(values) => {
                let replies: Vec<Reply> = values.into_iter().map(reply).collect();
                Ok(answer::several(&replies, format.for_transaction()))
            }
            Outcome::Discarded(error) => Err(bad(&error)),
        }
    }
}

fn bad(text: &str) -> Response {
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
