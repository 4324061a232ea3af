//! A Lua script: its two forms and their SHA1s, made at compile time.

/// The first line that makes Upstash lock the script's keys alone, where it would lock the whole database.
/// Redis itself refuses it, so a script is known in both forms and the client learns which one a server takes.
macro_rules! lock_line {
    () => {
        "#!lua flags=allow-key-locking\n"
    };
}

/// A [`Script`] of `src/lua/`, by its path from the calling file.
macro_rules! script {
    ($file:literal) => {
        $crate::script::Script::new(
            concat!($crate::script::lock_line!(), include_str!($file)),
            include_str!($file),
        )
    };
}

pub(crate) use {lock_line, script};

/// One Lua script. Its keys are all declared and all in one slot.
pub(crate) struct Script {
    locking: Source,
    plain: Source,
}

/// One form of a script.
pub(crate) struct Source {
    pub text: &'static str,
    sha1: [u8; 40],
}

/// Which form of its scripts a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With the line that asks for key locking: Upstash.
    Locking,
    /// Without it: Redis and proxies in front of it.
    Plain,
}

impl Script {
    pub(crate) const fn new(locking: &'static str, plain: &'static str) -> Self {
        Self {
            locking: Source::new(locking),
            plain: Source::new(plain),
        }
    }

    pub(crate) fn source(&self, form: Form) -> &Source {
        match form {
            Form::Locking => &self.locking,
            Form::Plain => &self.plain,
        }
    }
}

impl Source {
    const fn new(text: &'static str) -> Self {
        let digest = const_sha1::sha1(text.as_bytes()).as_bytes();
        let mut sha1 = [0; 40];
        let mut at = 0;
        #[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
        while at < 20 {
            let byte = digest[at];
            sha1[2 * at] = HEX[(byte >> 4) as usize];
            sha1[2 * at + 1] = HEX[(byte & 15) as usize];
            at += 1;
        }
        Self { text, sha1 }
    }

    /// The SHA1 of the text, in hex: what EVALSHA names it by.
    pub(crate) fn sha1(&self) -> &str {
        std::str::from_utf8(&self.sha1).unwrap_or_default()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_sha1_that_redis_computes() {
        static SCRIPT: Script = Script::new(concat!(lock_line!(), "return 1"), "return 1");
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
    }
}
