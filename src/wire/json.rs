//! JSON out.

/// Appends `text` as a JSON string.
pub(crate) fn string_into(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for byte in text.bytes() {
        byte_into(out, byte);
    }
    out.push(b'"');
}

/// Appends `bytes` as a JSON string of Latin-1 characters, one a byte: JSON carries no bytes.
pub(crate) fn latin1_into(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + bytes.len() / 2 + 2);
    out.push(b'"');
    for &byte in bytes {
        if byte < 0x80 {
            byte_into(out, byte);
        } else {
            out.extend_from_slice(&[0xc0 | (byte >> 6), 0x80 | (byte & 0x3f)]);
        }
    }
    out.push(b'"');
}

fn byte_into(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        8 => out.extend_from_slice(b"\\b"),
        12 => out.extend_from_slice(b"\\f"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..=0x1f => {
            out.extend_from_slice(b"\\u00");
            out.push(b'0' + (byte >> 4));
            out.push(hex(byte & 0xf));
        }
        _ => out.push(byte),
    }
}

/// The items of a JSON array as they stand there, of one as `JSON.stringify` writes it: no space, no nesting.
/// `inside` is what stands between the brackets.
pub(crate) fn items(inside: &str) -> Items<'_> {
    Items { rest: Some(inside) }
}

/// See [`items`].
#[derive(Clone)]
pub(crate) struct Items<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (mut quoted, mut escaped) = (false, false);
        let mut end = 0;
        for byte in rest.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => break,
                _ => {}
            }
            end += 1;
        }
        self.rest = rest.get(end + 1..);
        rest.get(..end)
    }
}

/// The text that a JSON string stands for; `None` when it is none.
pub(crate) fn text_of(item: &str) -> Option<String> {
    let mut rest = item.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut text = Vec::with_capacity(item.len());
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        match rest.next()? {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                // Only control characters are written so.
                let mut code = 0;
                for _ in 0..4 {
                    code = code << 4 | char::from(rest.next()?).to_digit(16)?;
                }
                text.push(u8::try_from(code).ok().filter(u8::is_ascii)?);
            }
            plain => text.push(plain),
        }
    }
    String::from_utf8(text).ok()
}

/// The texts of a JSON array of strings, of one as `JSON.stringify` writes it; one that cannot be read is empty.
#[cfg(feature = "js-client")]
pub(crate) fn texts(array: &str) -> Vec<String> {
    let inside = array
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.unwrap_or_default();
    if inside.is_empty() {
        return Vec::new();
    }
    items(inside)
        .map(|item| text_of(item).unwrap_or_default())
        .collect()
}

fn hex(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_are_the_items(items in proptest::collection::vec(any::<String>(), 1..8)) {
            let array = serde_json::to_string(&items).unwrap();
            let read: Vec<String> = super::items(&array[1..array.len() - 1]).map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(read, items);
        }

        #[test]
        fn strings_survive_the_way_out(text in any::<String>()) {
            let mut out = Vec::new();
            super::string_into(&mut out, &text);
            let back: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(super::text_of(std::str::from_utf8(&out).unwrap()), Some(text.clone()));
            prop_assert_eq!(back, text);
        }

        #[test]
        fn bytes_are_latin1_on_the_way_out(bytes in any::<Vec<u8>>()) {
            let mut out = Vec::new();
            super::latin1_into(&mut out, &bytes);
            let back: String = serde_json::from_slice(&out).unwrap();
            prop_assert!(back.chars().map(u32::from).eq(bytes.iter().map(|byte| u32::from(*byte))));
        }
    }
}
