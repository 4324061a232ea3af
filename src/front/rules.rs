//! `RULES`: what holds on some paths.

use serde_json::{Map, Value};

use super::limits::{about, limits};
use super::path::Pattern;
use crate::duration::duration_ms;
use crate::error::EdgeError;
use crate::ratelimit::Limits;

/// Which answers of the origin are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// None, and none is served.
    Off,
    /// Those that say for how long.
    Told,
    /// Those too that say nothing, for so many milliseconds.
    For(u64),
}

/// What holds on the paths of a pattern; what it does not say is as everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub path: Pattern,
    /// `Some(None)`: no limit.
    pub limits: Option<Option<Limits>>,
    pub caching: Option<Caching>,
    pub sessions: Option<bool>,
}

const NAMES: &str = "a rule is an object of path, limit, cache and session, path being one of a request: \"/login\", \"/assets/*\"";

/// Reads the JSON text of an array of rules. The first whose path matches is the one that holds.
pub(crate) fn rules(text: &str) -> Result<Vec<Rule>, EdgeError> {
    let Ok(Value::Array(rules)) = serde_json::from_str(text) else {
        return Err(EdgeError::config("must be a JSON array of rules"));
    };
    let read = |(at, rule): (usize, &Value)| {
        let at = String::from("rule ") + itoa::Buffer::new().format(at + 1);
        one(rule).map_err(|error| about(&at, &error))
    };
    rules.iter().enumerate().map(read).collect()
}

fn one(rule: &Value) -> Result<Rule, EdgeError> {
    let known = |rule: &Map<String, Value>| {
        let names = ["path", "limit", "cache", "session"];
        rule.keys().all(|name| names.contains(&name.as_str()))
    };
    let rule = rule.as_object().filter(|rule| known(rule));
    let path = rule.and_then(|rule| Pattern::new(rule.get("path")?.as_str()?));
    let (Some(rule), Some(path)) = (rule, path) else {
        return Err(EdgeError::config(NAMES));
    };
    Ok(Rule {
        path,
        limits: rule.get("limit").map(limited).transpose()?,
        caching: rule.get("cache").map(cached).transpose()?,
        sessions: rule.get("session").map(switched).transpose()?,
    })
}

fn limited(value: &Value) -> Result<Option<Limits>, EdgeError> {
    match value {
        Value::Bool(false) => Ok(None),
        Value::String(text) => {
            let read = limits(text).map_err(|error| about("limit", &error))?;
            Ok(Some(read))
        }
        _ => Err(EdgeError::config(
            "limit must be limits, such as \"100/1m,1000/1h\", or false",
        )),
    }
}

fn cached(value: &Value) -> Result<Caching, EdgeError> {
    match value {
        Value::Bool(true) => Ok(Caching::Told),
        Value::Bool(false) => Ok(Caching::Off),
        Value::String(text) => Ok(Caching::For(ttl(text).map_err(|e| about("cache", &e))?)),
        _ => Err(EdgeError::config(
            "cache must be a duration, such as \"5m\", true or false",
        )),
    }
}

/// For how long what says nothing of it is fresh.
pub(crate) fn ttl(text: &str) -> Result<u64, EdgeError> {
    match duration_ms(text)? {
        0 => Err(EdgeError::config("must be longer than 0")),
        ms => Ok(ms),
    }
}

fn switched(value: &Value) -> Result<bool, EdgeError> {
    let read = value.as_bool();
    read.ok_or_else(|| EdgeError::config("session must be true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_only_what_is_other_than_everywhere() {
        let text = r#"[{"path": "/login", "limit": "5/1m", "cache": false, "session": true},
            {"path": "/assets/*", "limit": false, "cache": "1d"}, {"path": "*", "cache": true}]"#;
        let [login, assets, rest] = rules(text).unwrap().try_into().unwrap();
        assert_eq!(login.limits, Some(Some(limits("5/1m").unwrap())));
        assert_eq!(
            (login.caching, login.sessions),
            (Some(Caching::Off), Some(true))
        );
        assert_eq!((assets.limits, assets.sessions), (Some(None), None));
        assert_eq!(assets.caching, Some(Caching::For(86_400_000)));
        assert_eq!((rest.limits, rest.caching), (None, Some(Caching::Told)));
        assert_eq!(rules("[]").unwrap(), []);
    }

    #[test]
    fn a_wrong_rule_is_named_by_its_place_and_what_is_wrong_in_it() {
        for (text, expected) in [
            ("", "must be a JSON array"),
            ("{}", "must be a JSON array"),
            ("[1]", "rule 1: a rule is an object"),
            (
                r#"[{"path": "/a"}, {"limit": "1/1s"}]"#,
                "rule 2: a rule is an object",
            ),
            (r#"[{"path": "a"}]"#, "rule 1: a rule is an object"),
            (
                r#"[{"path": "/a", "ttl": "1s"}]"#,
                "rule 1: a rule is an object",
            ),
            (
                r#"[{"path": "/a", "limit": true}]"#,
                "rule 1: limit must be",
            ),
            (
                r#"[{"path": "/a", "limit": "5"}]"#,
                "rule 1: limit: a limit is",
            ),
            (r#"[{"path": "/a", "cache": 5}]"#, "rule 1: cache must be"),
            (
                r#"[{"path": "/a", "cache": "0s"}]"#,
                "rule 1: cache: must be longer than 0",
            ),
            (
                r#"[{"path": "/a", "session": 1}]"#,
                "rule 1: session must be",
            ),
        ] {
            let error = rules(text).unwrap_err();
            assert_eq!(error.code(), "invalid_config");
            assert!(error.message().starts_with(expected), "{}", error.message());
        }
    }
}
