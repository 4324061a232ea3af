//! Replies as JSON: `{"result":..}`, `{"error":..}`, arrays of those.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis::Value;

use super::{Reply, error_line};
use crate::format::Strings;

/// The reply to one command.
pub(crate) fn one(reply: &Reply, strings: Strings) -> Vec<u8> {
    let mut out = Vec::new();
    entry(&mut out, reply, strings);
    out
}

/// The replies to several.
pub(crate) fn several(replies: &[Reply], strings: Strings) -> Vec<u8> {
    let mut out = Vec::new();
    list(&mut out, replies, |out, reply| entry(out, reply, strings));
    out
}

/// `{"error":..}`
pub(crate) fn error(text: &str) -> Vec<u8> {
    let mut out = br#"{"error":"#.to_vec();
    quoted(&mut out, text);
    out.push(b'}');
    out
}

fn entry(out: &mut Vec<u8>, reply: &Reply, strings: Strings) {
    match reply {
        Ok(result) => {
            out.extend_from_slice(br#"{"result":"#);
            value(out, result, strings);
            out.push(b'}');
        }
        Err(text) => out.extend_from_slice(&error(text)),
    }
}

fn value(out: &mut Vec<u8>, from: &Value, strings: Strings) {
    match from {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Int(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
        Value::Okay if strings == Strings::AllBase64 => string(out, b"OK", strings),
        Value::Okay => out.extend_from_slice(br#""OK""#),
        Value::BulkString(bytes) => string(out, bytes, strings),
        Value::SimpleString(text) => string(out, text.as_bytes(), strings),
        Value::Array(items) => list(out, items, |out, item| value(out, item, strings)),
        Value::ServerError(error) => string(out, error_line(error).as_bytes(), strings),
        // We speak RESP2: Redis sends nothing else.
        _ => out.extend_from_slice(b"null"),
    }
}

fn string(out: &mut Vec<u8>, bytes: &[u8], strings: Strings) {
    match strings {
        Strings::Plain => quoted(out, &String::from_utf8_lossy(bytes)),
        Strings::Base64 | Strings::AllBase64 => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
    }
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    // Writing text to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value, strings: Strings) -> String {
        String::from_utf8(one(&Ok(value), strings)).unwrap()
    }

    #[test]
    fn base64_covers_every_string_but_the_status_ok() {
        let value = Value::Array(vec![
            Value::Okay,
            Value::BulkString(b"OK".into()),
            Value::SimpleString("PONG".into()),
            Value::Int(i64::MAX),
            Value::Nil,
            Value::Array(vec![]),
        ]);
        assert_eq!(
            text(value.clone(), Strings::Base64),
            r#"{"result":["OK","T0s=","UE9ORw==",9223372036854775807,null,[]]}"#
        );
        assert_eq!(
            text(value, Strings::Plain),
            r#"{"result":["OK","OK","PONG",9223372036854775807,null,[]]}"#
        );
    }

    #[test]
    fn plain_bytes_that_are_no_text_are_replaced() {
        assert_eq!(
            text(Value::BulkString(b"a\xff\"\n".into()), Strings::Plain),
            "{\"result\":\"a\u{fffd}\\\"\\n\"}"
        );
    }
}
