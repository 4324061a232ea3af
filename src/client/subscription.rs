//! Subscriptions as a stream: what all of their requests say, in turn.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Redis;
use super::listener::Listener;
use super::source::{Source, Step};
use crate::error::EdgeError;
use crate::host::LocalFuture;

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
