//! Commands and scripts that carry bytes, which JSON cannot: as a path with a raw body, or as Latin-1 that a script turns
//! back.

use super::json;
use crate::error::{EdgeError, ErrorKind};

/// Longer paths may meet a limit on the way.
const LONGEST_PATH: usize = 2_000;

/// What stands before the words of a command (a JSON array without its first bracket) to make them the call of the
/// script that runs it: the count of its keys, its keys, and the `places` of its bytes, the name's being 1.
///
/// # Errors
/// For bytes where only text can be.
pub(super) fn opening(words: &str, places: &[u32]) -> Result<Vec<u8>, EdgeError> {
    let words = words.strip_suffix(']').unwrap_or(words);
    let name = json::items(words).next().unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is(&[
        "\"EVAL\"",
        "\"EVAL_RO\"",
        "\"EVALSHA\"",
        "\"EVALSHA_RO\"",
        "\"FCALL\"",
        "\"FCALL_RO\"",
    ]) {
        return Err(EdgeError::new(
            ErrorKind::Unsupported,
            "bytes cannot be arguments of EVAL, EVALSHA or FCALL: make it a script, which takes them",
        ));
    }
    if is(&["\"HINCRBY\""]) {
        return Err(EdgeError::new(
            ErrorKind::Unsupported,
            "bytes cannot be a field of HINCRBY: a script would round its reply",
        ));
    }
    // Lua hands over no more than 8,000 at once.
    if json::items(words).count() > 7_000 {
        return Err(EdgeError::new(
            ErrorKind::TooLarge,
            "a command with bytes takes at most 7000 words: use several",
        ));
    }
    // Which words are keys: all are declared, for they decide where the script runs and what it locks.
    let (most, by_turns) = if is(&[
        "\"ECHO\"",
        "\"PING\"",
        "\"PUBLISH\"",
        "\"SPUBLISH\"",
        "\"FUNCTION\"",
    ]) {
        (0, false)
    } else if is(&["\"MSET\"", "\"MSETNX\""]) {
        (usize::MAX, true)
    } else if is(&["\"SMOVE\""]) {
        (2, false)
    } else {
        (1, false)
    };
    let words = (1u32..).zip(json::items(words)).skip(1);
    let keys = words
        .filter(|(place, _)| !by_turns || place % 2 == 0)
        .take(most);
    let keys: Vec<(u32, &str)> = keys.collect();
    if keys.iter().any(|(place, _)| places.contains(place)) {
        return Err(EdgeError::argument(
            "a key must be text; bytes can be values",
        ));
    }
    let mut number = itoa::Buffer::new();
    let mut opening = number.format(keys.len()).as_bytes().to_vec();
    for (_, key) in keys {
        opening.push(b',');
        opening.extend_from_slice(key.as_bytes());
    }
    opening.push(b',');
    places_into(&mut opening, places);
    opening.push(b',');
    Ok(opening)
}

/// As `lua/bytes.lua` reads them: `"2,5"`.
pub(super) fn places_into(out: &mut Vec<u8>, places: &[u32]) {
    let mut opens = b'"';
    for place in places {
        out.push(opens);
        out.extend_from_slice(itoa::Buffer::new().format(*place).as_bytes());
        opens = b',';
    }
    out.push(b'"');
}

