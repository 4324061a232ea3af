//! What the next request says: which commands, in which form, and by which way.

use super::{Mode, Outcome, Task, Way, Written};
use crate::client::server::{Format, Server};
use crate::commands;
use crate::script::{Form, Known, script};
use crate::wire::{Head, json_string_into, path_form, script_path};

/// Runs a command that carries bytes.
static CALL: crate::script::Script = script!("../../lua/bytes.lua", "../../lua/call.lua");

/// More commands than this go in several requests, one after the other.
const MOST_COMMANDS: usize = 1_000;

impl Task {
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
                let as_path = self.as_path(written, server);
                self.way = Way::One;
                body.remove(0);
                if let Some((path, raw)) = as_path {
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
            Head::Script { script, .. } => script,
            Head::Bytes(opening) => {
                // Whole, and in a form that is not refused: sent a second time it would lose its place in the order.
                let form = if server.knows_form() {
                    form
                } else {
                    Form::Plain
                };
                body.extend_from_slice(b"\"EVAL\",");
                json_string_into(body, CALL.source(form).text);
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
            json_string_into(body, source.text);
        }
        body.push(b',');
        body.extend_from_slice(rest);
        Some((!by_sha1).then(|| (script.clone(), form)))
    }

    /// A command that carries bytes and is alone goes with nothing encoded.
    fn as_path(&self, written: &Written, server: &Server) -> Option<(String, Vec<u8>)> {
        if !server.takes_paths() {
            return None;
        }
        match self.commands.get(written.command)? {
            (Head::Bytes(opening), words) => path_form(words, opening.place?),
            // With its source it would be too long.
            (Head::Script { script, raw: true }, words) if written.loads.is_none() => {
                script_path(script.source(server.form()).sha1(), words)
            }
            _ => None,
        }
    }

    /// The names of the commands that the last write carried.
    pub fn names(&self) -> Vec<&'static str> {
        let name = |written: &Written| match self.commands.get(written.command) {
            Some((Head::Script { .. }, _)) if written.loads.is_some() => "EVAL",
            Some((Head::Script { .. }, _)) => "EVALSHA",
            Some((_, words)) => commands::known(first_word(words)),
            None => "OTHER",
        };
        self.written.iter().map(name).collect()
    }
}

/// The first of the words of a command, as they are written.
fn first_word(words: &[u8]) -> &str {
    let quote = |byte: &u8| *byte == b'"';
    let name = words.split(quote).nth(1).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default()
}
