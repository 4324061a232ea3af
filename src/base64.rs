//! Base64 (RFC 4648): with padding, and for URLs without. Text that is not the one that its bytes are written as is refused.

/// The last two digits: as numbers from what follows `9` they are all that tells the alphabets apart.
struct Alphabet {
    last: [u8; 2],
    after_61: i16,
    after_62: i16,
}

const STANDARD: Alphabet = Alphabet {
    last: *b"+/",
    after_61: 15,
    after_62: 3,
};

const URL: Alphabet = Alphabet {
    last: *b"-_",
    after_61: 13,
    after_62: 49,
};

/// The padded text.
pub(crate) fn padded(bytes: &[u8]) -> String {
    let mut text = encode(bytes, &STANDARD);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The text for URLs and cookies.
pub(crate) fn url(bytes: &[u8]) -> String {
    encode(bytes, &URL)
}

/// The bytes of a padded text.
pub(crate) fn from_padded(text: &[u8]) -> Option<Vec<u8>> {
    let once = text.strip_suffix(b"=").unwrap_or(text);
    let digits = once.strip_suffix(b"=").unwrap_or(once);
    decode(digits, &STANDARD).filter(|_| text.len().is_multiple_of(4))
}

/// The bytes of a text for URLs.
pub(crate) fn from_url(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, &URL)
}

#[inline(never)]
fn encode(bytes: &[u8], alphabet: &Alphabet) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let (mut held, mut bits) = (0u32, 0);
    let mut digit = |held: u32| text.push(alphabet.digit((held & 63) as i16));
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            digit(held >> bits);
        }
    }
    if bits > 0 {
        digit(held << (6 - bits));
    }
    String::from_utf8(text).unwrap_or_default()
}

#[inline(never)]
fn decode(text: &[u8], alphabet: &Alphabet) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0u32, 0);
    for digit in text {
        held = held << 6 | u32::from(alphabet.value(*digit)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    // A digit that adds no byte, or bits that nothing holds, would be a second text of the same bytes.
    (bits < 6 && held & ((1 << bits) - 1) == 0).then_some(bytes)
}

impl Alphabet {
    /// Without branch or table, for what is written may be secret.
    fn digit(&self, value: i16) -> u8 {
        let past = |last: i16, step: i16| ((last - value) >> 8) & step;
        let digit = value + 65 + past(25, 6) - past(51, 75) - past(61, self.after_61);
        (digit + past(62, self.after_62)) as u8
    }

    fn value(&self, digit: u8) -> Option<u8> {
        match digit {
            b'A'..=b'Z' => Some(digit - b'A'),
            b'a'..=b'z' => Some(digit - b'a' + 26),
            b'0'..=b'9' => Some(digit - b'0' + 52),
            _ => Some(62 + self.last.iter().position(|last| *last == digit)? as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_those_of_the_rfc() {
        // RFC 4648, section 10.
        let texts = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (length, text) in texts.into_iter().enumerate() {
            assert_eq!(padded(&b"foobar"[..length]), text);
            assert_eq!(url(&b"foobar"[..length]), text.trim_end_matches('='));
        }
        assert_eq!(padded(&[0xfb, 0xef, 0xff]), "++//");
        assert_eq!(url(&[0xfb, 0xef, 0xff]), "--__");
    }

    #[test]
    fn every_digit_is_of_its_alphabet() {
        let all: String = (0..64)
            .map(|value| char::from(STANDARD.digit(value)))
            .collect();
        let letters: String = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
        assert_eq!(all, letters.clone() + "+/");
        let all: String = (0..64).map(|value| char::from(URL.digit(value))).collect();
        assert_eq!(all, letters + "-_");
    }

    #[test]
    fn another_text_of_the_same_bytes_is_none() {
        for text in [
            "Zh==", "Zm9=", "Zg=", "Zg", "Zg===", "=Zg=", "Z===", "====", "=", "Zm9vA", "Zm 9",
            "Zm-_",
        ] {
            assert_eq!(from_padded(text.as_bytes()), None, "{text}");
        }
        for text in ["Zh", "Zm9", "Zg==", "Z", "Zm9vA", "Zm+/", "Zm8\n"] {
            assert_eq!(from_url(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bytes: Vec<u8>) {
            prop_assert_eq!(from_padded(padded(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(from_url(url(&bytes).as_bytes()), Some(bytes));
        }
    }
}
