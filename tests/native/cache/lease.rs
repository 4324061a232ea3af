//! Races and slow moments around the lease.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use tokio::time::sleep;
use upstash_edge::commands::command;
use upstash_edge::host::{Fake, Fault, Host, Response};
use upstash_edge::{Cache, Redis};

use crate::server::Server;

use super::{Fetched, held, patient};

#[tokio::test]
async fn a_lookup_whose_answer_was_lost_leaves_no_lease_behind() {
    let server = Server::start().await;
    let (redis, fake) = server.faked_with(None);
    let cache = patient();
    fake.push(Fault::LostAnswer);
    let background = RefCell::new(None);
    let value = cache
        .get_or_fetch_in(
            &redis,
            "k",
            || async { Fetched::Ok(json!(1)) },
            |future| *background.borrow_mut() = Some(future),
        )
        .await;
    assert_eq!(value, Ok(json!(1)));
    background.take().unwrap().await;
    // Nobody knows whether it was fetched before a write that the lookup came behind.
    assert_eq!(held(&redis).await, None);
    let before = fake.sent().len();
    let next = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(2)) });
    assert_eq!(next.await, Ok(json!(2)));
    // Look-up and store: it waited for nobody.
    assert_eq!(fake.sent().len() - before, 2);
}

#[tokio::test]
async fn a_lookup_sent_again_finds_its_own_lease() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient();
    // Which form of scripts this server takes is learnt here.
    redis.run(cache.delete("other")).await.unwrap();
    let before = fake.sent().len();
    fake.push(Fault::LostAnswer);
    let value = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(1)) });
    assert_eq!(value.await, Ok(json!(1)));
    // Look-up, look-up again, store: nobody waited for the lease to end.
    assert_eq!(fake.sent().len() - before, 3);
}

/// An origin under a lease of 50 ms, which takes three times as long, and longer than what comes meanwhile.
async fn slow_fetch(redis: &Redis, meanwhile: impl AsyncFnOnce(&Cache)) {
    let cache = patient().lock_ms(50).unwrap();
    let (lease_over, done) = (Notify::new(), Notify::new());
    let fetched = cache.get_or_fetch(redis, "k", || async {
        sleep(Duration::from_millis(150)).await;
        lease_over.notify_one();
        done.notified().await;
        Fetched::Ok(json!("old"))
    });
    let meanwhile = async {
        lease_over.notified().await;
        meanwhile(&cache).await;
        done.notify_one();
    };
    assert_eq!(tokio::join!(fetched, meanwhile).0, Ok(json!("old")));
}

#[tokio::test]
async fn an_origin_slower_than_its_lease_is_stored_all_the_same() {
    let server = Server::start().await;
    let redis = server.client();
    slow_fetch(&redis, async |_| {}).await;
    assert_eq!(held(&redis).await, Some(json!("old")));
}

#[tokio::test]
async fn what_is_deleted_or_set_during_a_fetch_is_not_undone_by_its_late_store() {
    let server = Server::start().await;
    let redis = server.client();
    slow_fetch(&redis, async |cache| {
        redis.run(cache.delete("k")).await.unwrap();
    })
    .await;
    assert_eq!(held(&redis).await, None);
    slow_fetch(&redis, async |cache| {
        redis.run(cache.set("k", "new").unwrap()).await.unwrap();
    })
    .await;
    assert_eq!(held(&redis).await, Some(json!("new")));
}

#[tokio::test]
async fn what_cannot_be_read_is_fetched_anew_at_once() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient();
    redis.run(cache.set("k", "a text").unwrap()).await.unwrap();
    let before = fake.sent().len();
    let number = cache.get_or_fetch(&redis, "k", || async { Ok::<i32, &str>(7) });
    assert_eq!(number.await, Ok(7));
    // Look-up, look-up that takes the lease, store.
    assert_eq!(fake.sent().len() - before, 3);
    assert_eq!(held(&redis).await, Some(json!(7)));
}

