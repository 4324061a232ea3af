//! One subscription's request: what to ask, what its stream says, whether again. Both pumps drive it; it does no I/O.

use super::answer::body_of;
use super::config::Retry;
use super::server::Format;
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::wire::subscription::{self, Line};
use crate::wire::{EventStream, LARGEST_EVENT};

/// Names travel together up to this length of path; every URL parser and proxy takes one so long.
const LONGEST_PATH: usize = 2_048;

/// A stream that lived so long was no failure: platforms end them after half a minute or so.
const LASTING_MS: u64 = 5_000;

/// Whatever the server asks for.
const LONGEST_WAIT_MS: u64 = 3_600_000;

/// A stream that ends after less than the longest wait counts as another failure in a row: a server that takes
/// subscriptions and ends them at once is not asked in a tight loop.
const RECONNECT: Retry = Retry {
    attempts: u32::MAX,
    base_ms: 250,
    max_ms: 30_000,
};

/// Channels, or patterns, of one request.
pub(crate) struct Listener {
    names: Vec<String>,
    /// Which of them this stream has confirmed.
    confirmed: Vec<bool>,
    /// Which of them any stream has.
    known: Vec<bool>,
    patterns: bool,
    stream: EventStream,
    /// This request was answered with a stream.
    accepted: bool,
    failures: u32,
}

/// What a stream says.
pub(crate) enum Heard {
    /// This name is subscribed to; `again` after a time in which messages may have been missed.
    Subscribed { name: usize, again: bool },
    /// A message, as [`Line::Message`] says where.
    Message {
        name: usize,
        line: Vec<u8>,
        channel: std::ops::Range<usize>,
        message: usize,
    },
}

/// What a pump knows when a request ends.
pub(crate) struct Ended {
    /// Whether to ask again.
    pub reconnect: bool,
    /// Since it was sent.
    pub lived_ms: u64,
    /// Until the first subscription must be there.
    pub left_ms: u64,
    /// `Retry-After`.
    pub asked_ms: Option<u64>,
    /// Random.
    pub drawn: u64,
}

/// What to do after a request has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Wait so many milliseconds, and ask again.
    Wait(u64),
    /// This server does not take several names at once: [`Listener::take_one`] until there is none.
    Split,
}

impl Listener {
    /// For no names yet.
    pub fn new(patterns: bool) -> Self {
        Self {
            names: Vec::new(),
            confirmed: Vec::new(),
            known: Vec::new(),
            patterns,
            stream: EventStream::new(LARGEST_EVENT),
            accepted: false,
            failures: 0,
        }
    }

    /// Whether a channel or pattern can be listened to at all.
    ///
    /// # Errors
    /// `invalid_argument`
    pub fn check(name: &str) -> Result<(), EdgeError> {
        // URL parsers take the dots for directories, even escaped.
        if matches!(name, "" | "." | "..") || name.bytes().any(|b| b == b'\r') {
            return Err(EdgeError::argument(
                "channels: a name must be neither empty nor \".\" nor \"..\", and hold no carriage return",
            ));
        }
        Ok(())
    }

    /// Takes the name, unless it must have a request of its own.
    pub fn add(&mut self, name: &str) -> bool {
        let alone = subscription::travels_alone;
        if let Some(first) = self.names.first() {
            let mut path = self.path();
            subscription::segment_into(&mut path, name);
            if alone(first) || alone(name) || path.len() > LONGEST_PATH {
                return false;
            }
        }
        self.push(name.to_owned(), false);
        true
    }

    fn push(&mut self, name: String, known: bool) {
        self.names.push(name);
        self.confirmed.push(false);
        self.known.push(known);
    }

    /// A name of several, for a request of its own.
    pub fn take_one(&mut self) -> Option<Self> {
        let mut one = Self::new(self.patterns);
        one.push(self.names.pop()?, self.known.pop()?);
        Some(one)
    }

    pub fn name(&self, name: usize) -> &str {
        self.names.get(name).map_or("", String::as_str)
    }

    pub fn patterns(&self) -> bool {
        self.patterns
    }

