//! What each call costs: requests, and the commands that Redis counts, those inside the scripts too. They are what
//! `docs/cache.md` says.

use serde_json::json;
use upstash_edge::host::{Fake, Host};
use upstash_edge::{Cache, Redis};

use super::{Fetched, patient};
use crate::server::Server;

struct Meter {
    server: Server,
    redis: Redis,
    fake: Fake,
}

impl Meter {
    /// How many requests `act` sent, and which commands Redis did.
    async fn cost(&self, act: impl Future<Output = ()>) -> (usize, String) {
        self.server.raw("CONFIG RESETSTAT");
        let before = self.fake.sent().len();
        act.await;
        let calls = self.server.calls();
        let calls = calls.iter().map(|(name, calls)| format!("{name} {calls}"));
        (
            self.fake.sent().len() - before,
            calls.collect::<Vec<_>>().join(", "),
        )
    }

    async fn set(&self, cache: &Cache, keys: &[&str]) {
        let items: Vec<(&str, &i32)> = keys.iter().map(|key| (*key, &1)).collect();
        self.redis
            .run(cache.set_many(&items).unwrap())
            .await
            .unwrap();
    }

    async fn get(&self, cache: &Cache, keys: &[&str]) {
        let found = self.redis.run(cache.get_many::<i32>(keys)).await.unwrap();
        assert!(found.iter().all(Option::is_some));
    }

    async fn fetch(&self, cache: &Cache, key: &str, gives: Fetched) {
        let fetched = cache.get_or_fetch(&self.redis, key, || {
            let gives = gives.clone();
            async { gives }
        });
        assert_eq!(fetched.await, gives);
    }

    async fn delete(&self, cache: &Cache, keys: &[&str]) {
        self.redis.run(cache.delete_many(keys)).await.unwrap();
    }

    async fn invalidate(&self, cache: &Cache, count: usize) {
        let tags: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        let invalidate = cache.invalidate_tags(&tags).unwrap();
        self.redis.run(invalidate).await.unwrap();
    }
}

#[tokio::test]
async fn every_call_costs_what_the_docs_say() {
    // INFO is asked of one node.
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let meter = Meter {
        server,
        redis,
        fake,
    };
    let plain = patient().metrics(false).stale_while_revalidate_ms(1_000);
    let plain = plain.ttl_ms(1_000).unwrap();
    let tagged = plain.clone().tags(&["0", "b"]).unwrap();
    // The first time teaches the client which form of the scripts this server takes.
    meter.set(&tagged, &["x"]).await;
    meter.get(&plain, &["x"]).await;
    meter.fetch(&plain, "warm", Err("down")).await;
    meter.fetch(&plain, "warm", Ok(json!(1))).await;
    meter.delete(&plain, &["warm"]).await;
    meter.invalidate(&plain, 1).await;

    let keys = ["a", "b", "c"];
    let one = meter.cost(meter.set(&plain, &["a"])).await;
    assert_eq!(one, (1, "del 1, evalsha 1, set 1".into()));
    let many = meter.cost(meter.set(&tagged, &keys)).await;
    assert_eq!(many, (1, "del 3, evalsha 1, hmget 1, set 3".into()));
    let many = meter.cost(meter.get(&plain, &keys)).await;
    assert_eq!(many, (1, "evalsha 1, hmget 3, mget 1".into()));
    let tagged_hit = meter.cost(meter.fetch(&plain, "a", Ok(json!(1)))).await;
    assert_eq!(tagged_hit, (1, "evalsha 1, hmget 1, mget 1".into()));
    let deleted = meter.cost(meter.delete(&plain, &keys)).await;
    assert_eq!(deleted, (1, "del 2, evalsha 1".into()));
    let invalidated = "evalsha 1, hincrby 1, hlen 1, hset 1, hsetnx 1";
    let marked = meter.cost(meter.invalidate(&plain, 1_000)).await;
    assert_eq!(marked, (1, invalidated.into()));

    let miss = meter.cost(meter.fetch(&plain, "k", Ok(json!(1)))).await;
    let missed = "del 1, evalsha 2, get 1, hmget 1, mget 1, set 2";
    assert_eq!(miss, (2, missed.into()));
    let hit = meter.cost(meter.fetch(&plain, "k", Ok(json!(1)))).await;
    assert_eq!(hit, (1, "evalsha 1, mget 1".into()));
    let miss = meter.cost(meter.fetch(&tagged, "t", Ok(json!(1)))).await;
    let missed = "del 1, evalsha 2, get 1, hmget 2, mget 1, set 2";
    assert_eq!(miss, (2, missed.into()));
    let failed = meter.cost(meter.fetch(&plain, "f", Err("down"))).await;
    let released = "del 1, evalsha 2, get 1, hmget 1, mget 1, set 1";
    assert_eq!(failed, (2, released.into()));

    meter.fake.set_now(meter.fake.now() + 1_500);
    let refreshed = meter.cost(meter.fetch(&plain, "k", Ok(json!(2)))).await;
    let missed = "del 1, evalsha 2, get 1, hmget 1, mget 1, set 2";
    assert_eq!(refreshed, (2, missed.into()));
    meter.fake.set_now(meter.fake.now() + 1_500);
    let stale = meter.cost(async {
        let refresh = plain.get_or_fetch(&meter.redis, "k", || async {
            // Meanwhile another is served what is stale.
            meter.fetch(&plain, "k", Ok(json!(2))).await;
            Fetched::Ok(json!(3))
        });
        assert_eq!(refresh.await, Ok(json!(3)));
    });
    let both = "del 1, evalsha 3, get 1, hmget 1, mget 2, pttl 1, set 2";
    assert_eq!(stale.await, (3, both.into()));
}
