//! Commands as ops: any, by [`command`], and those of daily use by typed functions, one a command and family by family.
//!
//! A function takes what the command takes, in Redis's order, and its options as methods; its op replies what its
//! documentation says. A value is text, an integer or bytes (see [`Arg`](crate::Arg)), and comes back as the text it is:
//! [`Call::reading`] asks for bytes or JSON instead. A command on a key of another kind fails with `redis_error`,
//! a reply of another kind than the command's with `corrupt`.
//!
//! ```
//! use upstash_edge::{EdgeError, Redis, commands::{hgetall, incr, zrevrange}};
//! # async fn page(redis: Redis) -> Result<(), EdgeError> {
//! // One round trip.
//! let (visits, user, best) = redis
//!     .run((incr("visits"), hgetall("user:1"), zrevrange("scores", 0, 9).with_scores()))
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! It also knows [what each command is](lookup): its family, whether it reads or writes, and whether repeating it is
//! harmless.

mod bitmap;
mod call;
mod geo;
mod hash;
mod hyperloglog;
mod index;
mod json;
mod keyspace;
mod list;
mod reply;
mod script;
mod set;
mod sorted_range;
mod sorted_set;
mod stream;
mod string;
mod table;

use crate::error::{EdgeError, ErrorKind};
use crate::wire::Repeat;

pub use bitmap::*;
pub use call::{Call, command};
pub use geo::*;
pub use hash::*;
pub use hyperloglog::*;
pub use json::*;
pub use keyspace::*;
pub use list::*;
pub use reply::{Bytes, FromReply};
pub use script::{Script, ScriptCall};
pub use set::*;
pub use sorted_range::*;
pub use sorted_set::*;
pub use stream::*;
pub use string::*;

/// What a command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the families' own")]
pub enum Family {
    String,
    Hash,
    List,
    Set,
    SortedSet,
    Stream,
    Geo,
    Bitmap,
    HyperLogLog,
    Json,
    Keyspace,
    Scripting,
    PubSub,
    Server,
}

/// What a command does, and so what may be done after a request whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Changes nothing: may be sent again.
    Read,
    /// Sent twice, it may do its work twice, or answer otherwise the second time.
    Write,
    /// A write that leaves the same state and gives the same reply however often it is sent.
    Repeatable,
    /// REST cannot carry it; what to use in its place.
    Refused(&'static str),
}

/// What is known of the command `name` (of any case); `None` for one that is not in the list, which is sent all the same.
///
/// ```
/// use upstash_edge::commands::{Access, Family, lookup};
/// assert_eq!(lookup("get"), Some((Family::String, Access::Read)));
/// assert_eq!(lookup("NO.SUCH"), None);
/// ```
#[must_use]
pub fn lookup(name: &str) -> Option<(Family, Access)> {
    let at = index::find(name)?;
    Some((index::family(at)?, index::access_of(at)?))
}

/// The name of a command as the list has it, for a log: what stands in the place of a name may be a value.
pub(crate) fn known(name: &str) -> &'static str {
    index::find(name).map_or("OTHER", index::name)
}

/// Whether it may touch keys that are not among its words.
pub(crate) fn touches_all(name: &str) -> bool {
    let Some(at) = index::find(name) else {
        return true;
    };
    index::family(at) == Some(Family::Scripting)
        || [
            "DBSIZE",
            "FLUSHALL",
            "FLUSHDB",
            "KEYS",
            "RANDOMKEY",
            "SCAN",
            "SORT",
            "SORT_RO",
            "SWAPDB",
        ]
        .contains(&index::name(at))
}

/// Whether this very command may be sent again after a request whose answer was lost.
///
/// `has(from, words)` says whether one of its arguments from number `from` on is one of the words, in any case;
/// what follows STREAMS are names of streams, and not looked at.
///
/// # Errors
/// `unsupported` for a command that REST cannot carry, with what to use in its place; `invalid_argument` without a name.
pub(crate) fn repeatable(
    name: &str,
    has: &dyn Fn(usize, &[&str]) -> bool,
) -> Result<Repeat, EdgeError> {
    if name.trim_ascii().is_empty() {
        return Err(EdgeError::argument("a command must begin with its name"));
    }
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    match index::find(name).and_then(index::access_of) {
        Some(Access::Refused(instead)) => Err(EdgeError::with_text(
            ErrorKind::Unsupported,
            name.to_ascii_uppercase() + " cannot be sent over REST; use " + instead,
        )),
        Some(_) if (is("XREAD") || is("XREADGROUP")) && has(0, &["BLOCK"]) => Err(EdgeError::new(
            ErrorKind::Unsupported,
            "XREAD with BLOCK cannot be sent over REST; use it without, asked again",
        )),
        Some(Access::Read) => Ok(Repeat::Read),
        Some(Access::Repeatable) => Ok(Repeat::Write),
        // A condition answers otherwise once it was met, and GET gives what the first one wrote.
        Some(Access::Write) if is("SET") => {
            let conditions = ["NX", "XX", "GET", "IFEQ", "IFNE", "IFDEQ", "IFDNE"];
            Ok(if has(2, &conditions) {
                Repeat::Never
            } else {
                Repeat::Write
            })
        }
        Some(Access::Write) if is("SCRIPT") && has(0, &["LOAD", "EXISTS"]) => Ok(Repeat::Write),
        Some(Access::Write) | None => Ok(Repeat::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Arg, Commands};

    #[test]
    fn the_table_is_sorted_so_every_command_is_found() {
        for (name, family, access) in table::TABLE {
            assert_eq!(lookup(name), Some((*family, *access)), "{name}");
            assert_eq!(lookup(&name.to_lowercase()), Some((*family, *access)));
        }
    }

    #[test]
    fn only_what_gives_the_same_state_and_reply_is_repeated() {
        let ask = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let mut out = Commands::default();
            let json = serde_json::to_string(&words).unwrap();
            let whole = out
                .json(&json, false, &[])
                .map(|()| out.repeat(0) != Repeat::Never);
            let args: Vec<Arg<'_>> = words[1..].iter().map(|word| Arg::Text(word)).collect();
            let mut out = Commands::default();
            let parts = out.command(words[0], &args);
            let parts = parts.map(|()| out.repeat(0) != Repeat::Never);
            assert_eq!(whole, parts);
            parts
        };
        for line in [
            "GET k",
            "get k",
            "SET k v",
            "SET k v EX 10",
            "SET NX GET",
            "MSET a 1",
            "EVAL_RO x 0",
            "SCAN 0",
            "SCRIPT LOAD x",
            "XREAD STREAMS block 0",
        ] {
            assert_eq!(ask(line), Ok(true), "{line}");
        }
        for line in [
            "INCR k",
            "DEL k",
            "SET k v NX",
            "SET k v get",
            "SET k v EX 10 xx",
            "SET k v IFEQ o",
            "HSET k f v",
            "LPUSH k v",
            "EVAL x 0",
            "PUBLISH c m",
            "GETEX k",
            "SCRIPT FLUSH",
            "NO.SUCH k",
            "FLUSHALL",
            "EXPIRE k 1",
        ] {
            assert_eq!(ask(line), Ok(false), "{line}");
        }
        for line in [
            "BLPOP k 0",
            "SUBSCRIBE c",
            "MULTI",
            "SELECT 1",
            "XREAD BLOCK 0 STREAMS s 0",
            "XREAD COUNT 1 BLOCK 0 STREAMS s 0",
            "AUTH x",
        ] {
            let error = ask(line).unwrap_err();
            assert_eq!(error.code(), "unsupported", "{line}");
        }
    }
}
