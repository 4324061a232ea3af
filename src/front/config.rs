//! The Worker's variables, read once; an error names the variable.

use super::limits::{about, limits};
use super::rules::{Caching, Rule, rules, ttl};
use super::visitor::By;
use crate::cache::Cache;
use crate::duration::{self, duration_ms};
use crate::edge::OnSessionFailure;
use crate::error::EdgeError;
use crate::ratelimit::{Limits, OnFailure, RateLimiter};
use crate::session::Sessions;

/// What is written to the Worker's log, a JSON object a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Log {
    Off,
    /// Requests that the origin or Redis failed.
    Errors,
    /// Every request.
    Requests,
}

/// The front of one origin.
pub(crate) struct Config {
    /// `http(s)://host/path`, without a slash at its end.
    pub origin: String,
    pub origin_timeout_ms: u64,
    pub by: By,
    /// The header that tells the client's address, in lower case.
    pub address_header: String,
    pub sessions: Option<Sessions>,
    pub cache: Cache,
    pub on_session_failure: OnSessionFailure,
    pub log: Log,
    everywhere: Policy,
    /// In the order they are asked.
    rules: Vec<(Rule, Policy)>,
}

/// What holds for a request.
#[derive(Clone)]
pub(crate) struct Policy {
    pub limiter: Option<RateLimiter>,
    pub caching: Caching,
    pub sessions: bool,
}

/// Variables, by name; an empty one is none.
struct Vars<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Vars<'_> {
    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, EdgeError>,
    ) -> Result<Option<T>, EdgeError> {
        let text = (self.0)(name).map(|text| text.trim().to_owned());
        let text = text.filter(|text| !text.is_empty());
        let read = text.map(|text| read(&text)).transpose();
        read.map_err(|error| about(name, &error))
    }
}

/// Where Cloudflare tells the client's address.
pub(crate) const ADDRESS_HEADER: &str = "cf-connecting-ip";

/// Whether an `ADMIN_TOKEN` opens the console: one that is too short to be guessed from afar opens nothing.
pub(crate) fn opens_console(token: &str) -> bool {
    token.trim().len() >= 16
}

/// Names the cache, and the limiter of what no rule limits.
pub(crate) const FRONT: &str = "front";
const ORIGIN: &str = "ORIGIN_URL";
/// What means nothing without an origin.
const FOR_ORIGINS: [&str; 4] = ["RATE_LIMIT", "RATE_LIMIT_BY", "CACHE_TTL", "RULES"];

impl Config {
    /// Reads all variables; `None` when there is no origin.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, EdgeError> {
        let vars = Vars(get);
        let Some(origin) = vars.read(ORIGIN, origin)? else {
            let meant = |name: &&&str| get(name).is_some_and(|text| !text.trim().is_empty());
            return match FOR_ORIGINS.iter().find(meant) {
                None => Ok(None),
                Some(name) => {
                    let missing = "is set, but there is no ORIGIN_URL for it";
                    Err(about(name, &EdgeError::config(missing)))
                }
            };
        };
        let everywhere_limits = vars.read("RATE_LIMIT", limits)?;
        let on_failure = vars.read("RATE_LIMIT_ON_FAILURE", on_failure)?;
        let on_failure = on_failure.unwrap_or_default();
        let sessions = vars.read("SESSION_SECRETS", sessions)?;
        let by = vars.read("RATE_LIMIT_BY", by)?.unwrap_or(By::Address);
        if by == By::Session && sessions.is_none() {
            let missing = EdgeError::config("session needs SESSION_SECRETS");
            return Err(about("RATE_LIMIT_BY", &missing));
        }
        let counts = get("ADMIN_TOKEN").is_some_and(|token| opens_console(&token));
        let limited = |name: &str, limits: Limits| {
            let limiter = RateLimiter::new(limits).name(name).on_failure(on_failure);
            limiter.analytics(counts)
        };
        let everywhere = Policy {
            limiter: everywhere_limits.map(|limits| limited(FRONT, limits)),
            caching: vars.read("CACHE_TTL", caching)?.unwrap_or(Caching::Told),
            sessions: sessions.is_some(),
        };
        let rules = vars.read("RULES", rules)?.unwrap_or_default();
        if sessions.is_none() && rules.iter().any(|rule| rule.sessions == Some(true)) {
            let missing = EdgeError::config("session needs SESSION_SECRETS");
            return Err(about("RULES", &missing));
        }
        let with_policy = |rule: Rule| {
            let policy = everywhere.on(&rule, &limited);
            (rule, policy)
        };
        Ok(Some(Self {
            origin,
            origin_timeout_ms: vars.read("ORIGIN_TIMEOUT", timeout)?.unwrap_or(30_000),
            by,
            address_header: vars
                .read("ADDRESS_HEADER", header)?
                .unwrap_or_else(|| ADDRESS_HEADER.to_owned()),
            on_session_failure: vars
                .read("SESSION_ON_FAILURE", on_session_failure)?
                .unwrap_or_default(),
            log: vars.read("LOG", log)?.unwrap_or(Log::Errors),
            rules: rules.into_iter().map(with_policy).collect(),
            sessions,
            cache: Cache::new().name(FRONT),
            everywhere,
        }))
    }

    /// All limiters, by their names.
    pub fn limiters(&self) -> Vec<(String, RateLimiter)> {
        let everywhere = self.everywhere.limiter.iter();
        let mut limiters: Vec<_> = everywhere
            .map(|it| (FRONT.to_owned(), it.clone()))
            .collect();
        for (rule, policy) in &self.rules {
            if let (Some(Some(_)), Some(limiter)) = (&rule.limits, &policy.limiter) {
                limiters.push((name_on(rule), limiter.clone()));
            }
        }
        limiters
    }

    /// What holds on a [`readable`](super::path::readable) path: what the first rule that matches says.
    pub fn policy(&self, path: &[u8]) -> &Policy {
        let found = self.rules.iter().find(|(rule, _)| rule.path.matches(path));
        found.map_or(&self.everywhere, |(_, policy)| policy)
    }
}