/// What stands there looks fresh to the script, and is of no use: nobody waits for a lease that nobody has.
#[tokio::test]
async fn what_ends_on_the_way_or_is_of_another_codec_is_fetched_at_once() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient().lock_ms(3_600_000).unwrap();
    let key = || "{cache:0}:e:k".into();
    // The scripts are learnt.
    let learnt = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(1)) });
    assert_eq!(learnt.await, Ok(json!(1)));
    for (codec, fresh_ms) in [("x", 1_000_000), ("j", 3)] {
        let until = fake.now() + fresh_ms;
        let entry = format!("ue1;{codec};1;{until};{until};{until};0;;;;1");
        let set = command::<String>("SET", &[key(), entry.as_str().into()]);
        redis.run(set).await.unwrap();
        let before = fake.sent().len();
        let value = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(7)) });
        let late = async {
            while fake.sent().len() == before {
                sleep(Duration::from_millis(1)).await;
            }
            fake.advance(5);
        };
        assert_eq!(tokio::join!(value, late).0, Ok(json!(7)), "{entry}");
        // Look-up, look-up that takes the lease, store.
        assert_eq!(fake.sent().len() - before, 3, "{entry}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_keeps_nobody_waiting() {
    let server = Server::start_with(|config| config.max_request_bytes = 10_000).await;
    let (redis, fake) = server.faked();
    let cache = patient().lock_ms(3_600_000).unwrap();
    let started = fake.now();
    for value in [json!("x".repeat(20_000)), json!(1)] {
        let fetched = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(value.clone()) });
        assert_eq!(fetched.await, Ok(value.clone()));
    }
    // A look at what another fetches comes after a minute.
    assert!(fake.now() - started < 30_000);
    assert_eq!(held(&redis).await, Some(json!(1)));
}

/// One lease has ended, and who took it over fails while the first still fetches.
#[tokio::test]
async fn a_lease_that_was_taken_over_and_given_back_is_free() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient();
    let fetch = |gives: Fetched| {
        let (redis, cache) = (&redis, &cache);
        async move {
            let origin = || async { gives.clone() };
            cache.get_or_fetch(redis, "k", origin).await
        }
    };
    let first = cache.get_or_fetch(&redis, "k", || async {
        let late = ["{cache:0}:l:k".into(), 300_000.into()];
        let ended = redis.run(command::<i64>("PEXPIRE", &late)).await;
        assert_eq!(ended.unwrap(), 1);
        assert_eq!(fetch(Err("down")).await, Err("down"));
        let before = fake.sent().len();
        assert_eq!(fetch(Ok(json!(3))).await, Ok(json!(3)));
        // Look-up and store: it waited for nobody.
        assert_eq!(fake.sent().len() - before, 2);
        Fetched::Ok(json!(1))
    });
    assert_eq!(first.await, Ok(json!(1)));
    assert_eq!(held(&redis).await, Some(json!(3)));
}

#[tokio::test]
async fn nobody_waits_for_anothers_lease_longer_than_twice_its_length() {
    for lock_ms in [50, 700, 10_000, 3_600_000] {
        let fake = Fake::new();
        for _ in 0..20 {
            fake.push(Fault::Answer(Response {
                status: 200,
                content_type: "application/octet-stream".to_owned(),
                body: b"*4\r\n$-1\r\n:0\r\n:0\r\n:9999999999\r\n".to_vec(),
                ..Response::default()
            }));
        }
        let builder = Redis::builder("http://redis.invalid", "token");
        let redis = builder.build_with(fake.clone()).unwrap();
        let (started, calls) = (fake.now(), Cell::new(0));
        let cache = patient().lock_ms(lock_ms).unwrap();
        let value = cache.get_or_fetch(&redis, "k", || {
            assert!(fake.now() - started <= 2 * lock_ms, "{lock_ms}");
            calls.set(calls.get() + 1);
            async { Fetched::Ok(json!(1)) }
        });
        assert_eq!(value.await, Ok(json!(1)));
        assert_eq!(calls.get(), 1);
        // The first look-up, at most 8 more, and no store that would be refused.
        assert!(fake.sent().len() <= 9, "{}", fake.sent().len());
    }
}
