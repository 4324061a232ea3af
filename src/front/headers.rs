//! Which headers pass, and which the front writes itself.

/// Named in `Via`, both ways (RFC 9110, section 7.6.3).
pub(crate) const VIA: &str = "1.1 upstash-edge";

/// What the front tells the origin, and hears from it, of the visitor's session.
pub(crate) const OWN: &str = "upstash-edge-";
/// To the origin: who is logged in, percent-encoded.
pub(crate) const USER: &str = "upstash-edge-user";
/// From the origin: this user has logged in.
pub(crate) const LOGIN: &str = "upstash-edge-login";
/// From the origin: the visitor has logged out.
pub(crate) const LOGOUT: &str = "upstash-edge-logout";

/// About one connection, not about the message (RFC 9110, section 7.6.1); some are from before that.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Who asked for what, by whom: a client could write them, no cache has them in its keys, and origins build links and
/// routes of them. `x-forwarded-` is a prefix.
const ABOUT_THE_CLIENT: [&str; 9] = [
    "client-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// They make another method of a GET, whose answer would be stored for it.
const OVERRIDES: [&str; 3] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Whether a header of the client's request is kept from the origin. Names are in lower case; `connection` is the value
/// of that header, `reads` whether the method is GET or HEAD.
pub(crate) fn drops_request(name: &str, connection: &str, reads: bool) -> bool {
    drops_response(name, connection)
        || name.starts_with(OWN)
        // Another origin is meant, and `fetch` writes its own.
        || name == "host"
        || ABOUT_THE_CLIENT.contains(&name)
        || name.starts_with("x-forwarded-")
        || (reads && OVERRIDES.contains(&name))
}

/// Whether a header of the origin's answer is kept from the client.
pub(crate) fn drops_response(name: &str, connection: &str) -> bool {
    let named = |word: &str| word.trim().eq_ignore_ascii_case(name);
    HOP_BY_HOP.contains(&name) || connection.split(',').any(named)
}

/// `Forwarded` of RFC 7239: by whom, for which host, over what.
pub(crate) fn forwarded(address: Option<&str>, host: &str, scheme: &str) -> String {
    let mut text = String::new();
    if let Some(address) = address {
        text += "for=";
        if address.contains(':') {
            text += "\"[";
            text += address;
            text += "]\"";
        } else {
            text += address;
        }
        text += ";";
    }
    text += "host=\"";
    text += host;
    text += "\";proto=";
    text += scheme;
    text
}

/// A redirect of the origin to itself, as one of the front: `location` from behind `base` on, the origin's URL without a
/// slash at its end. `None` where it is to be left as it is.
pub(crate) fn location(location: &str, base: &str, public: &str) -> Option<String> {
    let rest = location.strip_prefix(base)?;
    let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    ends.then(|| public.to_owned() + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_one_connection_passes_in_neither_direction() {
        for name in HOP_BY_HOP {
            assert!(
                drops_request(name, "", true) && drops_response(name, ""),
                "{name}"
            );
        }
        assert!(drops_response("x-hop", "close, X-Hop"));
        assert!(!drops_response("x-hop", "x-hopper"));
    }

    #[test]
    fn a_client_cannot_tell_the_origin_what_the_front_tells_it() {
        for name in [
            "host",
            "forwarded",
            "x-forwarded-host",
            "x-forwarded-for",
            "x-real-ip",
            "upstash-edge-user",
        ] {
            assert!(drops_request(name, "", false), "{name}");
        }
        assert!(drops_request("x-http-method-override", "", true));
        assert!(!drops_request("x-http-method-override", "", false));
        for name in [
            "accept",
            "cookie",
            "authorization",
            "range",
            "if-none-match",
            "sec-websocket-key",
        ] {
            assert!(!drops_request(name, "", true), "{name}");
        }
    }

    #[test]
    fn an_address_of_either_family_is_a_node_of_rfc_7239() {
        let of = |address| forwarded(address, "a.example:8080", "https");
        assert_eq!(
            of(Some("192.0.2.1")),
            "for=192.0.2.1;host=\"a.example:8080\";proto=https"
        );
        assert_eq!(
            of(Some("2001:db8::1")),
            "for=\"[2001:db8::1]\";host=\"a.example:8080\";proto=https"
        );
        assert_eq!(of(None), "host=\"a.example:8080\";proto=https");
    }

    #[test]
    fn only_a_redirect_of_the_origin_to_itself_is_rewritten() {
        let of = |text| location(text, "http://origin:81/base", "https://public");
        assert_eq!(
            of("http://origin:81/base/a?b").as_deref(),
            Some("https://public/a?b")
        );
        assert_eq!(
            of("http://origin:81/base").as_deref(),
            Some("https://public")
        );
        for text in [
            "/a",
            "http://origin:81/basement",
            "http://origin:810/base",
            "http://origin:81/",
            "https://other/",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
