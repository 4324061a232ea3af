//! Tags: what an invalidation reaches, and in which order with stores.

use serde_json::{Value, json};
use upstash_edge::commands::command;
use upstash_edge::host::Host;
use upstash_edge::{Cache, Redis};

use super::{Fetched, held, patient};
use crate::server::Server;

fn tagged(tags: &[&str]) -> Cache {
    patient().tags(tags).unwrap()
}

async fn set(redis: &Redis, key: &str, tags: &[&str]) {
    redis.run(tagged(tags).set(key, &1).unwrap()).await.unwrap();
}

async fn invalidate(redis: &Redis, tags: &[&str]) {
    let invalidate = patient().invalidate_tags(tags).unwrap();
    redis.run(invalidate).await.unwrap();
}

async fn has(redis: &Redis, keys: &[&str]) -> Vec<bool> {
    let values = redis.run(patient().get_many::<Value>(keys)).await.unwrap();
    values.iter().map(Option::is_some).collect()
}

#[tokio::test]
async fn an_invalidation_reaches_what_has_one_of_its_tags_and_nothing_else() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let keys = ["a", "b", "ab", "none"];
    for (key, tags) in [
        ("a", &["a"][..]),
        ("b", &["b"]),
        ("ab", &["a", "b;,"]),
        ("none", &[]),
    ] {
        set(&redis, key, tags).await;
    }
    assert_eq!(has(&redis, &keys).await, [true; 4]);
    invalidate(&redis, &["other"]).await;
    let before = fake.sent().len();
    invalidate(&redis, &["a", "x"]).await;
    assert_eq!(fake.sent().len() - before, 1);
    assert_eq!(has(&redis, &keys).await, [false, true, false, true]);
    invalidate(&redis, &["b;,"]).await;
    assert_eq!(has(&redis, &keys).await, [false, true, false, true]);
    set(&redis, "a", &["a"]).await;
    assert_eq!(has(&redis, &keys).await, [true, true, false, true]);
}

#[tokio::test]
async fn any_number_of_tags_is_invalidated_in_one_round_trip() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let tags: Vec<String> = (0..2_500).map(|n| format!("t{n}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    invalidate(&redis, &["learnt"]).await;
    for (key, tag) in [("first", "t0"), ("last", "t2499"), ("other", "t2500")] {
        set(&redis, key, &[tag]).await;
    }
    let before = fake.sent().len();
    invalidate(&redis, &tags).await;
    assert_eq!(fake.sent().len() - before, 1);
    assert_eq!(
        has(&redis, &["first", "last", "other"]).await,
        [false, false, true]
    );
    let empty = patient().expire_tags(&["t", ""]);
    assert_eq!(
        empty.err().map(|error| error.code()),
        Some("invalid_argument")
    );
}

/// Whoever writes to Redis can put it there; it must not stay, nor fail each read of its shard.
#[tokio::test]
async fn an_entry_of_more_tags_than_a_script_can_take_is_broken() {
    let server = Server::start().await;
    let redis = server.client();
    let tags = "t,".repeat(9_000);
    let until = u64::MAX;
    let entry = format!("ue1;j;1;{until};{until};{until};0;{tags};e;0;1");
    let key = || "{cache:0}:e:k".into();
    let put = command::<String>("SET", &[key(), entry.as_str().into()]);
    redis.run(put).await.unwrap();
    set(&redis, "other", &["t"]).await;
    assert_eq!(has(&redis, &["k", "other"]).await, [false, true]);
    let exists = command::<i64>("EXISTS", &[key()]);
    assert_eq!(redis.run(exists).await.unwrap(), 0);
}

#[tokio::test]
async fn an_invalidation_reaches_every_shard() {
    let server = Server::start().await;
    let redis = server.client();
    let cache = tagged(&["t"]).shards(5).unwrap();
    let keys: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let items: Vec<_> = keys.iter().map(|key| (*key, &1)).collect();
    redis.run(cache.set_many(&items).unwrap()).await.unwrap();
    let all = redis.run(cache.get_many::<i32>(&keys)).await.unwrap();
    assert!(all.iter().all(Option::is_some));
    redis
        .run(cache.invalidate_tags(&["t"]).unwrap())
        .await
        .unwrap();
    let none = redis.run(cache.get_many::<i32>(&keys)).await.unwrap();
    assert!(none.iter().all(Option::is_none));
}

#[tokio::test]
async fn what_is_expired_is_served_while_it_is_refreshed() {
    let server = Server::start().await;
    let redis = server.client();
    set(&redis, "k", &["t"]).await;
    let expire = patient().expire_tags(&["t"]).unwrap();
    redis.run(expire).await.unwrap();
    assert_eq!(held(&redis).await, None);
    let cache = patient();
    let failing = cache.get_or_fetch(&redis, "k", || async { Fetched::Err("down") });
    assert_eq!(failing.await, Ok(json!(1)));
    let cache = patient();
    let refreshed = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(2)) });
    assert_eq!(refreshed.await, Ok(json!(2)));
    assert_eq!(held(&redis).await, Some(json!(2)));
}

