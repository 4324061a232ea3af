//! The async pump: drives tasks and flows over a host's `fetch` and timers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::server::Format;
use super::task::{Mode, Task};
use super::{Redis, RequestEvent};
use crate::error::{EdgeError, ErrorKind};
use crate::host::{Request, Response};
use crate::wire::Commands;

impl Redis {
    /// Sends the commands until all are answered or time is up: again where only the form of a script was wrong, and
    /// again after a failure where that is harmless.
    pub(crate) async fn send(
        &self,
        commands: Commands,
        timeout_ms: Option<u64>,
        mode: Mode,
    ) -> Task {
        let shared = &self.shared;
        let timeout = timeout_ms.unwrap_or(shared.config.timeout_ms);
        let deadline = shared.host.now().saturating_add(timeout);
        // A clock that is set back gives nobody more time.
        let left = || deadline.saturating_sub(shared.host.now()).min(timeout);
        let mut task = Task::new(commands, mode);
        loop {
            let attempt = task.attempt();
            let Some(body) = task.write(&shared.server.borrow()) else {
                return task;
            };
            if left() == 0 {
                task.fail(&EdgeError::new(ErrorKind::Timeout, TOO_LATE));
                return task;
            }
            let (started, bytes_out) = (shared.host.now(), body.len());
            let answer = self.fetch(&task, body, left()).await;
            let bytes_in = answer.as_ref().map_or(0, |response| response.body.len());
            let (retry, drawn) = (shared.config.retry, self.drawn());
            let exchange = {
                let mut server = shared.server.borrow_mut();
                if answer.is_err() && shared.host.preflights() {
                    server.blocked(task.format());
                }
                task.read(answer, &mut server, retry, left(), drawn)
            };
            if let Some(observer) = &self.observer {
                observer(&RequestEvent {
                    commands: task.names(),
                    attempt,
                    duration_ms: shared.host.now().saturating_sub(started),
                    bytes_out,
                    bytes_in,
                    error: exchange.error,
                });
            }
            if exchange.wait_ms > 0 {
                shared.host.sleep(exchange.wait_ms).await;
            }
        }
    }

    /// For the jitter; a host without randomness waits without it.
    pub(super) fn drawn(&self) -> u64 {
        let mut drawn = [0xff; 8];
        let _ = self.shared.host.random(&mut drawn);
        u64::from_le_bytes(drawn)
    }

    /// One request of `body`, aborted when `ms` have passed.
    async fn fetch(&self, task: &Task, body: Vec<u8>, ms: u64) -> Result<Response, EdgeError> {
        let config = &self.shared.config;
        let wanted = match task.format() {
            Format::Resp2 => ("Upstash-Response-Format", "resp2".to_owned()),
            Format::Base64 => ("Upstash-Encoding", "base64".to_owned()),
        };
        let content_type = if task.is_raw() {
            "application/octet-stream"
        } else {
            "application/json"
        };
        let mut headers = vec![
            ("Authorization", config.authorization.clone()),
            ("Content-Type", content_type.to_owned()),
            wanted,
        ];
        if let Some(token) = self.shared.server.borrow().sync_token() {
            headers.push((crate::host::SYNC_TOKEN, token.to_owned()));
        }
        let request = Request {
            url: config.url.clone() + task.path(),
            headers,
            body,
        };
        let host = self.shared.host.as_ref();
        first(host.fetch(request), host.sleep(ms))
            .await
            .unwrap_or_else(|| Err(EdgeError::new(ErrorKind::Timeout, TOO_LATE)))
    }
}

pub(super) const TOO_LATE: &str = "no answer within the time allowed";

/// `work`, unless `limit` ends first.
pub(crate) async fn first<T>(
    work: impl Future<Output = T>,
    limit: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
    })
    .await
}
