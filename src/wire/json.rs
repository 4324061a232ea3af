//! JSON out.

/// Appends `text` as a JSON string.
pub(crate) fn string_into(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
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
    out.push(b'"');
}

/// The items of a JSON array as they stand there, of one as `JSON.stringify` writes it: no space, no nesting.
#[cfg(any(feature = "js", test))]
pub(crate) fn items(array: &str) -> impl Iterator<Item = &str> + Clone {
    let inside = array
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let (mut quoted, mut escaped) = (false, false);
    inside.unwrap_or_default().split(move |character| {
        let escapes = !escaped && character == '\\';
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = escapes;
        character == ',' && !quoted
    })
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
            let read: Vec<String> = super::items(&array).map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(read, items);
        }

        #[test]
        fn strings_survive_the_way_out(text in any::<String>()) {
            let mut out = Vec::new();
            super::string_into(&mut out, &text);
            let back: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
