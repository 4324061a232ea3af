//! HTTP answers.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use crate::format::Format;
use crate::reply::{Reply, json, resp};
use crate::upstream::Failure;

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// An answer: whole, or a stream of events.
pub(crate) type Answer = Response<Either<Full<Bytes>, Events>>;

/// A stream of events.
pub(crate) type Events = UnsyncBoxBody<Bytes, Infallible>;

/// The reply to one command; one that failed is a 400, in the format that was asked for.
pub(crate) fn one(reply: &Reply, format: Format) -> Answer {
    let status = match reply {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_REQUEST,
    };
    match format {
        Format::Json(strings) => answer(status, JSON, json::one(reply, strings)),
        Format::Resp2 => answer(status, BYTES, resp::one(reply)),
    }
}

/// The replies to several: a 200 whatever they are.
pub(crate) fn several(replies: &[Reply], format: Format) -> Answer {
    match format {
        Format::Json(strings) => answer(StatusCode::OK, JSON, json::several(replies, strings)),
        Format::Resp2 => answer(StatusCode::OK, BYTES, resp::several(replies)),
    }
}

/// The request makes no sense, or cannot be done.
pub(crate) fn bad(text: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, text)
}

/// What the gateway itself has to say is JSON, whatever was asked for.
pub(crate) fn error(status: StatusCode, text: &str) -> Answer {
    answer(status, JSON, json::error(text))
}

/// Redis gave no reply.
pub(crate) fn failure(failure: Failure) -> Answer {
    let status = match failure {
        Failure::Unreachable | Failure::Login | Failure::Lost => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Unauthorized => StatusCode::UNAUTHORIZED,
        Failure::TimedOut => StatusCode::GATEWAY_TIMEOUT,
    };
    error(status, failure.text())
}

/// Nothing but headers.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// A stream of events.
pub(crate) fn events(events: Events) -> Answer {
    let mut answer = Response::new(Either::Right(events));
    head(&mut answer, "text/event-stream");
    answer
}

/// Some JSON.
pub(crate) fn json(text: String) -> Answer {
    answer(StatusCode::OK, JSON, text.into_bytes())
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(body)));
    *answer.status_mut() = status;
    head(&mut answer, content_type);
    answer
}

fn head(answer: &mut Answer, content_type: &'static str) {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
