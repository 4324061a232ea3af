//! The cache: its lease, its tags, what is served when, and what happens when many ask at once or Redis fails.

mod bytes;
mod costs;
mod failure;
mod http;
mod interleavings;
mod lease;
mod serving;
mod stampede;
mod steps;
mod tags;

use serde_json::Value;
use upstash_edge::{Cache, Redis};

type Fetched = Result<Value, &'static str>;

/// What is fetched when Redis is slow is another test's.
fn patient() -> Cache {
    Cache::new().timeout_ms(60_000).unwrap()
}

async fn held(redis: &Redis) -> Option<Value> {
    redis.run(patient().get("k")).await.unwrap()
}