impl Policy {
    fn on(&self, rule: &Rule, limited: &dyn Fn(&str, Limits) -> RateLimiter) -> Self {
        let own = |limits: &Limits| limited(&name_on(rule), limits.clone());
        Self {
            limiter: match &rule.limits {
                Some(limits) => limits.as_ref().map(own),
                None => self.limiter.clone(),
            },
            caching: rule.caching.unwrap_or(self.caching),
            sessions: rule.sessions.unwrap_or(self.sessions),
        }
    }
}

/// Of the limiter of a rule: its own, so that what is counted on its paths is counted apart.
fn name_on(rule: &Rule) -> String {
    String::from("front:") + rule.path.text()
}

/// `http(s)://host:port/path`. What else a URL can hold would be sent to the origin with every request, or name another.
fn origin(text: &str) -> Result<String, EdgeError> {
    let text = text.trim_end_matches('/');
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let fits = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'\\' | b'%');
    let is_url = |rest: &str| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(fits);
    if !rest.is_some_and(is_url) || text.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(EdgeError::config(
            "must be http:// or https://, a host, and perhaps a path: no user, no query",
        ));
    }
    Ok(text.to_owned())
}

fn on_failure(text: &str) -> Result<OnFailure, EdgeError> {
    match text {
        "allow" => Ok(OnFailure::Allow),
        "deny" => Ok(OnFailure::Deny),
        "local" => Ok(OnFailure::Local),
        _ => Err(EdgeError::config("must be allow, deny or local")),
    }
}

fn on_session_failure(text: &str) -> Result<OnSessionFailure, EdgeError> {
    match text {
        "anonymous" => Ok(OnSessionFailure::Anonymous),
        "refuse" => Ok(OnSessionFailure::Refuse),
        _ => Err(EdgeError::config("must be anonymous or refuse")),
    }
}

fn by(text: &str) -> Result<By, EdgeError> {
    match (text, text.strip_prefix("header:")) {
        ("address", _) => Ok(By::Address),
        ("session", _) => Ok(By::Session),
        (_, Some(name)) => header(name).map(By::Header),
        _ => Err(EdgeError::config(
            "must be address, session or header:<name>",
        )),
    }
}

fn header(text: &str) -> Result<String, EdgeError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if text.is_empty() || !text.bytes().all(fits) {
        return Err(EdgeError::config("must name a header"));
    }
    Ok(text.to_ascii_lowercase())
}

fn caching(text: &str) -> Result<Caching, EdgeError> {
    match text {
        "off" => Ok(Caching::Off),
        _ => ttl(text).map(Caching::For),
    }
}

