//! One source of a subscription: the async pump of a [`Listener`].

use std::cell::Cell;
use std::rc::Rc;

use super::listener::{After, Ended, Heard, Listener};
use super::pump::{TOO_LATE, first};
use super::{Message, Redis, RequestEvent};
use crate::error::{EdgeError, ErrorKind};
use crate::host::{Body, LocalFuture, Opened, Request};

/// More of an answer that is no stream is not read.
const LARGEST_REFUSAL: usize = 1 << 16;

/// What one source says next.
pub(super) enum Step {
    Told(Message, Box<Source>),
    Split(Vec<Source>),
    Over(EdgeError),
}

/// One request's names and, while there is one, its stream.
pub(super) struct Source {
    redis: Redis,
    listener: Listener,
    reconnect: Rc<Cell<bool>>,
    open: Option<Open>,
    /// How long may be waited until all is subscribed to.
    left_ms: u64,
}

struct Open {
    body: Box<dyn Body>,
    started: u64,
    bytes_in: usize,
}

impl Source {
    pub fn new(redis: Redis, listener: Listener, reconnect: Rc<Cell<bool>>) -> Self {
        Self {
            left_ms: redis.shared.config.timeout_ms,
            redis,
            listener,
            reconnect,
            open: None,
        }
    }

    /// Goes on to the next thing it says, through as many requests as that takes.
    pub async fn step(mut self) -> Step {
        loop {
            let started = self.redis.now();
            let mut asked_ms = None;
            let error = match self.hear(&mut asked_ms).await {
                Ok(heard) => return Step::Told(self.message(heard), Box::new(self)),
                Err(error) => error,
            };
            // Dropped, it is aborted.
            let open = self.open.take();
            let (started, bytes_in) =
                open.map_or((started, 0), |open| (open.started, open.bytes_in));
            let lived_ms = self.redis.now().saturating_sub(started);
            if let Some(observer) = &self.redis.observer {
                observer(&RequestEvent {
                    commands: vec![self.listener.command()],
                    attempt: self.listener.attempt(),
                    duration_ms: lived_ms,
                    bytes_out: 0,
                    bytes_in,
                    error: Some(error.clone()),
                });
            }
            let ended = Ended {
                reconnect: self.reconnect.get(),
                lived_ms,
                left_ms: self.left_ms,
                asked_ms,
                drawn: self.redis.drawn(),
            };
            match self.listener.ended(error, &ended) {
                Ok(After::Wait(ms)) => {
                    self.redis.shared.host.sleep(ms).await;
                    self.left_ms = if self.listener.was_subscribed() {
                        self.redis.shared.config.timeout_ms
                    } else {
                        self.left_ms.saturating_sub(ms)
                    };
                }
                Ok(After::Split) => {
                    let mut split = Vec::new();
                    while let Some(one) = self.listener.take_one() {
                        let reconnect = Rc::clone(&self.reconnect);
                        split.push(Self::new(self.redis.clone(), one, reconnect));
                    }
                    return Step::Split(split);
                }
                Err(error) => return Step::Over(error),
            }
        }
    }

    /// What is heard next, over the stream that is open or over a new one.
    async fn hear(&mut self, asked_ms: &mut Option<u64>) -> Result<Heard, EdgeError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.ask(asked_ms).await?,
        };
        loop {
            match self.listener.next() {
                Ok(None) => {}
                heard => {
                    self.open = Some(open);
                    return heard?.ok_or_else(lost);
                }
            }
            let chunk = self.within(open.body.chunk()).await;
            match chunk {
                Ok(Some(chunk)) => {
                    open.bytes_in += chunk.len();
                    self.listener.push_chunk(chunk);
                }
                ended => {
                    self.open = Some(open);
                    return Err(ended.err().unwrap_or_else(lost));
                }
            }
        }
    }

    async fn ask(&mut self, asked_ms: &mut Option<u64>) -> Result<Open, EdgeError> {
        let started = self.redis.now();
        let config = &self.redis.shared.config;
        let request = Request {
            url: config.url.clone() + &self.listener.request(),
            headers: vec![
                ("Authorization", config.authorization.clone()),
                ("Accept", "text/event-stream".to_owned()),
            ],
            body: Vec::new(),
        };
        let opening = self.redis.shared.host.open(request);
        let Opened { mut head, mut body } = self.within(opening).await?;
        if !self.listener.accepts(head.status, &head.content_type) {
            while let Some(chunk) = self.within(body.chunk()).await? {
                head.body.extend_from_slice(&chunk);
                if head.body.len() > LARGEST_REFUSAL {
                    break;
                }
            }
            *asked_ms = head.retry_after_ms;
            return Err(Listener::refusal(head));
        }
        Ok(Open {
            body,
            started,
            bytes_in: 0,
        })
    }

    /// Waits, and not for ever before the subscription is there. A slow reader takes none of that time.
    async fn within<T>(
        &mut self,
        work: LocalFuture<'_, Result<T, EdgeError>>,
    ) -> Result<T, EdgeError> {
        if self.listener.is_subscribed() {
            return work.await;
        }
        let host = self.redis.shared.host.as_ref();
        let started = host.now();
        let done = first(work, host.sleep(self.left_ms)).await;
        let waited = host.now().saturating_sub(started);
        self.left_ms = self.left_ms.saturating_sub(waited);
        done.unwrap_or_else(|| Err(EdgeError::new(ErrorKind::Timeout, TOO_LATE)))
    }

    fn message(&self, heard: Heard) -> Message {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pattern = |name| {
            let name = self.listener.name(name).to_owned();
            self.listener.patterns().then_some(name)
        };
        match heard {
            Heard::Message {
                name,
                line,
                channel,
                message,
            } => Message::Published {
                channel: text(line.get(channel).unwrap_or_default()),
                pattern: pattern(name),
                message: text(line.get(message..).unwrap_or_default()),
            },
            Heard::Subscribed { name, again } => {
                let (channel, pattern) = (self.listener.name(name).to_owned(), pattern(name));
                if again {
                    Message::Reconnected { channel, pattern }
                } else {
                    Message::Subscribed { channel, pattern }
                }
            }
        }
    }
}

fn lost() -> EdgeError {
    EdgeError::new(ErrorKind::Network, "the subscription's connection was lost")
}
