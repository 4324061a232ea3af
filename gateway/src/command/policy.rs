//! What REST cannot carry, and what the read-only token may run.

use redis::Value;

use super::{Command, Table};
use crate::auth::Access;

/// What becomes of a command.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It goes to Redis.
    Send,
    /// It is answered here.
    Answer(Value),
    /// It is refused, with this error.
    Refuse(String),
}

/// They need a connection of their own, change one that is shared, or wait on it while others want it.
const UNAVAILABLE: &[&str] = &[
    "asking",
    "auth",
    "blmove",
    "blmpop",
    "blpop",
    "brpop",
    "brpoplpush",
    "bzmpop",
    "bzpopmax",
    "bzpopmin",
    "client",
    "cluster",
    "debug",
    "discard",
    "exec",
    "failover",
    "hello",
    "migrate",
    "module",
    "monitor",
    "multi",
    "pfdebug",
    "psubscribe",
    "psync",
    "punsubscribe",
    "quit",
    "readonly",
    "readwrite",
    "replconf",
    "replicaof",
    "reset",
    "restore-asking",
    "shutdown",
    "slaveof",
    "ssubscribe",
    "subscribe",
    "sunsubscribe",
    "sync",
    "unsubscribe",
    "unwatch",
    "wait",
    "waitaof",
    "watch",
];

/// Harmless, though Redis does not flag them as reads.
const ALSO_READS: &[&str] = &["command", "echo", "ping", "time"];

/// Reads that walk the whole key space: not for a token that is made to be public.
const POWERFUL_READS: &[&str] = &["keys", "randomkey", "scan"];

/// Whether `access` may have `command` run on a server that has the commands of `table`.
pub(crate) fn judge(command: &Command, access: Access, table: &Table) -> Verdict {
    let name = command.name();
    if UNAVAILABLE.contains(&name) {
        return Verdict::Refuse(format!(
            "ERR Command is not available: '{}'. It cannot be used over REST",
            name.to_ascii_uppercase()
        ));
    }
    if name == "select" {
        return select(command);
    }
    if blocks(command) {
        return Verdict::Refuse(format!(
            "ERR BLOCK is not available over REST: '{}' can be asked again",
            name.to_ascii_uppercase()
        ));
    }
    let entry = table.get(command);
    if entry.is_none() && !table.is_empty() {
        return Verdict::Refuse(unknown(command));
    }
    let may = access != Access::ReadOnly
        || ALSO_READS.contains(&name)
        || (entry.is_some_and(|entry| entry.read_only) && !POWERFUL_READS.contains(&name));
    if may {
        Verdict::Send
    } else {
        Verdict::Refuse(format!(
            "NOPERM this user has no permissions to run the '{name}' command"
        ))
    }
}

/// Never sent: it would move everybody who shares the connection.
fn select(command: &Command) -> Verdict {
    match (command.argument(1), command.argument(2)) {
        (Some(b"0"), None) => Verdict::Answer(Value::Okay),
        (Some(index), None) => Verdict::Refuse(format!(
            "ERR Only 0th database is supported! Selected DB: {}",
            shown(index)
        )),
        _ => Verdict::Refuse("ERR wrong number of arguments for 'select' command".to_owned()),
    }
}

fn blocks(command: &Command) -> bool {
    matches!(command.name(), "xread" | "xreadgroup")
        && command
            .arguments()
            // A stream may be called BLOCK: it comes after STREAMS.
            .take_while(|argument| !argument.eq_ignore_ascii_case(b"streams"))
            .any(|argument| argument.eq_ignore_ascii_case(b"block"))
}

/// In Redis's words. Redis's own would echo the arguments cut at a byte, and an error line that is
/// not UTF-8 costs everybody the connection.
fn unknown(command: &Command) -> String {
    const ECHOED: usize = 128;
    let mut text = format!(
        "ERR unknown command '{}', with args beginning with: ",
        shown(command.argument(0).unwrap_or_default())
    );
    let start = text.len();
    for argument in command.arguments() {
        if text.len() - start >= ECHOED {
            break;
        }
        text.push_str(&format!("'{}' ", shown(argument)));
    }
    text
}

/// Some of an argument, on one line.
fn shown(argument: &[u8]) -> String {
    let some = argument.get(..128).unwrap_or(argument);
    String::from_utf8_lossy(some).replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(words: &str, access: Access) -> Verdict {
        let words: Vec<&str> = words.split(' ').collect();
        let command = Command::of(&words);
        judge(&command.unwrap(), access, &Table::default())
    }

    #[test]
    fn a_stream_called_block_can_be_read_and_a_blocking_read_cannot() {
        assert_eq!(
            verdict("XREAD STREAMS block 0", Access::Standard),
            Verdict::Send
        );
        assert!(matches!(
            verdict("xread BLOCK 0 STREAMS s 0", Access::Standard),
            Verdict::Refuse(_)
        ));
    }

    #[test]
    fn database_0_is_answered_here_and_another_is_refused() {
        assert_eq!(
            verdict("SELECT 0", Access::Standard),
            Verdict::Answer(Value::Okay)
        );
        assert!(matches!(
            verdict("select 1", Access::Standard),
            Verdict::Refuse(_)
        ));
    }

    #[test]
    fn without_a_table_the_read_only_token_runs_nothing_that_touches_data() {
        assert_eq!(verdict("ping", Access::ReadOnly), Verdict::Send);
        assert!(matches!(
            verdict("get k", Access::ReadOnly),
            Verdict::Refuse(_)
        ));
    }
}
