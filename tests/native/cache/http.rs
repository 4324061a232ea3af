//! Whole HTTP answers by RFC 9111: the cases of `tests/vectors/http-cache.json`, which the package's tests run too, and how
//! they are looked for with other things.

use std::collections::BTreeMap;

use serde::Deserialize;
use upstash_edge::host::Host;
use upstash_edge::{Answered, Cache, Head, Looked, Redis, duration_ms};

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

/// What one caller is told who looks for the page now, its handler being asked or not.
async fn looked(redis: &Redis) -> Looked {
    let look = patient().look("GET", "https://a.example/", &Head::new(), None, None);
    redis.run(look.unwrap()).await.unwrap()
}

/// The handler of this caller answers.
async fn answers(redis: &Redis, looked: &mut Looked, cache_control: &str, body: &str) {
    let head = Head::new().with("Cache-Control", cache_control);
    if looked.keep(redis, 200, &head, true).stored {
        looked.store(redis, body.as_bytes(), false).await;
    } else {
        looked.forget(redis).await;
    }
}

/// What stands there, if anything does; the lease is given back.
async fn stands(redis: &Redis) -> Option<Vec<u8>> {
    let mut looked = looked(redis).await;
    let found = looked.find(redis).await.map(|found| found.body);
    looked.release(redis).await;
    found
}

#[tokio::test]
async fn what_was_deleted_or_set_while_the_handler_was_asked_wins_over_its_answer() {
    let server = Server::start().await;
    let redis = server.client();
    let mut late = looked(&redis).await;
    redis
        .run(patient().delete("https://a.example/"))
        .await
        .unwrap();
    answers(&redis, &mut late, "max-age=60", "late").await;
    assert_eq!(stands(&redis).await, None);

    let mut late = looked(&redis).await;
    let set = patient().set("https://a.example/", "a value").unwrap();
    redis.run(set).await.unwrap();
    answers(&redis, &mut late, "max-age=60", "late").await;
    let value = redis.run(patient().get::<String>("https://a.example/"));
    assert_eq!(value.await.unwrap().as_deref(), Some("a value"));

    // A value of another kind is no answer, and makes room for one.
    let mut next = looked(&redis).await;
    assert!(next.find(&redis).await.is_none() && next.wants_handler());
    answers(&redis, &mut next, "max-age=60", "page").await;
    assert_eq!(stands(&redis).await.unwrap(), b"page");
}

#[tokio::test]
async fn a_tag_that_is_invalidated_while_the_handler_is_asked_refuses_its_answer() {
    let server = Server::start().await;
    let redis = server.client();
    let cache = patient().tags(&["t"]).unwrap();
    for (invalidates, expected) in [(true, None), (false, Some(b"page".to_vec()))] {
        let look = cache.look("GET", "https://a.example/", &Head::new(), None, None);
        let mut looked = redis.run(look.unwrap()).await.unwrap();
        if invalidates {
            let invalidated = redis.run(cache.invalidate_tags(&["other", "t"]).unwrap());
            invalidated.await.unwrap();
        }
        answers(&redis, &mut looked, "max-age=60", "page").await;
        assert_eq!(stands(&redis).await, expected);
    }
    redis
        .run(cache.invalidate_tags(&["t"]).unwrap())
        .await
        .unwrap();
    assert_eq!(stands(&redis).await, None);
}

#[tokio::test]
async fn who_will_not_ask_the_handler_leaves_that_to_the_next() {
    let server = Server::start().await;
    let redis = server.client();
    let mut first = looked(&redis).await;
    assert!(first.wants_handler());
    assert!(!looked(&redis).await.wants_handler());
    first.release(&redis).await;
    assert!(looked(&redis).await.wants_handler());
}

#[tokio::test]
async fn nobody_waits_for_what_is_not_stored_and_a_delete_still_wins_over_those_who_did_not() {
    let server = Server::start().await;
    let redis = server.client();
    let mut first = looked(&redis).await;
    answers(&redis, &mut first, "private", "mine").await;
    let (mut second, mut third) = (looked(&redis).await, looked(&redis).await);
    assert!(second.wants_handler() && third.wants_handler());
    redis
        .run(patient().delete("https://a.example/"))
        .await
        .unwrap();
    // Nobody waits again, but by another's leave.
    let mut fourth = looked(&redis).await;
    answers(&redis, &mut fourth, "private", "mine").await;
    answers(&redis, &mut second, "max-age=60", "of before the delete").await;
    let mut fifth = looked(&redis).await;
    assert!(fifth.find(&redis).await.is_none() && fifth.wants_handler());
    answers(&redis, &mut fifth, "max-age=60", "of after it").await;
    answers(&redis, &mut third, "max-age=60", "of before the delete").await;
    assert_eq!(stands(&redis).await.unwrap(), b"of after it");
}

/// The commands that Redis has run since it was last asked.
fn commands(server: &Server) -> String {
    let stats = server.raw("INFO commandstats");
    server.raw("CONFIG RESETSTAT");
    let mut counts = Vec::new();
    for line in stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_"))
    {
        let (name, rest) = line.split_once(":calls=").unwrap();
        let (calls, _) = rest.split_once(',').unwrap();
        if !matches!(
            name,
            "info" | "config|resetstat" | "eval" | "evalsha" | "command" | "hello"
        ) {
            counts.push(format!("{name} {calls}"));
        }
    }
    counts.sort();
    counts.join(", ")
}

#[tokio::test]
async fn an_answer_costs_what_its_documentation_says() {
    let server = Server::alone().await;
    let redis = server.client();
    let cache = patient().metrics(false);
    let head = Head::new().with("accept", "a");
    let look = || {
        let look = cache.look("GET", "https://a.example/", &head, None, None);
        redis.run(look.unwrap())
    };
    commands(&server);
    let mut missed = look().await.unwrap();
    assert_eq!(commands(&server), "get 1, hmget 1, set 1");
    answers(&redis, &mut missed, "max-age=60", "page").await;
    assert_eq!(
        commands(&server),
        "del 1, get 1, hmget 1, hset 1, pexpire 1"
    );
    assert!(!look().await.unwrap().wants_handler());
    assert_eq!(commands(&server), "hmget 1");

    let mut again = {
        let head = Head::new()
            .with("accept", "a")
            .with("cache-control", "no-cache");
        let look = cache.look("GET", "https://a.example/", &head, None, None);
        redis.run(look.unwrap()).await.unwrap()
    };
    commands(&server);
    let varies = Head::new()
        .with("cache-control", "max-age=60")
        .with("vary", "accept");
    assert!(again.keep(&redis, 200, &varies, true).stored);
    again.store(&redis, b"page", false).await;
    assert_eq!(
        commands(&server),
        "del 2, get 1, hmget 1, hset 1, pexpire 1"
    );
    assert!(!look().await.unwrap().wants_handler());
    assert_eq!(commands(&server), "hget 1, hmget 1");
}
