//! What a request brings: query, body, cookies, address.

use serde_json::Value;
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

    /// The path's segments, still percent-encoded.
    pub fn segments(&self) -> Vec<&str> {
        let (before, _) = self.parts();
        let behind_scheme = before.split_once("://").map_or(before, |(_, rest)| rest);
        behind_scheme.split('/').skip(1).collect()
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

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The body, any JSON.
pub(super) async fn json(request: &mut Request) -> Result<Value, Failure> {
    let too_large = || Failure::too_large("the body must be at most 1 MiB");
    let declared = request.headers().get("Content-Length")?;
    if declared
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > MAX_BODY)
    {
        return Err(too_large());
    }
    let body = request.bytes().await?;
    if body.len() > MAX_BODY {
        return Err(too_large());
    }
    serde_json::from_slice(&body).map_err(|_| Failure::bad("the body must be JSON"))
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
