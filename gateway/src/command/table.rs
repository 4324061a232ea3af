//! What Redis itself says of its commands (`COMMAND`).

use std::collections::HashMap;

use redis::Value;

use super::Command;

/// The commands a server has.
#[derive(Default)]
pub(crate) struct Table {
    /// By lower-case name; a subcommand as `container|name`.
    entries: HashMap<String, Entry>,
}

/// What is known of one command.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Entry {
    pub(crate) read_only: bool,
    /// Where its first key is; 0 when it has none, or none in a fixed place.
    pub(crate) first_key: usize,
    has_subcommands: bool,
}

impl Table {
    /// Reads the reply to `COMMAND`; what it does not understand it leaves out.
    pub(crate) fn new(reply: &Value) -> Self {
        let mut table = Self::default();
        table.add(reply);
        table
    }

    /// Nothing is known: the login may not ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of this command, of its subcommand if it has such.
    pub(crate) fn get(&self, command: &Command) -> Option<Entry> {
        let entry = self.entries.get(command.name()).copied()?;
        if !entry.has_subcommands {
            return Some(entry);
        }
        let sub = command.argument(1).and_then(|sub| {
            let sub = String::from_utf8_lossy(sub).to_ascii_lowercase();
            self.entries.get(&format!("{}|{sub}", command.name()))
        });
        Some(sub.copied().unwrap_or(entry))
    }

    fn add(&mut self, commands: &Value) {
        let Value::Array(commands) = commands else {
            return;
        };
        for command in commands {
            let Value::Array(parts) = command else {
                continue;
            };
            let Some(name) = parts.first().and_then(text) else {
                continue;
            };
            let flags = match parts.get(2) {
                Some(Value::Array(flags) | Value::Set(flags)) => flags.as_slice(),
                _ => &[],
            };
            let entry = Entry {
                read_only: flags.iter().filter_map(text).any(|flag| flag == "readonly"),
                first_key: match parts.get(3) {
                    Some(Value::Int(index)) => usize::try_from(*index).unwrap_or_default(),
                    _ => 0,
                },
                has_subcommands: matches!(parts.get(9), Some(Value::Array(subs)) if !subs.is_empty()),
            };
            self.entries.insert(name, entry);
            if let Some(subcommands) = parts.get(9) {
                self.add(subcommands);
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).to_ascii_lowercase()),
        Value::SimpleString(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    }
}
