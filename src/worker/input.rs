//! What a request brings: query, body, cookies, address.

use std::future::poll_fn;
use std::pin::pin;

use futures_core::Stream;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use web_sys::Url;
use worker::Request;

use super::failure::Failure;
use crate::duration::duration_ms;

/// The largest body the demonstration takes.
const MAX_BODY: usize = 1 << 20;

/// Where a request goes.
///
/// The runtime has parsed the URL already: what is left is to cut it. (A second parser is 150 KB of tables.)
pub(super) struct Target {
    url: String,
}

impl Target {
    pub fn of(request: &Request) -> Self {
        let mut url = request.inner().url();
        url.truncate(url.find('#').unwrap_or(url.len()));
        Self { url }
    }

    /// As `fetch` would send it on, without `.` and `..`: another spelling of a path is to find the same rule and page.
    pub fn as_sent(request: &Request) -> Self {
        let mut target = Self::of(request);
        // The runtime has served it, so it can be parsed.
        if let Ok(url) = Url::new(&target.url) {
            target.url = url.href();
        }
        target
    }

    /// The path's segments, still percent-encoded.
    pub fn segments(&self) -> Vec<&str> {
        let (before, _) = self.parts();
        let behind_scheme = before.split_once("://").map_or(before, |(_, rest)| rest);
        behind_scheme.split('/').skip(1).collect()
    }

    /// The whole of it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is for this Worker itself, whatever the origin has.
    pub fn is_own(&self) -> bool {
        let path = self.path();
        path == "/api" || path.starts_with("/api/")
    }

    /// From the path on, as it came.
    pub fn path_and_query(&self) -> &str {
        let (_, rest) = self.cut();
        if rest.is_empty() { "/" } else { rest }
    }

    /// The path alone, still percent-encoded.
    pub fn path(&self) -> &str {
        let whole = self.path_and_query();
        whole.split_once('?').map_or(whole, |(path, _)| path)
    }

    /// By which scheme and under which name the client knows this site.
    pub fn public(&self) -> (&str, &str) {
        let (base, _) = self.cut();
        base.split_once("://").unwrap_or(("https", base))
    }

    /// This site, without a slash at its end.
    pub fn public_base(&self) -> &str {
        self.cut().0
    }

    /// Before and behind the end of the authority.
    fn cut(&self) -> (&str, &str) {
        let authority = self.url.find("://").map_or(0, |at| at + 3);
        let rest = self.url.get(authority..).unwrap_or_default();
        let length = rest.find(['/', '?']).unwrap_or(rest.len());
        self.url.split_at(authority + length)
    }

    pub fn query(&self) -> Result<Query, Failure> {
        let (_, query) = self.parts();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let twice = |(at, (name, _)): (usize, &(String, String))| {
            pairs.iter().skip(at + 1).any(|(other, _)| other == name)
        };
        if pairs.iter().enumerate().any(twice) {
            return Err(Failure::bad("a query parameter stands there twice"));
        }
        Ok(Query(pairs))
    }

    fn parts(&self) -> (&str, &str) {
        self.url.split_once('?').unwrap_or((&self.url, ""))
    }
}

/// The query's parameters, each at most once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// A whole number, `fallback` when absent.
    pub fn number(&self, name: &'static str, fallback: u32) -> Result<u32, Failure> {
        let Some(text) = self.get(name) else {
            return Ok(fallback);
        };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(number),
            _ => Err(Failure::bad(&(name.to_owned() + " must be a whole number"))),
        }
    }

    /// A duration in milliseconds, `fallback` when absent.
    pub fn duration_ms(&self, name: &'static str, fallback: u64) -> Result<u64, Failure> {
        match self.get(name) {
            None => Ok(fallback),
            Some(text) => duration_ms(text)
                .map_err(|error| Failure::bad(&(name.to_owned() + ": " + error.message()))),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The body, any JSON. It is read in pieces, so that an endless one is left before it fills the isolate.
pub(super) async fn json(request: &mut Request) -> Result<Value, Failure> {
    let mut body = Vec::new();
    if request.inner().body().is_some() {
        let mut stream = pin!(request.stream()?);
        while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            body.extend_from_slice(&piece?);
            if body.len() > MAX_BODY {
                return Err(Failure::too_large("the body must be at most 1 MiB"));
            }
        }
    }
    serde_json::from_slice(&body).map_err(|_| Failure::bad("the body must be JSON"))
}

/// A whole number of a body, `3.0` too: to JSON they are the same number.
pub(super) fn whole<'de, D: Deserializer<'de>>(body: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(body)?;
    let whole = number as u32;
    if f64::from(whole) == number {
        return Ok(whole);
    }
    Err(D::Error::custom("a whole number was expected"))
}

/// Another site's page must not log its visitor in here, or write for them.
pub(super) fn same_site(request: &Request) -> Result<(), Failure> {
    let changes = !matches!(request.inner().method().as_str(), "GET" | "HEAD");
    let site = request.headers().get("Sec-Fetch-Site")?;
    if changes && site.as_deref() == Some("cross-site") {
        return Err(Failure::forbidden("a page of another site may not do this"));
    }
    Ok(())
}

/// The `Cookie` header, empty when there is none.
pub(super) fn cookies(request: &Request) -> Result<String, Failure> {
    Ok(request.headers().get("Cookie")?.unwrap_or_default())
}

/// The client's address, by the platform's own header: no other one can be trusted.
pub(super) fn address(request: &Request) -> Result<String, Failure> {
    let address = request.headers().get("CF-Connecting-IP")?;
    Ok(address.unwrap_or_else(|| "unknown".to_owned()))
}