#[tokio::test]
async fn what_is_invalidated_is_neither_served_while_it_is_refreshed_nor_in_place_of_an_error() {
    let server = Server::start().await;
    let redis = server.client();
    set(&redis, "k", &["t"]).await;
    invalidate(&redis, &["t"]).await;
    let cache = patient().stale_if_error_ms(60_000);
    let failing = cache.get_or_fetch(&redis, "k", || async { Fetched::Err("down") });
    assert_eq!(failing.await, Err("down"));
    let fetcher = || async { Fetched::Ok(json!(2)) };
    let behind = cache.get_or_fetch_in(&redis, "k", fetcher, |_| {});
    assert_eq!(behind.await, Ok(json!(2)));
}

#[tokio::test]
async fn a_tag_invalidated_during_a_fetch_refuses_its_store() {
    let server = Server::start().await;
    let redis = server.client();
    for (tag, stored) in [("t", None), ("other", Some(json!("old")))] {
        let cache = tagged(&["t"]);
        let fetched = cache.get_or_fetch(&redis, "k", || async {
            invalidate(&redis, &[tag]).await;
            Fetched::Ok(json!("old"))
        });
        assert_eq!(fetched.await, Ok(json!("old")));
        assert_eq!(held(&redis).await, stored, "{tag}");
        let exists = command::<i64>("EXISTS", &["{cache:0}:e:k".into()]);
        let stands = redis.run(exists).await.unwrap();
        assert_eq!(stands, i64::from(stored.is_some()), "{tag}");
    }
}

#[tokio::test]
async fn without_its_hash_of_tags_a_tagged_value_is_gone_and_a_store_of_before_refused() {
    let server = Server::start().await;
    let redis = server.client();
    let lose = || command::<i64>("DEL", &["{cache:0}:t".into()]);
    set(&redis, "tagged", &["t"]).await;
    set(&redis, "plain", &[]).await;
    redis.run(lose()).await.unwrap();
    assert_eq!(has(&redis, &["tagged", "plain"]).await, [false, true]);
    // Made anew it is another one.
    set(&redis, "later", &["t"]).await;
    assert_eq!(has(&redis, &["tagged", "later"]).await, [false, true]);
    let cache = tagged(&["t"]);
    let fetched = cache.get_or_fetch(&redis, "k", || async {
        invalidate(&redis, &["t"]).await;
        redis.run(lose()).await.unwrap();
        set(&redis, "other", &["t"]).await;
        Fetched::Ok(json!("old"))
    });
    assert_eq!(fetched.await, Ok(json!("old")));
    // Nor does it stand there unread.
    let exists = command::<i64>("EXISTS", &["{cache:0}:e:k".into()]);
    assert_eq!(redis.run(exists).await.unwrap(), 0);
}

