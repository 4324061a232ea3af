//! Key names: parts that come from users form no `{}` and no separator, so no two meanings share a key.

use sha2::{Digest, Sha256};

/// Longer parts are hashed: keys are billed as storage and sent at each call.
const LONGEST: usize = 128;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// `part`, escaped: readable where it can be, different parts always different.
///
/// Bytes that could end a hash tag or a part (`{` `}` `:` `%`), spaces and control characters become `%XX`.
/// A part that is too long becomes `%h` and 128 bits of its SHA-256, which no escaped part can be.
pub(crate) fn part(text: &str) -> String {
    escaped(text, |b| {
        b > b' ' && !matches!(b, b'{' | b'}' | b':' | b'%' | 0x7f)
    })
}

/// Whether [`part`] keeps it readable, and JavaScript's has no need of a hash: 1 to 128 bytes.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST
}

/// The same with letters, digits, `-`, `.`, `/` and `_` alone as they are: ASCII, fit for a header.
pub(crate) fn word(text: &str) -> String {
    escaped(text, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_')
    })
}

/// Bytes past ASCII stay as they are where `plain` says so.
fn escaped(text: &str, plain: fn(u8) -> bool) -> String {
    if text.len() > LONGEST {
        let mut hashed = String::from("%h");
        for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
            push_hex(&mut hashed, *byte);
        }
        return hashed;
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            if plain(byte) {
                continue;
            }
            escaped.push('%');
            push_hex(&mut escaped, byte);
        }
        if bytes.first().is_some_and(|byte| plain(*byte)) {
            escaped.push(character);
        }
    }
    escaped
}

/// `text` as a glob that matches itself alone.
pub(crate) fn glob_into(glob: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            glob.push('\\');
        }
        glob.push(character);
    }
}

fn push_hex(text: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 15] {
        text.push(char::from(
            HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'),
        ));
    }
}

/// What [`part`] and [`word`] escaped.
#[cfg(any(test, all(feature = "worker", target_arch = "wasm32")))]
pub(crate) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied();
    let mut read = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        let escaped = (byte == b'%').then(|| Some(digit()? << 4 | digit()?));
        match escaped.flatten().and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => {
                read.push(byte);
                bytes = ahead;
            }
            None => read.push(byte),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_readable_and_marks_are_escaped() {
        assert_eq!(part("user-42@example.com"), "user-42@example.com");
        assert_eq!(part("a:b{c}%d e"), "a%3Ab%7Bc%7D%25d%20e");
        assert_eq!(part("\u{e9}"), "\u{e9}");
        assert_eq!(part(""), "");
        assert_eq!(word("a/b.c-d_e;f,\u{e9}"), "a/b.c-d_e%3Bf%2C%C3%A9");
    }

    #[test]
    fn a_long_part_is_hashed_and_no_short_one_can_pass_for_it() {
        let long = part(&"x".repeat(200));
        assert_eq!(long.len(), 34);
        assert_ne!(long, part(&"x".repeat(201)));
        assert_ne!(part(&long), long);
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(text in any::<String>()) {
            for escaped in [part(&text), word(&text)] {
                if !escaped.starts_with("%h") {
                    prop_assert_eq!(unescaped(escaped.as_bytes()), text.as_bytes());
                }
            }
        }

        #[test]
        fn different_parts_are_different_keys(a in any::<String>(), b in any::<String>()) {
            prop_assert_eq!(a == b, part(&a) == part(&b));
            let mark = part(&a).contains(['{', '}', ':', ' ']);
            prop_assert!(!mark);
            prop_assert_eq!(a == b, word(&a) == word(&b));
            prop_assert!(word(&a).bytes().all(|b| b > b' ' && b < 0x7f && !matches!(b, b';' | b',')));
        }
    }
}
