//! What a browser asks first, and what every answer tells it.

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};

use crate::answer::{self, Answer};

const METHODS: &str = "GET, HEAD, POST, PUT, OPTIONS";
const HEADERS: &str = "Authorization, Content-Type, Accept, Cache-Control, Upstash-Encoding, Upstash-Response-Format, \
    Upstash-Sync-Token, Upstash-Telemetry-Sdk, Upstash-Telemetry-Platform, Upstash-Telemetry-Runtime";

/// The answer to a preflight. `*` does not cover `Authorization`, so the headers are named; others
/// of the `upstash-` family are allowed when asked for.
pub(crate) fn preflight(asked: &HeaderMap) -> Answer {
    let mut allowed = String::from(HEADERS);
    let wanted = asked
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for name in wanted.split(',').map(str::trim) {
        if name.to_ascii_lowercase().starts_with("upstash-") {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    let mut answer = answer::empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(METHODS),
    );
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    answer
}

/// Lets a page read this answer, and the sync token in it.
pub(crate) fn open(answer: &mut Answer) {
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("upstash-sync-token"),
    );
}
