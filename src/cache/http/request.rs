//! What a request asks of the cache.

use sha2::{Digest, Sha256};

use super::date;
use super::directives::Directives;
use super::fields::{Fields, cut, is_token};
use crate::base64;
use crate::error::EdgeError;

/// So many fields can select a variant; a request with more is not looked up.
const MOST_FIELDS: usize = 64;

/// What no answer can vary by here: how the message travels, conditions, and what differs with every request.
const UNSELECTING: [&str; 22] = [
    "cache-control",
    "cf-connecting-ip",
    "cf-ray",
    "connection",
    "content-length",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "pragma",
    "range",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-real-ip",
    "x-request-id",
];

/// What some handlers take in place of the URL. An answer made from one would stand under a URL that has nothing to do
/// with it, and poison it: so it is a variant of its own. The first two are as good as absent where they say what the
/// URL says.
const LOCATING: [&str; 8] = [
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-host",
    "x-original-host",
];

/// What makes a request another one than its method and URL say, or its answer not one for the cache; and how
/// `Cache-Status` calls that.
const PASSING: [(&str, &str); 12] = [
    ("range", "range"),
    ("if-match", "precondition"),
    ("if-unmodified-since", "precondition"),
    ("upgrade", "upgrade"),
    // A GET with a body: what it says is in no key.
    ("transfer-encoding", "body"),
    ("content-length", "body"),
    ("x-http-method-override", "override"),
    ("x-http-method", "override"),
    ("x-method-override", "override"),
    ("x-original-url", "override"),
    ("x-rewrite-url", "override"),
    ("x-original-uri", "override"),
];

/// Why a request is not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// It is.
    No,
    /// Its method has no answer that could be stored.
    Method,
    /// Its fields do not allow it: the detail for `Cache-Status`.
    Bypass(&'static str),
}

/// A request, as far as a cache cares.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its URL, as a key: scheme, host, path and query.
    pub url: String,
    pub forward: Forward,
    pub head: bool,
    /// A method that changes nothing (RFC 9110, section 9.2.1).
    pub safe: bool,
    /// How its variants are called: `x`, or `x` and what it says besides the URL of where it goes.
    pub base: String,
    /// A digest of each field that can select a variant: `,name=digest,name=digest,`.
    pub selecting: String,
    pub authorized: bool,
    pub cookies: bool,
    pub no_store: bool,
    pub only_if_cached: bool,
    no_cache: bool,
    max_age_ms: Option<u64>,
    max_stale_ms: u64,
    min_fresh_ms: u64,
    /// Whether it has `If-None-Match`, and `If-Modified-Since`.
    pub conditions: [bool; 2],
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<u64>,
}

impl Asked {
    /// # Errors
    /// `invalid_argument` when `url` is no absolute URL of `http` or `https`.
    pub fn new(method: &str, url: &str, fields: Fields<'_>) -> Result<Self, EdgeError> {
        let (url, authority) = normalised(url).ok_or_else(|| {
            EdgeError::argument("url must be an absolute URL of http or https, without user")
        })?;
        let said = Directives::of(fields);
        let head = method == "HEAD";
        let mut asked = Self {
            forward: Forward::No,
            head,
            safe: head || matches!(method, "GET" | "OPTIONS" | "TRACE"),
            base: "x".to_owned(),
            selecting: ",".to_owned(),
            authorized: fields.has("authorization"),
            cookies: fields.has("cookie"),
            no_store: said.no_store,
            only_if_cached: said.only_if_cached,
            no_cache: said.no_cache,
            max_age_ms: said.max_age_ms,
            max_stale_ms: said.max_stale_ms.unwrap_or(0),
            min_fresh_ms: said.min_fresh_ms.unwrap_or(0),
            conditions: ["if-none-match", "if-modified-since"].map(|name| fields.has(name)),
            if_none_match: joined(fields, "if-none-match"),
            if_modified_since: fields.value("if-modified-since").and_then(date::parse),
            url,
        };
        if !head && method != "GET" {
            asked.forward = Forward::Method;
            return Ok(asked);
        }
        for (name, detail) in PASSING {
            if fields.value(name).is_some_and(|value| value != "0") {
                asked.forward = Forward::Bypass(detail);
                return Ok(asked);
            }
        }
        asked.select(fields, authority);
        Ok(asked)
    }

