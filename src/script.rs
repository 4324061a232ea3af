//! A Lua script: its two forms and their SHA1s.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::OnceLock;

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

/// Writes `source` without its comments and the blanks that separate nothing, which nobody reads where it is sent; how
/// long that is. Lines stay, and so does what stands in quotes; `[[` is not known.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
pub(crate) const fn bare(source: &str, out: &mut [u8]) -> usize {
    let source = source.as_bytes();
    let (mut at, mut written, mut last, mut quote) = (LOCK_LINE.len(), 0, b'\n', 0);
    while written < at && written < out.len() {
        out[written] = source[written];
        written += 1;
    }
    written = at;
    while at < source.len() {
        let byte = source[at];
        let next = if at + 1 < source.len() {
            source[at + 1]
        } else {
            b'\n'
        };
        if quote == 0 && byte == b'-' && next == b'-' {
            while at < source.len() && source[at] != b'\n' {
                at += 1;
            }
            continue;
        }
        let separates = is_word(last) && is_word(next)
            // `1..x` is a malformed number, `--` a comment, `[[` a text.
            || last.is_ascii_digit() && next == b'.'
            || last == b'.' && next.is_ascii_digit()
            || last == next && (next == b'-' || next == b'[');
        let blank = quote == 0 && (byte == b' ' && !separates || byte == b'\n' && last == b'\n');
        if !blank {
            if written < out.len() {
                out[written] = byte;
            }
            written += 1;
            last = byte;
        }
        if quote == 0 && (byte == b'\'' || byte == b'"') {
            quote = byte;
        } else if quote != 0 && byte == b'\\' {
            if written < out.len() {
                out[written] = next;
            }
            written += 1;
            at += 1;
        } else if byte == quote {
            quote = 0;
        }
        at += 1;
    }
    written
}

/// What two of would become one.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

static TAKE_BYTES: Script = script!("lua/bytes.lua");

/// One Lua script.
pub(crate) struct Script {
    /// The form with the line that asks for key locking, if there is one.
    locking: Cow<'static, str>,
    /// Where in it the form without the line begins.
    plain: usize,
    /// Made at first use: they are no texts that a module could be compressed by.
    sha1s: [OnceLock<Sha1>; 2],
}

/// One form of a script.
pub(crate) struct Source<'a> {
    pub text: &'a str,
    sha1: &'a OnceLock<Sha1>,
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
        let asks = source.starts_with(LOCK_LINE);
        Self {
            locking: Cow::Owned(source.to_owned()),
            plain: if asks { LOCK_LINE.len() } else { 0 },
            sha1s: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// The same script for arguments among which are bytes: see `lua/bytes.lua`.
    pub fn taking_bytes(source: &str) -> Self {
        let first = match source.bytes().position(|byte| byte == b'\n') {
            Some(end) if source.starts_with("#!") => end + 1,
            _ => 0,
        };
        let mut text = source.get(..first).unwrap_or_default().to_owned();
        text += TAKE_BYTES.source(Form::Plain).text;
        text += source.get(first..).unwrap_or_default();
        Self::new(&text)
    }

    /// One whose first line asks for key locking.
    pub const fn of(locking: &'static [u8]) -> Self {
        Self {
            locking: Cow::Borrowed(match std::str::from_utf8(locking) {
                Ok(text) => text,
                Err(_) => "",
            }),
            plain: LOCK_LINE.len(),
            sha1s: [OnceLock::new(), OnceLock::new()],
        }
    }

    pub fn source(&self, form: Form) -> Source<'_> {
        let [locking, plain] = &self.sha1s;
        match form {
            Form::Locking => Source {
                text: &self.locking,
                sha1: locking,
            },
            Form::Plain => Source {
                text: self.locking.get(self.plain..).unwrap_or_default(),
                sha1: if self.has_forms() { plain } else { locking },
            },
        }
    }

    /// What tells it from other scripts.
    pub fn id(&self) -> &Sha1 {
        self.source(Form::Locking).hashed()
    }

    /// Whether the line that asks for key locking is there to be left out.
    pub fn has_forms(&self) -> bool {
        self.plain > 0
    }

    /// Whether it says itself, in its first line, that it writes nothing.
    pub fn only_reads(&self) -> bool {
        let plain = self.source(Form::Plain).text;
        plain.starts_with("#!lua flags=no-writes\n")
    }
}

