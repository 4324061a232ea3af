//! Where in a cluster a command goes.

use super::slots::slot;
use crate::command::{Command, Table};

/// Where a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To the holder of this slot. Keys in other slots are for Redis to refuse (`CROSSSLOT`).
    Slot(u16),
    /// To any node: it has no keys.
    Anywhere,
    /// To every primary.
    Everywhere(Merge),
    /// To one primary after another, as its cursor says.
    Scan,
}

/// How the replies of all primaries become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The first, if none is an error.
    Same,
    Sum,
    Concat,
    /// Of all elements each once.
    Union,
    /// Of each element the smallest: 1 where all say 1.
    Least,
    /// Of each element the sum, where it is a number.
    Sums,
    /// Any that is not nil.
    Any,
}

/// Where `command` goes, by what `table` says of its keys.
pub(crate) fn route(command: &Command, table: &Table) -> Route {
    if let Some(route) = everywhere(command) {
        return route;
    }
    match key(command, table) {
        Some(key) => Route::Slot(slot(key)),
        None => Route::Anywhere,
    }
}

fn everywhere(command: &Command) -> Option<Route> {
    let sub = command
        .argument(1)
        .map(|sub| String::from_utf8_lossy(sub).to_ascii_lowercase());
    let merge = match (command.name(), sub.as_deref()) {
        ("scan", _) => return Some(Route::Scan),
        ("flushall" | "flushdb", _)
        | ("script", Some("load" | "flush" | "kill"))
        | ("function", Some("load" | "delete" | "flush" | "restore"))
        | ("config", Some("set" | "resetstat"))
        | ("acl", Some("setuser" | "deluser" | "save" | "load")) => Merge::Same,
        ("dbsize", _) | ("pubsub", Some("numpat")) => Merge::Sum,
        ("keys", _) => Merge::Concat,
        ("pubsub", Some("channels" | "shardchannels")) => Merge::Union,
        ("pubsub", Some("numsub" | "shardnumsub")) => Merge::Sums,
        ("randomkey", _) => Merge::Any,
        ("script", Some("exists")) => Merge::Least,
        _ => return None,
    };
    Some(Route::Everywhere(merge))
}

/// A key of the command: all of them are in one slot, or Redis refuses it.
fn key<'a>(command: &'a Command, table: &Table) -> Option<&'a [u8]> {
    let entry = table.get(command)?;
    if entry.first_key > 0 {
        return command.argument(entry.first_key);
    }
    match command.name() {
        "eval" | "evalsha" | "eval_ro" | "evalsha_ro" | "fcall" | "fcall_ro" => counted(command, 2),
        "zunion" | "zinter" | "zdiff" | "zintercard" | "sintercard" | "lmpop" | "zmpop" => {
            counted(command, 1)
        }
        "xread" | "xreadgroup" => {
            let streams = (1..)
                .map_while(|index| command.argument(index).map(|argument| (index, argument)))
                .find(|(_, argument)| argument.eq_ignore_ascii_case(b"streams"));
            command.argument(streams?.0 + 1)
        }
        _ => None,
    }
}

/// The first of as many keys as the argument at `index` says.
fn counted(command: &Command, index: usize) -> Option<&[u8]> {
    let none = command.argument(index)? == b"0";
    if none {
        None
    } else {
        command.argument(index + 1)
    }
}
