//! A Lua script: its two forms and their SHA1s.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

/// The first line that makes Upstash lock the script's keys alone, where it would lock the whole database.
/// Redis itself refuses it, so a script is known in both forms and the client learns which one a server takes.
const LOCK_LINE: &str = "#!lua flags=allow-key-locking\n";

/// A [`Script`] of `src/lua/`, by the paths, from the calling file, of the files it is made of.
macro_rules! script {
    ($($file:literal),+) => {{
        const SOURCE: &str = concat!("#!lua flags=allow-key-locking\n", $(include_str!($file)),+);
        const TEXT: [u8; $crate::script::bare(SOURCE, &mut []) ] = {
            let mut text = [0; $crate::script::bare(SOURCE, &mut [])];
            $crate::script::bare(SOURCE, &mut text);
            text
        };
        $crate::script::Script::of(&TEXT)
    }};
}

pub(crate) use script;

/// Writes `source` without its comments and indentation, which nobody reads where it is sent; how long that is.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
pub(crate) const fn bare(source: &str, out: &mut [u8]) -> usize {
    let source = source.as_bytes();
    let (mut at, mut written) = (0, 0);
    while at < source.len() {
        while at < source.len() && source[at] == b' ' {
            at += 1;
        }
        let comment = at + 1 < source.len() && source[at] == b'-' && source[at + 1] == b'-';
        loop {
            if !comment {
                if written < out.len() {
                    out[written] = source[at];
                }
                written += 1;
            }
            at += 1;
            if at >= source.len() || source[at - 1] == b'\n' {
                break;
            }
        }
    }
    written
}

static TAKE_BYTES: Script = script!("lua/bytes.lua");

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
        let plain = source.strip_prefix(LOCK_LINE).unwrap_or(source);
        Self {
            locking: Source::new(source),
            plain: Source::new(plain),
        }
    }

    /// The same script for arguments among which are bytes: see `lua/bytes.lua`.
    pub fn taking_bytes(source: &str) -> Self {
        let first = match source.bytes().position(|byte| byte == b'\n') {
            Some(end) if source.starts_with("#!") => end + 1,
            _ => 0,
        };
        let mut text = source.get(..first).unwrap_or_default().to_owned();
        text += TAKE_BYTES.plain.text.as_ref();
        text += source.get(first..).unwrap_or_default();
        Self::new(&text)
    }

    /// One whose first line asks for key locking.
    pub const fn of(locking: &'static [u8]) -> Self {
        let (_, plain) = locking.split_at(LOCK_LINE.len());
        Self {
            locking: Source::of(locking),
            plain: Source::of(plain),
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
    fn new(text: &str) -> Self {
        Self {
            sha1: sha1(text.as_bytes()),
            text: Cow::Owned(text.to_owned()),
        }
    }

    const fn of(text: &'static [u8]) -> Self {
        Self {
            sha1: sha1(text),
            text: Cow::Borrowed(match std::str::from_utf8(text) {
                Ok(text) => text,
                Err(_) => "",
            }),
        }
    }

    /// The SHA1 of the text, in hex: what EVALSHA names it by.
    pub fn sha1(&self) -> &str {
        std::str::from_utf8(&self.sha1).unwrap_or_default()
    }
}

/// The hex of SHA-1 (FIPS 180-4, section 6.1), in a few hundred bytes of wasm: callers' scripts are hashed at run time.
#[allow(clippy::indexing_slicing, reason = "every index is masked or compared")]
const fn sha1(text: &[u8]) -> Sha1 {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut hash: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    // The text, a bit, and the text's length in bits in the last 8 bytes.
    let padded = (text.len() + 9).div_ceil(64) * 64;
    let mut at = 0;
    while at < padded {
        let mut words = [0u32; 16];
        let [mut a, mut b, mut c, mut d, mut e] = hash;
        let mut t = 0;
        while t < 80 {
            let slot = t & 15;
            if t < 16 {
                let mut n = 0;
                while n < 4 {
                    let byte = if at < text.len() {
                        text[at]
                    } else if at == text.len() {
                        0x80
                    } else if padded - at <= 8 {
                        ((text.len() as u64 * 8) >> (8 * (padded - at - 1))) as u8
                    } else {
                        0
                    };
                    words[slot] = words[slot] << 8 | byte as u32;
                    at += 1;
                    n += 1;
                }
            } else {
                let mixed =
                    words[(t + 13) & 15] ^ words[(t + 8) & 15] ^ words[(t + 2) & 15] ^ words[slot];
                words[slot] = mixed.rotate_left(1);
            }
            let (mixed, constant) = match t / 20 {
                0 => (b & c | !b & d, 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc_u32),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(words[slot]);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
            t += 1;
        }
        hash = [
            hash[0].wrapping_add(a),
            hash[1].wrapping_add(b),
            hash[2].wrapping_add(c),
            hash[3].wrapping_add(d),
            hash[4].wrapping_add(e),
        ];
    }
    let mut hex = [0; 40];
    let mut n = 0;
    while n < 40 {
        hex[n] = HEX[(hash[n / 8] >> (28 - 4 * (n % 8)) & 15) as usize];
        n += 1;
    }
    hex
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
        static SCRIPT: Script = Script::of(b"#!lua flags=allow-key-locking\nreturn 1");
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
    fn sha1_is_sha1() {
        // FIPS 180-4's examples, and lengths around the end of a block, of `printf %055d | sha1sum` and so on.
        for (text, hex) in [
            ("".to_owned(), "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc".to_owned(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_owned(),
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
            ("0".repeat(55), "8fffd3df3d041baf53b27f42ec802cfb362710bd"),
            ("0".repeat(56), "2a04b5125ba4030ef13232ecf1b72849f6ec9e97"),
            ("0".repeat(63), "70bc07198e6bcb86643b20d7fe3a75d6d19b8439"),
            ("0".repeat(64), "0114498021cb8c4f1519f96bdf58dd806f3adb63"),
            (
                "0".repeat(1_000),
                "88eaec963a0368e8854562e824b7fe2fdd3db8d1",
            ),
        ] {
            assert_eq!(std::str::from_utf8(&sha1(text.as_bytes())).unwrap(), hex);
        }
    }

    #[test]
    fn comments_and_indentation_stay_at_home() {
        let source = "-- one\nlocal a = 1 -- two\n  -- three\n    return a - -1\n--";
        let mut text = [0; 64];
        let length = bare(source, &mut text);
        assert_eq!(&text[..length], b"local a = 1 -- two\nreturn a - -1\n");
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
