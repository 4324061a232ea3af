//! What was counted since the start, and who may ask.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{self, HeaderMap, HeaderName};

/// Requests and commands since the start.
#[derive(Default)]
pub(crate) struct Stats {
    requests: AtomicU64,
    commands: AtomicU64,
}

impl Stats {
    /// One HTTP request to the REST surface, whatever becomes of it.
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Commands sent to Redis for a caller.
    pub(crate) fn commands(&self, count: usize) {
        self.commands.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Of those counted, so many were not sent after all.
    pub(crate) fn unsent(&self, count: usize) {
        self.commands.fetch_sub(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn json(&self) -> String {
        format!(
            r#"{{"requests":{},"commands":{}}}"#,
            self.requests.load(Ordering::Relaxed),
            self.commands.load(Ordering::Relaxed)
        )
    }
}

/// Whether this caller may read the figures: they need no token, so only this machine may ask.
/// A page of another site, opened in a browser here, is a loopback peer too: by DNS rebinding its
/// `Host` is foreign, by a plain cross-site fetch its `Origin` is.
pub(crate) fn may_ask(peer: SocketAddr, headers: &HeaderMap) -> bool {
    peer.ip().to_canonical().is_loopback()
        && is_local(headers, header::HOST)
        && is_local(headers, header::ORIGIN)
}

fn is_local(headers: &HeaderMap, name: HeaderName) -> bool {
    headers
        .get_all(name)
        .iter()
        .all(|value| value.to_str().is_ok_and(names_loopback))
}

fn names_loopback(authority: &str) -> bool {
    let authority = authority
        .strip_prefix("http://")
        .or_else(|| authority.strip_prefix("https://"))
        .unwrap_or(authority);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::names_loopback;

    #[test]
    fn only_loopback_names_are_local() {
        for local in [
            "127.0.0.1:8079",
            "localhost",
            "LOCALHOST:1",
            "[::1]:80",
            "http://127.0.0.1:5173",
        ] {
            assert!(names_loopback(local), "{local}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "null",
            "",
            "https://localhost.evil",
        ] {
            assert!(!names_loopback(foreign), "{foreign}");
        }
    }
}
