//! What Upstash says in an event stream about subscriptions, and how one is asked for.
//!
//! A line is `message,<channel>,<message>`, nothing quoted. Channels may hold commas, and so may messages; which of
//! them a comma belongs to is known because the channels are: see [`travels_alone`] and [`channel_end`].

use std::ops::Range;

/// One line. `name` is an index into what was asked for; the rest are places in the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// From now on messages come.
    Confirmed { name: usize },
    /// Something is confirmed that nobody asked for.
    Stranger,
    /// A message: where in the line its channel lies, and where the message begins.
    Message {
        name: usize,
        channel: Range<usize>,
        message: usize,
    },
    /// Nothing for a reader of messages.
    Other,
}

/// Whether this channel or pattern must be the only one of its request, so that its end in a line is known.
pub(crate) fn travels_alone(name: &str) -> bool {
    name.bytes().any(|b| b == b',')
}

/// Reads one line of a stream that was asked for `names`.
pub(crate) fn read(line: &[u8], names: &[String], patterns: bool) -> Line {
    let (confirmed, message): (&[u8], &[u8]) = if patterns {
        (b"psubscribe,", b"pmessage,")
    } else {
        (b"subscribe,", b"message,")
    };
    // What follows a name and its comma, and where.
    let after = |start: usize, name: &String| {
        let rest = line.get(start..)?.strip_prefix(name.as_bytes())?;
        Some((start + name.len() + 1, rest.strip_prefix(b",")?))
    };
    if line.starts_with(confirmed) {
        let is_count = |rest: &[u8]| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
        let is_it = |name| after(confirmed.len(), name).is_some_and(|(_, rest)| is_count(rest));
        let found = names.iter().position(is_it);
        return found.map_or(Line::Stranger, |name| Line::Confirmed { name });
    }
    if line.starts_with(message) {
        for (index, name) in names.iter().enumerate() {
            let Some((at, rest)) = after(message.len(), name) else {
                continue;
            };
            let channel = if patterns {
                match channel_end(rest, name) {
                    Some(length) => at..at + length,
                    None => return Line::Other,
                }
            } else {
                message.len()..at - 1
            };
            return Line::Message {
                name: index,
                message: channel.end + 1,
                channel,
            };
        }
    }
    Line::Other
}

/// The length of the channel at the start of `rest`, that matches `pattern`.
///
/// The protocol does not say where it ends. It is taken to hold the commas of the pattern and no other: messages are
/// often JSON, and channels with commas are rare. Who has such channels subscribes to them by name.
fn channel_end(rest: &[u8], pattern: &str) -> Option<usize> {
    let mut more = commas(pattern);
    for (at, byte) in rest.iter().enumerate() {
        if *byte == b',' {
            if more == 0 {
                return Some(at);
            }
            more -= 1;
        }
    }
    None
}

/// The commas that every channel of this pattern holds; one in `[..]` stands for a choice.
fn commas(pattern: &str) -> usize {
    let (mut count, mut in_class) = (0, false);
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\\' => bytes.next().filter(|b| *b == b',').unwrap_or(b'\\'),
            byte => byte,
        };
        match byte {
            b'[' => in_class = true,
            b']' => in_class = false,
            b',' if !in_class => count += 1,
            _ => {}
        }
    }
    count
}

/// Appends `/name`, every byte escaped that is not unreserved (RFC 3986, section 2.3).
pub(crate) fn segment_into(path: &mut String, name: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    path.push('/');
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            for digit in [byte >> 4, byte & 15] {
                path.extend(HEX.get(usize::from(digit)).map(|b| char::from(*b)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The same for the reader in JavaScript.
    #[test]
    fn each_line_means_what_was_asked_for() {
        let vectors = include_str!("../../tests/vectors/event-stream.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        for (kind, patterns) in [("lines", false), ("patterns", true)] {
            for vector in vectors[kind].as_array().unwrap() {
                let (line, names, expected): (String, Vec<String>, serde_json::Value) =
                    serde_json::from_value(vector.clone()).unwrap();
                let told = match read(line.as_bytes(), &names, patterns) {
                    Line::Confirmed { name } => json!([names[name]]),
                    Line::Stranger => json!("corrupt"),
                    Line::Message {
                        name,
                        channel,
                        message,
                    } => json!([names[name], line[channel], line[message..]]),
                    Line::Other => json!(null),
                };
                assert_eq!(told, expected, "{line:?} of {names:?}");
            }
        }
    }

    #[test]
    fn a_segment_holds_nothing_that_a_url_gives_a_meaning() {
        let mut path = String::new();
        segment_into(&mut path, "a/b?c#d e%é*");
        segment_into(&mut path, "A-z.0_9~");
        assert_eq!(path, "/a%2Fb%3Fc%23d%20e%25%C3%A9%2A/A-z.0_9~");
    }

    proptest! {
        #[test]
        fn what_was_published_is_what_is_read(channel in "[a,é*]{1,5}", other in "[a-c]{1,3}", message in "[a,\n]{0,6}") {
            let line = format!("message,{channel},{message}");
            let names = if travels_alone(&channel) { vec![channel.clone()] } else { vec![other, channel.clone()] };
            match read(line.as_bytes(), &names, false) {
                Line::Message { name, channel: place, message: start } => {
                    prop_assert_eq!((&names[name], &line[place]), (&channel, &channel[..]));
                    prop_assert_eq!(&line[start..], &message);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
