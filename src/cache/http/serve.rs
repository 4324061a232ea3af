//! How a stored answer is served (RFC 9111, section 4; RFC 9110, section 13).

use super::date;
use super::directives::Directives;
use super::fields::{Fields, item};
use super::request::{Asked, joined};
use super::response::{for_all, line};

/// What stands in an entry: `STATUS`, a line feed, the fields, an empty line, and the body.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct Stored<'a> {
    pub status: u16,
    pub fields: Fields<'a>,
    /// Where the body begins.
    pub body_at: usize,
}

impl<'a> Stored<'a> {
    /// Reads one; `None` when it is none.
    pub fn decode(payload: &'a [u8]) -> Option<Self> {
        let end = payload.windows(2).position(|two| two == b"\n\n")?;
        let head = std::str::from_utf8(payload.get(..=end)?).ok()?;
        let (status, fields) = head.split_at_checked(4)?;
        let status: u16 = status.strip_suffix('\n')?.parse().ok()?;
        (200..600).contains(&status).then_some(Self {
            status,
            fields: Fields(fields),
            body_at: end + 2,
        })
    }

    /// Whether it may be an answer to this request: to one with `Authorization` only what says that it is for all.
    pub fn answers(&self, asked: &Asked) -> bool {
        !asked.authorized || for_all(&Directives::of(self.fields))
    }

    /// The head as a client is told it: the status and where the body begins in the entry (0: there is none), a space
    /// between them; then the fields. `since_ms` is how long ago it was stored, `length` that of the body.
    pub fn told(&self, asked: &Asked, since_ms: u64, length: usize, cache_status: &str) -> String {
        let modified = !asked.not_modified(self.status, self.fields);
        let status = if modified { self.status } else { 304 };
        let bare = asked.head || is_bare(status);
        let mut told = String::with_capacity(self.fields.0.len() + 128);
        told.push_str(itoa::Buffer::new().format(status));
        told.push(' ');
        told.push_str(itoa::Buffer::new().format(if bare { 0 } else { self.body_at }));
        told.push('\n');
        let mut age_s = since_ms / 1_000;
        for (name, value) in self.fields {
            if name == "age" {
                age_s += super::directives::seconds(value).unwrap_or(0);
            } else if name != "cache-status" && (modified || goes_with_304(name)) {
                line(&mut told, name, value);
                told.push('\n');
            }
        }
        line(&mut told, "age", itoa::Buffer::new().format(age_s));
        if modified && asked.head && !is_bare(status) {
            told.push_str("\ncontent-length:");
            told.push_str(itoa::Buffer::new().format(length));
        }
        told.push_str("\ncache-status:");
        if let Some(before) = joined(self.fields, "cache-status") {
            told.push_str(&before);
            told.push_str(", ");
        }
        told.push_str(cache_status);
        told.push('\n');
        told
    }
}

impl Asked {
    /// Whether the client has this answer already: `If-None-Match` by weak comparison, else `If-Modified-Since` (RFC
    /// 9110, section 13.2.2).
    pub fn not_modified(&self, status: u16, fields: Fields<'_>) -> bool {
        if status != 200 {
            return false;
        }
        match &self.if_none_match {
            Some(tags) => {
                let mut list = tags.as_str();
                let own = fields.value("etag").map(weak);
                std::iter::from_fn(|| item(&mut list))
                    .any(|tag| tag == "*" || Some(weak(tag)) == own)
            }
            None => {
                let since = self.if_modified_since;
                let modified = fields.value("last-modified").and_then(date::parse);
                matches!((modified, since), (Some(modified), Some(since)) if modified <= since)
            }
        }
    }
}

/// What a stored head becomes by the fields of a 304, which are newer (RFC 9111, section 3.2).
pub(in crate::cache) fn merged(stored: Fields<'_>, newer: Fields<'_>) -> String {
    let mut fields = String::with_capacity(stored.0.len() + newer.0.len());
    // These describe the body, which is the stored one; so does its tag, which may have become a weak one.
    let of_body = |name: &str| {
        matches!(
            name,
            "etag" | "content-encoding" | "content-type" | "content-range" | "content-length"
        )
    };
    // The age was that of the old answer, and so was what other caches said of it.
    let ended = |name: &str| matches!(name, "age" | "date" | "cache-status");
    for (name, value) in stored {
        if !ended(name) && (of_body(name) || !newer.has(name)) {
            line(&mut fields, name, value);
            fields.push('\n');
        }
    }
    for (name, value) in newer {
        if !of_body(name) {
            line(&mut fields, name, value);
            fields.push('\n');
        }
    }
    fields
}

