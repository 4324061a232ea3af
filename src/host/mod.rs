//! The only door to the outside: time, randomness, sleeping and `fetch`.

mod fake;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
mod native;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
mod web;

use std::future::Future;
use std::pin::Pin;

use crate::error::EdgeError;

pub use fake::{Fake, Fault};
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub use native::Native;
#[cfg(all(feature = "web", target_arch = "wasm32"))]
pub use web::Web;

/// A future of one thread, as those of an edge runtime are.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What the client asks of the world. Dropping a future cancels what it stands for.
pub trait Host {
    /// Now, in epoch milliseconds.
    fn now(&self) -> u64;

    /// Fills `bytes` from a cryptographic source.
    ///
    /// # Errors
    /// `unsupported` when there is none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError>;

    /// Waits `ms` milliseconds.
    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()>;

    /// Whether a browser asks the server first which headers it may send (the Fetch standard's CORS preflight).
    fn preflights(&self) -> bool {
        false
    }

    /// Sends one POST and gathers its answer.
    ///
    /// Fails with `network` when no whole answer came; an answer of any status is an answer.
    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>>;

    /// Sends one POST and waits for no more than the head of its answer.
    ///
    /// Fails with `network` when none came.
    fn open(&self, request: Request) -> LocalFuture<'static, Result<Opened, EdgeError>>;
}

/// An answer that is still arriving.
pub struct Opened {
    /// Its head; the body there is empty.
    pub head: Response,
    /// What follows.
    pub body: Box<dyn Body>,
}

/// A body, chunk by chunk; dropping it ends the request.
pub trait Body {
    /// The next chunk, not read before it is asked for; `None` at the end.
    ///
    /// Fails with `network` when the connection is lost.
    fn chunk(&mut self) -> LocalFuture<'_, Result<Option<Vec<u8>>, EdgeError>>;
}

/// One POST.
#[derive(Clone)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, empty when there was none.
    pub content_type: String,
    /// `Upstash-Sync-Token`, when there was one.
    pub sync_token: Option<String>,
    /// `Retry-After`, when it was a number of seconds (RFC 9110, section 10.2.3).
    pub retry_after_ms: Option<u64>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// No reply of Redis is larger: a record may have 100 MB. What goes on sending longer is cut off there.
pub(crate) const LARGEST_ANSWER: usize = 128 << 20;

pub(crate) fn oversize() -> EdgeError {
    EdgeError::new(
        crate::error::ErrorKind::TooLarge,
        "the answer is larger than 128 MiB",
    )
}

pub(crate) const SYNC_TOKEN: &str = "upstash-sync-token";

/// What a `Retry-After` of seconds asks for; one with a date is as good as none.
pub(crate) fn retry_after_ms(header: Option<String>) -> Option<u64> {
    header?.trim_ascii().parse::<u64>().ok()?.checked_mul(1_000)
}

/// The runtime's randomness.
pub(crate) fn entropy(bytes: &mut [u8]) -> Result<(), EdgeError> {
    if fill(bytes) {
        return Ok(());
    }
    Err(EdgeError::new(
        crate::error::ErrorKind::Unsupported,
        "this runtime has no source of cryptographic randomness",
    ))
}

#[cfg(all(target_arch = "wasm32", not(feature = "web")))]
use crate::js::fill;

#[cfg(any(feature = "web", not(target_arch = "wasm32")))]
fn fill(bytes: &mut [u8]) -> bool {
    getrandom::fill(bytes).is_ok()
}
