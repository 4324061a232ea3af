//! Commands on their way out, encoded once.

use std::rc::Rc;

use super::arg::{Arg, places};
use super::reply::Scope;
use super::{bytes, json};
use crate::commands;
use crate::error::EdgeError;
use crate::script::{Known, Script};

/// Whether one of `texts` is one of the words, in any case; what follows STREAMS are names of streams.
fn one_of<'t>(texts: impl Iterator<Item = &'t str>, words: &[&str]) -> bool {
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    texts
        .take_while(|text| !is(text, "STREAMS"))
        .any(|text| words.iter().any(|word| is(text, word)))
}

/// How a command begins: by its name, or as whichever form of a script the server knows when the batch is written.
#[derive(Clone)]
pub(crate) enum Head {
    Plain,
    Script {
        script: Known,
        /// Whether its last argument alone is bytes, and the others are such as an address may hold: not those of a
        /// caller's script, which may be values.
        raw: bool,
    },
    /// By its name, with bytes among its arguments: see [`bytes`].
    Bytes(Rc<Opening>),
}

/// What makes the words of a command that carries bytes into the call of a script.
pub(crate) struct Opening {
    pub json: Vec<u8>,
    /// Where the bytes are, if only one argument is bytes.
    pub place: Option<u32>,
}

struct Entry {
    head: Head,
    repeat: Repeat,
    end: usize,
}

/// What to do with a command whose answer was lost on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing: asked again it answers the same, unless what was sent behind it has changed that.
    Read,
    /// Sent again it leaves the same state and gives the same reply, unless what was sent behind it built on it.
    Write,
    /// A script that may be sent again, and whose reply its op takes for the same; it may read and write.
    Harmless,
    /// Whoever asked vouches for it, whatever it stands beside.
    Vouched,
    /// It may have been done: its op is told so.
    Never,
}

impl Repeat {
    /// That of a caller's own script, which says itself whether it writes.
    pub(crate) fn of(script: &Script) -> Self {
        if script.only_reads() {
            Self::Read
        } else {
            Self::Never
        }
    }
}

/// The commands of one batch: what an [`Op`](crate::Op) appends to.
///
/// Arguments are encoded as they are appended, so that a repeated send writes the same bytes.
#[derive(Default)]
pub struct Commands {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    scopes: Vec<Scope>,
}

