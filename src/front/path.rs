//! A request's path: as the origin may read it, and patterns of paths.

/// The path, percent-decoded once, runs of slashes as one: what an origin makes of it at its most lenient, so that
/// `/%6cogin` and `//login` find the rule of `/login`.
///
/// `None` when a segment of it is `..`, which no parser of URLs leaves there: it hides behind `%2f` or a backslash, and
/// an origin that decodes it serves another path than the one whose rule was found (web cache deception).
pub(crate) fn readable(path: &str) -> Option<Vec<u8>> {
    let mut bytes = path.bytes();
    let mut read = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let escaped = (byte == b'%')
            .then(|| Some(hex(ahead.next()?)? << 4 | hex(ahead.next()?)?))
            .flatten();
        let byte = match escaped {
            Some(escaped) => {
                bytes = ahead;
                escaped
            }
            None => byte,
        };
        if byte != b'/' || read.last() != Some(&b'/') {
            read.push(byte);
        }
    }
    // Servers of Java cut a segment at its `;`.
    let climbs = |segment: &[u8]| {
        let name = segment.split(|b| *b == b';').next();
        name == Some(b"..")
    };
    let mut segments = read.split(|b| matches!(b, b'/' | b'\\'));
    (!segments.any(climbs)).then_some(read)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// A path in which `*` stands for any characters, slashes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// `None` when it could match no path.
    pub fn new(text: &str) -> Option<Self> {
        (text.starts_with('/') || text.starts_with('*')).then(|| Self(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// In time linear in the path for each star, whatever the pattern: it goes back to the last star only.
    pub fn matches(&self, path: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut at, mut from) = (0, 0);
        let mut star = None;
        while let Some(byte) = path.get(from) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, from));
                    at += 1;
                }
                Some(expected) if expected == byte => {
                    at += 1;
                    from += 1;
                }
                _ => match star.as_mut() {
                    Some((before, taken)) => {
                        *taken += 1;
                        (at, from) = (*before + 1, *taken);
                    }
                    None => return false,
                },
            }
        }
        let rest = pattern.get(at..).unwrap_or_default();
        rest.iter().all(|b| *b == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(path.as_bytes())
    }

    #[test]
    fn a_pattern_is_exact_but_for_its_stars() {
        for (pattern, path, expected) in [
            ("/login", "/login", true),
            ("/login", "/login/", false),
            ("/login", "/logi", false),
            ("/assets/*", "/assets/a/b.css", true),
            ("/assets/*", "/assets/", true),
            ("/assets/*", "/assets", false),
            ("*.css", "/a/b.css", true),
            ("*.css", "/a/b.css.html", false),
            ("/*/edit", "/a/b/edit", true),
            ("/*a*b", "/aab", true),
            ("/*a*b", "/ba", false),
            ("/**", "/", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(Pattern::new("login").is_none());
        assert!(Pattern::new("").is_none());
    }

    #[test]
    fn what_an_origin_reads_as_the_same_path_finds_the_same_rule() {
        let read = |path| readable(path).map(|bytes| String::from_utf8(bytes).unwrap());
        for path in ["/login", "/%6cogin", "//login", "/%2Flogin", "/l%6Fgin"] {
            assert_eq!(read(path).as_deref(), Some("/login"), "{path}");
        }
        // Decoded once, as an origin does; what is no escape stays.
        assert_eq!(read("/%256c%zz%").as_deref(), Some("/%6c%zz%"));
        assert_eq!(read("/a..b/..c/...").as_deref(), Some("/a..b/..c/..."));
    }

    #[test]
    fn a_path_that_climbs_behind_an_escape_is_refused() {
        for path in [
            "/..%2fsecret",
            "/assets/..%2Fadmin",
            "/a/..%5cb",
            "/a/%2e%2e%2fb",
            "/a/..;/b",
            "/a%2f..",
        ] {
            assert_eq!(readable(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_and_any_pattern_end(path in ".*", pattern in "[*/a.]{0,20}") {
            let read = readable(&path);
            if let (Some(read), Some(pattern)) = (read, Pattern::new(&pattern)) {
                let _ = pattern.matches(&read);
            }
        }
    }
}
