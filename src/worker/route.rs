//! Method and path to a route.

use percent_encoding::percent_decode_str;
use worker::Method;

use super::failure::Failure;

/// What is asked for.
pub(super) enum Route {
    Health,
    Limit {
        id: String,
    },
    CacheGet {
        key: String,
    },
    CachePut {
        key: String,
    },
    CacheDelete {
        key: String,
    },
    Fetch {
        key: String,
    },
    SessionGet,
    SessionPut,
    Login,
    Logout,
    Page,
    /// A file of the console.
    Asset,
}

impl Route {
    /// Without `demo` there is only health: a deployed Worker lets no stranger write its cache or log in.
    pub fn of(method: Method, segments: &[&str], demo: bool) -> Result<Self, Failure> {
        // A HEAD is answered like its GET; the caller drops the body.
        let method = if method == Method::Head {
            Method::Get
        } else {
            method
        };
        match (segments, method) {
            (["api", "health"], Method::Get) => Ok(Self::Health),
            (["api", "health"], _) => Err(Failure::method("GET, HEAD")),
            _ if !demo => Err(Failure::not_found()),
            (["api", rest @ ..], method) => Self::demo(rest, method),
            (_, Method::Get) => Ok(Self::Asset),
            _ => Err(Failure::method("GET, HEAD")),
        }
    }

    fn demo(segments: &[&str], method: Method) -> Result<Self, Failure> {
        Ok(match (segments, method) {
            (["limit", ""], _) => return Err(Failure::not_found()),
            (["cache" | "fetch", ""], _) => return Err(Failure::not_found()),
            (["limit", id], Method::Post) => Self::Limit { id: decoded(id)? },
            (["limit", _], _) => return Err(Failure::method("POST")),
            (["cache", key], Method::Get) => Self::CacheGet { key: decoded(key)? },
            (["cache", key], Method::Put) => Self::CachePut { key: decoded(key)? },
            (["cache", key], Method::Delete) => Self::CacheDelete { key: decoded(key)? },
            (["cache", _], _) => return Err(Failure::method("GET, HEAD, PUT, DELETE")),
            (["fetch", key], Method::Get) => Self::Fetch { key: decoded(key)? },
            (["fetch", _], _) => return Err(Failure::method("GET, HEAD")),
            (["session"], Method::Get) => Self::SessionGet,
            (["session"], Method::Put) => Self::SessionPut,
            (["session"], _) => return Err(Failure::method("GET, HEAD, PUT")),
            (["session", "login"], Method::Post) => Self::Login,
            (["session", "logout"], Method::Post) => Self::Logout,
            (["session", "login" | "logout"], _) => return Err(Failure::method("POST")),
            (["page"], Method::Get) => Self::Page,
            (["page"], _) => return Err(Failure::method("GET, HEAD")),
            _ => return Err(Failure::not_found()),
        })
    }
}

/// A path segment as text. Bytes that are no UTF-8 are refused: replaced, two keys would become one.
fn decoded(segment: &str) -> Result<String, Failure> {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Failure::bad("the path must be percent-encoded UTF-8")),
    }
}
