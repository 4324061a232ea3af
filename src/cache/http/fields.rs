//! A head, as text.

/// The fields of a message, one a line. A line that is none is passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub &'a str);

impl<'a> Fields<'a> {
    /// Every value of a field, in order. `name` is in lower case, as all names are.
    pub fn values(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// The value of a field that comes once.
    pub fn value(self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    pub fn has(self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (line, rest) = cut(self.0, b'\n');
            self.0 = rest.unwrap_or_default();
            if let (name, Some(value)) = cut(line, b':')
                && !name.is_empty()
            {
                return Some((name, trim(value)));
            }
        }
        None
    }
}

/// `text` up to the first `mark`, and what is behind it.
pub(in crate::cache) fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == mark) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// Without the spaces and tabs around it (RFC 9110, section 5.6.3).
pub(super) fn trim(text: &str) -> &str {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let before = text.bytes().take_while(|byte| blank(byte)).count();
    let behind = text.bytes().rev().take_while(|byte| blank(byte)).count();
    text.get(before..text.len() - behind).unwrap_or_default()
}

/// The next item of a list (RFC 9110, section 5.6.1): a comma between quotes ends none. Empty ones are passed over.
pub(super) fn item<'a>(list: &mut &'a str) -> Option<&'a str> {
    loop {
        let mut quoted = false;
        let mut escaped = false;
        let end = list.bytes().position(|byte| {
            let ends = byte == b',' && !quoted;
            if byte == b'"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && byte == b'\\' && !escaped;
            ends
        });
        let (one, rest) = match end {
            Some(at) => (list.get(..at)?, list.get(at + 1..)?),
            None if list.is_empty() => return None,
            None => (*list, ""),
        };
        *list = rest;
        let one = trim(one);
        if !one.is_empty() {
            return Some(one);
        }
    }
}

/// Whether it is a token (RFC 9110, section 5.6.2) in lower case.
pub(super) fn is_token(name: &str) -> bool {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_found_and_junk_is_passed_over() {
        let fields = Fields("a: 1 \n:x\njunk\n\nb:\na:2");
        assert_eq!(
            fields.collect::<Vec<_>>(),
            [("a", "1"), ("b", ""), ("a", "2")]
        );
        assert_eq!(fields.values("a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(!fields.has("junk"));
    }

    #[test]
    fn a_comma_between_quotes_ends_no_item() {
        let mut list = r#" a ,, b="1,2" ,"\",",c"#;
        let items: Vec<_> = std::iter::from_fn(|| item(&mut list)).collect();
        assert_eq!(items, ["a", r#"b="1,2""#, r#""\",""#, "c"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in any::<String>()) {
            prop_assert!(Fields(&text).count() <= text.len());
            let mut list = text.as_str();
            while item(&mut list).is_some() {}
            prop_assert!(list.is_empty());
        }
    }
}
