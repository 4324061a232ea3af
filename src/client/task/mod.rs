//! One run: what to write, what came, whether again. Both pumps drive it; it does no I/O.

mod again;
mod outcome;
mod write;

use super::answer::{body_of, holds_replacement, is_json};
use super::config::Retry;
use super::server::{Format, Server};
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::script::{Form, Known};
use crate::wire::{Commands, Reply, frame};
use again::otherwise;

/// In the other form, after NOSCRIPT, and once more because a SCRIPT FLUSH can come at any moment.
/// Who is refused more often meets something that is not a Redis.
const MOST_REWRITES: usize = 3;

/// The commands of one run on their way to replies.
pub(crate) struct Task {
    commands: Commands,
    outcomes: Vec<Outcome>,
    bodies: Vec<Vec<u8>>,
    written: Vec<Written>,
    rewrites: usize,
    attempts: u32,
    /// The number of the last write among all writes to this server.
    number: u64,
    mode: Mode,
    way: Way,
    format: Format,
    /// How long the last write was.
    bytes_out: usize,
}

/// How the last write goes.
enum Way {
    /// `/`: one command, whose reply is the whole answer.
    One,
    /// `/pipeline`
    Several,
    /// `/multi-exec`
    Transaction,
    /// One command as a path, its bytes as the body.
    Path(String),
}

/// Whether the commands stand for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `/pipeline`: each has its own outcome.
    Pipeline,
    /// `/multi-exec`: all at once, and all of them again or none.
    Transaction,
}

/// What came of one request.
#[derive(Default)]
pub(crate) struct Exchange {
    /// How long to wait before the next write, if there is one.
    pub wait_ms: u64,
    /// What befell the request as a whole.
    pub error: Option<EdgeError>,
}

/// A command of the last write, and the script whose source it carried, if it carried one.
struct Written {
    command: usize,
    loads: Option<(Known, Form)>,
}

#[derive(Clone)]
enum Outcome {
    Waiting,
    /// As a script that the server may not have, whatever it said of it before: another node may be asked.
    Whole,
    Reply {
        body: usize,
        at: usize,
    },
    Failed(EdgeError),
}

impl Outcome {
    /// What was settled, or left, before stays so.
    fn settle(&mut self, outcome: impl FnOnce() -> Self) {
        if self.waits() {
            *self = outcome();
        }
    }

    fn waits(&self) -> bool {
        matches!(self, Self::Waiting | Self::Whole)
    }
}

impl Task {
    pub fn new(commands: Commands, mode: Mode) -> Self {
        Self {
            outcomes: vec![Outcome::Waiting; commands.len()],
            commands,
            bodies: Vec::new(),
            written: Vec::new(),
            rewrites: 0,
            attempts: 0,
            number: 0,
            mode,
            way: Way::Several,
            format: Format::Resp2,
            bytes_out: 0,
        }
    }

    /// Where the last write goes, below the server's URL.
    pub fn path(&self) -> &str {
        match &self.way {
            Way::One => "/",
            Way::Several => "/pipeline",
            Way::Transaction => "/multi-exec",
            Way::Path(path) => path,
        }
    }

    /// What it asks for.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether its body is bytes of one argument, and not JSON.
    pub fn is_raw(&self) -> bool {
        matches!(self.way, Way::Path(_))
    }