#[tokio::test]
async fn a_hash_of_tags_is_bounded_and_what_it_forgets_takes_older_values_along() {
    let server = Server::start().await;
    let redis = server.client();
    set(&redis, "old", &["a"]).await;
    for n in 0..=160 {
        let tags: Vec<String> = (0..64).map(|m| format!("{n}-{m}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        invalidate(&redis, &tags).await;
        if n == 120 {
            set(&redis, "new", &["a"]).await;
        }
    }
    let fields = command::<i64>("HLEN", &["{cache:0}:t".into()]);
    let fields = redis.run(fields).await.unwrap();
    assert!((5_000..=10_003).contains(&fields), "{fields}");
    assert_eq!(has(&redis, &["old", "new"]).await, [false, true]);
}

#[tokio::test]
async fn what_was_fetched_before_its_tag_was_invalidated_and_forgotten_is_not_stored() {
    let server = Server::start().await;
    let redis = server.client();
    let others: Vec<String> = (0..11_000).map(|n| n.to_string()).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let cache = tagged(&["t"]);
    let fetched = cache.get_or_fetch(&redis, "k", || async {
        invalidate(&redis, &["t"]).await;
        invalidate(&redis, &others).await;
        Fetched::Ok(json!("old"))
    });
    assert_eq!(fetched.await, Ok(json!("old")));
    let forgotten = command::<i64>("HEXISTS", &["{cache:0}:t".into(), "g:t".into()]);
    assert_eq!(redis.run(forgotten).await.unwrap(), 0);
    let exists = command::<i64>("EXISTS", &["{cache:0}:e:k".into()]);
    assert_eq!(redis.run(exists).await.unwrap(), 0);
}

/// What happens between the lookup of a fetch and its store.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Invalidate,
    Expire,
    Set,
    Delete,
    Lose,
}

/// All orders of up to three of them.
fn orders() -> Vec<Vec<Meanwhile>> {
    use Meanwhile::{Delete, Expire, Invalidate, Lose, Set};
    let mut orders = vec![Vec::new()];
    let mut longest = orders.clone();
    for _ in 0..3 {
        let longer = |order: &Vec<Meanwhile>| {
            [Invalidate, Expire, Set, Delete, Lose].map(|step| [order.as_slice(), &[step]].concat())
        };
        longest = longest.iter().flat_map(longer).collect();
        orders.extend(longest.clone());
    }
    orders
}

/// Every interleaving is an order of scripts, each of which is atomic: so a fetch and what happens meanwhile are
/// modelled as a list. A value that was fetched before an invalidation or a write must never be served after it.
#[tokio::test]
async fn no_order_of_writes_and_invalidations_serves_what_was_fetched_before_them() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    for (round, case) in orders().into_iter().enumerate() {
        let key = round.to_string();
        let tag = format!("t{round}");
        let cache = tagged(&[tag.as_str()]);
        let fetched = cache.get_or_fetch(&redis, &key, || async {
            for step in &case {
                fake.set_now(fake.now() + 1);
                match step {
                    Meanwhile::Invalidate => invalidate(&redis, &[tag.as_str()]).await,
                    Meanwhile::Expire => {
                        let expire = cache.expire_tags(&[tag.as_str()]).unwrap();
                        redis.run(expire).await.unwrap();
                    }
                    Meanwhile::Set => {
                        let set = cache.set(&key, "set").unwrap();
                        redis.run(set).await.unwrap();
                    }
                    Meanwhile::Delete => {
                        redis.run(cache.delete(&key)).await.unwrap();
                    }
                    Meanwhile::Lose => {
                        let lose = command::<i64>("DEL", &["{cache:0}:t".into()]);
                        redis.run(lose).await.unwrap();
                    }
                }
            }
            Fetched::Ok(json!("fetched"))
        });
        assert_eq!(fetched.await, Ok(json!("fetched")));
        let expected = match case.last() {
            None => Some("fetched"),
            Some(Meanwhile::Set) => Some("set"),
            Some(_) => None,
        };
        let served = redis.run(cache.get::<String>(&key)).await.unwrap();
        assert_eq!(served.as_deref(), expected, "{case:?}");
    }
}
