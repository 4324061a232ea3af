//! The limiter in real Redis.

mod commands;
mod failure;
mod load;
mod memory;
mod model;
mod moments;
mod peer;
mod several;
mod stats;
mod traces;

use std::time::Duration;

use upstash_edge::{Check, Decision, Limit, Limits, RateLimiter, Redis};

use crate::server::Server;

/// Who passes because Redis is slow is another test's.
fn patient(limits: impl Into<Limits>) -> RateLimiter {
    RateLimiter::new(limits).timeout_ms(60_000).unwrap()
}

fn sliding(limit: u32, ms: u64) -> Limit {
    Limit::sliding_window(limit, Duration::from_millis(ms)).unwrap()
}

fn fixed(limit: u32, ms: u64) -> Limit {
    Limit::fixed_window(limit, Duration::from_millis(ms)).unwrap()
}

fn bucket(capacity: u32, refill: u32, ms: u64) -> Limit {
    Limit::token_bucket(capacity, refill, Duration::from_millis(ms)).unwrap()
}

async fn ask(redis: &Redis, check: Check) -> Decision {
    redis.run(check).await.unwrap()
}

#[tokio::test]
async fn identifiers_cannot_reach_into_each_other() {
    let server = Server::start().await;
    let redis = server.client();
    let one = sliding(1, 60_000);
    let limiters = [
        patient(one.clone()).name("a:b"),
        patient(one.clone()).name("a"),
        patient(one).name("a}{b"),
    ];
    for limiter in limiters {
        for id in [
            "b:c",
            "c",
            "}",
            "{}",
            "",
            "%7D",
            "c}:sw:default:60000",
            &"x".repeat(40_000),
        ] {
            assert!(ask(&redis, limiter.check(id)).await.allowed, "{id}");
            let own = limiter.check([("default", id)]);
            assert!(ask(&redis, own).await.allowed, "{id}");
        }
    }
}

#[tokio::test]
async fn checks_of_many_identifiers_are_one_request() {
    let server = Server::start().await;
    let redis = server.client();
    let limiter = patient(sliding(1, 60_000));
    let requests = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = std::rc::Rc::clone(&requests);
    let observed = redis.observed(move |_| counted.set(counted.get() + 1));
    ask(&redis, limiter.check("a")).await;
    // The first use teaches the client the form of the script, and each node of a cluster the script.
    redis
        .run(
            limiter
                .check_all(["a", "b", "c"])
                .into_iter()
                .map(|check| check.cost(0))
                .collect::<Vec<_>>(),
        )
        .await
        .unwrap();
    let checks = limiter.check_all(["b", "a", "c", "b"]);
    let decisions = observed.run(checks).await.unwrap();
    let allowed: Vec<_> = decisions.iter().map(|d| d.allowed).collect();
    assert_eq!(allowed, [true, false, true, false]);
    assert_eq!(requests.get(), 1);
}
