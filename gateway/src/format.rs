//! Which format a reply is asked for in.

use hyper::HeaderMap;

/// The format of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Json(Strings),
    Resp2,
}

/// How strings look in a JSON reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strings {
    /// As they are; bytes that are not UTF-8 become U+FFFD.
    Plain,
    /// All in base64 but the status `OK`.
    Base64,
    /// All in base64.
    AllBase64,
}

impl Format {
    /// What the headers ask for, or why that is refused.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, &'static str> {
        let strings = match value(headers, "upstash-encoding") {
            None => Strings::Plain,
            Some(b"base64") => Strings::Base64,
            Some(_) => return Err("ERR invalid Upstash-Encoding header: only base64 is supported"),
        };
        match (value(headers, "upstash-response-format"), strings) {
            (None | Some(b"json"), strings) => Ok(Self::Json(strings)),
            (Some(b"resp2"), Strings::Plain) => Ok(Self::Resp2),
            (Some(b"resp2"), Strings::Base64) => {
                Err("ERR base64 encoding is not permitted with the resp2 response format")
            }
            (Some(_), _) => {
                Err("ERR invalid Upstash-Response-Format header: only json and resp2 are supported")
            }
        }
    }

    /// What a server that speaks only JSON makes of the headers.
    pub(crate) fn of_json_only(headers: &HeaderMap) -> Self {
        Self::Json(match value(headers, "upstash-encoding") {
            Some(b"base64") => Strings::AllBase64,
            _ => Strings::Plain,
        })
    }

    /// `/multi-exec` answers in JSON alone.
    pub(crate) fn for_transaction(self) -> Self {
        match self {
            Self::Json(strings) => Self::Json(strings),
            Self::Resp2 => Self::Json(Strings::Plain),
        }
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers.get(name).map(|value| value.as_bytes().trim_ascii())
}