    /// Its name.
    pub fn command(&self) -> &'static str {
        if self.patterns {
            "PSUBSCRIBE"
        } else {
            "SUBSCRIBE"
        }
    }

    /// Which attempt the request is, from 1.
    pub fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }

    /// Where to send the next request, below the server's URL.
    pub fn request(&mut self) -> String {
        self.stream.restart();
        self.confirmed.fill(false);
        self.accepted = false;
        self.path()
    }

    fn path(&self) -> String {
        let command = if self.patterns {
            "/psubscribe"
        } else {
            "/subscribe"
        };
        let mut path = command.to_owned();
        for name in &self.names {
            subscription::segment_into(&mut path, name);
        }
        path
    }

    /// Whether an answer with this head is a stream to listen to. If not, [`Self::refusal`] says what it is.
    pub fn accepts(&mut self, status: u16, content_type: &str) -> bool {
        self.accepted = status == 200 && content_type.starts_with("text/event-stream");
        self.accepted
    }

    /// What an answer means that is no stream.
    pub fn refusal(response: Response) -> EdgeError {
        match body_of(response, Format::Base64, false) {
            Err(error) if error.kind() != ErrorKind::Corrupt => error,
            // Replies, as to a command.
            _ => EdgeError::new(
                ErrorKind::Unsupported,
                "the server answered a subscription with no event stream",
            ),
        }
    }

    /// Whether every name is subscribed to.
    pub fn is_subscribed(&self) -> bool {
        self.confirmed.iter().all(|confirmed| *confirmed)
    }

    /// Whether every name was, once.
    pub fn was_subscribed(&self) -> bool {
        self.known.iter().all(|known| *known)
    }

    /// The stream's next chunk, after the last was read to its end.
    pub fn push_chunk(&mut self, chunk: Vec<u8>) {
        self.stream.push(chunk);
    }

    /// What the chunk says next; `None` at its end.
    ///
    /// # Errors
    /// `too_large` for an event past 16 MiB; `corrupt` when the server confirms what was not asked for.
    pub fn next(&mut self) -> Result<Option<Heard>, EdgeError> {
        while let Some(line) = self.stream.next()? {
            match subscription::read(&line, &self.names, self.patterns) {
                Line::Confirmed { name } => {
                    if let Some(confirmed) = self.confirmed.get_mut(name) {
                        *confirmed = true;
                    }
                    let known = self.known.get_mut(name);
                    let again = known.is_some_and(|known| std::mem::replace(known, true));
                    return Ok(Some(Heard::Subscribed { name, again }));
                }
                Line::Stranger => {
                    return Err(EdgeError::corrupt(
                        "the server confirmed a subscription that was not asked for",
                    ));
                }
                Line::Message {
                    name,
                    channel,
                    message,
                } => {
                    return Ok(Some(Heard::Message {
                        name,
                        line,
                        channel,
                        message,
                    }));
                }
                Line::Other => {}
            }
        }
        Ok(None)
    }

    /// The request came to an end, by `error`.
    ///
    /// # Errors
    /// `error`, when it is no use to ask again, or not wanted, or too late.
    pub fn ended(&mut self, error: EdgeError, ended: &Ended) -> Result<After, EdgeError> {
        let first = !self.was_subscribed();
        // Paths of several names are undocumented: a server may refuse them, take them for one name, or take one.
        let misread = match error.kind() {
            ErrorKind::RedisError
            | ErrorKind::InvalidConfig
            | ErrorKind::Unsupported
            | ErrorKind::Corrupt => true,
            ErrorKind::Timeout => self.accepted,
            _ => false,
        };
        if first && misread && self.names.len() > 1 {
            return Ok(After::Split);
        }
        if !ended.reconnect || !error.is_retryable() {
            return Err(error);
        }
        if ended.lived_ms > LASTING_MS {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let base_ms = self.stream.retry_ms().unwrap_or(0).max(RECONNECT.base_ms);
        let retry = Retry {
            base_ms,
            ..RECONNECT
        };
        let wait = retry.wait_ms(self.failures, ended.drawn);
        let wait = wait.max(ended.asked_ms.unwrap_or(0)).min(LONGEST_WAIT_MS);
        if first && wait >= ended.left_ms {
            return Err(error);
        }
        Ok(After::Wait(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(names: &[&str]) -> Listener {
        let mut listener = Listener::new(false);
        for name in names {
            assert!(listener.add(name), "{name}");
        }
        listener
    }

    fn failed(listener: &mut Listener, kind: ErrorKind, lived_ms: u64) -> Result<After, ErrorKind> {
        let ended = Ended {
            reconnect: true,
            lived_ms,
            left_ms: 1_000,
            asked_ms: None,
            drawn: u64::MAX - 1,
        };
        let after = listener.ended(EdgeError::new(kind, "it failed"), &ended);
        after.map_err(|error| error.kind())
    }

    fn subscribe(listener: &mut Listener) {
        assert!(listener.accepts(200, "text/event-stream; charset=utf-8"));
        for name in listener.names.clone() {
            listener.push_chunk(format!("data: subscribe,{name},1\n\n").into_bytes());
            assert!(matches!(listener.next(), Ok(Some(_))));
        }
        assert!(listener.is_subscribed());
    }

    #[test]
    fn names_share_a_request_unless_a_comma_or_the_length_forbids_it() {
        let mut two = listener(&["a", "b c"]);
        assert_eq!(two.request(), "/subscribe/a/b%20c");
        assert!(!two.add("a,b"));
        assert!(!listener(&["a,b"]).add("c"));
        assert!(!two.add(&"é".repeat(400)));
        // But one that is too long for any other still goes alone.
        assert!(listener(&[]).add(&"é".repeat(400)));
        assert_eq!(Listener::new(true).request(), "/psubscribe");
    }

    #[test]
    fn names_that_no_url_or_stream_can_carry_are_refused() {
        for name in ["", ".", "..", "a\rb"] {
            let error = Listener::check(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name:?}");
        }
        for name in ["...", "a,b", "a\nb", "é/?#%", " "] {
            assert_eq!(Listener::check(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn the_first_subscription_has_its_time_and_later_ones_have_for_ever() {
        let mut one = listener(&["a"]);
        // 250, 500: then the wait would end past the 1,000 ms that are left.
        assert_eq!(
            failed(&mut one, ErrorKind::Network, 0),
            Ok(After::Wait(115))
        );
        for _ in 0..20 {
            let _ = failed(&mut one, ErrorKind::Network, 0);
        }
        assert_eq!(
            failed(&mut one, ErrorKind::Network, 0),
            Err(ErrorKind::Network)
        );
        let mut one = listener(&["a"]);
        subscribe(&mut one);
        for _ in 0..200 {
            let after = failed(&mut one, ErrorKind::Timeout, 0);
            assert!(matches!(after, Ok(After::Wait(1..=30_000))), "{after:?}");
        }
    }
}
