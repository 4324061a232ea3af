//! A command: where it comes from, and whether REST may carry it.

mod json;
mod policy;
mod table;

pub(crate) use json::{one, several};
pub(crate) use policy::{Verdict, judge};
pub(crate) use table::Table;

/// A command and its arguments: at least its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    name: String,
    arguments: Vec<Vec<u8>>,
}

impl Command {
    /// `None` when there is no name.
    pub(crate) fn new(arguments: Vec<Vec<u8>>) -> Option<Self> {
        let name = arguments.first().filter(|name| !name.is_empty())?;
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        Some(Self { name, arguments })
    }

    /// One of the gateway's own.
    pub(crate) fn of(words: &[&str]) -> Option<Self> {
        Self::new(words.iter().map(|word| word.as_bytes().to_vec()).collect())
    }

    /// Its name, lower-case.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The argument at `index`, the name being the one at 0.
    pub(crate) fn argument(&self, index: usize) -> Option<&[u8]> {
        self.arguments.get(index).map(Vec::as_slice)
    }

    /// Puts another argument at `index`, where there is one.
    pub(crate) fn replace(&mut self, index: usize, argument: Vec<u8>) {
        if let Some(place) = self.arguments.get_mut(index) {
            *place = argument;
        }
    }

    /// What follows the name.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.arguments.iter().skip(1).map(Vec::as_slice)
    }

    /// As the Redis client wants it.
    pub(crate) fn packed(&self) -> redis::Cmd {
        let size = self.arguments.iter().map(Vec::len).sum();
        let mut packed = redis::Cmd::with_capacity(self.arguments.len(), size);
        for argument in &self.arguments {
            packed.arg(argument.as_slice());
        }
        packed
    }
}
