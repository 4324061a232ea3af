//! The JSON of servers that ignore `resp2`, turned into RESP2, so that one reader serves both.

use crate::base64;
use crate::error::EdgeError;

/// Deeper than any reply of Redis; a hostile one must not exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Turns the body of a JSON reply (`[{"result":..},{"error":".."}]`) into the RESP2 array it stands for.
///
/// With `base64` every string but a plain `OK` is encoded so; texts of errors never are.
///
/// # Errors
/// `corrupt` when the body is not such an array.
pub(crate) fn to_resp(body: &[u8], base64: bool) -> Result<Vec<u8>, EdgeError> {
    let mut reader = Reader::new(body, base64);
    let read = reader.array(Reader::entry);
    reader.end(read)
}

/// The same for the reply to one command: `{"result":..}` or `{"error":".."}`.
///
/// # Errors
/// `corrupt` when the body is no such object.
pub(crate) fn one_to_resp(body: &[u8], base64: bool) -> Result<Vec<u8>, EdgeError> {
    let mut reader = Reader::new(body, base64);
    let read = reader.entry();
    reader.end(read)
}

/// The text of a body `{"error": ".."}`, if it is one.
pub(crate) fn error_text(body: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(body, false);
    reader.entry()?;
    let line = reader.out.strip_prefix(b"-")?;
    Some(line.strip_suffix(b"\r\n").unwrap_or(line).to_vec())
}

