//! What the cache does when Redis fails.

use serde_json::{Value, json};
use upstash_edge::host::{Fake, Fault, Host};
use upstash_edge::{Cache, Redis};

use super::Fetched;

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
async fn a_slow_redis_costs_its_timeout_and_no_more() {
    let (redis, fake) = dead();
    fake.push(Fault::Silence);
    let started = fake.now();
    let cache = Cache::new();
    let value = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(1)) });
    assert_eq!(value.await, Ok(json!(1)));
    // Nothing is stored, or waited for, after that.
    assert_eq!(fake.sent().len(), 1);
    assert_eq!(fake.now() - started, 500);
}
