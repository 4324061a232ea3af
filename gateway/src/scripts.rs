//! Scripts that ask for key locking, as Upstash takes them, on a Redis that does not know the flag.
//!
//! The flag is taken out of the script's first line before Redis sees it. So Redis knows the script by another SHA1
//! than its caller; which by which is remembered here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::command::Command;

const FLAG: &[u8] = b"allow-key-locking";

/// So many scripts no one has; past it all are forgotten, and their callers are told NOSCRIPT once.
const MOST: usize = 10_000;

/// SHA1 of the script as its caller sent it, to SHA1 of the script as Redis has it.
#[derive(Default)]
pub(crate) struct Scripts {
    known: Mutex<HashMap<String, String>>,
}

impl Scripts {
    /// Makes `command` one that Redis takes. The SHA1 to answer with, where Redis's own would be another.
    pub(crate) fn translate(&self, command: &mut Command) -> Option<String> {
        match command.name() {
            "eval" | "eval_ro" => {
                self.source(command, 1);
            }
            "evalsha" | "evalsha_ro" => self.name(command, 1),
            "script" if is(command, "load") => return self.source(command, 2),
            "script" if is(command, "exists") => {
                for index in 2..=command.arguments().count() {
                    self.name(command, index);
                }
            }
            _ => {}
        }
        None
    }

    fn source(&self, command: &mut Command, index: usize) -> Option<String> {
        let source = command.argument(index)?;
        let plain = without_flag(source)?;
        let (asked, held) = (sha1(source), sha1(&plain));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(asked.clone(), held);
        command.replace(index, plain);
        Some(asked)
    }

    fn name(&self, command: &mut Command, index: usize) {
        let asked = command.argument(index).map(<[u8]>::to_ascii_lowercase);
        let asked = asked.and_then(|sha1| String::from_utf8(sha1).ok());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = asked.and_then(|asked| known.get(&asked)) {
            command.replace(index, held.clone().into_bytes());
        }
    }
}

fn is(command: &Command, word: &str) -> bool {
    command
        .argument(1)
        .is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
}

/// The script without the flag; `None` when it does not have it. A first line that says nothing else becomes empty,
/// so that the lines of errors stay right.
fn without_flag(source: &[u8]) -> Option<Vec<u8>> {
    let end = source.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = source.split_at_checked(end)?;
    let flags = line.strip_prefix(b"#!lua flags=")?;
    let others: Vec<&[u8]> = flags
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .collect();
    if !others.contains(&FLAG) {
        return None;
    }
    let kept: Vec<&[u8]> = others.into_iter().filter(|flag| *flag != FLAG).collect();
    let mut plain = Vec::with_capacity(source.len());
    if !kept.is_empty() {
        plain.extend_from_slice(b"#!lua flags=");
        plain.extend_from_slice(&kept.join(&b','));
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

fn sha1(source: &[u8]) -> String {
    let digest = const_sha1::sha1(source).as_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_taken_out_and_all_else_stays() {
        let plain =
            |source: &str| without_flag(source.as_bytes()).map(|s| String::from_utf8(s).unwrap());
        assert_eq!(
            plain("#!lua flags=allow-key-locking\nreturn 1").as_deref(),
            Some("\nreturn 1")
        );
        assert_eq!(
            plain("#!lua flags=no-writes,allow-key-locking\nreturn 1").as_deref(),
            Some("#!lua flags=no-writes\nreturn 1")
        );
        for source in [
            "return 1",
            "#!lua flags=no-writes\nreturn 1",
            "#!lua\nreturn 1",
            "#!lua flags=allow-key-locking",
            "-- allow-key-locking\n",
        ] {
            assert_eq!(plain(source), None, "{source}");
        }
    }
}