    fn select(&mut self, fields: Fields<'_>, (scheme, host): (usize, usize)) {
        let mut located = Sha256::new();
        let mut elsewhere = false;
        let mut count = 0;
        for (name, value) in fields {
            if let Some(place) = LOCATING.iter().position(|known| *known == name) {
                let own = match place {
                    0 => self.url.get(scheme + 3..host),
                    1 => self.url.get(..scheme),
                    _ => None,
                };
                if own != Some(value) {
                    elsewhere = true;
                    located.update(name);
                    located.update(b":");
                    located.update(value);
                    located.update(b"\n");
                }
                continue;
            }
            // A field that comes again was taken whole at its first.
            let first = fields.value(name).map(str::as_ptr) == Some(value.as_ptr());
            // A name that is none could be read as two in the digests.
            if !first || !is_token(name) || !selects(name) {
                continue;
            }
            count += 1;
            self.selecting.push_str(name);
            self.selecting.push('=');
            let value = joined(fields, name).unwrap_or_default();
            digest_into(
                &mut self.selecting,
                Sha256::digest(value.as_bytes()).as_slice(),
            );
            self.selecting.push(',');
        }
        if elsewhere {
            digest_into(&mut self.base, located.finalize().as_slice());
        }
        if count > MOST_FIELDS {
            self.forward = Forward::Bypass("fields");
        }
    }

    /// Until when an answer must be fresh for this request, asked at `now`: `min-fresh` and `max-stale`.
    pub fn wants_fresh_at(&self, now: u64) -> u64 {
        now.saturating_add(self.min_fresh_ms)
            .saturating_sub(self.max_stale_ms)
    }

    /// Before when nothing may have been stored for this request, which came at `now`: `max-age` and `no-cache`. What
    /// was stored since it came is as good as what it would fetch itself.
    pub fn wants_since(&self, now: u64) -> u64 {
        let age = if self.no_cache {
            Some(0)
        } else {
            self.max_age_ms
        };
        age.map_or(0, |age| now.saturating_sub(age))
    }

    /// Whether it takes a stale answer (RFC 9111, section 5.2.1: who names an age, or asks for freshness, does not, unless
    /// it says so).
    pub fn takes_stale(&self) -> bool {
        let demands = self.no_cache || self.max_age_ms.is_some();
        self.min_fresh_ms == 0 && (!demands || self.max_stale_ms > 0)
    }

    /// Which URLs an answer makes invalid (RFC 9111, section 4.4): its own and, of the same origin, those it names.
    pub fn invalidates(&self, status: u16, fields: Fields<'_>) -> Vec<String> {
        let mut urls = Vec::new();
        if self.safe || !(200..400).contains(&status) {
            return urls;
        }
        urls.push(self.url.clone());
        let Some((_, (_, end))) = normalised(&self.url) else {
            return urls;
        };
        let origin = self.url.get(..end).unwrap_or_default();
        for name in ["location", "content-location"] {
            let Some(named) = fields.value(name) else {
                continue;
            };
            let absolute = named.starts_with('/') && !named.starts_with("//");
            let named = if absolute {
                origin.to_owned() + named
            } else {
                named.to_owned()
            };
            // Of another origin it is none of this server's business: an attacker's server could empty the cache.
            if let Some((url, (_, at))) = normalised(&named)
                && url.get(..at) == Some(origin)
                && !urls.contains(&url)
            {
                urls.push(url);
            }
        }
        urls
    }
}

/// Whether a request's field of this name can select a variant.
pub(super) fn selects(name: &str) -> bool {
    !UNSELECTING.contains(&name) && !LOCATING.contains(&name)
}

/// All values of a field, as one.
pub(super) fn joined(fields: Fields<'_>, name: &str) -> Option<String> {
    let mut all: Option<String> = None;
    for value in fields.values(name) {
        match &mut all {
            Some(all) => {
                all.push_str(", ");
                all.push_str(value);
            }
            None => all = Some(value.to_owned()),
        }
    }
    all
}

/// 96 bits of it: who can write a field must not find another value of the same digest.
fn digest_into(text: &mut String, digest: &[u8]) {
    let digest = digest.get(..12).unwrap_or_default();
    text.push_str(&base64::url(digest));
}

