//! What the cache does when Redis fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use upstash_edge::host::{Fake, Fault, Host, Response};
use upstash_edge::{Cache, CacheFailure, CacheOperation, Redis};

use super::Fetched;
use crate::server::Server;

fn dead() -> (Redis, Fake) {
    let fake = Fake::new();
    let builder = Redis::builder("http://redis.invalid", "token").retry(None);
    (builder.build_with(fake.clone()).unwrap(), fake)
}

#[tokio::test]
async fn a_dead_redis_is_asked_three_times_then_once_in_two_seconds() {
    let (redis, fake) = dead();
    let cache = Cache::new();
    for _ in 0..10 {
        // Clones share what was seen.
        let cache = cache.clone();
        let value = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(1)) });
        assert_eq!(value.await, Ok(json!(1)));
        assert_eq!(redis.run(cache.get::<Value>("k")).await, Ok(None));
    }
    assert_eq!(fake.sent().len(), 3);
    fake.advance(2_000);
    for _ in 0..10 {
        assert_eq!(redis.run(cache.get::<Value>("k")).await, Ok(None));
    }
    assert_eq!(fake.sent().len(), 4);
    // Who writes is told, every time.
    for asked in 5..8 {
        let error = redis.run(cache.delete("k")).await.unwrap_err();
        assert_eq!((error.code(), fake.sent().len()), ("network", asked));
    }
}

#[tokio::test]
async fn what_callers_are_not_told_of_a_listener_is() {
    let (redis, fake) = dead();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let into = Rc::clone(&seen);
    let cache = Cache::new().on_error(move |failure| into.borrow_mut().push(failure));
    let told = || std::mem::take(&mut *seen.borrow_mut());
    let failed = |operation, code| vec![(operation, code)];
    let named = |failures: Vec<CacheFailure>| -> Vec<_> {
        let named = failures.iter().map(|f| (f.operation, f.code));
        named.collect()
    };
    assert_eq!(redis.run(cache.get::<Value>("k")).await, Ok(None));
    assert_eq!(named(told()), failed(CacheOperation::Read, "network"));
    fake.push(Fault::Silence);
    assert!(!redis.run(cache.has("k")).await.unwrap());
    assert_eq!(named(told()), failed(CacheOperation::Read, "timeout"));
    let fetched = || async { Fetched::Ok(json!(1)) };
    for code in ["network", "skipped"] {
        let value = cache.get_or_fetch(&redis, "k", fetched).await;
        assert_eq!(value, Ok(json!(1)));
        assert_eq!(named(told()), failed(CacheOperation::Lookup, code));
    }
    assert_eq!(redis.run(cache.get_bytes("k")).await, Ok(None));
    assert_eq!(named(told()), failed(CacheOperation::Read, "skipped"));
    // Who writes is told, and nobody else.
    redis.run(cache.delete("k")).await.unwrap_err();
    assert_eq!(told(), []);
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_harms_nobody() {
    let server = Server::start().await;
    let (redis, fake) = server.faked_with(None);
    let seen = Rc::new(Cell::new(None));
    let into = Rc::clone(&seen);
    let cache = Cache::new().timeout_ms(60_000).unwrap();
    let cache = cache.on_error(move |failure| into.set(Some((failure.operation, failure.code))));
    for (fetched, value) in [
        (Fetched::Ok(json!(1)), Some(json!(1))),
        (Fetched::Err("down"), None),
    ] {
        let value = value.ok_or("down");
        let asked = cache.get_or_fetch(&redis, "k", || {
            fake.push(Fault::Lost);
            let fetched = fetched.clone();
            async move { fetched }
        });
        assert_eq!(asked.await, value);
        assert_eq!(seen.take(), Some((CacheOperation::Store, "network")));
        redis.run(cache.delete("k")).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_redis_costs_its_timeout_and_no_more() {
    let (redis, fake) = dead();
    fake.push(Fault::Silence);
    let started = fake.now();
    let cache = Cache::new();
    let value = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(1)) });
    assert_eq!(value.await, Ok(json!(1)));
    // Nothing is stored, or waited for, after that.
    assert_eq!(fake.sent().len(), 1);
    // Of 500 ms it leaves 25 to late timers.
    assert_eq!(fake.now() - started, 475);
}

/// A hundred callers under load: each has a value, 1 from the cache or 2 from the origin, and how many had the former.
async fn hits(redis: &Redis, cache: &Cache) -> usize {
    let callers =
        (0..100).map(|_| cache.get_or_fetch(redis, "k", || async { Fetched::Ok(json!(2)) }));
    let values = join_all(callers).await;
    assert!(
        values
            .iter()
            .all(|value| *value == Ok(json!(1)) || *value == Ok(json!(2)))
    );
    values
        .iter()
        .filter(|value| **value == Ok(json!(1)))
        .count()
}

#[tokio::test]
async fn with_redis_gone_under_load_every_caller_has_a_value_and_hits_resume() {
    let mut server = Server::alone().await;
    let redis = server.client();
    let cache = Cache::new().timeout_ms(2_000).unwrap();
    redis.run(cache.set("k", &1).unwrap()).await.unwrap();
    assert_eq!(hits(&redis, &cache).await, 100);

    server.kill_redis();
    let started = Instant::now();
    assert_eq!(hits(&redis, &cache).await, 0);
    // They wait for it together, for their timeout, and once; as long again for a slow machine.
    assert!(started.elapsed() < Duration::from_secs(20));

    server.restart_redis();
    for tries in 0.. {
        assert!(tries < 200, "hits did not resume");
        let set = cache.set("k", &1).unwrap();
        if redis.run(set).await.is_ok() && hits(&redis, &cache).await == 100 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Redis fails between two looks at what another fetches.
#[tokio::test]
async fn what_may_stand_in_for_a_failed_fetch_does_so_although_redis_failed_after_it_was_found() {
    let (redis, fake) = dead();
    let until = fake.now() + 1_000_000;
    let entry = format!("ue1;j;1;2;2;{until};0;;;;1");
    let body = format!("*4\r\n${}\r\n{entry}\r\n:0\r\n:0\r\n:5000\r\n", entry.len());
    fake.push(Fault::Answer(Response {
        status: 200,
        content_type: "application/octet-stream".to_owned(),
        body: body.into_bytes(),
        ..Response::default()
    }));
    let (calls, cache) = (Cell::new(0), Cache::new());
    let value = cache.get_or_fetch(&redis, "k", || {
        calls.set(calls.get() + 1);
        async { Fetched::Err("down") }
    });
    assert_eq!(value.await, Ok(json!(1)));
    assert_eq!((calls.get(), fake.sent().len()), (1, 2));
}
