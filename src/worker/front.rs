//! The Worker as the front of an origin: every request outside `/api/` passes through an [`Edge`].

use std::cell::OnceCell;
use std::rc::Rc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use worker::{Context, Env, Request, Response, console_error, console_log};

use super::app::{App, Trips, text};
use super::input::Target;
use super::origin::{Asker, Origin};
use super::watch;
use crate::cache::Head;
use crate::edge::{Edge, Problem, Visit};
use crate::error::{EdgeError, ErrorKind};
use crate::front::config::{Config, Log};
use crate::front::headers::{LOGIN, LOGOUT, drops_request};
use crate::front::path::readable;
use crate::front::rules::Caching;
use crate::front::visitor::{By, Visitor};
use crate::session::Session;

type Read = Result<Option<Rc<Config>>, EdgeError>;

thread_local! {
    /// Read once for an isolate, whose variables never change; the limiters in it remember refusals, and the cache counts.
    static CONFIG: OnceCell<Read> = const { OnceCell::new() };
}

/// The front's configuration; `None` where there is no origin.
pub(super) fn config(env: &Env) -> Read {
    CONFIG.with(|config| {
        let read = || {
            let read = Config::read(&|name| text(env, name));
            if let Err(error) = &read {
                console_error!("{}", error);
            }
            read.map(|config| config.map(Rc::new))
        };
        config.get_or_init(read).clone()
    })
}

/// Why a request gets no better answer, and a code for the log.
struct Failed {
    problem: Problem,
    code: &'static str,
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        let code = match problem.status {
            400..500 => "bad_request",
            504 => "origin_timeout",
            _ => "origin",
        };
        Self { problem, code }
    }
}

impl From<EdgeError> for Failed {
    fn from(error: EdgeError) -> Self {
        let problem = match error.kind() {
            ErrorKind::Conflict => Problem::new(409, "Conflict"),
            _ if error.is_outage() => Problem::new(503, "Service Unavailable"),
            _ => Problem::new(500, "Internal Server Error"),
        };
        Self {
            problem,
            code: error.code(),
        }
    }
}

/// The runtime's own failures.
impl From<worker::Error> for Failed {
    fn from(_: worker::Error) -> Self {
        Self {
            problem: Problem::new(500, "Internal Server Error"),
            code: "runtime",
        }
    }
}

/// One request, as a line of the log: no query, no header, no address.
#[derive(Serialize)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    ms: u64,
    #[serde(rename = "redisRequests")]
    redis_requests: usize,
    #[serde(rename = "redisMs")]
    redis_ms: u64,
    /// As the client is told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Answers one request.
pub(super) async fn serve(
    config: &Rc<Config>,
    request: Request,
    env: &Env,
    context: &Context,
) -> worker::Result<Response> {
    let started = worker::Date::now().as_millis();
    let target = Rc::new(Target::as_sent(&request));
    let method = request.inner().method();
    let trips = Rc::new(Trips::default());
    let passed = match App::counting(env, context, Rc::clone(&trips)) {
        Ok(app) => pass(config, request, &target, &app).await,
        Err(error) => Err(error.into()),
    };
    let (response, error) = match passed {
        Ok(response) => (response, None),
        Err(failed) => (failed.problem.response()?, Some(failed.code)),
    };
    watch::saw(&response, started, &trips, env);
    let failed = error.is_some() && response.status_code() >= 500;
    let worth = if failed { Log::Errors } else { Log::Requests };
    if config.log >= worth {
        let line = Line {
            method: &method,
            path: target.path(),
            status: response.status_code(),
            ms: worker::Date::now().as_millis().saturating_sub(started),
            redis_requests: trips.requests.get(),
            redis_ms: trips.ms.get(),
            cache: response.headers().get("Cache-Status")?,
            error,
        };
        console_log!("{}", serde_json::to_string(&line).unwrap_or_default());
    }
    Ok(response)
}