fn timeout(text: &str) -> Result<u64, EdgeError> {
    duration::timeout(duration_ms(text)?)
}

fn log(text: &str) -> Result<Log, EdgeError> {
    match text {
        "off" => Ok(Log::Off),
        "errors" => Ok(Log::Errors),
        "requests" => Ok(Log::Requests),
        _ => Err(EdgeError::config("must be off, errors or requests")),
    }
}

/// Sessions signed by secrets with commas or line breaks between them.
pub(crate) fn sessions(text: &str) -> Result<Sessions, EdgeError> {
    let secrets = text.split([',', '\n']).map(str::trim);
    let secrets: Vec<&str> = secrets.filter(|secret| !secret.is_empty()).collect();
    Sessions::new(&secrets)
}

#[cfg(test)]
mod tests {
    use super::super::path::readable;
    use super::*;

    const SECRET: &str = "a secret of the tests that is 32 bytes long or more";

    fn config(vars: &[(&str, &str)]) -> Result<Option<Config>, EdgeError> {
        Config::read(&|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_an_origin_there_is_no_front_and_nothing_may_be_meant_for_one() {
        assert!(config(&[]).unwrap().is_none());
        assert!(
            config(&[("ORIGIN_URL", " "), ("RATE_LIMIT", "")])
                .unwrap()
                .is_none()
        );
        for name in FOR_ORIGINS {
            let error = config(&[(name, "1/1s")]).err().unwrap();
            assert!(error.message().starts_with(name), "{}", error.message());
        }
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value) in [
            ("ORIGIN_URL", "origin.example"),
            ("ORIGIN_URL", "ftp://origin.example"),
            ("ORIGIN_URL", "http://"),
            ("ORIGIN_URL", "http:///etc"),
            ("ORIGIN_URL", "http://u:p@origin.example"),
            ("ORIGIN_URL", "http://origin.example/?a"),
            ("ORIGIN_URL", "http://origin.example/a/../b"),
            ("ORIGIN_TIMEOUT", "30"),
            ("ORIGIN_TIMEOUT", "0s"),
            ("RATE_LIMIT", "100"),
            ("RATE_LIMIT_BY", "cookie"),
            ("RATE_LIMIT_BY", "session"),
            ("RATE_LIMIT_BY", "header:"),
            ("RATE_LIMIT_BY", "header:a b"),
            ("RATE_LIMIT_ON_FAILURE", "open"),
            ("CACHE_TTL", "5"),
            ("CACHE_TTL", "0s"),
            ("RULES", "[{}]"),
            ("RULES", r#"[{"path": "/a", "session": true}]"#),
            ("SESSION_SECRETS", "short"),
            ("SESSION_ON_FAILURE", "503"),
            ("ADDRESS_HEADER", "x real ip"),
            ("LOG", "debug"),
        ] {
            let origin = ("ORIGIN_URL", "https://origin.example");
            // The first of a name counts.
            let error = config(&[(name, value), origin]).err().unwrap();
            assert_eq!(error.code(), "invalid_config");
            let message = error.message();
            assert!(message.starts_with(&(name.to_owned() + ": ")), "{message}");
            assert!(!message.contains(value) || value.len() < 12, "{message}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_says_what_holds() {
        let rules = r#"[{"path": "/api2/*", "limit": "5/1s"}, {"path": "/assets/*", "limit": false, "cache": "1d", "session": false}, {"path": "/*", "cache": false}]"#;
        let vars = [
            ("ORIGIN_URL", "https://origin.example/base/"),
            ("RATE_LIMIT", "100/1m"),
            ("CACHE_TTL", "5m"),
            ("SESSION_SECRETS", SECRET),
            ("RULES", rules),
        ];
        let config = config(&vars).unwrap().unwrap();
        assert_eq!(config.origin, "https://origin.example/base");
        let policy = |path| config.policy(&readable(path).unwrap());
        let [api, assets, rest] = ["/api2/a", "/%61ssets/x", "/"].map(policy);
        assert!(api.limiter.is_some() && api.sessions && api.caching == Caching::For(300_000));
        assert!(assets.limiter.is_none() && !assets.sessions);
        assert_eq!(assets.caching, Caching::For(86_400_000));
        assert!(rest.limiter.is_some() && rest.caching == Caching::Off);
    }
}
