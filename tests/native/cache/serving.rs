//! What is served when.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};
use upstash_edge::commands::command;
use upstash_edge::host::Host;
use upstash_edge::{Cache, CacheStats, Redis};

use super::{Fetched, held, patient};
use crate::server::Server;

/// Fresh for 10 s, then stale for 10 s, and for errors for 30 s.
fn windows() -> Cache {
    let cache = patient().ttl_ms(10_000).unwrap();
    cache
        .stale_while_revalidate_ms(10_000)
        .stale_if_error_ms(30_000)
}

/// A cache that holds 1, and what comes of asking it after `ms`, with a fetcher that gives `fetched`: the answer, the
/// answer's part in the requests, and what is held in the end.
async fn after(ms: u64, fetched: Fetched) -> (Fetched, bool, Option<Value>) {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    redis.run(windows().set("k", &1).unwrap()).await.unwrap();
    fake.set_now(fake.now() + ms);
    let asked = Cell::new(false);
    let cache = windows();
    let value = cache.get_or_fetch(&redis, "k", || {
        asked.set(true);
        let fetched = fetched.clone();
        async move { fetched }
    });
    let value = value.await;
    (value, asked.get(), held(&redis).await)
}

#[tokio::test]
async fn a_fresh_value_is_served_and_the_origin_left_alone() {
    let (value, asked, _) = after(5_000, Ok(json!(2))).await;
    assert_eq!((value, asked), (Ok(json!(1)), false));
}

#[tokio::test]
async fn a_stale_value_with_no_background_is_refreshed_in_line() {
    // From the very millisecond in which it ends.
    for ms in [10_000, 15_000] {
        let told = after(ms, Ok(json!(2))).await;
        assert_eq!(told, (Ok(json!(2)), true, Some(json!(2))), "{ms}");
    }
}

#[tokio::test]
async fn a_fetch_that_fails_is_answered_by_what_may_stand_in_for_it_else_by_its_own_error() {
    for (ms, value) in [
        (15_000, Ok(json!(1))),
        (35_000, Ok(json!(1))),
        (45_000, Err("down")),
    ] {
        let told = after(ms, Err("down")).await;
        assert_eq!(told, (value, true, None), "{ms}");
    }
}

#[tokio::test]
async fn a_stale_value_is_served_at_once_where_there_is_a_background() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    redis.run(windows().set("k", &1).unwrap()).await.unwrap();
    fake.advance(15_000);
    let background = RefCell::new(None);
    let cache = windows();
    let stale = cache.get_or_fetch_in(
        &redis,
        "k",
        || async { Fetched::Ok(json!(2)) },
        |future| *background.borrow_mut() = Some(future),
    );
    assert_eq!(stale.await, Ok(json!(1)));
    // Meanwhile another caller is served it too, and leaves the refresh to the first.
    let cache = windows();
    let other = cache.get_or_fetch(&redis, "k", || async { Fetched::Err("called") });
    assert_eq!(other.await, Ok(json!(1)));
    background.take().unwrap().await;
    assert_eq!(held(&redis).await, Some(json!(2)));
}

async fn kept_ms(redis: &Redis) -> i64 {
    let pttl = command::<i64>("PTTL", &["{cache:0}:e:k".into()]);
    redis.run(pttl).await.unwrap()
}

#[tokio::test]
async fn redis_keeps_a_value_until_it_is_good_for_nothing() {
    let server = Server::start().await;
    let redis = server.client();
    redis.run(windows().set("k", &1).unwrap()).await.unwrap();
    assert!((30_000..=40_000).contains(&kept_ms(&redis).await));
    let cache = windows();
    let value = cache.refresh(&redis, "k", || async { Fetched::Ok(json!(2)) });
    assert_eq!(value.await, Ok(json!(2)));
    assert!((30_000..=40_000).contains(&kept_ms(&redis).await));
    assert_eq!(held(&redis).await, Some(json!(2)));
}

#[tokio::test]
async fn what_took_long_to_fetch_is_refreshed_early_where_that_is_wanted() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    for (beta, refreshed) in [(1_000.0, true), (0.0, false)] {
        let cache = patient().ttl_ms(10_000).unwrap();
        let cache = cache.early_refresh(beta).unwrap();
        redis.run(cache.delete("k")).await.unwrap();
        let slow = |value: Value| {
            let fake = &fake;
            move || {
                fake.advance(2_000);
                let value = value.clone();
                async move { Fetched::Ok(value) }
            }
        };
        let first = cache.get_or_fetch(&redis, "k", slow(json!(1)));
        assert_eq!(first.await, Ok(json!(1)));
        fake.advance(9_000);
        let second = cache.get_or_fetch(&redis, "k", slow(json!(2)));
        let expected = if refreshed { json!(2) } else { json!(1) };
        assert_eq!(second.await, Ok(expected), "{beta}");
    }
}

