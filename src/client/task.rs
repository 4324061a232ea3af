//! One run: what to write, what came, whether again. Both pumps drive it; it does no I/O.

use super::answer::{body_of, holds_replacement, is_json};
use super::config::Retry;
use super::server::{Format, Server};
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::script::{Form, Script};
use crate::wire::{Commands, Head, Repeat, Replies, Reply, Slot, frame, json_string_into};

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
    format: Format,
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
    loads: Option<(&'static Script, Form)>,
}

#[derive(Clone)]
enum Outcome {
    Waiting,
    Reply { body: usize, at: usize },
    Failed(EdgeError),
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
            format: Format::Resp2,
        }
    }

    /// The body of the next request: the commands that still wait. `None` when none does.
    pub(crate) fn write(&mut self, server: &Server) -> Option<Vec<u8>> {
        let form = server.form();
        let mut body = Vec::new();
        self.written.clear();
        for (command, outcome) in self.outcomes.iter().enumerate() {
            if !matches!(outcome, Outcome::Waiting) {
                continue;
            }
            let (head, rest) = self.commands.get(command)?;
            body.extend_from_slice(if body.is_empty() { b"[[" } else { b",[" });
            let mut loads = None;
            if let Head::Script(script) = head {
                let source = script.source(form);
                // An earlier EVAL of the same batch has loaded it by the time this one runs.
                let earlier = self
                    .written
                    .iter()
                    .any(|w| matches!(w.loads, Some((other, _)) if std::ptr::eq(other, script)));
                // In a transaction NOSCRIPT would fail this command while the others commit.
                if self.mode == Mode::Pipeline && (server.has(script) || earlier) {
                    body.extend_from_slice(b"\"EVALSHA\",");
                    json_string_into(&mut body, source.sha1());
                } else {
                    body.extend_from_slice(b"\"EVAL\",");
                    json_string_into(&mut body, source.text);
                    loads = Some((script, form));
                }
                body.push(b',');
            }
            body.extend_from_slice(rest);
            self.written.push(Written { command, loads });
        }
        if body.is_empty() {
            return None;
        }
        body.push(b']');
        self.number = Server::next_number();
        // A transaction is never answered in RESP2.
        self.format = match self.mode {
            Mode::Pipeline => server.format(),
            Mode::Transaction => Format::Base64,
        };
        Some(body)
    }

    /// How the last write is to be sent: the path below the server's URL, and the format to ask for.
    pub fn route(&self) -> (&'static str, Format) {
        let path = match self.mode {
            Mode::Pipeline => "/pipeline",
            Mode::Transaction => "/multi-exec",
        };
        (path, self.format)
    }

    /// How many commands the last write carried.
    pub fn written(&self) -> usize {
        self.written.len()
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
        let Err(error) = answer.and_then(|response| self.replies_of(response, server)) else {
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

    /// Nothing will be asked again.
    pub fn fail(&mut self, error: &EdgeError) {
        self.end(error, false);
    }

    /// `error` is the outcome of what waits, but for what is harmless to ask `again`. Whether anything still waits.
    fn end(&mut self, error: &EdgeError, again: bool) -> bool {
        let harmless = |command| self.commands.repeat(command) == Repeat::Harmless;
        let all = || (0..self.commands.len()).all(harmless);
        let again = again && (self.mode == Mode::Pipeline || all());
        let mut waits = false;
        for (command, outcome) in self.outcomes.iter_mut().enumerate() {
            if !matches!(outcome, Outcome::Waiting) {
                continue;
            }
            if again && harmless(command) {
                waits = true;
            } else {
                *outcome = Outcome::Failed(error.clone());
            }
        }
        waits
    }

    fn replies_of(&mut self, response: Response, server: &mut Server) -> Result<(), EdgeError> {
        let sync_token = response.sync_token.clone();
        let plain_json = self.format == Format::Resp2 && is_json(&response);
        let body = body_of(response, self.format)?;
        let (reply, used) = frame(&body)?;
        if let Reply::Error(text) = reply {
            return Err(EdgeError::from_redis(text));
        }
        let count = reply.array()?.size_hint().0;
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
        // The entries follow the line that says how many they are.
        let mut at = body
            .iter()
            .position(|b| *b == b'\n')
            .map_or(0, |end| end + 1);
        for written in &self.written {
            let (reply, used) = frame(body.get(at..).unwrap_or_default())?;
            let outcome = match reply {
                Reply::Error(text) => {
                    let head = self.commands.get(written.command).map(|(head, _)| head);
                    if self.rewrites < MOST_REWRITES && again(head, written, text, server) {
                        Outcome::Waiting
                    } else {
                        Outcome::Failed(EdgeError::from_redis(text))
                    }
                }
                // Bytes that are no UTF-8 came as U+FFFD, if it was not there before: in base64 they come whole.
                _ if plain_json && holds_replacement(&body, at, used) => {
                    let harmless = self.commands.repeat(written.command) == Repeat::Harmless;
                    if self.rewrites < MOST_REWRITES && harmless {
                        Outcome::Waiting
                    } else {
                        Outcome::Failed(EdgeError::corrupt(
                            "bytes may have been lost in a JSON reply",
                        ))
                    }
                }
                _ => {
                    if let Some((script, form)) = written.loads {
                        server.loaded(script, form);
                    }
                    Outcome::Reply {
                        body: self.bodies.len(),
                        at,
                    }
                }
            };
            // One that was left meanwhile stays so.
            if let Some(slot @ Outcome::Waiting) = self.outcomes.get_mut(written.command) {
                *slot = outcome;
            }
            at += used;
        }
        self.bodies.push(body);
        self.rewrites += 1;
        Ok(())
    }

    /// Each command's outcome, in order.
    pub fn slots(&self) -> Vec<Slot<'_>> {
        (0..self.outcomes.len())
            .map(|command| self.slot(command))
            .collect()
    }

    /// The outcome of one command.
    pub fn slot(&self, command: usize) -> Slot<'_> {
        match self.outcomes.get(command) {
            Some(Outcome::Failed(error)) => Err(error.clone()),
            Some(Outcome::Reply { body, at }) => {
                let body = self.bodies.get(*body).map_or(&[][..], Vec::as_slice);
                frame(body.get(*at..).unwrap_or_default()).map(|(reply, _)| reply)
            }
            Some(Outcome::Waiting) | None => {
                Err(EdgeError::corrupt("a command was never answered"))
            }
        }
    }

    pub fn replies<'a>(&'a self, slots: &'a [Slot<'a>]) -> Replies<'a> {
        Replies::new(slots, self.commands.scopes())
    }
}

