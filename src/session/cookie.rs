//! The cookie, both ways (RFC 6265bis).

use crate::error::EdgeError;

/// With the value browsers keep 4,096 bytes at most (OWASP ASVS 5.0, 3.3.5).
const LONGEST_NAME: usize = 128;
/// 400 days in seconds: what browsers keep a cookie at most (RFC 6265bis, 5.5), and some frameworks refuse more.
const LONGEST_AGE_S: u64 = 34_560_000;

/// When a browser sends the cookie with requests that other sites cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With links to this site alone.
    Lax,
    /// Never.
    Strict,
    /// Always; the cookie must be secure.
    None,
}

/// How the cookie is named and where browsers send it. It is always HttpOnly.
///
/// The default is `__Host-session`, Secure, SameSite=Lax, Path=/: a browser takes a `__Host-` cookie only from this
/// very host, over TLS, so that no sibling host can plant one (OWASP ASVS 5.0, 3.3.1 and 3.3.3).
#[derive(Clone, Debug)]
pub struct Cookie {
    pub(crate) name: String,
    pub(crate) same_site: SameSite,
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) secure: bool,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: "__Host-session".to_owned(),
            same_site: SameSite::Lax,
            domain: String::new(),
            path: "/".to_owned(),
            secure: true,
        }
    }
}

impl Cookie {
    /// A cookie of another name, all else as by default.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// When it goes with requests that other sites cause.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// The domain whose hosts all get it; empty is this host alone.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        domain.clone_into(&mut self.domain);
        self
    }

    /// Below which path it is sent.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Whether it goes over TLS alone. `false` is for `http://localhost` in development, under a name without prefix.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Refuses what a browser would drop without a word, and what would write a header of its own.
    pub(crate) fn checked(self) -> Result<Self, EdgeError> {
        // RFC 9110, 5.6.2
        let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        let prefixed = |prefix: &[u8]| {
            let start = self.name.as_bytes().get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let host = prefixed(b"__Host-");
        let plain = |text: &str| {
            text.bytes()
                .all(|b| (b' '..=b'~').contains(&b) && b != b';')
        };
        let domain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let problem = if !(1..=LONGEST_NAME).contains(&self.name.len())
            || !self.name.as_bytes().iter().all(token)
        {
            "cookie.name must be a token of at most 128 characters: letters, digits and !#$%&'*+-.^_`|~"
        } else if self.path.as_bytes().first() != Some(&b'/') || !plain(&self.path) {
            "cookie.path must begin with / and hold no ; and only printable ASCII"
        } else if !self.domain.bytes().all(domain) {
            "cookie.domain must be a host name"
        } else if host && !(self.secure && self.path == "/" && self.domain.is_empty()) {
            "a cookie whose name begins with __Host- must be secure, with path / and no domain: give it another name"
        } else if prefixed(b"__Secure-") && !self.secure {
            "a cookie whose name begins with __Secure- must be secure"
        } else if self.same_site == SameSite::None && !self.secure {
            "a cookie with sameSite none must be secure"
        } else {
            return Ok(self);
        };
        Err(EdgeError::config(problem))
    }

    /// The values of ours in a `Cookie` header, in order; a header may hold several, and junk.
    pub(super) fn values<'h>(&self, header: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let pairs = header.as_bytes().split(|b| *b == b';');
        pairs.filter_map(|pair| {
            let pair = pair.trim_ascii();
            let rest = pair.strip_prefix(self.name.as_bytes())?.trim_ascii_start();
            let value = rest.strip_prefix(b"=")?.trim_ascii_start();
            let unquoted = value
                .strip_prefix(b"\"")
                .and_then(|v| v.strip_suffix(b"\""));
            Some(unquoted.unwrap_or(value))
        })
    }

    /// A `Set-Cookie` value; without an age it ends with the browser's own session.
    pub(super) fn set(&self, value: &str, max_age_s: Option<u64>) -> String {
        let mut text = String::new();
        let mut add = |part: &str| text.push_str(part);
        add(&self.name);
        add("=");
        add(value);
        add("; Path=");
        add(&self.path);
        if self.secure {
            add("; Secure");
        }
        add("; HttpOnly; SameSite=");
        add(match self.same_site {
            SameSite::Lax => "Lax",
            SameSite::Strict => "Strict",
            SameSite::None => "None",
        });
        if !self.domain.is_empty() {
            add("; Domain=");
            add(&self.domain);
        }
        if let Some(seconds) = max_age_s {
            add("; Max-Age=");
            add(itoa::Buffer::new().format(seconds.min(LONGEST_AGE_S)));
        }
        text
    }

    /// A `Set-Cookie` value that removes it: browsers want the same name, domain and path.
    pub(crate) fn remove(&self) -> String {
        self.set("", Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_ours_is_found_in_any_header() {
        let cookie = Cookie::default();
        let header = "a=1; __Host-session=one;__Host-session=\"two\" ; x__Host-session=no; __Host-sessions=no; =; ;; __Host-session = three";
        let found: Vec<_> = cookie.values(header).collect();
        assert_eq!(found, [&b"one"[..], b"two", b"three"]);
        assert_eq!(cookie.values("").count(), 0);
        assert_eq!(cookie.values(&";".repeat(65_536)).count(), 0);
        assert_eq!(cookie.values(&"\u{e9}=\"".repeat(20_000)).count(), 0);
    }

    #[test]
    fn the_removal_has_the_attributes_of_what_it_removes() {
        assert_eq!(
            Cookie::default().remove(),
            "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
        let wide = Cookie::named("id").domain("example.com").path("/app");
        let wide = wide.same_site(SameSite::Strict).secure(false);
        assert_eq!(
            wide.remove(),
            "id=; Path=/app; HttpOnly; SameSite=Strict; Domain=example.com; Max-Age=0"
        );
    }

    #[test]
    fn no_cookie_is_asked_to_live_longer_than_browsers_let_it() {
        let lasting = |seconds| Cookie::default().set("x", Some(seconds));
        assert!(lasting(34_559_999).ends_with("; Max-Age=34559999"));
        assert!(lasting(864_000_000).ends_with("; Max-Age=34560000"));
    }

    #[test]
    fn what_browsers_would_drop_and_what_would_write_headers_cannot_be_configured() {
        let named = Cookie::named;
        for good in [
            Cookie::default(),
            named("session").secure(false),
            named("__Secure-s").domain("example.com").path("/app"),
            named("s").same_site(SameSite::None),
        ] {
            assert!(good.checked().is_ok());
        }
        for bad in [
            Cookie::default().secure(false),
            Cookie::default().domain("example.com"),
            Cookie::default().path("/app"),
            named("__host-s").secure(false),
            named("__SECURE-s").secure(false),
            named("s").same_site(SameSite::None).secure(false),
            named(""),
            named(&"x".repeat(129)),
            named("a b"),
            named("a=b"),
            named("a;b"),
            named("a\r\nSet-Cookie: b"),
            named("\u{e9}"),
            named("s").path("app"),
            named("s").path("/;Domain=x"),
            named("s").path("/\r\nX: y"),
            named("s").domain("x; Secure"),
            named("s").domain("x\ny"),
        ] {
            let error = bad.clone().checked().unwrap_err();
            assert_eq!(error.code(), "invalid_config", "{bad:?}");
        }
    }
}
