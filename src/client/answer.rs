//! What an HTTP answer means.

use super::server::Format;
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::wire::{json_error_text, json_one_to_resp, json_to_resp};

/// The RESP2 of an answer; to `one` command that failed it is a 400.
///
/// # Errors
/// What its status or its error text says.
pub(super) fn body_of(response: Response, format: Format, one: bool) -> Result<Vec<u8>, EdgeError> {
    let json = is_json(&response);
    let base64 = format == Format::Base64;
    match response.status {
        200 if is_bytes(&response) => Ok(response.body),
        400 if one && is_bytes(&response) && response.body.starts_with(b"-") => Ok(response.body),
        400 if one && json && json_error_text(&response.body).is_some() => {
            json_one_to_resp(&response.body, base64)
        }
        200 if json && one => json_one_to_resp(&response.body, base64),
        200 if json => match json_error_text(&response.body) {
            Some(text) => Err(EdgeError::from_redis(&text)),
            None => json_to_resp(&response.body, base64),
        },
        200 => Err(no_server()),
        401 => Err(EdgeError::new(
            ErrorKind::Unauthorized,
            "the server refused the token",
        )),
        403 => Err(EdgeError::new(
            ErrorKind::Forbidden,
            "the server forbids this request",
        )),
        413 => Err(EdgeError::new(
            ErrorKind::TooLarge,
            "the request is larger than the server takes",
        )),
        429 => Err(EdgeError::new(
            ErrorKind::QuotaExceeded,
            "the server answered 429: too many requests",
        )),
        408 | 500.. => Err(EdgeError::new(
            ErrorKind::ServerError,
            "the server, or something in front of it, failed",
        )),
        _ => Err(match json_error_text(&response.body) {
            Some(text) => EdgeError::from_redis(&text),
            None => no_server(),
        }),
    }
}

fn is_bytes(response: &Response) -> bool {
    response
        .content_type
        .starts_with("application/octet-stream")
}

pub(super) fn is_json(response: &Response) -> bool {
    response.content_type.starts_with("application/json")
}

pub(super) fn holds_replacement(body: &[u8], at: usize, length: usize) -> bool {
    let reply = body.get(at..at.saturating_add(length)).unwrap_or_default();
    reply.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes())
}

/// Not an outage: a failure policy would leave it unnoticed for ever.
fn no_server() -> EdgeError {
    EdgeError::config("url: what answers there is not a Redis REST server")
}