/// A URL without its fragment, scheme and host in lower case, without the scheme's own port; and where the scheme and
/// the host end in it.
fn normalised(url: &str) -> Option<(String, (usize, usize))> {
    let (url, _) = cut(url, b'#');
    let (scheme, rest) = cut(url, b':');
    let (scheme, rest) = (scheme.len(), rest?.strip_prefix("//")?);
    let end = rest.bytes().position(|b| matches!(b, b'/' | b'?' | b'\\'));
    let (host, path) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let mut whole = url.get(..scheme)?.to_ascii_lowercase();
    let port = match whole.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let host = host.strip_suffix(port).unwrap_or(host);
    let plain = |b: u8| b > b' ' && b != 0x7f;
    if host.is_empty() || host.bytes().any(|b| b == b'@') || !url.bytes().all(plain) {
        return None;
    }
    whole.push_str("://");
    whole.push_str(&host.to_ascii_lowercase());
    let ends = (scheme, whole.len());
    if !path.starts_with('/') {
        whole.push('/');
    }
    whole.push_str(path);
    Some((whole, ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(head: &str) -> Asked {
        Asked::new("GET", "https://a.example/p?q#f", Fields(head)).unwrap()
    }

    #[test]
    fn a_url_has_one_key_however_it_is_written() {
        for (url, key) in [
            ("HTTPS://A.Example:443/P?q=1#f", "https://a.example/P?q=1"),
            ("http://a:80", "http://a/"),
            ("http://a:443?x", "http://a:443/?x"),
            ("https://a/%7e", "https://a/%7e"),
        ] {
            assert_eq!(Asked::new("GET", url, Fields("")).unwrap().url, key);
        }
        for bad in [
            "/p",
            "a.example/p",
            "ftp://a/",
            "http://",
            "http://u@a/",
            "http://a/ b",
            "http://a/\n",
        ] {
            let error = Asked::new("GET", bad, Fields("")).unwrap_err();
            assert_eq!(error.code(), "invalid_argument", "{bad}");
        }
    }

    #[test]
    fn a_variant_is_selected_by_digests_and_never_by_values() {
        let one = asked("cookie:secret\naccept:a\naccept:b\nhost:h\nrange-x:1\n");
        assert_eq!(one.selecting.matches('=').count(), 3);
        assert!(!one.selecting.contains("secret"));
        assert_eq!(
            asked("accept:a, b\n").selecting,
            asked("accept:a\naccept:b\n").selecting
        );
        assert_ne!(asked("accept:a\n").selecting, asked("accept:b\n").selecting);
        let many: String = (0..65).map(|n| format!("x-{n}:1\n")).collect();
        assert_eq!(asked(&many).forward, Forward::Bypass("fields"));
    }

    #[test]
    fn what_names_another_place_than_the_url_is_a_variant_of_its_own() {
        assert_eq!(
            asked("x-forwarded-host:a.example\nx-forwarded-proto:https\n").base,
            "x"
        );
        let evil = asked("x-forwarded-host:evil.example\n");
        assert_ne!(evil.base, "x");
        assert_ne!(evil.base, asked("x-host:evil.example\n").base);
    }

    #[test]
    fn what_is_not_for_the_cache_says_why() {
        for (head, forward) in [
            ("range:bytes=0-1\n", Forward::Bypass("range")),
            ("if-match:\"a\"\n", Forward::Bypass("precondition")),
            ("content-length:5\n", Forward::Bypass("body")),
            ("content-length:0\n", Forward::No),
            (
                "x-http-method-override:DELETE\n",
                Forward::Bypass("override"),
            ),
        ] {
            assert_eq!(asked(head).forward, forward, "{head}");
        }
        let post = Asked::new("POST", "https://a/", Fields("")).unwrap();
        assert_eq!((post.forward, post.safe), (Forward::Method, false));
    }

    #[test]
    fn an_unsafe_method_invalidates_its_own_origin_alone() {
        let post = Asked::new("POST", "https://a.example/p", Fields("")).unwrap();
        let head = "location:/q\ncontent-location:https://A.example/r?s#t\n";
        assert_eq!(
            post.invalidates(201, Fields(head)),
            [
                "https://a.example/p",
                "https://a.example/q",
                "https://a.example/r?s"
            ]
        );
        for other in [
            "location://b/q\n",
            "location:https://a.example.evil/q\n",
            "location:https://b/\n",
            "location:q\n",
        ] {
            assert_eq!(post.invalidates(303, Fields(other)).len(), 1, "{other}");
        }
        assert!(post.invalidates(404, Fields(head)).is_empty());
        assert!(asked("").invalidates(200, Fields(head)).is_empty());
    }
}
