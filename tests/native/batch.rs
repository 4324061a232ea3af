//! What one request carries, and how bytes and scripts travel in it.

use std::cell::RefCell;
use std::rc::Rc;

use upstash_edge::commands::{Bytes, Call, Script, command};
use upstash_edge::{Arg, Op, Redis};

use crate::server::Server;

/// The client, and the names of the commands of each request it sends.
fn watched(redis: &Redis) -> (Redis, Rc<RefCell<Vec<Vec<&'static str>>>>) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    (
        redis.observed(move |event| log.borrow_mut().push(event.commands.clone())),
        seen,
    )
}

fn set(key: &str, value: &[u8]) -> Call<String> {
    command("SET", &[key.into(), value.into()])
}

fn get(key: &str) -> Call<Option<Bytes>> {
    command("GET", &[key.into()])
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

#[tokio::test]
async fn a_thousand_commands_go_in_one_request_and_more_in_the_next() {
    let server = Server::start().await;
    let (redis, seen) = watched(&server.client());
    let pushes = |n: i64| command::<i64>("RPUSH", &["list".into(), Arg::Int(n)]);
    let lengths = redis
        .run((0..2_500).map(pushes).collect::<Vec<_>>())
        .await
        .unwrap();
    assert!(lengths.into_iter().eq(1..=2_500));
    let counts: Vec<usize> = seen.borrow().iter().map(Vec::len).collect();
    assert_eq!(counts, [1_000, 1_000, 500]);
    let all: Call<Vec<String>> = command("LRANGE", &["list".into(), Arg::Int(0), Arg::Int(-1)]);
    let all = redis.run(all).await.unwrap();
    assert!(
        all.iter()
            .enumerate()
            .all(|(n, text)| *text == n.to_string())
    );
}

#[tokio::test]
async fn one_oversize_command_fails_alone() {
    let server = Server::start().await;
    let (redis, seen) = watched(&server.client());
    let large = vec![b'x'; 4_000_000];
    let larger = vec![b'x'; 10_000_001];
    let ops: Vec<_> = [&large, &large, &larger, &large, &large]
        .iter()
        .enumerate()
        .map(|(n, value)| set(&n.to_string(), value).settled())
        .collect();
    let answers = redis.run(ops).await.unwrap();
    let codes: Vec<_> = answers
        .iter()
        .map(|a| a.as_ref().map_or_else(|e| e.code(), String::as_str))
        .collect();
    assert_eq!(codes, ["OK", "OK", "too_large", "OK", "OK"]);
    assert_eq!(seen.borrow().len(), 3);
}

#[tokio::test]
async fn a_server_that_takes_less_is_given_less() {
    let server = Server::start_with(|config| config.max_request_bytes = 100_000).await;
    let (redis, seen) = watched(&server.client());
    let (value, larger) = (vec![b'x'; 20_000], vec![b'x'; 200_000]);
    let mut ops: Vec<_> = (0..20)
        .map(|n| set(&n.to_string(), &value).settled())
        .collect();
    ops.push(set("larger", &larger).settled());
    let answers = redis.run(ops).await.unwrap();
    let failed: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .map(|e| e.code())
        .collect();
    assert_eq!(failed, ["too_large"]);
    assert!(answers[20].is_err());
    assert!(seen.borrow().len() < 16, "{}", seen.borrow().len());
}

#[tokio::test]
async fn a_command_that_is_alone_is_sent_and_answered_alone() {
    for json_only in [false, true] {
        let server = Server::start_with(|config| config.json_only = json_only).await;
        let (redis, fake) = server.faked();
        assert_eq!(redis.run(set("k", b"v")).await.unwrap(), "OK");
        assert_eq!(
            redis.run(get("k")).await.unwrap(),
            Some(Bytes(b"v".to_vec()))
        );
        assert_eq!(redis.run(get("none")).await.unwrap(), None);
        assert_eq!(fake.sent()[0], br#"["SET","k","v"]"#);
        let wrong: Call<i64> = command("INCR", &["k".into()]);
        assert_eq!(redis.run(wrong).await.unwrap_err().code(), "redis_error");
        let unknown: Call<i64> = command("NOSUCH", &[]);
        assert_eq!(redis.run(unknown).await.unwrap_err().code(), "redis_error");
        assert_eq!(fake.sent().len(), 5);
    }
}

#[tokio::test]
async fn bytes_arrive_as_they_are_alone_in_company_and_in_a_transaction() {
    for json_only in [false, true] {
        let server = Server::start_with(|config| config.json_only = json_only).await;
        let (redis, fake) = server.faked();
        let every: Vec<u8> = (0..=255).collect();
        for value in [
            every.clone(),
            noise(100_000),
            vec![0xff],
            b"a\r\n\0".to_vec(),
            Vec::new(),
            "ü€😀".into(),
        ] {
            assert_eq!(redis.run(set("a/b", &value)).await.unwrap(), "OK");
            let alone = fake.sent().last().unwrap().clone();
            if !json_only && std::str::from_utf8(&value).is_err() {
                assert_eq!(alone, value, "nothing encoded");
            }
            assert_eq!(redis.run(get("a/b")).await.unwrap().unwrap().0, value);

            let company = (set("c", &value), get("c"), set("c", b"other"), get("a/b"));
            let (_, c, _, alone) = redis.run(company).await.unwrap();
            assert_eq!(
                (c.unwrap().0, alone.unwrap().0),
                (value.clone(), value.clone())
            );

            let whole = (
                set("t", &value),
                get("t"),
                command::<i64>("STRLEN", &["t".into()]),
            );
            let (_, t, length) = redis.transaction(whole).await.unwrap();
            assert_eq!((t.unwrap().0, length), (value.clone(), value.len() as i64));
        }
        // What a path cannot say.
        for key in ["..", "."] {
            redis.run(set(key, &every)).await.unwrap();
            assert_eq!(redis.run(get(key)).await.unwrap().unwrap().0, every);
        }
        let with_options: [&[Arg<'_>]; 2] = [
            &[
                "o".into(),
                every.as_slice().into(),
                "EX".into(),
                Arg::Int(60),
            ],
            &["n".into(), every.as_slice().into(), "NX".into()],
        ];
        for args in with_options {
            assert_eq!(
                redis.run(command::<String>("SET", args)).await.unwrap(),
                "OK"
            );
        }
        let ttl: Call<i64> = command("TTL", &["o".into()]);
        assert!((1..=60).contains(&redis.run(ttl).await.unwrap()));
        assert_eq!(
            redis.run((get("o"), get("n"))).await.unwrap().1.unwrap().0,
            every
        );
        let fields: [Arg<'_>; 5] = [
            "h".into(),
            "f".into(),
            every.as_slice().into(),
            "g".into(),
            (&[0xfe][..]).into(),
        ];
        assert_eq!(redis.run(command::<i64>("HSET", &fields)).await.unwrap(), 2);
        // One argument of bytes, and a value beside it that no address may say.
        let beside: [Arg<'_>; 4] = [
            "l".into(),
            "secret".into(),
            every.as_slice().into(),
            "secret".into(),
        ];
        redis.run(command::<i64>("RPUSH", &beside)).await.unwrap();
        assert!(
            fake.sent()
                .last()
                .unwrap()
                .windows(6)
                .any(|part| part == b"secret")
        );
        let hash: Call<Vec<Bytes>> = command("HMGET", &["h".into(), "f".into(), "g".into()]);
        assert_eq!(
            redis.run(hash).await.unwrap(),
            [Bytes(every.clone()), Bytes(vec![0xfe])]
        );
        // An error of the command is its own, whichever way it went.
        let wrong = || command::<i64>("APPEND", &["h".into(), every.as_slice().into()]);
        for error in [
            redis.run(wrong()).await.unwrap_err(),
            redis.run((get("a"), wrong())).await.unwrap_err(),
        ] {
            assert!(error.message().starts_with("WRONGTYPE"), "{error}");
        }
        let key: Call<Option<String>> = command("GET", &[(&[0xff][..]).into()]);
        assert_eq!(redis.run(key).await.unwrap_err().code(), "invalid_argument");
    }
}

#[tokio::test]
async fn bytes_reach_a_script_as_they_are_alone_and_in_company() {
    for json_only in [false, true] {
        let server = Server::start_with(|config| config.json_only = json_only).await;
        let (redis, fake) = server.faked();
        let every: Vec<u8> = (0..=255).collect();
        // Nothing in its reply that a JSON server could not say.
        let source =
            "return {ARGV[1], tostring(#ARGV[2]), tostring(ARGV[2]:byte(129)), ARGV[3], KEYS[1]}";
        let told = Script::new(source);
        let call = || {
            let args = ["é".into(), Arg::Bytes(&every), "x y".into()];
            told.call::<Vec<String>>(&["k/1"], &args)
        };
        let expected = ["é", "256", "128", "x y", "k/1"];
        for _ in 0..2 {
            assert_eq!(redis.run(call()).await.unwrap(), expected);
        }
        let (one, other) = redis.run((call(), call())).await.unwrap();
        assert_eq!(one, expected);
        assert_eq!(other, expected);
        // Its other arguments may be values, which no address may hold.
        assert!(fake.sent().iter().all(|sent| *sent != every));
        // Lost, it is sent whole.
        let flush = command::<String>("SCRIPT", &["FLUSH".into()]);
        redis.run(flush).await.unwrap();
        assert_eq!(redis.run(call()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_script_is_sent_whole_once_and_again_when_it_was_lost() {
    for json_only in [false, true] {
        let server = Server::start_with(|config| config.json_only = json_only).await;
        let (redis, seen) = watched(&server.client());
        let add = Script::new(
            "#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])",
        );
        let call = || add.call::<i64>(&["n"], &[2u32.into()]);
        assert_eq!(redis.run(call()).await.unwrap(), 2);
        assert_eq!(redis.run(call()).await.unwrap(), 4);
        assert_eq!(redis.run((call(), call())).await.unwrap(), (6, 8));
        assert_eq!(redis.transaction((call(), call())).await.unwrap(), (10, 12));
        redis
            .run(command::<String>("SCRIPT", &["FLUSH".into()]))
            .await
            .unwrap();
        assert_eq!(redis.run(call()).await.unwrap(), 14);
        let kept = seen.borrow().clone();
        let mut expected = vec![
            vec!["EVAL"],
            vec!["EVALSHA"],
            vec!["EVALSHA", "EVALSHA"],
            vec!["EVAL", "EVAL"],
            vec!["SCRIPT"],
            vec!["EVALSHA"],
            vec!["EVAL"],
        ];
        // A plain Redis refuses the line first; the gateway takes it out.
        if json_only {
            expected.insert(0, vec!["EVAL"]);
        }
        assert_eq!(kept, expected);

        let every: Vec<u8> = (0..=255).collect();
        let echo = Script::new("#!lua flags=no-writes\nreturn {ARGV[1], ARGV[2], tostring(#ARGV)}");
        let args = [every.as_slice().into(), "ü".into()];
        let said = redis
            .run(echo.call::<Vec<Bytes>>(&["k"], &args))
            .await
            .unwrap();
        assert_eq!(
            said,
            [Bytes(every), Bytes("ü".into()), Bytes(b"2".to_vec())]
        );
        let broken = Script::new("this is no Lua");
        let error = redis.run(broken.call::<i64>(&[], &[])).await.unwrap_err();
        assert_eq!(error.code(), "redis_error");
    }
}

/// Forgets its scripts, so that the next EVALSHA of each is answered with NOSCRIPT.
async fn flush(redis: &Redis) {
    redis
        .run(command::<String>("SCRIPT", &["FLUSH".into()]))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_answered_with_noscript_is_sent_whole_each_of_it() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let add = Script::new("return redis.call('INCR', KEYS[1])");
    let call = |n: usize| add.call::<i64>(&[&n.to_string()], &[]);
    redis.run(call(0)).await.unwrap();
    flush(&redis).await;
    let before = fake.sent().len();
    redis
        .run((1..20).map(call).collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(fake.sent().len() - before, 2);
    // Each may be another node's.
    let again = String::from_utf8(fake.sent().last().unwrap().clone()).unwrap();
    assert_eq!(
        (
            again.matches("EVAL\"").count(),
            again.matches("EVALSHA").count()
        ),
        (19, 0)
    );
}

#[tokio::test]
async fn a_script_that_says_noscript_itself_is_run_once() {
    let server = Server::start().await;
    let (redis, _) = server.faked();
    let liar = Script::new("redis.call('INCR', KEYS[1]) return redis.error_reply('NOSCRIPT mine')");
    let error = redis.run(liar.call::<i64>(&["n"], &[])).await.unwrap_err();
    assert_eq!(error.code(), "redis_error");
    redis
        .transaction(liar.call::<i64>(&["n"], &[]).settled())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(
        redis.run(get("n")).await.unwrap(),
        Some(Bytes(b"2".to_vec()))
    );
}

#[tokio::test]
async fn a_transaction_with_a_script_is_whole_or_not_sent() {
    let server = Server::start_with(|config| config.json_only = true).await;
    let (redis, fake) = server.faked_with(None);
    let add = Script::new("#!lua flags=allow-key-locking\nreturn redis.call('INCR', KEYS[1])");
    let whole = || (set("a", b"1"), add.call::<i64>(&["a"], &[]), set("a", b"2"));
    // Which form the server takes is asked first.
    fake.push(upstash_edge::host::Fault::Lost);
    assert_eq!(
        redis.transaction(whole()).await.unwrap_err().code(),
        "network"
    );
    assert_eq!(redis.run(get("a")).await.unwrap(), None);
    redis.transaction(whole()).await.unwrap();
    assert_eq!(
        redis.run(get("a")).await.unwrap(),
        Some(Bytes(b"2".to_vec()))
    );
}

#[tokio::test]
async fn a_script_that_does_not_compile_teaches_nothing_of_the_server() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let line = "#!lua flags=allow-key-locking\n";
    let (good, bad) = (format!("{line}return 1"), format!("{line}this is no Lua"));
    for _ in 0..2 {
        let error = redis
            .run(Script::new(&bad).call::<i64>(&[], &[]))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "redis_error");
        redis
            .run(Script::new(&good).call::<i64>(&[], &[]))
            .await
            .unwrap();
    }
    // The gateway takes the line, as Upstash does.
    flush(&redis).await;
    redis
        .run(Script::new(&good).call::<i64>(&[], &[]))
        .await
        .unwrap();
    let last = String::from_utf8(fake.sent().last().unwrap().clone()).unwrap();
    assert!(last.contains("allow-key-locking"), "{last}");
}

#[tokio::test]
async fn a_limit_of_the_server_is_learnt_once() {
    let server = Server::start_with(|config| config.max_request_bytes = 100_000).await;
    let value = vec![b'x'; 20_000];
    let mut requests = Vec::new();
    for _ in 0..2 {
        let (redis, seen) = watched(&server.client());
        let ops: Vec<_> = (0..20).map(|n| set(&n.to_string(), &value)).collect();
        redis.run(ops).await.unwrap();
        requests.push(seen.borrow().len());
    }
    assert!(
        requests[1] < requests[0] && requests[1] <= 10,
        "{requests:?}"
    );
}
