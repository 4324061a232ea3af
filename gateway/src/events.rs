//! Server-sent events: subscriptions and MONITOR.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use redis::Value;

use crate::answer::{self, Answer};
use crate::auth::Access;
use crate::command::Command;
use crate::execute::Execution;
use crate::reply::Reply;
use crate::upstream::{Failure, Listener};

/// A comment is sent after as long a silence: without one a dead peer, or a proxy that ends idle
/// connections, would never be noticed.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Listens, and streams what comes.
pub(crate) async fn stream(execution: &Execution<'_>, command: &Command) -> Result<Answer, Answer> {
    // Neither reads data by key: the one shows every channel, the other every command.
    if execution.caller.access == Access::ReadOnly {
        return Err(answer::bad(&format!(
            "NOPERM this user has no permissions to run the '{}' command",
            command.name()
        )));
    }
    let mut listener = execution.listen(command).await.map_err(answer::failure)?;
    let first = match listener.next().await {
        Some(Ok(value)) => value,
        Some(Err(error)) => return Err(answer::bad(&error)),
        None => return Err(answer::failure(Failure::Lost)),
    };
    let first = match &first {
        Value::Okay => Bytes::from_static(b"data: \"OK\"\n\n"),
        value => event(value),
    };
    let state = (listener, Some(first));
    let events = unfold(state, async |(mut listener, first)| {
        let event = match first {
            Some(first) => first,
            None => next(&mut listener).await?,
        };
        Some((Ok::<_, Infallible>(Frame::data(event)), (listener, None)))
    });
    Ok(answer::events(StreamBody::new(events).boxed_unsync()))
}

async fn next(listener: &mut Listener) -> Option<Bytes> {
    match tokio::time::timeout(HEARTBEAT, listener.next()).await {
        Ok(Some(Reply::Ok(value))) => Some(event(&value)),
        Ok(Some(Err(_)) | None) => None,
        Err(_) => Some(Bytes::from_static(b":\n\n")),
    }
}

/// `message,chat,hello`. A payload of several lines is an event of several `data:` lines, which
/// readers put together again: otherwise its second line could pass for a field of its own.
fn event(value: &Value) -> Bytes {
    let mut text = Vec::new();
    write(&mut text, value);
    let text = String::from_utf8_lossy(&text);
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.replace("\r\n", "\n").split(['\r', '\n']) {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::BulkString(bytes) => out.extend_from_slice(bytes),
        Value::SimpleString(text) => out.extend_from_slice(text.as_bytes()),
        Value::Int(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, item);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> Bytes {
        event(&Value::Array(vec![
            Value::BulkString(b"message".into()),
            Value::BulkString(b"chat".into()),
            Value::BulkString(payload.into()),
        ]))
    }

    #[test]
    fn a_line_break_in_a_payload_forges_no_field_and_no_event() {
        assert_eq!(message(b"a,b: c"), "data: message,chat,a,b: c\n\n");
        assert_eq!(
            message(b"a\n\nevent: x\rid: 1\r\nb"),
            "data: message,chat,a\ndata: \ndata: event: x\ndata: id: 1\ndata: b\n\n"
        );
        assert_eq!(message(b"\xff"), "data: message,chat,\u{fffd}\n\n");
    }
}
