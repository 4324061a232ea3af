//! What is sent again after a failure, and what never is.

use proptest::prelude::*;
use upstash_edge::commands::{Bytes, Call, Script, command};
use upstash_edge::host::{Fault, Response};
use upstash_edge::{Arg, ErrorKind, Op, Redis, Retry};

use crate::server::Server;

fn incr(key: &str) -> Call<i64> {
    command("INCR", &[key.into()])
}

fn get(key: &str) -> Call<Option<String>> {
    command("GET", &[key.into()])
}

fn set(key: &str, value: &str) -> Call<String> {
    command("SET", &[key.into(), value.into()])
}

fn status(status: u16) -> Fault {
    Fault::Answer(Response {
        status,
        ..Response::default()
    })
}

/// Cut in the middle: whatever it says cannot be believed.
fn half() -> Fault {
    Fault::Answer(Response {
        status: 200,
        content_type: "application/octet-stream".to_owned(),
        body: b"*1\r\n:".to_vec(),
        ..Response::default()
    })
}

async fn count(redis: &Redis, key: &str) -> i64 {
    let text = redis.run(get(key)).await.unwrap();
    text.map_or(0, |text| text.parse().unwrap())
}

#[tokio::test]
async fn an_incr_is_applied_at_most_once_whatever_befalls_it() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let faults = [
        Fault::Lost,
        Fault::LostAnswer,
        status(429),
        status(503),
        half(),
    ];
    let mut acknowledged = 0;
    for (n, fault) in faults.iter().cycle().take(1_000).enumerate() {
        let (key, before) = (format!("n{n}"), fake.sent().len());
        fake.push(fault.clone());
        let answer = redis.run(incr(&key)).await;
        assert_eq!(fake.sent().len() - before, 1, "sent once");
        let applied = count(&redis, &key).await;
        assert!(applied <= 1, "doubled");
        assert_eq!(applied, i64::from(matches!(fault, Fault::LostAnswer)));
        acknowledged += i64::from(answer.is_ok());
    }
    assert_eq!(acknowledged, 0, "no answer was made up");
}

#[tokio::test]
async fn reads_and_plain_writes_are_sent_again_until_they_are_answered() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    for fault in [
        Fault::Lost,
        Fault::LostAnswer,
        status(429),
        status(500),
        status(503),
    ] {
        fake.push(fault.clone());
        fake.push(fault.clone());
        assert_eq!(redis.run(set("k", "v")).await.unwrap(), "OK");
        fake.push(fault);
        assert_eq!(redis.run(get("k")).await.unwrap().as_deref(), Some("v"));
    }
    // What cannot be trusted is told, not asked again.
    fake.push(half());
    assert_eq!(
        redis.run(get("k")).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[tokio::test]
async fn of_a_mixed_batch_only_the_harmless_are_sent_again() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    fake.push(Fault::LostAnswer);
    let mixed = (
        set("a", "1"),
        incr("n").settled(),
        get("a"),
        incr("m").settled(),
    );
    let (ok, n, a, m) = redis.run(mixed).await.unwrap();
    assert_eq!((ok.as_str(), a.as_deref()), ("OK", Some("1")));
    assert_eq!(n.unwrap_err().kind(), ErrorKind::Network);
    assert_eq!(m.unwrap_err().kind(), ErrorKind::Network);
    assert_eq!((count(&redis, "n").await, count(&redis, "m").await), (1, 1));
    let again = String::from_utf8(fake.sent()[1].clone()).unwrap();
    assert_eq!(again, r#"[["SET","a","1"],["GET","a"]]"#);
}

#[tokio::test]
async fn retrying_ends_with_its_attempts_with_the_deadline_and_where_it_is_switched_off() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    (0..10).for_each(|_| fake.push(Fault::Lost));
    assert!(redis.run(get("k")).await.is_err());
    assert_eq!(fake.sent().len(), 1 + 3);

    let fake = upstash_edge::host::Fake::new();
    let client = |retry| {
        let builder = Redis::builder("http://redis.invalid", "token").timeout_ms(1_000);
        builder.retry(retry).build_with(fake.clone()).unwrap()
    };
    (0..100).for_each(|_| fake.push(Fault::Lost));
    let patient = Retry {
        attempts: 100,
        base_ms: 100,
        max_ms: 100,
    };
    let started = upstash_edge::host::Host::now(&fake);
    assert!(client(Some(patient)).run(get("k")).await.is_err());
    assert!(upstash_edge::host::Host::now(&fake) - started < 1_000);

    let before = fake.sent().len();
    assert!(client(None).run(get("k")).await.is_err());
    assert_eq!(fake.sent().len() - before, 1);
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it_or_is_left_alone() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let busy = |seconds: u64| {
        Fault::Answer(Response {
            status: 429,
            retry_after_ms: Some(seconds * 1_000),
            ..Response::default()
        })
    };
    fake.push(busy(1));
    let started = std::time::Instant::now();
    assert_eq!(redis.run(get("k")).await.unwrap(), None);
    assert!(started.elapsed().as_millis() >= 1_000);
    // Longer than the call may take: told at once.
    fake.push(busy(60));
    let error = redis.run(get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    assert!(started.elapsed().as_millis() < 30_000);
}

#[tokio::test]
async fn a_command_that_rest_cannot_carry_is_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let blocking: Call<()> = command("BLPOP", &["k".into(), Arg::Int(0)]);
    let (refused, stored) = redis
        .run((blocking.settled(), set("k", "v")))
        .await
        .unwrap();
    let error = refused.unwrap_err();
    assert_eq!(error.code(), "unsupported");
    assert!(error.message().contains("LPOP"));
    assert_eq!(stored, "OK");
    assert_eq!(fake.sent(), [br#"["SET","k","v"]"#.to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_come_back_as_they_were_and_bytes_byte_for_byte(values in proptest::collection::vec(any::<String>(), 1..20)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = Server::start().await;
            let redis = server.client();
            for (n, value) in values.iter().enumerate() {
                let key = n.to_string();
                redis.run(set(&key, value)).await.unwrap();
                let both: (Call<Bytes>, Call<String>) =
                    (command("GET", &[(&key).into()]), command("GET", &[(&key).into()]));
                let (bytes, text) = redis.run(both).await.unwrap();
                assert_eq!((bytes.0.as_slice(), &text), (value.as_bytes(), value));
            }
            // Every byte there is, none of it UTF-8 as a whole.
            let all: Call<Bytes> = command("EVAL", &["local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end return table.concat(t)".into(), 0u32.into()]);
            let bytes = redis.run(all).await.unwrap();
            assert_eq!(bytes.0, (0..=255).collect::<Vec<u8>>());
        });
    }
}

