//! A Lua script: its two forms and their SHA1s.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

/// The first line that makes Upstash lock the script's keys alone, where it would lock the whole database.
/// Redis itself refuses it, so a script is known in both forms and the client learns which one a server takes.
macro_rules! lock_line {
    () => {
        "#!lua flags=allow-key-locking\n"
    };
}

/// A [`Script`] of `src/lua/`, by the paths, from the calling file, of the files it is made of.
macro_rules! script {
    ($($file:literal),+) => {
        $crate::script::Script::of(
            concat!($crate::script::lock_line!(), $(include_str!($file)),+),
            concat!($(include_str!($file)),+),
        )
    };
}

pub(crate) use {lock_line, script};

/// One Lua script.
pub(crate) struct Script {
    locking: Source,
    plain: Source,
}

/// One form of a script.
pub(crate) struct Source {
    pub text: Cow<'static, str>,
    sha1: Sha1,
}

/// In hex: what EVALSHA names a script by.
pub(crate) type Sha1 = [u8; 40];

/// Which form of its scripts a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With the line that asks for key locking: Upstash.
    Locking,
    /// Without it: Redis and proxies in front of it.
    Plain,
}

impl Script {
    /// A script of this source. Where its first line asks for key locking, the other form is without it.
    pub fn new(source: &str) -> Self {
        let plain = source.strip_prefix(lock_line!()).unwrap_or(source);
        Self {
            locking: Source::new(Cow::Owned(source.to_owned())),
            plain: Source::new(Cow::Owned(plain.to_owned())),
        }
    }

    /// The same script for arguments among which are bytes: see `lua/bytes.lua`.
    pub fn taking_bytes(source: &str) -> Self {
        let first = match source.find('\n') {
            Some(end) if source.starts_with("#!") => end + 1,
            _ => 0,
        };
        let (line, rest) = source.split_at(first);
        Self::new(&[line, include_str!("lua/bytes.lua"), rest].concat())
    }

    pub const fn of(locking: &'static str, plain: &'static str) -> Self {
        Self {
            locking: Source::new(Cow::Borrowed(locking)),
            plain: Source::new(Cow::Borrowed(plain)),
        }
    }

    pub fn source(&self, form: Form) -> &Source {
        match form {
            Form::Locking => &self.locking,
            Form::Plain => &self.plain,
        }
    }

    /// What tells it from other scripts.
    pub fn id(&self) -> &Sha1 {
        &self.plain.sha1
    }

    /// Whether the line that asks for key locking is there to be left out.
    pub fn has_forms(&self) -> bool {
        self.locking.sha1 != self.plain.sha1
    }

    /// Whether it says itself, in its first line, that it writes nothing.
    pub fn only_reads(&self) -> bool {
        self.plain.text.starts_with("#!lua flags=no-writes\n")
    }
}

impl Source {
    const fn new(text: Cow<'static, str>) -> Self {
        let bytes = match &text {
            Cow::Borrowed(text) => text.as_bytes(),
            Cow::Owned(text) => text.as_bytes(),
        };
        Self {
            sha1: sha1(bytes),
            text,
        }
    }

    /// The SHA1 of the text, in hex: what EVALSHA names it by.
    pub fn sha1(&self) -> &str {
        std::str::from_utf8(&self.sha1).unwrap_or_default()
    }
}

const fn sha1(text: &[u8]) -> Sha1 {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = const_sha1::sha1(text).as_bytes();
    let mut sha1 = [0; 40];
    let mut at = 0;
    #[allow(clippy::indexing_slicing, reason = "40 is twice 20")]
    while at < 20 {
        let byte = digest[at];
        sha1[2 * at] = HEX[(byte >> 4) as usize];
        sha1[2 * at + 1] = HEX[(byte & 15) as usize];
        at += 1;
    }
    sha1
}

/// One of ours, known before the program runs, or a caller's.
#[derive(Clone)]
pub(crate) enum Known {
    Ours(&'static Script),
    Theirs(Rc<Script>),
}

impl From<&'static Script> for Known {
    fn from(script: &'static Script) -> Self {
        Self::Ours(script)
    }
}

impl From<&Rc<Script>> for Known {
    fn from(script: &Rc<Script>) -> Self {
        Self::Theirs(Rc::clone(script))
    }
}

impl Deref for Known {
    type Target = Script;

    fn deref(&self) -> &Script {
        match self {
            Self::Ours(script) => script,
            Self::Theirs(script) => script,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_sha1_that_redis_computes() {
        static SCRIPT: Script = Script::of(concat!(lock_line!(), "return 1"), "return 1");
        // `redis-cli SCRIPT LOAD "return 1"`
        assert_eq!(
            SCRIPT.source(Form::Plain).sha1(),
            "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"
        );
        assert_ne!(
            SCRIPT.source(Form::Locking).sha1(),
            SCRIPT.source(Form::Plain).sha1()
        );
        assert!(SCRIPT.source(Form::Locking).text.ends_with("\nreturn 1"));
        assert_eq!(Script::new("return 1").id(), SCRIPT.id());
    }

    #[test]
    fn a_callers_script_is_sent_as_it_is_but_for_the_line_a_server_may_refuse() {
        let forms = |source| {
            let script = Script::new(source);
            [Form::Locking, Form::Plain].map(|form| script.source(form).text.clone().into_owned())
        };
        assert_eq!(forms("return 1"), ["return 1", "return 1"]);
        let locking = "#!lua flags=allow-key-locking\nreturn 1";
        assert_eq!(forms(locking), [locking, "return 1"]);
        let bytes = Script::taking_bytes("#!lua flags=no-writes\nreturn 1");
        assert!(bytes.only_reads() && bytes.id() != Script::new("return 1").id());
        assert!(bytes.source(Form::Plain).text.ends_with("end\nreturn 1"));
    }
}
