//! Whether an answer may be stored, and for how long (RFC 9111, sections 3 and 4.2).

use super::date;
use super::directives::{Directives, seconds};
use super::fields::{Fields, is_token, item};
use super::request::{Asked, selects};
use crate::cache::freshness::Times;

/// So many fields an answer may vary by.
const MOST_NAMES: usize = 8;

/// So long its head may be.
const LONGEST_HEAD: usize = 16_384;

/// What is stored without stating a lifetime, where the caller gave one. (RFC 9110, section 15.1, lists some more, that
/// are errors of the moment rather than facts.)
const LASTING: [u16; 8] = [200, 203, 204, 300, 301, 308, 404, 410];

/// What belongs to one connection (RFC 9110, section 7.6.1), and the length, which the runtime knows.
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// An answer that may be stored.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cache) struct Plan {
    pub times: Times,
    /// The fields it varies by, a comma between them.
    pub vary: String,
}

/// How an answer that came at `now` is to be stored, if it may be. `ttl_ms` is what the caller gives an answer that
/// states no lifetime; `ours` are the cache's own windows and jitter.
pub(in crate::cache) fn plan(
    asked: &Asked,
    status: u16,
    fields: Fields<'_>,
    now: u64,
    ttl_ms: Option<u64>,
    ours: Times,
) -> Option<Plan> {
    let said = Directives::of(fields);
    // `no-cache` could be stored, but each use of it would ask the handler.
    let forbidden = asked.head || asked.no_store || said.no_store || said.private || said.no_cache;
    let partial = matches!(status, 206 | 304) || fields.has("content-range");
    // A cookie is for one client alone.
    if forbidden || partial || status < 200 || fields.has("set-cookie") {
        return None;
    }
    if asked.authorized && !for_all(&said) {
        return None;
    }
    let date = fields.value("date").and_then(date::parse);
    let ttl_ms = match stated_ms(&said, fields, date.unwrap_or(now)) {
        Some(stated) => {
            let age = fields.value("age").and_then(seconds).unwrap_or(0) * 1_000;
            let apparent = now.saturating_sub(date.unwrap_or(now));
            stated.saturating_sub(age.max(apparent))
        }
        // Nobody said that what was made for this cookie is the same for all.
        None if asked.cookies && !said.public => return None,
        None if LASTING.contains(&status) => ttl_ms?,
        None => return None,
    };
    let strict = said.must_revalidate || said.proxy_revalidate;
    let window = |stated: Option<u64>, ours: u64| match stated {
        _ if strict => 0,
        Some(stated) => stated,
        // RFC 9111, section 4.2.4: `s-maxage` forbids it, unless the answer itself says otherwise.
        None if said.s_maxage_ms.is_some() => 0,
        None => ours,
    };
    let times = Times {
        ttl_ms,
        stale_ms: window(said.stale_while_revalidate_ms, ours.stale_ms),
        error_ms: window(said.stale_if_error_ms, ours.error_ms),
        jitter: ours.jitter,
    };
    if times.kept_ms() == 0 || fields.0.len() > LONGEST_HEAD {
        return None;
    }
    Some(Plan {
        times,
        vary: vary(fields)?,
    })
}

/// Whether an answer to a request with `Authorization` may be another's (RFC 9111, section 3.5).
pub(super) fn for_all(said: &Directives) -> bool {
    said.public || said.must_revalidate || said.s_maxage_ms.is_some()
}

fn stated_ms(said: &Directives, fields: Fields<'_>, date: u64) -> Option<u64> {
    let expires = || {
        let expires = fields.value("expires")?;
        // What is no date is in the past (RFC 9111, section 5.3).
        Some(date::parse(expires).unwrap_or(0).saturating_sub(date))
    };
    said.s_maxage_ms.or(said.max_age_ms).or_else(expires)
}

/// The names, each once; `None` where they are no names, too many, or such as nothing can be selected by.
fn vary(fields: Fields<'_>) -> Option<String> {
    let mut names = String::new();
    let mut count = 0;
    for mut list in fields.values("vary") {
        while let Some(name) = item(&mut list) {
            let name = name.to_ascii_lowercase();
            if name == "*" || !is_token(&name) || !selects(&name) {
                return None;
            }
            let mut known = names.as_str();
            if std::iter::from_fn(|| item(&mut known)).any(|known| known == name) {
                continue;
            }
            count += 1;
            if !names.is_empty() {
                names.push(',');
            }
            names.push_str(&name);
        }
    }
    (count <= MOST_NAMES).then_some(names)
}

/// What stands in an entry before the body: see [`Stored`](super::Stored). `decoded`: the runtime has undone the
/// `Content-Encoding`. A date is added where there is none (RFC 9110, section 6.6.1).
pub(in crate::cache) fn head(status: u16, fields: Fields<'_>, came: u64, decoded: bool) -> String {
    let mut head = String::with_capacity(fields.0.len() + 48);
    head.push_str(itoa::Buffer::new().format(status));
    head.push('\n');
    for (name, value) in fields {
        let dropped = OF_THE_CONNECTION.contains(&name)
            || decoded && name == "content-encoding"
            || named_by_connection(fields, name);
        if dropped {
            continue;
        }
        line(&mut head, name, "");
        // The bytes are others than those that a strong one named (RFC 9110, section 8.8.1).
        if decoded && name == "etag" && !value.starts_with("W/") {
            head.push_str("W/");
        }
        head.push_str(value);
        head.push('\n');
    }
    if !fields.has("date") {
        line(&mut head, "date", &date::format(came));
        head.push('\n');
    }
    head.push('\n');
    head
}

/// A field without its end.
pub(super) fn line(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push(':');
    head.push_str(value);
}