/// An entity tag without what marks it as weak.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Statuses whose answers have no body.
fn is_bare(status: u16) -> bool {
    matches!(status, 204 | 205 | 304)
}

/// All but what describes the body that is not there (RFC 9110, section 15.4.5).
pub(in crate::cache) fn goes_with_304(name: &str) -> bool {
    !name.starts_with("content-")
        || name == "content-location"
        || name.starts_with("content-security-policy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(method: &str, head: &str) -> Asked {
        Asked::new(method, "https://a/", Fields(head)).unwrap()
    }

    const PAYLOAD: &[u8] =
        b"200\netag:W/\"a\"\nage:5\ncontent-type:t\nlast-modified:Sun, 06 Nov 1994 08:49:37 GMT\n\n\xffbody";

    #[test]
    fn a_hit_is_told_with_its_age() {
        let stored = Stored::decode(PAYLOAD).unwrap();
        let told = stored.told(&asked("GET", ""), 2_900, 5, "c; hit");
        let expected = "200 81\netag:W/\"a\"\ncontent-type:t\nlast-modified:Sun, 06 Nov 1994 08:49:37 GMT\nage:7\ncache-status:c; hit\n";
        assert_eq!(told, expected);
        assert_eq!(&PAYLOAD[stored.body_at..], b"\xffbody");
        let told = stored.told(&asked("HEAD", ""), 0, 5, "c; hit");
        assert!(told.starts_with("200 0\n") && told.contains("\ncontent-length:5\n"));
    }

    #[test]
    fn who_has_it_already_is_told_so() {
        let stored = Stored::decode(PAYLOAD).unwrap();
        let since = "if-modified-since:Sun, 06 Nov 1994 08:49:37 GMT\n";
        for (head, hit) in [
            ("if-none-match:\"a\"\n", true),
            ("if-none-match:\"x\", W/\"a\"\n", true),
            ("if-none-match:*\n", true),
            ("if-none-match:\"x\"\n", false),
            (since, true),
            ("if-modified-since:Sun, 06 Nov 1994 08:49:36 GMT\n", false),
            ("if-modified-since:yesterday\n", false),
            // The tag decides where there is one.
            (&("if-none-match:\"x\"\n".to_owned() + since), false),
        ] {
            assert_eq!(
                asked("GET", head).not_modified(200, stored.fields),
                hit,
                "{head}"
            );
        }
        assert!(!asked("GET", since).not_modified(404, stored.fields));
        let told = stored.told(&asked("GET", since), 0, 5, "c; hit");
        assert!(
            told.starts_with("304 0\n") && !told.contains("content-type"),
            "{told}"
        );
    }

    #[test]
    fn a_request_with_authorization_is_answered_only_by_what_is_for_all() {
        let private = Stored::decode(PAYLOAD).unwrap();
        assert!(private.answers(&asked("GET", "")));
        assert!(!private.answers(&asked("GET", "authorization:x\n")));
        let public = Stored::decode(b"200\ncache-control:public\n\n").unwrap();
        assert!(public.answers(&asked("GET", "authorization:x\n")));
    }

    #[test]
    fn a_304_renews_the_head_and_leaves_the_body_what_it_is() {
        let stored = Fields("etag:\"a\"\ncontent-type:t\nx:1\nage:9\n");
        let newer = Fields("x:2\ncontent-type:u\ncontent-length:0\ny:3\n");
        assert_eq!(
            merged(stored, newer),
            "etag:\"a\"\ncontent-type:t\nx:2\ny:3\n"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..60), begins: bool) {
            let bytes = if begins { [b"200\na:b\n", bytes.as_slice()].concat() } else { bytes };
            if let Some(stored) = Stored::decode(&bytes) {
                prop_assert!(stored.body_at <= bytes.len());
            }
        }
    }
}