    /// Takes the answer to the last write. What must be asked again goes on waiting.
    ///
    /// After a failure that is what is harmless to repeat, for as long as `retry` allows and `left_ms` lasts;
    /// `drawn` is random.
    pub(crate) fn read(
        &mut self,
        answer: Result<Response, EdgeError>,
        server: &mut Server,
        retry: Option<Retry>,
        left_ms: u64,
        drawn: u64,
    ) -> Exchange {
        let asked_ms = answer.as_ref().ok().and_then(|r| r.retry_after_ms);
        if let Ok(Response { status, .. }) = answer {
            server.answers();
            // Nothing was done yet; it goes another way.
            if matches!((&self.way, status), (Way::Path(_), 404 | 405)) {
                server.refuses_paths();
                return Exchange::default();
            }
            if status == 413 && self.mode == Mode::Pipeline && self.written.len() > 1 {
                server.takes_bytes(self.bytes_out / 2);
                return Exchange::default();
            }
        }
        let Err(error) = answer.and_then(|response| self.replies_of(response, server)) else {
            self.attempts = 0;
            return Exchange::default();
        };
        self.attempts += 1;
        let lost = matches!(
            error.kind(),
            ErrorKind::Network | ErrorKind::ServerError | ErrorKind::QuotaExceeded
        );
        let wait = retry
            .filter(|retry| lost && self.attempts <= retry.attempts)
            .map(|retry| {
                retry
                    .wait_ms(self.attempts, drawn)
                    .max(asked_ms.unwrap_or(0))
            })
            // A wait that ends past the deadline is not begun.
            .filter(|wait| *wait < left_ms);
        let waits = self.end(&error, wait.is_some());
        Exchange {
            wait_ms: wait.filter(|_| waits).unwrap_or(0),
            error: Some(error),
        }
    }

    pub fn waits(&self, command: usize) -> bool {
        self.outcomes.get(command).is_some_and(Outcome::waits)
    }

    /// Which attempt the next write is: 1, and one more each time that an answer was lost.
    pub fn attempt(&self) -> u32 {
        self.attempts + 1
    }

    /// Nothing will be asked again.
    pub fn fail(&mut self, error: &EdgeError) {
        for outcome in &mut self.outcomes {
            outcome.settle(|| Outcome::Failed(error.clone()));
        }
    }

    fn replies_of(&mut self, response: Response, server: &mut Server) -> Result<(), EdgeError> {
        let sync_token = response.sync_token.clone();
        let plain_json = self.format == Format::Resp2 && is_json(&response);
        let one = matches!(self.way, Way::One | Way::Path(_));
        let body = body_of(response, self.format, one)?;
        let (reply, used) = frame(&body)?;
        let mut at = 0;
        let mut count = 1;
        if !one {
            if let Reply::Error(text) = reply {
                return Err(EdgeError::from_redis(text));
            }
            count = reply.array()?.size_hint().0;
            // The entries follow the line that says how many they are.
            at = body
                .iter()
                .position(|b| *b == b'\n')
                .map_or(0, |end| end + 1);
        }
        if used != body.len() || count != self.written.len() {
            return Err(EdgeError::corrupt(
                "the replies are not as many as the commands",
            ));
        }
        // Only from a whole, well-formed answer something is learnt.
        if plain_json {
            server.answers_json();
        }
        server.synced(self.number, sync_token);
        let mut waits = false;
        for (place, written) in self.written.iter().enumerate() {
            let (reply, used) = frame(body.get(at..).unwrap_or_default())?;
            let again = self.rewrites < MOST_REWRITES;
            let outcome = match reply {
                // What is sent a second time is no part of the transaction.
                Reply::Error(text)
                    if again
                        && self.mode == Mode::Pipeline
                        && otherwise(&self.commands, written, text, server) =>
                {
                    Outcome::Whole
                }
                Reply::Error(text) => Outcome::Failed(EdgeError::from_redis(text)),
                // Bytes that are no UTF-8 came as U+FFFD, if it was not there before: in base64 they come whole.
                _ if plain_json && holds_replacement(&body, at, used) => {
                    if again && self.is_harmless(place) {
                        Outcome::Waiting
                    } else {
                        Outcome::Failed(EdgeError::corrupt(
                            "bytes may have been lost in a JSON reply",
                        ))
                    }
                }
                _ => {
                    if let Some((script, form)) = &written.loads {
                        server.loaded(script, *form);
                    }
                    Outcome::Reply {
                        body: self.bodies.len(),
                        at,
                    }
                }
            };
            waits |= outcome.waits();
            if let Some(slot) = self.outcomes.get_mut(written.command) {
                slot.settle(|| outcome);
            }
            at += used;
        }
        self.bodies.push(body);
        self.rewrites += usize::from(waits);
        Ok(())
    }
}
