//! Whole HTTP answers by RFC 9111: the cases of `tests/vectors/http-cache.json`, which the package's tests run too, and how
//! they are looked for with other things.

use std::collections::BTreeMap;

use serde::Deserialize;
use upstash_edge::host::Host;
use upstash_edge::{Answered, Cache, Head, Redis, duration_ms};

use super::patient;
use crate::server::Server;

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    options: BTreeMap<String, String>,
    #[serde(default)]
    cache: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    ask: Ask,
    #[serde(default)]
    later: u64,
    answer: Option<Message>,
    #[serde(default)]
    asked: BTreeMap<String, Option<String>>,
    get: Message,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ask {
    method: Option<String>,
    headers: BTreeMap<String, String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: String,
    #[serde(default)]
    says: Option<String>,
}

/// What a client gets: as a Worker would drive it, the background coming after the answer. And what its handler was asked
/// with.
async fn respond(
    redis: &Redis,
    cache: &Cache,
    case: &Case,
    step: &Step,
) -> (Answered, Option<Head>) {
    let method = step.ask.method.as_deref().unwrap_or("GET");
    let url = "https://a.example".to_owned() + step.ask.url.as_deref().unwrap_or("/a");
    let head: Head = step.ask.headers.iter().collect();
    let ttl_ms = case.options.get("ttl").map(|ttl| duration_ms(ttl).unwrap());
    let look = cache.look(method, &url, &head, None, ttl_ms).unwrap();
    let mut looked = redis.run(look.in_background()).await.unwrap();
    let found = looked.find(redis).await;
    if let (Some(found), false) = (&found, looked.wants_handler()) {
        return (found.clone(), None);
    }
    let conditions = looked.conditions();
    let kept = head
        .iter()
        .filter(|(name, _)| conditions.iter().all(|(other, _)| other != name));
    let mut asked: Head = kept.collect();
    for (name, value) in &conditions {
        if let Some(value) = value {
            asked = asked.with(name, value);
        }
    }
    let never = Message {
        status: 500,
        headers: BTreeMap::new(),
        body: "never".to_owned(),
        says: None,
    };
    let answer = step.answer.as_ref().unwrap_or(&never);
    let fields = answer.headers.iter();
    let head: Head = fields
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .collect();
    let keep = looked.keep(redis, answer.status, &head, true);
    let status = head.iter().find(|(name, _)| *name == "cache-status");
    let status = status.map_or_else(String::new, |(_, before)| before.to_owned() + ", ");
    if !keep.invalidates.is_empty() {
        let keys: Vec<&str> = keep.invalidates.iter().map(String::as_str).collect();
        redis.run(cache.delete_many(&keys)).await.unwrap();
    }
    let stands_in = keep.answer.is_some() && !keep.stored;
    if keep.stored {
        let body = keep.renewed.as_deref().unwrap_or(answer.body.as_bytes());
        looked.store(redis, body, false).await;
    } else if stands_in {
        looked.fail(redis).await;
    } else {
        looked.forget(redis).await;
    }
    let own = Answered {
        status: answer.status,
        head: head.with("cache-status", &(status + &keep.cache_status)),
        body: answer.body.clone().into_bytes(),
    };
    (found.or(keep.answer).unwrap_or(own), Some(asked))
}

/// The last one: a client reads those before it as one with it, which `respond` has made of them.
fn value<'h>(head: &'h Head, name: &str) -> Option<&'h str> {
    let values = head.iter().filter(|(other, _)| *other == name);
    values.last().map(|(_, value)| value)
}

#[tokio::test]
async fn answers_are_kept_and_served_by_rfc_9111() {
    let server = Server::start().await;
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../vectors/http-cache.json")).unwrap();
    assert!(cases.len() > 100);
    for case in &cases {
        let (redis, fake) = server.faked();
        let window = |name: &str| {
            let stated = case.cache.get(name);
            stated.map_or(0, |text| duration_ms(text).unwrap())
        };
        let cache = patient()
            .name(&case.name)
            .stale_while_revalidate_ms(window("staleWhileRevalidate"))
            .stale_if_error_ms(window("staleIfError"));
        fake.set_now(fake.now());
        for (at, step) in case.steps.iter().enumerate() {
            let place = format!("{}, step {}", case.name, at + 1);
            fake.advance(step.later);
            let (answer, asked) = respond(&redis, &cache, case, step).await;
            assert_eq!(asked.is_some(), step.answer.is_some(), "{place}");
            for (name, expected) in &step.asked {
                let asked = asked.as_ref().and_then(|head| value(head, name));
                assert_eq!(asked, expected.as_deref(), "{place}: {name}");
            }
            assert_eq!(answer.status, step.get.status, "{place}");
            let body = String::from_utf8(answer.body).unwrap();
            assert_eq!(body, step.get.body, "{place}");
            for (name, expected) in &step.get.headers {
                let actual = value(&answer.head, name);
                if expected.as_deref() == Some("*") {
                    assert!(actual.is_some(), "{place}: {name}");
                } else {
                    assert_eq!(actual, expected.as_deref(), "{place}: {name}");
                }
            }
            let said = value(&answer.head, "cache-status").unwrap_or_default();
            let said = said.replacen("upstash-edge; ", "", 1);
            let expected = step.get.says.as_deref().unwrap_or_default();
            let expected = expected.replacen("upstash-edge; ", "", 1);
            let said = match said.rsplit_once("; ttl=") {
                Some((hit, _)) if expected.ends_with("hit") => hit.to_owned(),
                _ => said,
            };
            assert_eq!(said, expected, "{place}");
        }
    }
}
