//! The host of native programs and tests: tokio and plain HTTP.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    Body, Host, LARGEST_ANSWER, LocalFuture, Opened, Request, Response, SYNC_TOKEN, entropy,
    oversize, retry_after_ms,
};
use crate::error::{EdgeError, ErrorKind};

/// Runs inside a tokio runtime; speaks `http:` only.
pub struct Native {
    http: reqwest::Client,
}

impl Default for Native {
    fn default() -> Self {
        // A redirect would carry keys and values to another host.
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: builder.build().unwrap_or_default(),
        }
    }
}

impl Host for Native {
    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError> {
        entropy(bytes)
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(ms)))
    }

    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>> {
        let answer = self.send(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(lost)? {
                if body.len() + part.len() > LARGEST_ANSWER {
                    return Err(oversize());
                }
                body.extend_from_slice(&part);
            }
            Ok(Response {
                body,
                ..head(&answer)
            })
        })
    }

    fn open(&self, request: Request) -> LocalFuture<'static, Result<Opened, EdgeError>> {
        let answer = self.send(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(Opened {
                head: head(&answer),
                body: Box::new(answer),
            })
        })
    }
}

impl Native {
    fn send(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<reqwest::Response, EdgeError>> + 'static {
        let mut post = self.http.post(request.url).body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        async { post.send().await.map_err(lost) }
    }
}

impl Body for reqwest::Response {
    fn chunk(&mut self) -> LocalFuture<'_, Result<Option<Vec<u8>>, EdgeError>> {
        Box::pin(async {
            let chunk = reqwest::Response::chunk(self).await.map_err(lost)?;
            Ok(chunk.map(|bytes| bytes.to_vec()))
        })
    }
}

fn head(answer: &reqwest::Response) -> Response {
    let header = |name: &str| {
        let value = answer.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Response {
        status: answer.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        sync_token: header(SYNC_TOKEN),
        retry_after_ms: retry_after_ms(header("retry-after")),
        body: Vec::new(),
    }
}

/// The cause is dropped: it may hold the URL.
fn lost(_: reqwest::Error) -> EdgeError {
    EdgeError::new(ErrorKind::Network, "no answer from the Redis REST server")
}