/// The command as a path and a body of bytes, which is the argument at `place`; the expiry of a SET goes into a query.
///
/// `None` where a path cannot say it: an empty segment, or `.` or `..`, which URL parsers fold, however they are
/// written; no body where the bytes are none. Nor where it would say too much: an address is what gets logged, so that
/// beside the name none but a key, a field or a number may stand in it, and never a value.
pub(crate) fn path_form(words: &[u8], place: u32) -> Option<(String, Vec<u8>)> {
    let words = std::str::from_utf8(words).ok()?.strip_suffix(']')?;
    let is =
        |word: &str, known: &[&str]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
    let name = json::items(words).next()?;
    let addressed = [
        "\"HSET\"",
        "\"HSETNX\"",
        "\"SETEX\"",
        "\"PSETEX\"",
        "\"SETRANGE\"",
        "\"LSET\"",
        "\"RESTORE\"",
    ];
    if !(place <= 3 || place == 4 && is(name, &addressed)) {
        return None;
    }
    let (mut path, mut body) = (String::new(), Vec::new());
    let (mut behind, mut expiry) = (0, "");
    for (at, item) in (1u32..).zip(json::items(words)) {
        if at == place {
            body = latin1(item)?;
            continue;
        }
        let text = json::text_of(item)?;
        if text.is_empty() || path.len() + text.len() > LONGEST_PATH {
            return None;
        }
        if at < place {
            if text == "." || text == ".." {
                return None;
            }
            path.push('/');
        } else if expiry.is_empty() {
            let expires = is(&text, &["EX", "PX", "EXAT", "PXAT"]);
            if !(expires && is(name, &["\"SET\""])) {
                return None;
            }
            path.push(if behind == 0 { '?' } else { '&' });
            (behind, expiry) = (behind + 1, item);
        } else {
            if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            path.push('=');
            expiry = "";
        }
        percent_into(&mut path, &text);
    }
    (!body.is_empty() && expiry.is_empty() && path.len() <= LONGEST_PATH).then_some((path, body))
}

/// The call of a script whose last argument is bytes, by its SHA1 and as a path, with that argument as the body; `words` are
/// all behind the SHA1. The arguments before it must be such as an address may hold. `None` where a path cannot say it.
pub(crate) fn script_path(sha1: &str, words: &[u8]) -> Option<(String, Vec<u8>)> {
    let words = std::str::from_utf8(words).ok()?.strip_suffix(']')?;
    let number = |item: &str| {
        let quoted = item
            .strip_prefix('"')
            .and_then(|item| item.strip_suffix('"'));
        quoted.unwrap_or(item).parse::<usize>().ok()
    };
    let mut items = json::items(words).peekable();
    let keys = number(items.peek()?)?;
    let mut path = "/EVALSHA/".to_owned();
    path += sha1;
    for _ in 0..=keys {
        segment_into(&mut path, items.next()?)?;
    }
    // The place of the bytes: they are not in JSON, so there are none to turn back.
    items.next()?;
    path += "/-";
    let mut last = items.next()?;
    for item in items {
        segment_into(&mut path, last)?;
        last = item;
    }
    let body = latin1(last)?;
    (!body.is_empty() && path.len() <= LONGEST_PATH).then_some((path, body))
}

/// Appends a word that a path can say, and that fits: a number or a text.
fn segment_into(path: &mut String, item: &str) -> Option<()> {
    let text = if item.starts_with('"') {
        json::text_of(item)?
    } else {
        item.to_owned()
    };
    let folded = matches!(text.as_str(), "" | "." | "..");
    if folded || path.len() + text.len() > LONGEST_PATH {
        return None;
    }
    path.push('/');
    percent_into(path, &text);
    Some(())
}

/// The bytes that a JSON string of Latin-1 characters stands for.
fn latin1(item: &str) -> Option<Vec<u8>> {
    let text = json::text_of(item)?;
    text.chars()
        .map(|character| u8::try_from(character).ok())
        .collect()
}

