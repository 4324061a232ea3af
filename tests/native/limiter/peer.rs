//! What was measured of the limiter most people use, at 10 in 10 s: the same scenarios.

use upstash_edge::{RateLimiter, Redis};

use super::{ask, patient, sliding};
use crate::server::Server;

const START: u64 = 1_700_000_000_000;

async fn burst(redis: &Redis, limiter: &RateLimiter, checks: usize) -> usize {
    let checks = limiter.check_all(vec!["a"; checks]);
    let decisions = redis.run(checks).await.unwrap();
    decisions.iter().filter(|decision| decision.allowed).count()
}

fn ten() -> RateLimiter {
    patient(sliding(10, 10_000))
}

#[tokio::test]
async fn no_window_lets_twice_the_limit_pass() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    // At the end of one window of the clock, and in the next.
    for offset in [0, 990, 9_020, 9_999] {
        let limiter = ten().name(&offset.to_string());
        fake.set_now(START + offset);
        assert_eq!(burst(&redis, &limiter, 10).await, 10);
        fake.advance(9_020);
        assert_eq!(burst(&redis, &limiter, 10).await, 0);
    }
}

#[tokio::test]
async fn after_a_burst_the_whole_limit_is_back_when_the_window_is_over() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    assert_eq!(burst(&redis, &ten(), 10).await, 10);
    fake.advance(15_000);
    assert_eq!(burst(&redis, &ten(), 20).await, 10);
}

#[tokio::test]
async fn at_the_moment_of_reset_the_limit_is_back() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    burst(&redis, &ten(), 10).await;
    let refused = ask(&redis, ten().check("a")).await;
    fake.set_now(refused.reset_at);
    assert_eq!(burst(&redis, &ten(), 11).await, 10);
}

#[tokio::test]
async fn a_refused_check_takes_nothing_whatever_it_costs() {
    let server = Server::start().await;
    let (redis, _) = server.faked();
    burst(&redis, &ten(), 7).await;
    for cost in [4, 10] {
        assert!(!ask(&redis, ten().check("a").cost(cost)).await.allowed);
    }
    assert_eq!(ask(&redis, ten().check("a").cost(3)).await.remaining, 0);
}
