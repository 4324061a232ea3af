//! Replies as RESP2, the bytes Redis would send.

use redis::Value;

use super::{Reply, error_line};

/// The reply to one command.
pub(crate) fn one(reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    entry(&mut out, reply);
    out
}

/// The replies to several, as one array.
pub(crate) fn several(replies: &[Reply]) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, b'*', replies.len());
    for reply in replies {
        entry(&mut out, reply);
    }
    out
}

fn entry(out: &mut Vec<u8>, reply: &Reply) {
    match reply {
        Ok(result) => value(out, result),
        Err(text) => line(out, b'-', text),
    }
}

fn value(out: &mut Vec<u8>, from: &Value) {
    match from {
        Value::Int(integer) => number(out, b':', integer),
        Value::Okay => line(out, b'+', "OK"),
        Value::SimpleString(text) => line(out, b'+', text),
        Value::BulkString(bytes) => {
            number(out, b'$', bytes.len());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        Value::Array(items) => {
            number(out, b'*', items.len());
            for item in items {
                value(out, item);
            }
        }
        Value::ServerError(error) => line(out, b'-', &error_line(error)),
        // Nil. The client library does not tell a null array from a null string.
        _ => out.extend_from_slice(b"$-1\r\n"),
    }
}

fn number(out: &mut Vec<u8>, kind: u8, number: impl ToString) {
    line(out, kind, &number.to_string());
}

/// A line break inside would end it early and shift every reply after it.
fn line(out: &mut Vec<u8>, kind: u8, text: &str) {
    out.push(kind);
    out.extend(text.bytes().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        byte => byte,
    }));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_stays_a_status_and_a_string_a_string() {
        let replies = [
            Ok(Value::Okay),
            Ok(Value::BulkString(b"O\r\nK".into())),
            Ok(Value::SimpleString("PONG".into())),
            Ok(Value::Array(vec![Value::Nil, Value::Int(-1)])),
            Err("ERR a\r\nb".to_owned()),
        ];
        assert_eq!(
            several(&replies),
            b"*5\r\n+OK\r\n$4\r\nO\r\nK\r\n+PONG\r\n*2\r\n$-1\r\n:-1\r\n-ERR a  b\r\n"
        );
    }
}
