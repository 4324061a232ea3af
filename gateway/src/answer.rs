//! HTTP answers.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::format::Format;
use crate::reply::{Reply, json, resp};
use crate::upstream::Failure;

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// The reply to one command; one that failed is a 400, in the format that was asked for.
pub(crate) fn one(reply: &Reply, format: Format) -> Response {
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
pub(crate) fn several(replies: &[Reply], format: Format) -> Response {
    match format {
        Format::Json(strings) => answer(StatusCode::OK, JSON, json::several(replies, strings)),
        Format::Resp2 => answer(StatusCode::OK, BYTES, resp::several(replies)),
    }
}

/// What the gateway itself has to say is JSON, whatever was asked for.
pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    answer(status, JSON, json::error(text))
}

/// Redis gave no reply.
pub(crate) fn failure(failure: Failure) -> Response {
    let status = match failure {
        Failure::Unreachable | Failure::Login | Failure::Lost => StatusCode::SERVICE_UNAVAILABLE,
        Failure::TimedOut => StatusCode::GATEWAY_TIMEOUT,
    };
    error(status, failure.text())
}

/// Some JSON.
pub(crate) fn json(text: String) -> Response {
    answer(StatusCode::OK, JSON, text.into_bytes())
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
