//! Subscriptions as a stream: the async pump of [`Listener`]s.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::listener::{After, Ended, Heard, Listener};
use super::pump::{TOO_LATE, first};
use super::{Redis, RequestEvent};
use crate::error::{EdgeError, ErrorKind};
use crate::host::{Body, LocalFuture, Opened, Request};

/// More of an answer that is no stream is not read.
const LARGEST_REFUSAL: usize = 1 << 16;

/// What a [`Subscription`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A message was published. Its line breaks are line feeds, whatever they were: an event stream carries no others.
    Published {
        /// Where.
        channel: String,
        /// The pattern that the channel matches, when patterns were asked for.
        ///
        /// The protocol does not say where such a channel ends: it is taken to hold the commas of the pattern and no
        /// other. Subscribe by name to channels with commas.
        pattern: Option<String>,
        /// What.
        message: String,
    },
    /// From now on messages come.
    Subscribed {
        /// The channel, or the pattern.
        channel: String,
        /// The pattern, if it is one.
        pattern: Option<String>,
    },
    /// From now on messages come again: the connection was lost, and those in between were missed.
    Reconnected {
        /// The channel, or the pattern.
        channel: String,
        /// The pattern, if it is one.
        pattern: Option<String>,
    },
}

impl Redis {
    /// The messages of these channels, from the moment the stream is first polled.
    ///
    /// See [`Subscription`].
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// use upstash_edge::{EdgeError, Message, Redis};
    ///
    /// async fn listen(redis: &Redis) -> Result<(), EdgeError> {
    ///     let mut messages = redis.subscribe(&["chat"])?;
    ///     while let Some(message) = messages.next().await {
    ///         match message? {
    ///             Message::Published { channel, message, .. } => println!("{channel}: {message}"),
    ///             Message::Subscribed { .. } => {}
    ///             Message::Reconnected { .. } => println!("some may have been missed"),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// `invalid_argument` when no channel is named, or one is empty, `.` or `..`, which no URL can carry, or holds a
    /// carriage return.
    pub fn subscribe(&self, channels: &[&str]) -> Result<Subscription, EdgeError> {
        Subscription::new(self, channels, false)
    }

    /// The messages of every channel that matches one of these patterns (`news:*`, as PSUBSCRIBE has them).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn psubscribe(&self, patterns: &[&str]) -> Result<Subscription, EdgeError> {
        Subscription::new(self, patterns, true)
    }
}

/// A stream of what is published; dropping it ends its requests.
///
/// - Each channel is told as `Subscribed` first. That has the client's timeout, attempts after failures included; a
///   subscription that cannot be had in that time is the stream's error.
/// - A connection that is lost is made anew for as long as the stream lives, after a random wait of up to 250 ms,
///   doubled each time up to 30 s; each channel is then told as `Reconnected`. What can never heal (a wrong token,
///   an address where no Redis REST server is) is an error, and the end.
/// - Silence is no failure. A connection that died without a word is noticed by the runtime's TCP, or not at all:
///   where that matters, publish something every now and then, and subscribe anew when it stays away.
/// - Nothing is read faster than the stream is polled. A reader that falls far behind is cut off by Redis, and told
///   `Reconnected`.
/// - Channels share one request, but for those with a comma in their name and those past 2 KB of path. A server that
///   takes one channel a request is served so.
///
/// Errors end the stream: `too_large` for an event past 16 MiB, else what befell the request.
#[must_use = "nothing is sent before the stream is polled"]
pub struct Subscription {
    sources: VecDeque<LocalFuture<'static, Step>>,
    reconnect: Rc<Cell<bool>>,
}

/// What one source says next.
enum Step {
    Told(Message, Box<Source>),
    Split(Vec<Source>),
    Over(EdgeError),
}

/// One request's names and, while there is one, its stream.
struct Source {
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

impl Subscription {
    fn new(redis: &Redis, names: &[&str], patterns: bool) -> Result<Self, EdgeError> {
        if names.is_empty() {
            return Err(EdgeError::argument("channels: name one or more"));
        }
        let mut listeners: Vec<Listener> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            Listener::check(name)?;
            let before = names.get(..index).unwrap_or_default();
            if before.contains(name) || listeners.iter_mut().any(|some| some.add(name)) {
                continue;
            }
            let mut listener = Listener::new(patterns);
            listener.add(name);
            listeners.push(listener);
        }
        let mut subscription = Self {
            sources: VecDeque::new(),
            reconnect: Rc::new(Cell::new(true)),
        };
        for listener in listeners {
            let reconnect = Rc::clone(&subscription.reconnect);
            subscription.listen(Source::new(redis.clone(), listener, reconnect));
        }
        Ok(subscription)
    }

    /// Whether a request that failed or was lost is made again. Default `true`; else its error is the stream's.
    pub fn reconnect(self, reconnect: bool) -> Self {
        self.reconnect.set(reconnect);
        self
    }

    fn listen(&mut self, source: Source) {
        self.sources.push_back(Box::pin(source.step()));
    }
}

impl Stream for Subscription {
    type Item = Result<Message, EdgeError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut turns = self.sources.len();
        while turns > 0 {
            turns -= 1;
            let Some(mut source) = self.sources.pop_front() else {
                break;
            };
            // Each has its turn: one that was asked goes behind the others.
            match source.as_mut().poll(cx) {
                Poll::Pending => self.sources.push_back(source),
                Poll::Ready(Step::Told(message, source)) => {
                    self.listen(*source);
                    return Poll::Ready(Some(Ok(message)));
                }
                Poll::Ready(Step::Split(sources)) => {
                    turns += sources.len();
                    for source in sources {
                        self.listen(source);
                    }
                }
                Poll::Ready(Step::Over(error)) => {
                    self.sources.clear();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        if self.sources.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

impl Source {
    fn new(redis: Redis, listener: Listener, reconnect: Rc<Cell<bool>>) -> Self {
        Self {
            left_ms: redis.shared.config.timeout_ms,
            redis,
            listener,
            reconnect,
            open: None,
        }
    }

    async fn step(mut self) -> Step {
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
