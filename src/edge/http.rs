//! Between the types of the `worker` crate and plain data.

use std::future::poll_fn;
use std::pin::pin;

use futures_core::Stream;
use worker::{EncodeBody, Headers, Response, ResponseBody};

use crate::cache::{Answered, Head};

/// What is kept is at most so large.
const LARGEST_BODY: usize = 4 << 20;

/// The fields of a message.
pub(super) fn head(headers: &Headers) -> Head {
    headers.entries().collect()
}

/// An answer that the cache gives.
pub(super) fn response(answered: Answered) -> worker::Result<Response> {
    let headers = Headers::new();
    for (name, value) in answered.head.iter() {
        headers.append(name, value)?;
    }
    let bodiless = answered.body.is_empty();
    let response = Response::builder()
        .with_status(answered.status)
        .with_headers(headers)
        // What is encoded was stored so.
        .with_encode_body(EncodeBody::Manual);
    Ok(if bodiless {
        response.empty()
    } else {
        response.fixed(answered.body)
    })
}

/// Whether its length, where it tells one, allows to keep it.
pub(super) fn is_small(headers: &Headers) -> worker::Result<bool> {
    let told = headers.get("Content-Length")?;
    let length = told.and_then(|length| length.parse::<usize>().ok());
    Ok(length.is_none_or(|length| length <= LARGEST_BODY))
}

/// A response and its body twice: for the client, and to be read by [`whole`].
pub(super) fn twice(response: Response) -> (Response, Response) {
    let (head, body) = response.into_parts();
    let (first, second) = match body {
        ResponseBody::Empty => (ResponseBody::Empty, ResponseBody::Empty),
        ResponseBody::Body(bytes) => (ResponseBody::Body(bytes.clone()), ResponseBody::Body(bytes)),
        ResponseBody::Stream(stream) => {
            let halves = stream.tee();
            let half = |at| ResponseBody::Stream(halves.get(at).into());
            (half(0), half(1))
        }
    };
    (head.clone().body(first), head.body(second))
}

/// The body, if it arrives whole and is not too large: a client that is slow to read the other half makes the runtime
/// keep no more than that.
pub(super) async fn whole(mut response: Response) -> worker::Result<Option<Vec<u8>>> {
    if !matches!(response.body(), ResponseBody::Stream(_)) {
        return response.bytes().await.map(Some);
    }
    let mut stream = pin!(response.stream()?);
    let mut body = Vec::new();
    while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        let piece = piece?;
        if body.len() + piece.len() > LARGEST_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}
