//! Commands on their way out, encoded once.

use super::json;
use super::reply::Scope;
use crate::commands;
use crate::error::EdgeError;
use crate::script::Script;

/// One argument of a command.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// Text, sent as it is.
    Text(&'a str),
    /// An integer.
    Int(i64),
    /// An integer past the signed ones.
    Unsigned(u64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Arg<'_> {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl From<usize> for Arg<'_> {
    fn from(number: usize) -> Self {
        (number as u64).into()
    }
}

/// Whether one of `texts` is one of the words, in any case; what follows STREAMS are names of streams.
fn one_of<'t>(texts: impl Iterator<Item = &'t str>, words: &[&str]) -> bool {
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    texts
        .take_while(|text| !is(text, "STREAMS"))
        .any(|text| words.iter().any(|word| is(text, word)))
}

/// How a command begins: by its name, or as whichever form of a script the server knows when the batch is written.
#[derive(Clone, Copy)]
pub(crate) enum Head {
    Plain,
    Script(&'static Script),
}

struct Entry {
    head: Head,
    repeat: Repeat,
    end: usize,
}

/// What to do with a command whose answer was lost on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Sent again it leaves the same state and gives the same reply, or one that its op takes for the same.
    Harmless,
    /// It may have been done: its op is told so.
    Never,
}

impl Repeat {
    fn harmless_if(harmless: bool) -> Self {
        if harmless {
            Self::Harmless
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
                Arg::Int(_) | Arg::Unsigned(_) => "",
            });
            one_of(texts.skip(from), words)
        };
        let repeat = Repeat::harmless_if(commands::repeatable(name, has)?);
        json::string_into(&mut self.bytes, name);
        self.arguments(args);
        self.close(Head::Plain, repeat);
        Ok(())
    }

    /// Appends one command that is JSON already: an array of its name and its arguments, with nothing between them.
    /// The caller may vouch that repeating it is harmless.
    ///
    /// # Errors
    /// As [`Self::command`]; `invalid_argument` when it is no such array.
    #[cfg(any(feature = "js", test))]
    pub(crate) fn json(&mut self, json: &str, vouched: bool) -> Result<(), EdgeError> {
        let text = |item: &str| -> Option<std::ops::Range<usize>> {
            (item.len() >= 2 && item.starts_with('"')).then(|| 1..item.len() - 1)
        };
        let mut items = json::items(json);
        let name = items.next().and_then(|item| item.get(text(item)?));
        let name = name.unwrap_or_default();
        let has = |from, words: &[&str]| {
            let texts = items.clone().filter_map(|item| item.get(text(item)?));
            one_of(texts.skip(from), words)
        };
        let harmless = commands::repeatable(name, has)?;
        self.bytes
            .extend_from_slice(json.as_bytes().get(1..).unwrap_or_default());
        // The closing bracket is there already.
        self.bytes.pop();
        self.close(Head::Plain, Repeat::harmless_if(harmless || vouched));
        Ok(())
    }

    /// Appends one call of a script: every key it touches, then its arguments.
    pub(crate) fn script(
        &mut self,
        script: &'static Script,
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
        self.arguments(args);
        self.close(Head::Script(script), repeat);
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
        let script = |entry: &Entry| matches!(entry.head, Head::Script(_));
        self.entries.iter().any(script)
    }

    /// Whether command `index` may be sent again after its answer was lost.
    pub(crate) fn repeat(&self, index: usize) -> Repeat {
        self.entries
            .get(index)
            .map_or(Repeat::Never, |entry| entry.repeat)
    }

    /// The head of command `index`, and its bytes from behind the head to the closing bracket.
    pub(crate) fn get(&self, index: usize) -> Option<(Head, &[u8])> {
        let entry = self.entries.get(index)?;
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.entries.get(before)?.end,
        };
        Some((entry.head, self.bytes.get(start..entry.end)?))
    }

    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    fn arguments(&mut self, args: &[Arg<'_>]) {
        for arg in args {
            self.bytes.push(b',');
            match *arg {
                Arg::Text(text) => json::string_into(&mut self.bytes, text),
                // As text: a server that reads JSON numbers as doubles would round them.
                Arg::Int(number) => {
                    json::string_into(&mut self.bytes, itoa::Buffer::new().format(number))
                }
                Arg::Unsigned(number) => {
                    json::string_into(&mut self.bytes, itoa::Buffer::new().format(number))
                }
            }
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