async fn pushed(redis: &Redis, key: &str, values: &[&str]) {
    for value in values {
        let push: Call<i64> = command("RPUSH", &[key.into(), (*value).into()]);
        redis.run(push).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_asked_again_that_what_stood_behind_it_may_have_changed() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let word = |name, args: &[Arg<'_>]| command::<Option<String>>(name, args).settled();
    let code = |answer: Result<Option<String>, upstash_edge::EdgeError>| {
        answer.map_or_else(|error| error.code().to_owned(), |text| format!("{text:?}"))
    };
    let keep = || async { redis.run(set("k", "old")).await.unwrap() };

    keep().await;
    fake.push(Fault::LostAnswer);
    let (read, written) = redis
        .run((get("k").settled(), set("k", "new")))
        .await
        .unwrap();
    assert_eq!((code(read).as_str(), written.as_str()), ("network", "OK"));

    keep().await;
    fake.push(Fault::LostAnswer);
    let (read, written) = redis
        .transaction((get("k").settled(), set("k", "new").settled()))
        .await
        .unwrap();
    assert_eq!(
        (code(read).as_str(), written.unwrap_err().code()),
        ("network", "network")
    );

    keep().await;
    fake.push(Fault::LostAnswer);
    let (read, deleted) = redis
        .run((
            get("k").settled(),
            command::<i64>("DEL", &["k".into()]).settled(),
        ))
        .await
        .unwrap();
    assert_eq!(
        (code(read).as_str(), deleted.unwrap_err().code()),
        ("network", "network")
    );

    // A script that says it only reads is a read: beside reads both are asked again.
    let looking = Script::new("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])");
    let look = || looking.call::<Option<String>>(&["k"], &[]).settled();
    keep().await;
    fake.push(Fault::LostAnswer);
    let (read, looked) = redis.run((get("k"), look())).await.unwrap();
    assert_eq!(
        (read.as_deref(), code(looked).as_str()),
        (Some("old"), "Some(\"old\")")
    );
    fake.push(Fault::LostAnswer);
    let (looked, _) = redis.run((look(), set("k", "new"))).await.unwrap();
    assert_eq!(code(looked), "network");

    fake.push(Fault::LostAnswer);
    let renamed = (
        word("SET", &["{r}a".into(), "1".into()]),
        word("RENAME", &["{r}a".into(), "{r}b".into()]),
    );
    let (stored, _) = redis.run(renamed).await.unwrap();
    assert_eq!(code(stored), "network");
    assert_eq!(redis.run(get("{r}a")).await.unwrap(), None);

    pushed(&redis, "l", &["old"]).await;
    fake.push(Fault::LostAnswer);
    let list = (
        word("LSET", &["l".into(), Arg::Int(0), "x".into()]),
        command::<i64>("LPUSH", &["l".into(), "y".into()]).settled(),
    );
    assert_eq!(code(redis.run(list).await.unwrap().0), "network");
    let all: Call<Vec<String>> = command("LRANGE", &["l".into(), Arg::Int(0), Arg::Int(-1)]);
    assert_eq!(redis.run(all).await.unwrap(), ["y", "x"]);

    // What touches other keys does not matter, nor what stood before.
    for name in ["KEYS", "FLUSHDB"] {
        keep().await;
        fake.push(Fault::LostAnswer);
        let both = (set("k", "new"), incr("n").settled(), get("k"));
        assert_eq!(redis.run(both).await.unwrap().2.as_deref(), Some("new"));
        // What may touch any key does.
        fake.push(Fault::LostAnswer);
        let args: &[Arg<'_>] = if name == "KEYS" { &["*".into()] } else { &[] };
        let everything = command::<()>(name, args).settled();
        let (answer, everything) = redis
            .run((set("k", "newer").settled(), everything))
            .await
            .unwrap();
        assert_eq!(
            (answer.is_ok(), everything.is_ok()),
            (name == "KEYS", name == "KEYS")
        );
    }
}

#[tokio::test]
async fn a_server_with_a_long_answer_lost_tells_which_attempt_it_was() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let attempts = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let seen = std::rc::Rc::clone(&attempts);
    let heard = redis.observed(move |event| seen.borrow_mut().push(event.attempt));
    fake.push(Fault::Lost);
    let many: Vec<_> = (0..2_001).map(|_| get("k")).collect();
    heard.run(many).await.unwrap();
    assert_eq!(*attempts.borrow(), [1, 2, 1, 1]);
}
