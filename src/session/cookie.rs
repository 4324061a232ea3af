//! The cookie, both ways (RFC 6265bis).

/// `__Host-` makes a browser refuse it unless it is Secure, has no Domain and `Path=/`: no sibling host can plant it.
const NAME: &[u8] = b"__Host-session";

/// The values of our cookie in a `Cookie` header, in order; a header may hold several, and junk.
pub(super) fn values(header: &str) -> impl Iterator<Item = &[u8]> {
    header.as_bytes().split(|b| *b == b';').filter_map(|pair| {
        let pair = pair.trim_ascii();
        let rest = pair.strip_prefix(NAME)?.trim_ascii_start();
        let value = rest.strip_prefix(b"=")?.trim_ascii_start();
        let unquoted = value
            .strip_prefix(b"\"")
            .and_then(|v| v.strip_suffix(b"\""));
        Some(unquoted.unwrap_or(value))
    })
}

const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";

/// A `Set-Cookie` value that ends with the browser's own session.
pub(super) fn set(value: &str) -> String {
    String::from("__Host-session=") + value + ATTRIBUTES
}

/// A `Set-Cookie` value that removes it.
pub(super) fn remove() -> String {
    set("") + "; Max-Age=0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_ours_is_found_in_any_header() {
        let header = "a=1; __Host-session=one;__Host-session=\"two\" ; x__Host-session=no; __Host-sessions=no; =; ;; __Host-session = three";
        let found: Vec<_> = values(header).collect();
        assert_eq!(found, [&b"one"[..], b"two", b"three"]);
        assert_eq!(values("").count(), 0);
        assert_eq!(values(&";".repeat(65_536)).count(), 0);
    }

    #[test]
    fn the_removal_has_the_attributes_of_what_it_removes() {
        assert_eq!(
            remove(),
            "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
