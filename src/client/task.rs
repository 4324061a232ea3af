//! One run: what to write, what came, whether again. Both pumps drive it; it does no I/O.

use super::answer::{body_of, holds_replacement, is_json};
use super::config::Retry;
use super::server::{Format, Server};
use crate::commands;
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::script::{Form, Known, script};
use crate::wire::{
    Commands, Head, Repeat, Replies, Reply, Slot, frame, json_string_into, path_form,
};

/// Runs a command that carries bytes.
static CALL: crate::script::Script = script!("../lua/bytes.lua", "../lua/call.lua");

/// More commands than this go in several requests, one after the other.
const MOST_COMMANDS: usize = 1_000;

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

    /// The body of the next request: the commands that still wait, as many of them as one request may carry; a
    /// transaction whole. `None` when none waits.
    pub(crate) fn write(&mut self, server: &Server) -> Option<Vec<u8>> {
        let form = server.form();
        let mut body = vec![b'['];
        self.written.clear();
        for command in 0..self.outcomes.len() {
            if !self.waits(command) {
                continue;
            }
            let before = body.len();
            let loads = self.write_one(command, server, form, &mut body)?;
            let full = self.written.len() >= MOST_COMMANDS || body.len() > server.most_bytes();
            if full && self.mode == Mode::Pipeline && !self.written.is_empty() {
                body.truncate(before);
                break;
            }
            self.written.push(Written { command, loads });
            body.push(b',');
        }
        // The comma behind the last one.
        body.pop();
        self.number = Server::next_number();
        self.format = server.format();
        self.way = Way::Several;
        match self.written.as_slice() {
            [] => return None,
            _ if self.mode == Mode::Transaction => {
                self.way = Way::Transaction;
                // A transaction is never answered in RESP2.
                self.format = Format::Base64;
            }
            [written] => {
                let command = written.command;
                self.way = Way::One;
                body.remove(0);
                if let Some((path, raw)) = self.as_path(command, server) {
                    self.way = Way::Path(path);
                    body = raw;
                }
            }
            _ => {}
        }
        if matches!(self.way, Way::Several | Way::Transaction) {
            body.push(b']');
        }
        self.bytes_out = body.len();
        Some(body)
    }

    /// Appends one command; the script whose source it carries, if it carries one.
    fn write_one(
        &self,
        command: usize,
        server: &Server,
        form: Form,
        body: &mut Vec<u8>,
    ) -> Option<Option<(Known, Form)>> {
        let (head, rest) = self.commands.get(command)?;
        body.push(b'[');
        let script = match head {
            Head::Plain => {
                body.extend_from_slice(rest);
                return Some(None);
            }
            Head::Script(script) => script,
            Head::Bytes(opening) => {
                // Whole, and in a form that is not refused: sent a second time it would lose its place in the order.
                let form = if server.knows_form() {
                    form
                } else {
                    Form::Plain
                };
                body.extend_from_slice(b"\"EVAL\",");
                json_string_into(body, &CALL.source(form).text);
                body.push(b',');
                body.extend_from_slice(&opening.json);
                body.extend_from_slice(rest);
                return Some(None);
            }
        };
        let source = script.source(form);
        // An earlier EVAL of the same batch has loaded it by the time this one runs.
        let earlier = self
            .written
            .iter()
            .any(|w| matches!(&w.loads, Some((other, _)) if other.id() == script.id()));
        // In a transaction NOSCRIPT would fail this command while the others commit.
        let whole = matches!(self.outcomes.get(command), Some(Outcome::Whole));
        let by_sha1 = self.mode == Mode::Pipeline && !whole && (server.has(script) || earlier);
        if by_sha1 {
            body.extend_from_slice(b"\"EVALSHA\",");
            json_string_into(body, source.sha1());
        } else {
            body.extend_from_slice(b"\"EVAL\",");
            json_string_into(body, &source.text);
        }
        body.push(b',');
        body.extend_from_slice(rest);
        Some((!by_sha1).then(|| (script.clone(), form)))
    }

    /// A command that carries bytes and is alone goes with nothing encoded.
    fn as_path(&self, command: usize, server: &Server) -> Option<(String, Vec<u8>)> {
        match self.commands.get(command)? {
            (Head::Bytes(opening), words) if server.takes_paths() => {
                path_form(words, opening.place?)
            }
            _ => None,
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

    /// The names of the commands that the last write carried.
    pub fn names(&self) -> Vec<&'static str> {
        let name = |written: &Written| match self.commands.get(written.command) {
            Some((Head::Script(_), _)) if written.loads.is_some() => "EVAL",
            Some((Head::Script(_), _)) => "EVALSHA",
            Some((_, words)) => commands::known(first_word(words)),
            None => "OTHER",
        };
        self.written.iter().map(name).collect()
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

    /// `error` is the outcome of what was written last, but for what is harmless to ask `again`. Whether some of that
    /// still waits.
    fn end(&mut self, error: &EdgeError, again: bool) -> bool {
        let harmless: Vec<bool> = (0..self.written.len())
            .map(|at| again && self.is_harmless(at))
            .collect();
        // All of a transaction or nothing.
        let again = self.mode == Mode::Pipeline || harmless.iter().all(|harmless| *harmless);
        let mut waits = false;
        for (written, harmless) in self.written.iter().zip(harmless) {
            let Some(outcome) = self.outcomes.get_mut(written.command) else {
                continue;
            };
            if again && harmless {
                waits |= outcome.waits();
            } else {
                outcome.settle(|| Outcome::Failed(error.clone()));
            }
        }
        waits
    }

    /// Whether the command at this place of the last write may be asked again: what was sent behind it may have been
    /// done already, and must neither change its reply nor be undone by it.
    fn is_harmless(&self, at: usize) -> bool {
        let Some(Written { command, .. }) = self.written.get(at) else {
            return false;
        };
        let repeat = self.commands.repeat(*command);
        let conflicts = |other: &Written| {
            let behind = self.commands.repeat(other.command);
            let changes = match repeat {
                Repeat::Write => behind == Repeat::Never,
                _ => behind != Repeat::Read,
            };
            changes && self.commands.may_meet(*command, other.command)
        };
        match repeat {
            Repeat::Never => false,
            Repeat::Vouched => true,
            _ => !self.written.iter().skip(at + 1).any(conflicts),
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
            Some(Outcome::Waiting | Outcome::Whole) | None => {
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

    /// The number of the answer of which `part` is a part, and where in it that begins: the difference of their
    /// addresses.
    pub fn place(&self, part: &[u8]) -> Option<(usize, usize)> {
        self.bodies.iter().enumerate().find_map(|(answer, body)| {
            let start = (part.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
            let end = start.checked_add(part.len())?;
            (end <= body.len()).then_some((answer, start))
        })
    }

    pub fn last_answer(&self) -> Option<&[u8]> {
        self.bodies.last().map(Vec::as_slice)
    }

    /// `error` is the outcome of this command, if it still waits.
    pub fn give_up(&mut self, command: usize, error: &EdgeError) {
        if let Some(outcome) = self.outcomes.get_mut(command) {
            outcome.settle(|| Outcome::Failed(error.clone()));
        }
    }

    /// The replies to the commands of one scope, the first of which is number `first`.
    pub fn replies_of_scope<'a>(
        &'a self,
        slots: &'a [Slot<'a>],
        first: usize,
        scope: usize,
    ) -> Replies<'a> {
        Replies::of_scope(slots, first, self.commands.scopes(), scope)
    }
}

/// The first of the words of a command, as they are written.
fn first_word(words: &[u8]) -> &str {
    let quote = |byte: &u8| *byte == b'"';
    let name = words.split(quote).nth(1).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default()
}

/// Whether this error only says that the script must be sent otherwise.
fn otherwise(commands: &Commands, written: &Written, text: &[u8], server: &mut Server) -> bool {
    let Some((Head::Script(script), _)) = commands.get(written.command) else {
        return false;
    };
    let Some((_, form)) = written.loads else {
        // A script may say so itself: believed is only what a SHA1 was answered with.
        let lost = text.starts_with(b"NOSCRIPT");
        if lost {
            server.lost(script);
        }
        return lost;
    };
    if !script.has_forms() {
        return false;
    }
    // A Redis before 7 knows no such line at all; nor does it compile a script with an error in it, whatever its form.
    let compiles = !text.starts_with(b"ERR Error compiling script");
    if !compiles && form == Form::Plain {
        server.doubts_form();
        return false;
    }
    let refused = text.starts_with(b"ERR Unexpected flag in script shebang")
        || (!compiles && !server.knows_form());
    if refused && form == Form::Locking {
        server.refuses_locking(compiles);
        return true;
    }
    false
}