impl<'a> Source<'a> {
    /// The SHA1 of the text, in hex: what EVALSHA names it by.
    pub fn sha1(&self) -> &'a str {
        std::str::from_utf8(self.hashed()).unwrap_or_default()
    }

    fn hashed(&self) -> &'a Sha1 {
        self.sha1.get_or_init(|| sha1(self.text.as_bytes()))
    }
}

/// The hex of SHA-1 (FIPS 180-4, section 6.1), in a few hundred bytes of wasm: each script is hashed once, at its first use.
#[allow(clippy::indexing_slicing, reason = "every index is masked or compared")]
fn sha1(text: &[u8]) -> Sha1 {
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
        let same = Script::new("#!lua flags=allow-key-locking\nreturn 1");
        assert_eq!(same.id(), SCRIPT.id());
        assert_ne!(Script::new("return 1").id(), SCRIPT.id());
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

    /// `tests/unit/lua.test.mjs` holds the package's build to the same.
    #[test]
    fn comments_and_what_separates_nothing_stay_at_home() {
        let bare = |source: &str| {
            let source = LOCK_LINE.to_owned() + source;
            let mut text = vec![0; bare(&source, &mut [])];
            assert_eq!(super::bare(&source, &mut text), text.len());
            let text = String::from_utf8(text).unwrap();
            text.strip_prefix(LOCK_LINE).unwrap().to_owned()
        };
        let vectors = include_str!("../tests/vectors/lua.json");
        let vectors: Vec<(String, String)> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 4);
        for (source, text) in vectors {
            assert_eq!(bare(&source), text);
        }
    }

    #[test]
    fn the_package_sends_the_texts_that_the_crate_sends() {
        static SCRIPTS: [(&str, Script); 9] = [
            ("leaderboard_write", script!("lua/leaderboard_write.lua")),
            ("leaderboard_remove", script!("lua/leaderboard_remove.lua")),
            ("leaderboard_place", script!("lua/leaderboard_place.lua")),
            (
                "queue_enqueue",
                script!("lua/queue.lua", "lua/queue_enqueue.lua"),
            ),
            (
                "queue_take",
                script!("lua/queue.lua", "lua/queue_end.lua", "lua/queue_take.lua"),
            ),
            (
                "queue_settle",
                script!("lua/queue.lua", "lua/queue_end.lua", "lua/queue_settle.lua"),
            ),
            (
                "queue_schedule",
                script!(
                    "lua/queue.lua",
                    "lua/queue_end.lua",
                    "lua/queue_schedule.lua"
                ),
            ),
            ("queue_dead", script!("lua/queue.lua", "lua/queue_dead.lua")),
            (
                "queue_counts",
                script!("lua/queue.lua", "lua/queue_counts.lua"),
            ),
        ];
        let root = env!("CARGO_MANIFEST_DIR");
        let folder = std::env::temp_dir().join(format!("upstash-edge-lua-{}", std::process::id()));
        let written = std::process::Command::new("node")
            .arg(format!("{root}/scripts/lua.mjs"))
            .arg(&folder)
            .status();
        assert!(written.unwrap().success());
        let files = std::fs::read_dir(&folder).unwrap().count();
        for (name, script) in &SCRIPTS {
            let module = std::fs::read_to_string(folder.join(format!("{name}.js"))).unwrap();
            let text = module.strip_prefix("export default ").unwrap();
            let text: String = serde_json::from_str(text.trim_end_matches(";\n")).unwrap();
            assert_eq!(text, script.source(Form::Locking).text, "{name}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(files, SCRIPTS.len());
    }

    #[test]
    fn a_callers_script_is_sent_as_it_is_but_for_the_line_a_server_may_refuse() {
        let forms = |source| {
            let script = Script::new(source);
            [Form::Locking, Form::Plain].map(|form| script.source(form).text.to_owned())
        };
        assert_eq!(forms("return 1"), ["return 1", "return 1"]);
        let locking = "#!lua flags=allow-key-locking\nreturn 1";
        assert_eq!(forms(locking), [locking, "return 1"]);
        let bytes = Script::taking_bytes("#!lua flags=no-writes\nreturn 1");
        assert!(bytes.only_reads() && bytes.id() != Script::new("return 1").id());
        assert!(bytes.source(Form::Plain).text.ends_with("end\nreturn 1"));
    }
}