#[tokio::test]
async fn how_early_is_as_likely_as_xfetch_says() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient().early_refresh(1.0).unwrap();
    // It took a second to fetch and ends in ln 2 of a second: every other caller refreshes it.
    let until = fake.now() + 693;
    let entry = format!("ue1;j;1;{until};{until};{until};1000;;;;1");
    let set = command::<String>("SET", &["{cache:0}:e:k".into(), entry.as_str().into()]);
    redis.run(set).await.unwrap();
    let calls = Cell::new(0);
    for _ in 0..200 {
        // What fails stores nothing: the next one finds the same.
        let value = cache.get_or_fetch(&redis, "k", || {
            calls.set(calls.get() + 1);
            async { Fetched::Err("down") }
        });
        assert_eq!(value.await, Ok(json!(1)));
    }
    assert!((60..=140).contains(&calls.get()), "{}", calls.get());
}

#[tokio::test]
async fn many_keys_are_one_request_also_over_shards() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    for shards in [1, 7] {
        let cache = patient().shards(shards).unwrap().name(&shards.to_string());
        let keys: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let items: Vec<(&str, &String)> = keys.iter().map(|key| (key.as_str(), key)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        redis
            .run(cache.set_many(&items[1..]).unwrap())
            .await
            .unwrap();
        // Every node of a cluster learns the script here.
        redis.run(cache.get_many::<String>(&keys)).await.unwrap();
        let before = fake.sent().len();
        let values = redis.run(cache.get_many::<String>(&keys)).await.unwrap();
        let expected = keys.iter().enumerate();
        let expected: Vec<_> = expected
            .map(|(n, key)| (n > 0).then(|| (*key).to_owned()))
            .collect();
        assert_eq!(values, expected);
        assert!(redis.run(cache.has("7")).await.unwrap());
        assert!(!redis.run(cache.has("0")).await.unwrap());
        assert_eq!(fake.sent().len() - before, 3);
        assert_eq!(redis.run(cache.delete_many(&keys)).await.unwrap(), 49);
        assert!(!redis.run(cache.has("7")).await.unwrap());
    }
}

#[tokio::test]
async fn of_what_others_wrote_json_is_read_and_only_a_broken_entry_is_deleted() {
    let server = Server::start().await;
    let redis = server.client();
    for (text, value, stays) in [
        ("{\"a\":1}", Some(json!({"a": 1})), 1),
        ("no json", None, 1),
        ("ue9;x;1;2", None, 1),
        ("ue1;j;1;2", None, 0),
    ] {
        let key = || "{cache:0}:e:k".into();
        let set = command::<String>("SET", &[key(), text.into()]);
        redis.run(set).await.unwrap();
        assert_eq!(held(&redis).await, value, "{text}");
        let exists = command::<i64>("EXISTS", &[key()]);
        assert_eq!(redis.run(exists).await.unwrap(), stays, "{text}");
        let cache = patient();
        let fetched = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(2)) });
        assert_eq!(fetched.await, Ok(value.unwrap_or(json!(2))), "{text}");
    }
}

#[tokio::test]
async fn hits_and_misses_are_counted_and_travel_with_what_is_asked() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient();
    redis.run(cache.set("k", &1).unwrap()).await.unwrap();
    redis
        .run(cache.get_many::<i32>(&["k", "none"]))
        .await
        .unwrap();
    redis
        .run(cache.clone().metrics(false).get::<i32>("k"))
        .await
        .unwrap();
    let told = |hits, misses| CacheStats {
        hits,
        misses,
        stale: 0,
    };
    // Another isolate hears of it when this one asks again 10 s later, in the same request.
    let other = patient().stats();
    assert_eq!(redis.run(other).await.unwrap(), told(0, 0));
    fake.advance(10_000);
    let before = fake.sent().len();
    redis.run(cache.get::<i32>("k")).await.unwrap();
    assert_eq!(fake.sent().len() - before, 1);
    assert_eq!(redis.run(patient().stats()).await.unwrap(), told(1, 1));
    let stats = redis.run(cache.stats()).await.unwrap();
    assert_eq!((stats, stats.hit_rate()), (told(2, 1), 2.0 / 3.0));
    assert_eq!(told(0, 0).hit_rate(), 0.0);
    assert_eq!(cache.count_keys(&redis).await.unwrap(), 1);
}
