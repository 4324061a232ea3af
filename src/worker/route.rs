//! Method and path to a route.

use percent_encoding::percent_decode_str;

use super::admin::Admin;
use super::failure::Failure;

#[derive(Clone, Copy)]
enum Method {
    Get,
    Post,
    Put,
    Delete,
}

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
    /// A file of the console, by its path.
    Asset(String),
    /// To the console, without the slash at its end.
    Console,
    Admin(Admin),
}

impl Route {
    /// Without `demo` there are only health and the console: a deployed Worker lets no stranger write its cache or log in.
    pub fn of(method: &str, segments: &[&str], demo: bool) -> Result<Self, Failure> {
        if let ["api", "admin", rest @ ..] = segments {
            return Ok(Self::Admin(Admin::of(method, rest)?));
        }
        // The text, for `worker::Method` takes what it does not know for a GET.
        let method = match method {
            // A HEAD is answered like its GET; the caller drops the body.
            "GET" | "HEAD" => Some(Method::Get),
            "POST" => Some(Method::Post),
            "PUT" => Some(Method::Put),
            "DELETE" => Some(Method::Delete),
            _ => None,
        };
        match (segments, method) {
            (["api", "health"], Some(Method::Get)) => Ok(Self::Health),
            (["api", "health"], _) => Err(Failure::method("GET, HEAD")),
            (["api", "console"], Some(Method::Get)) => Ok(Self::Console),
            (["api", "console", file], Some(Method::Get)) => Ok(Self::Asset((*file).to_owned())),
            (["api", "console"] | ["api", "console", _], _) => Err(Failure::method("GET, HEAD")),
            (["api", rest @ ..], method) if demo => Self::demo(rest, method),
            (["api", ..], _) => Err(Failure::not_found()),
            // There is no origin, or it would have been asked.
            ([file], Some(Method::Get)) => Ok(Self::Asset((*file).to_owned())),
            (_, Some(Method::Get)) => Err(Failure::not_found()),
            _ => Err(Failure::method("GET, HEAD")),
        }
    }

    fn demo(segments: &[&str], method: Option<Method>) -> Result<Self, Failure> {
        Ok(match (segments, method) {
            (["limit", ""], _) => return Err(Failure::not_found()),
            (["cache" | "fetch", ""], _) => return Err(Failure::not_found()),
            (["limit", id], Some(Method::Post)) => Self::Limit { id: decoded(id)? },
            (["limit", _], _) => return Err(Failure::method("POST")),
            (["cache", key], Some(Method::Get)) => Self::CacheGet { key: decoded(key)? },
            (["cache", key], Some(Method::Put)) => Self::CachePut { key: decoded(key)? },
            (["cache", key], Some(Method::Delete)) => Self::CacheDelete { key: decoded(key)? },
            (["cache", _], _) => return Err(Failure::method("GET, HEAD, PUT, DELETE")),
            (["fetch", key], Some(Method::Get)) => Self::Fetch { key: decoded(key)? },
            (["fetch", _], _) => return Err(Failure::method("GET, HEAD")),
            (["session"], Some(Method::Get)) => Self::SessionGet,
            (["session"], Some(Method::Put)) => Self::SessionPut,
            (["session"], _) => return Err(Failure::method("GET, HEAD, PUT")),
            (["session", "login"], Some(Method::Post)) => Self::Login,
            (["session", "logout"], Some(Method::Post)) => Self::Logout,
            (["session", "login" | "logout"], _) => return Err(Failure::method("POST")),
            (["page"], Some(Method::Get)) => Self::Page,
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