fn percent_into(path: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            for nibble in [byte >> 4, byte & 15] {
                path.push(char::from(*HEX.get(usize::from(nibble)).unwrap_or(&b'0')));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(words: &[&str], bytes: &[u8], place: usize) -> Option<(String, Vec<u8>)> {
        let mut out = Vec::new();
        for (at, word) in words.iter().enumerate() {
            if at + 1 == place {
                json::latin1_into(&mut out, bytes);
            } else {
                json::string_into(&mut out, word);
            }
            out.push(b',');
        }
        out.pop();
        out.push(b']');
        path_form(&out, place as u32)
    }

    #[test]
    fn a_path_says_what_it_can() {
        let bytes = &[0, 0xff, b'"', b'\\', 10][..];
        let said = |words: &[&str], place| {
            form(words, bytes, place).map(|(path, body)| {
                assert_eq!(body, bytes);
                path
            })
        };
        assert_eq!(
            said(&["SET", "a/b ü", "", "EX", "60"], 3).unwrap(),
            "/SET/a%2Fb%20%C3%BC?EX=60"
        );
        assert_eq!(said(&["HSET", "h", "f", ""], 4).unwrap(), "/HSET/h/f");
        assert_eq!(
            said(&["SET", "k", "", "EX", "1", "PX", "2"], 3).unwrap(),
            "/SET/k?EX=1&PX=2"
        );
        for unsaid in [
            &["SET", "", ""][..],
            &["SET", ".", ""],
            &["SET", "..", ""],
            &["SET", "k", "", "NX"],
            &["SET", "k", "", "EX", ""],
            &["SET", "k", "", "_token", "x"],
            &["SET", "k", "", "EX", "x"],
            &["SET", &"k".repeat(2_000), ""],
            // Values have no place in an address.
            &["HSET", "h", "", "f", "secret"],
            &["MSET", "k", "", "l", "secret"],
            &["RPUSH", "k", "", "EX", "10"],
            &["SET", "k", "secret", ""],
            &["RPUSH", "k", "secret", ""],
            &["ZADD", "k", "1", "", "2", "secret"],
            &["HSET", "h", "f", "", "g", "secret"],
            &["HSET", "h", "f", "secret", "g", ""],
        ] {
            let place = 1 + unsaid.iter().position(|word| word.is_empty()).unwrap_or(2);
            assert_eq!(said(unsaid, place.max(3)), None, "{unsaid:?}");
        }
        assert_eq!(form(&["SET", "k", ""], b"", 3), None);
    }

    #[test]
    fn a_script_goes_in_a_path_with_its_last_argument_as_the_body() {
        let said = |words: &str| script_path("sha", words.as_bytes());
        let body = vec![0xff, b'"'];
        for (words, path) in [
            (
                r#"2,"k","/","2","a;b","ÿ\""]"#,
                "/EVALSHA/sha/2/k/%2F/-/a%3Bb",
            ),
            (r#""0","1","ÿ\""]"#, "/EVALSHA/sha/0/-"),
        ] {
            assert_eq!(
                said(words),
                Some((path.to_owned(), body.clone())),
                "{words}"
            );
        }
        for unsaid in [
            r#"1,"","1","ÿ"]"#,
            r#"1,"k","1",""]"#,
            r#"1,"k","2","","ÿ"]"#,
            r#"1,"k","2","..","ÿ"]"#,
            r#"4000000000,"k"]"#,
            "]",
        ] {
            assert_eq!(said(unsaid), None, "{unsaid}");
        }
        let long = "k".repeat(2_000);
        assert_eq!(said(&["1,\"", &long, "\",\"1\",\"ÿ\"]"].concat()), None);
    }

    #[test]
    fn keys_are_declared_and_are_text() {
        let opened = |words: &str, places: &[u32]| {
            opening(words, places).map(|o| String::from_utf8(o).unwrap())
        };
        assert_eq!(
            opened(r#""set","k,\"","v"]"#, &[3]).unwrap(),
            r#"1,"k,\"","3","#
        );
        assert_eq!(
            opened(r#""MSET","a","1","b","2"]"#, &[3, 5]).unwrap(),
            r#"2,"a","b","3,5","#
        );
        assert_eq!(
            opened(r#""PUBLISH","c","m"]"#, &[2, 3]).unwrap(),
            r#"0,"2,3","#
        );
        assert_eq!(
            opened(r#""GET","k"]"#, &[2]).unwrap_err().code(),
            "invalid_argument"
        );
        assert_eq!(
            opened(r#""EVAL","s","0","a"]"#, &[4]).unwrap_err().code(),
            "unsupported"
        );
    }
}