/// For a pump that settles each command as soon as it can be.
#[cfg(all(feature = "js", target_arch = "wasm32"))]
impl Task {
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    pub fn waits(&self, command: usize) -> bool {
        matches!(self.outcomes.get(command), Some(Outcome::Waiting))
    }

    /// The number of the answer that holds a command's reply, and that answer.
    pub fn answer(&self, command: usize) -> Option<(usize, &[u8])> {
        match self.outcomes.get(command)? {
            Outcome::Reply { body, .. } => Some((*body, self.bodies.get(*body)?)),
            _ => None,
        }
    }

    pub fn answers(&self) -> usize {
        self.bodies.len()
    }

    pub fn last_answer(&self) -> Option<&[u8]> {
        self.bodies.last().map(Vec::as_slice)
    }

    /// Nobody waits for this command any more.
    pub fn leave(&mut self, command: usize) {
        if let Some(outcome @ Outcome::Waiting) = self.outcomes.get_mut(command) {
            *outcome = Outcome::Failed(EdgeError::new(ErrorKind::Aborted, "nobody waited for it"));
        }
    }
}

/// Whether this error only says that the script must be sent in another way.
fn again(head: Option<Head>, written: &Written, text: &[u8], server: &mut Server) -> bool {
    let Some(Head::Script(script)) = head else {
        return false;
    };
    if text.starts_with(b"NOSCRIPT") {
        server.lost(script);
        return true;
    }
    // A Redis before 7 knows no such line at all.
    let refused = text.starts_with(b"ERR Unexpected flag in script shebang")
        || text.starts_with(b"ERR Error compiling script");
    if refused && matches!(written.loads, Some((_, Form::Locking))) {
        server.refuses_locking();
        return true;
    }
    false
}