async fn pass(
    config: &Rc<Config>,
    request: Request,
    target: &Rc<Target>,
    app: &App<'_>,
) -> Result<Response, Failed> {
    let bad = |detail| Problem::new(400, "Bad Request").detail(detail);
    let method = request.inner().method();
    if matches!(method.as_str(), "CONNECT" | "TRACE" | "TRACK") {
        // They are about a connection to this server, and TRACE tells a page the headers it may not see.
        return Err(Problem::new(501, "Not Implemented").into());
    }
    let path = readable(target.path()).ok_or_else(|| bad("the path holds an encoded .."))?;
    let policy = config.policy(&path);
    let headers = request.headers();
    let address = headers.get(&config.address_header)?;
    let cookies = headers.get("cookie")?.unwrap_or_default();
    let header = match &config.by {
        By::Header(name) => headers.get(name)?,
        _ => None,
    };
    let visitor = Visitor {
        address: address.as_deref(),
        cookies: &cookies,
        header: header.as_deref(),
    };
    let mut edge = Edge::new().on_session_failure(config.on_session_failure);
    let mut id = None;
    if let Some(limiter) = &policy.limiter {
        let told = visitor.id(&config.by, config.sessions.as_ref());
        // All such visitors would share one quota.
        let told = told.ok_or_else(|| bad("nothing tells who sent the request"))?;
        id = Some(told.as_str().into());
        edge = edge.limiter(limiter.clone());
    }
    if let Some(sessions) = config.sessions.as_ref().filter(|_| policy.sessions) {
        edge = edge.sessions(sessions.clone());
    }
    let upgrades = headers.has("upgrade")?;
    if policy.caching != Caching::Off && !upgrades {
        edge = edge.cache(config.cache.clone());
        if let Caching::For(ms) = policy.caching {
            edge = edge.ttl_ms(ms)?;
        }
    }
    // Of what the origin does not get no answer is made.
    let reads = matches!(method.as_str(), "GET" | "HEAD");
    let connection = headers.get("connection")?.unwrap_or_default();
    let kept = |(name, _): &(String, String)| !drops_request(name, &connection, reads);
    let head: Head = headers.entries().filter(kept).collect();
    let open = edge.open(id, &cookies).look(&method, target.url(), &head)?;
    let open = open.in_background();
    // A handler of its own, for it may be asked again behind the answer.
    let (config, target) = (Rc::clone(config), Rc::clone(target));
    let handler = async move |request: Request, visit: &mut Visit| {
        let user = visit.session().and_then(|session| session.user_id());
        let user = user.map(|user| utf8_percent_encode(user, &ESCAPED).to_string());
        let asker = Asker {
            address: address.as_deref(),
            user: user.as_deref(),
        };
        let origin = Origin {
            base: &config.origin,
            timeout_ms: config.origin_timeout_ms,
        };
        let answer = origin.ask(&request, &target, &asker).await?;
        obey(&answer, visit.session())?;
        Ok::<_, Failed>(answer)
    };
    let (redis, context) = (&app.redis, app.context);
    edge.handle_opened(redis, app.carrying(open), request, context, handler)
        .await
}

/// What a header's value cannot hold, and the escape itself.
const ESCAPED: AsciiSet = CONTROLS.add(b' ').add(b'%');

/// Does what the origin says of the visitor's session; the client does not hear of it.
fn obey(answer: &Response, session: Option<&mut Session>) -> Result<(), Failed> {
    let headers = answer.headers();
    let (login, logout) = (headers.get(LOGIN)?, headers.get(LOGOUT)?);
    if answer.status_code() == 101 {
        return Ok(());
    }
    headers.delete(LOGIN)?;
    headers.delete(LOGOUT)?;
    let Some(session) = session else {
        return Ok(());
    };
    if logout.is_some() {
        session.destroy();
    } else if let Some(user) = login {
        let user = percent_decode_str(&user).decode_utf8();
        let user = user.map_err(|_| Problem::new(502, "Bad Gateway"))?;
        session.login(&*user)?;
    }
    Ok(())
}