fn named_by_connection(fields: Fields<'_>, name: &str) -> bool {
    fields.values("connection").any(|mut list| {
        std::iter::from_fn(|| item(&mut list)).any(|named| named.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 784_111_777_000;
    const OURS: Times = Times {
        ttl_ms: 1,
        stale_ms: 7,
        error_ms: 8,
        jitter: 0,
    };

    fn planned(request: &str, status: u16, answer: &str, ttl_ms: Option<u64>) -> Option<Plan> {
        let asked = Asked::new("GET", "https://a/", Fields(request)).unwrap();
        plan(&asked, status, Fields(answer), NOW, ttl_ms, OURS)
    }

    fn ttl(answer: &str) -> Option<u64> {
        planned("", 200, answer, None).map(|plan| plan.times.ttl_ms)
    }

    #[test]
    fn a_lifetime_is_the_strictest_source_less_the_age() {
        for (answer, ms) in [
            ("cache-control:max-age=60\n", Some(60_000)),
            ("cache-control:max-age=60, s-maxage=5\n", Some(5_000)),
            ("cache-control:max-age=60\nage:20\n", Some(40_000)),
            (
                "cache-control:max-age=60\ndate:Sun, 06 Nov 1994 08:49:07 GMT\n",
                Some(30_000),
            ),
            (
                "cache-control:max-age=60\nage:50\ndate:Sun, 06 Nov 1994 08:49:07 GMT\n",
                Some(10_000),
            ),
            ("expires:Sun, 06 Nov 1994 08:50:37 GMT\n", Some(60_000)),
            (
                "expires:Sun, 06 Nov 1994 08:50:37 GMT\ndate:Sun, 06 Nov 1994 08:50:07 GMT\n",
                Some(30_000),
            ),
            (
                "expires:Sun, 06 Nov 1994 08:50:37 GMT\ncache-control:max-age=1\n",
                Some(1_000),
            ),
            // Not fresh, but kept for the windows of the cache.
            ("expires:0\n", Some(0)),
            ("cache-control:max-age=x\n", Some(0)),
            ("", None),
            ("cache-control:public\n", None),
            ("cache-control:no-store, max-age=60\n", None),
            ("cache-control:private, max-age=60\n", None),
            ("cache-control:no-cache, max-age=60\n", None),
            ("cache-control:max-age=60\nset-cookie:a=b\n", None),
            ("cache-control:max-age=60\nvary:*\n", None),
            ("cache-control:max-age=60\nvary:a, range\n", None),
            ("cache-control:max-age=60\nvary:a,b,c,d,e,f,g,h,i\n", None),
            (
                "cache-control:max-age=60\ncontent-range:bytes 0-1/2\n",
                None,
            ),
        ] {
            assert_eq!(ttl(answer), ms, "{answer}");
        }
        let huge = "cache-control:max-age=60\nx:".to_owned() + &"x".repeat(20_000) + "\n";
        assert_eq!(ttl(&huge), None);
    }

    #[test]
    fn stale_windows_are_the_answers_own_else_the_caches() {
        for (said, stale_ms, error_ms) in [
            ("max-age=1", 7, 8),
            (
                "max-age=1, stale-while-revalidate=2, stale-if-error=3",
                2_000,
                3_000,
            ),
            ("max-age=1, must-revalidate, stale-if-error=3", 0, 0),
            ("max-age=1, proxy-revalidate", 0, 0),
            ("s-maxage=1", 0, 0),
            ("s-maxage=1, stale-while-revalidate=2", 2_000, 0),
        ] {
            let answer = "cache-control:".to_owned() + said + "\n";
            let times = planned("", 200, &answer, None).unwrap().times;
            assert_eq!(
                (times.stale_ms, times.error_ms),
                (stale_ms, error_ms),
                "{said}"
            );
        }
    }

    #[test]
    fn without_a_stated_lifetime_the_callers_holds_where_the_answer_can_be_for_all() {
        let given = |request, status, answer| planned(request, status, answer, Some(5)).is_some();
        assert!(given("", 200, ""));
        assert!(given("", 404, ""));
        assert!(!given("", 500, ""));
        assert!(!given("", 302, ""));
        assert!(!given("cookie:a=b\n", 200, ""));
        assert!(given("cookie:a=b\n", 200, "cache-control:public\n"));
        assert!(!given("authorization:x\n", 200, ""));
        assert!(!given(
            "authorization:x\n",
            200,
            "cache-control:max-age=1\n"
        ));
        assert!(given(
            "authorization:x\n",
            200,
            "cache-control:s-maxage=1\n"
        ));
        assert!(!given(
            "cache-control:no-store\n",
            200,
            "cache-control:max-age=1\n"
        ));
        // What states one may have any status.
        assert!(given("", 500, "cache-control:max-age=1\n"));
    }

    #[test]
    fn what_belongs_to_the_connection_is_not_stored() {
        let answer = "connection:close, X-Hop\nx-hop:1\nkeep-alive:1\nx:1\netag:\"a\"\ncontent-length:3\ncache-control:max-age=1\nvary:B, a\nvary:b\n";
        assert_eq!(planned("", 200, answer, None).unwrap().vary, "b,a");
        let stored = head(200, Fields(answer), NOW, false);
        assert_eq!(
            stored,
            "200\nx:1\netag:\"a\"\ncache-control:max-age=1\nvary:B, a\nvary:b\ndate:Sun, 06 Nov 1994 08:49:37 GMT\n\n"
        );
        let decoded = head(
            200,
            Fields("content-encoding:br\netag:\"a\"\ndate:d\n"),
            NOW,
            true,
        );
        assert_eq!(decoded, "200\netag:W/\"a\"\ndate:d\n\n");
    }
}