impl Commands {
    /// Appends one command.
    ///
    /// # Errors
    /// `unsupported` for a command that REST cannot carry; the message names what to use in its place.
    pub fn command(&mut self, name: &str, args: &[Arg<'_>]) -> Result<(), EdgeError> {
        let has = |from, words: &[&str]| {
            let texts = args.iter().map(|arg| match arg {
                Arg::Text(text) => *text,
                Arg::Int(_) | Arg::Unsigned(_) | Arg::Bytes(_) => "",
            });
            one_of(texts.skip(from), words)
        };
        let repeat = commands::repeatable(name, &has)?;
        let start = self.bytes.len();
        json::string_into(&mut self.bytes, name);
        self.arguments(args);
        self.finish(start, repeat, &places(args, 2))
    }

    /// Appends one command that is JSON already: an array of its name and its arguments, with nothing between them.
    /// The caller may vouch that repeating it is harmless. At `places` (1 is the name's) stand bytes, as Latin-1.
    ///
    /// # Errors
    /// As [`Self::command`]; `invalid_argument` when it is no such array.
    #[cfg(any(feature = "js-client", test))]
    pub(crate) fn json(
        &mut self,
        json: &str,
        vouched: bool,
        places: &[u32],
    ) -> Result<(), EdgeError> {
        let text = |item: &str| -> Option<std::ops::Range<usize>> {
            (item.len() >= 2 && item.starts_with('"')).then(|| 1..item.len() - 1)
        };
        let words = json.strip_prefix('[').unwrap_or_default();
        let mut items = json::items(words.strip_suffix(']').unwrap_or_default());
        let name = items.next().and_then(|item| item.get(text(item)?));
        let name = name.unwrap_or_default();
        let has = |from, words: &[&str]| {
            let texts = items.clone().filter_map(|item| item.get(text(item)?));
            one_of(texts.skip(from), words)
        };
        let repeat = commands::repeatable(name, &has)?;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(words.as_bytes());
        // The closing bracket is there already.
        self.bytes.pop();
        let repeat = if vouched { Repeat::Vouched } else { repeat };
        self.finish(start, repeat, places)
    }

    /// Ends the command whose words stand behind `start`.
    fn finish(&mut self, start: usize, repeat: Repeat, places: &[u32]) -> Result<(), EdgeError> {
        let mut head = Head::Plain;
        if !places.is_empty() {
            let words = self.bytes.get(start..).unwrap_or_default();
            match bytes::opening(std::str::from_utf8(words).unwrap_or_default(), places) {
                Ok(json) => {
                    let place = match places {
                        [place] => Some(*place),
                        _ => None,
                    };
                    head = Head::Bytes(Rc::new(Opening { json, place }));
                }
                Err(error) => {
                    self.bytes.truncate(start);
                    return Err(error);
                }
            }
        }
        self.close(head, repeat);
        Ok(())
    }

    /// Appends one call of a script: every key it touches, then its arguments. With bytes among them the script must be
    /// one that takes bytes.
    pub(crate) fn script(
        &mut self,
        script: impl Into<Known>,
        keys: &[&str],
        args: &[Arg<'_>],
        repeat: Repeat,
    ) {
        let count = itoa::Buffer::new().format(keys.len()).to_owned();
        self.bytes.extend_from_slice(count.as_bytes());
        for key in keys {
            self.bytes.push(b',');
            json::string_into(&mut self.bytes, key);
        }
        let places = places(args, 1);
        if !places.is_empty() {
            self.bytes.push(b',');
            bytes::places_into(&mut self.bytes, &places);
        }
        self.arguments(args);
        let script = script.into();
        let raw = matches!(script, Known::Ours(_)) && places == [args.len() as u32];
        self.close(Head::Script { script, raw }, repeat);
    }

    /// Appends one call of a script that is JSON already: an array of the count of its keys, its keys, and its arguments.
    #[cfg(feature = "js-client")]
    pub(crate) fn script_json(&mut self, script: impl Into<Known>, json: &str, repeat: Repeat) {
        self.bytes
            .extend_from_slice(json.as_bytes().get(1..).unwrap_or_default());
        self.bytes.pop();
        let (script, raw) = (script.into(), false);
        self.close(Head::Script { script, raw }, repeat);
    }

    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none: then nothing is sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What `encode` appends belongs together: the matching [`Replies::scope`](super::Replies::scope) hands it
    /// exactly its own replies, whatever it makes of them. What a failed `encode` appended is taken back.
    ///
    /// # Errors
    /// That of `encode`.
    pub fn scope<E>(&mut self, encode: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (bytes, entries, scope) = (self.bytes.len(), self.entries.len(), self.scopes.len());
        self.scopes.push(Scope::default());
        let encoded = encode(self);
        if encoded.is_err() {
            self.bytes.truncate(bytes);
            self.entries.truncate(entries);
            self.scopes.truncate(scope + 1);
        }
        let (commands, scopes) = (self.entries.len(), self.scopes.len());
        if let Some(slot) = self.scopes.get_mut(scope) {
            *slot = Scope { commands, scopes };
        }
        encoded
    }

    pub(crate) fn has_scripts(&self) -> bool {
        let script = |entry: &Entry| matches!(entry.head, Head::Script { .. });
        self.entries.iter().any(script)
    }

    /// Appends one command that is harmless to repeat, as the op that asks for it takes its reply.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub(crate) fn harmless(&mut self, name: &str, args: &[Arg<'_>]) -> Result<(), EdgeError> {
        self.command(name, args)?;
        if let Some(entry) = self.entries.last_mut() {
            entry.repeat = Repeat::Vouched;
        }
        Ok(())
    }

    /// Whether two commands may touch the same key: whether a word of one is a word of the other.
    pub(crate) fn may_meet(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.words(one), self.words(other)) else {
            return true;
        };
        one.1 || other.1 || json::items(one.0).any(|word| json::items(other.0).any(|w| w == word))
    }

    /// What may be keys of a command, and whether those are not all it may touch.
    fn words(&self, index: usize) -> Option<(&str, bool)> {
        let (head, words) = self.get(index)?;
        let words = std::str::from_utf8(words).ok()?.strip_suffix(']')?;
        if let Head::Script { .. } = head {
            return Some((words, false));
        }
        let name = json::items(words).next()?;
        let behind = words.get(name.len() + 1..).unwrap_or_default();
        let end = name.len().checked_sub(1)?;
        Some((behind, commands::touches_all(name.get(1..end)?)))
    }

    /// Whether command `index` may be sent again after its answer was lost, for itself.
    pub(crate) fn repeat(&self, index: usize) -> Repeat {
        self.entries
            .get(index)
            .map_or(Repeat::Never, |entry| entry.repeat)
    }

    /// The head of command `index`, and its bytes from behind the head to the closing bracket.
    pub(crate) fn get(&self, index: usize) -> Option<(&Head, &[u8])> {
        let entry = self.entries.get(index)?;
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.entries.get(before)?.end,
        };
        Some((&entry.head, self.bytes.get(start..entry.end)?))
    }

    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    fn arguments(&mut self, args: &[Arg<'_>]) {
        for arg in args {
            self.bytes.push(b',');
            arg.write_into(&mut self.bytes);
        }
    }

    fn close(&mut self, head: Head, repeat: Repeat) {
        self.bytes.push(b']');
        self.entries.push(Entry {
            head,
            repeat,
            end: self.bytes.len(),
        });
    }
}