/// Its methods answer `None` where the body is not what it should be: there is one error, and it is made at the end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    base64: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], base64: bool) -> Self {
        Self {
            bytes,
            at: 0,
            out: Vec::new(),
            base64,
        }
    }

    /// What was written, when all was `read`.
    fn end(mut self, read: Option<()>) -> Result<Vec<u8>, EdgeError> {
        self.space();
        if read.is_some() && self.at == self.bytes.len() {
            Ok(self.out)
        } else {
            Err(EdgeError::corrupt(
                "the reply is not the JSON of a Redis REST server",
            ))
        }
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Some(())
        } else {
            None
        }
    }

    /// Whether the list goes on behind an entry; eats the comma or the closing bracket.
    fn more(&mut self, close: u8) -> Option<bool> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Some(true),
            Some(byte) if byte == close => Some(false),
            _ => None,
        }
    }

    /// Leaves room for a length that is known only once its content is written.
    fn open(&mut self, kind: u8) -> usize {
        self.out.push(kind);
        let place = self.out.len();
        self.out.extend_from_slice(b"0000000000\r\n");
        place
    }

    fn close(&mut self, place: usize, length: usize) {
        let mut length = length;
        for digit in self
            .out
            .get_mut(place..place + 10)
            .unwrap_or_default()
            .iter_mut()
            .rev()
        {
            *digit = b'0' + (length % 10) as u8;
            length /= 10;
        }
    }

    fn array(&mut self, mut entry: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        let place = self.open(b'*');
        let mut length = 0;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                entry(self)?;
                length += 1;
                if !self.more(b']')? {
                    break;
                }
            }
        }
        self.close(place, length);
        Some(())
    }

    /// `{"result": value}` or `{"error": text}`.
    fn entry(&mut self) -> Option<()> {
        self.expect(b'{')?;
        let mut name = Vec::new();
        self.string(&mut name)?;
        self.expect(b':')?;
        match name.as_slice() {
            b"result" => self.value(MAX_DEPTH)?,
            b"error" => {
                let mut text = Vec::new();
                self.string(&mut text)?;
                self.out.push(b'-');
                self.out.extend(
                    text.iter()
                        .map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }),
                );
                self.out.extend_from_slice(b"\r\n");
            }
            _ => return None,
        }
        self.expect(b'}')
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            b'"' => {
                let mut text = Vec::new();
                self.string(&mut text)?;
                if self.base64 && text != b"OK" {
                    text = base64::from_padded(&text)?;
                }
                let place = self.open(b'$');
                self.out.extend_from_slice(&text);
                self.out.extend_from_slice(b"\r\n");
                self.close(place, text.len());
                Some(())
            }
            b'[' => self.array(|reader| reader.value(depth)),
            b'n' => self.word(b"null", b"$-1\r\n"),
            b't' => self.word(b"true", b":1\r\n"),
            b'f' => self.word(b"false", b":0\r\n"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8], reply: &[u8]) -> Option<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return None;
        }
        self.at += word.len();
        self.out.extend_from_slice(reply);
        Some(())
    }

    /// An integer stays one; any other number is handed on as its text.
    fn number(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|b| !matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        self.at += length;
        let whole = text.iter().all(|b| matches!(b, b'-' | b'0'..=b'9'));
        if whole && length <= 20 {
            self.out.push(b':');
        } else {
            let place = self.open(b'$');
            self.close(place, length);
        }
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
        Some(())
    }

    fn string(&mut self, text: &mut Vec<u8>) -> Option<()> {
        self.expect(b'"')?;
        loop {
            let byte = self.byte()?;
            match byte {
                b'"' => return Some(()),
                b'\\' => self.escape(text)?,
                _ => text.push(byte),
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let plain = match self.byte()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'u' => {
                let character = self.unicode()?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(plain);
        Some(())
    }

    /// A lone surrogate stands for no character: U+FFFD, as a decoder of UTF-16 has it.
    fn unicode(&mut self) -> Option<char> {
        let high = self.unit()?;
        let mut point = high;
        if (0xd800..0xdc00).contains(&high)
            && self
                .bytes
                .get(self.at..)
                .unwrap_or_default()
                .starts_with(b"\\u")
        {
            let back = self.at;
            self.at += 2;
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            } else {
                self.at = back;
            }
        }
        Some(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.byte()?).to_digit(16)?;
            unit = unit * 16 + digit;
        }
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Reply, frame};
    use proptest::prelude::*;

    #[test]
    fn json_replies_become_the_resp_they_stand_for() {
        let body = br#" [{"result":"a\u00e9\ud83d\ude00\n"}, {"result":[1,null,["x"],true,1.5]},
            {"error":"ERR bad\r\nthing"},{"result":[]}] "#;
        let resp = to_resp(body, false).unwrap();
        let (reply, used) = frame(&resp).unwrap();
        assert_eq!(used, resp.len());
        let mut entries = reply.array().unwrap();
        assert_eq!(entries.entry().unwrap().text(), Ok("a\u{e9}\u{1f600}\n"));
        let inner: Vec<_> = entries.entry().unwrap().array().unwrap().collect();
        assert_eq!(inner[0], Reply::Int(1));
        assert_eq!(inner[1], Reply::Nil);
        assert_eq!(inner[2].array().unwrap().entry(), Ok(Reply::Bytes(b"x")));
        assert_eq!(inner[3], Reply::Int(1));
        assert_eq!(inner[4], Reply::Bytes(b"1.5"));
        assert_eq!(entries.entry(), Ok(Reply::Error(b"ERR bad  thing")));
        assert_eq!(entries.entry().unwrap().array().unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_such_a_body_is_corrupt() {
        for body in [
            &b""[..],
            b"[",
            b"{}",
            b"[{\"result\":1}",
            b"[{\"result\":1}]x",
            b"[{\"other\":1}]",
            b"<html>",
            b"[{\"result\":\"a}]",
        ] {
            assert!(to_resp(body, false).is_err());
        }
        assert!(
            to_resp(
                format!("[{{\"result\":{}", "[".repeat(10_000)).as_bytes(),
                false
            )
            .is_err()
        );
    }

    #[test]
    fn base64_strings_are_decoded_at_every_depth_but_ok_and_errors() {
        let body = br#"[{"result":"AP8="},{"result":["OK",["Tw=="],7,""]},{"error":"ERR x"}]"#;
        let resp = to_resp(body, true).unwrap();
        let mut entries = frame(&resp).unwrap().0.array().unwrap();
        assert_eq!(entries.entry(), Ok(Reply::Bytes(b"\x00\xff")));
        let inner: Vec<_> = entries.entry().unwrap().array().unwrap().collect();
        assert_eq!(inner[0], Reply::Bytes(b"OK"));
        assert_eq!(inner[1].array().unwrap().entry(), Ok(Reply::Bytes(b"O")));
        assert_eq!(inner[3], Reply::Bytes(b""));
        assert_eq!(entries.entry(), Ok(Reply::Error(b"ERR x")));
        assert!(to_resp(br#"[{"result":"not base64"}]"#, true).is_err());
    }

    #[test]
    fn an_error_body_gives_its_text() {
        assert_eq!(
            error_text(b"{\"error\":\"ERR x\"}"),
            Some(b"ERR x".to_vec())
        );
        assert_eq!(error_text(b"{\"result\":1}"), None);
        assert_eq!(error_text(b"<html>"), None);
    }

    proptest! {
        #[test]
        fn strings_survive_the_way_in(text in any::<String>()) {
            let body = format!("[{{\"result\":{}}}]", serde_json::to_string(&text).unwrap());
            let resp = to_resp(body.as_bytes(), false).unwrap();
            let (reply, _) = frame(&resp).unwrap();
            prop_assert_eq!(reply.array().unwrap().entry().unwrap().text().unwrap(), text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(resp) = to_resp(&bytes, bytes.len() % 2 == 0) {
                prop_assert!(frame(&resp).is_ok());
            }
        }
    }
}
