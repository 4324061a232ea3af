//! A request body, within the limit.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// How much of a body that nobody wants is still read, and for how long.
const DRAIN_BYTES: usize = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// It did not come in time.
    Slow,
    /// The client went away, or sent something that is not HTTP.
    Broken,
}

/// The whole body, if it is at most `limit` bytes long and there by then.
pub(crate) async fn read(body: Incoming, limit: usize, time: Duration) -> Result<Bytes, BodyError> {
    let whole = tokio::time::timeout(time, gather(body, limit));
    whole.await.unwrap_or(Err(BodyError::Slow))
}

async fn gather(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut all = Vec::new();
    let mut too_large = announced > limit;
    if !too_large {
        all.reserve_exact(announced);
    }
    while !too_large {
        match data(&mut body).await {
            None => return Ok(all.into()),
            Some(Err(_)) => return Err(BodyError::Broken),
            Some(Ok(chunk)) if chunk.len() > limit - all.len() => too_large = true,
            Some(Ok(chunk)) => all.extend_from_slice(&chunk),
        }
    }
    drop(all);
    discard(body).await;
    Err(BodyError::TooLarge)
}

/// Reads a body that nobody wants, before the refusal: a client that is cut off while it sends sees
/// a broken connection instead of the answer. Not for ever: then it gets its answer as it is.
pub(crate) async fn discard(mut body: Incoming) {
    let drain = async {
        let mut drained = 0;
        while let Some(Ok(chunk)) = data(&mut body).await {
            drained += chunk.len();
            if drained > DRAIN_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
}

/// The next bytes; trailers are empty ones.
async fn data(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}
