//! When to come back: not a millisecond too early, not one too late.

use std::time::Duration;

use upstash_edge::{Clock, Identifier, Limit, Limits};

use super::{ask, bucket, fixed, patient, sliding};
use crate::server::Server;

#[tokio::test]
async fn a_refused_check_passes_at_the_moment_it_named_and_not_a_millisecond_before() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let several = [sliding(10, 600_000), bucket(12, 7, 90_001)];
    for (limits, costs, cost) in [
        (Limits::from(sliding(10, 600_000)), [3, 2, 5], 4),
        (sliding(1_000, 600_000).into(), [300, 200, 500], 400),
        (fixed(10, 600_000).into(), [3, 2, 5], 4),
        (bucket(10, 3, 70_000).into(), [3, 2, 5], 4),
        (
            bucket(1_000_000, 7, 999).into(),
            [300_000, 200_000, 499_999],
            400_000,
        ),
        (Limits::new(&several).unwrap(), [3, 2, 5], 4),
    ] {
        let limiter = patient(limits).name("moments").memory(0);
        for cost in costs {
            assert!(ask(&redis, limiter.check("a").cost(cost)).await.allowed);
            fake.advance(1_003);
        }
        let refused = ask(&redis, limiter.check("a").cost(cost)).await;
        assert!(!refused.allowed && refused.retry_after_ms > 1);
        fake.advance(refused.retry_after_ms - 1);
        let early = ask(&redis, limiter.check("a").cost(cost)).await;
        assert_eq!((early.allowed, early.retry_after_ms), (false, 1));
        fake.advance(1);
        assert!(ask(&redis, limiter.check("a").cost(cost)).await.allowed);
        // And nothing is missing when it said so.
        let peeked = ask(&redis, limiter.peek("a")).await;
        fake.set_now(peeked.reset_at - 1);
        let early = ask(&redis, limiter.peek("a")).await;
        assert_eq!(early.reset_at, peeked.reset_at);
        fake.advance(1);
        let full = ask(&redis, limiter.peek("a")).await;
        assert!(
            full.policies
                .iter()
                .all(|policy| policy.remaining == policy.limit)
        );
    }
}

#[tokio::test]
async fn by_the_servers_clock_the_callers_does_not_matter() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let limiter = patient(sliding(3, 60_000)).clock(Clock::Server);
    for (now, allowed) in [(1, true), (4_000_000_000_000, true), (7, true), (9, false)] {
        fake.set_now(now);
        let decision = ask(&redis, limiter.check("a")).await;
        assert_eq!(
            (decision.allowed, decision.clock()),
            (allowed, Clock::Server)
        );
        let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let real = real.unwrap().as_millis() as u64;
        assert!((real..=real + 60_000).contains(&decision.reset_at));
    }
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_time_is_noticed() {
    let server = Server::alone().await;
    server.raw("ACL SETUSER default -time");
    let (redis, fake) = server.faked();
    let limiter = patient(sliding(1, 60_000)).clock(Clock::Server);
    let decision = ask(&redis, limiter.check("a")).await;
    assert_eq!((decision.allowed, decision.clock()), (true, Clock::Client));
    assert_eq!(decision.reset_at, 1_700_000_060_000);
    fake.advance(59_999);
    assert_eq!(ask(&redis, limiter.check("a")).await.retry_after_ms, 1);
}

#[tokio::test]
async fn a_callers_clock_that_is_years_off_still_limits_and_locks_nobody_out() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    // Short, for Redis forgets by the real clock.
    let limiter = patient(sliding(2, 100)).memory(0);
    for years in [0, 10, 30] {
        fake.set_now(years * 31_536_000_000);
        let mut allowed = vec![];
        for _ in 0..3 {
            allowed.push(ask(&redis, limiter.check("a")).await.allowed);
        }
        assert_eq!(allowed, [true, true, false]);
    }
    fake.set_now(5);
    let refused = ask(&redis, limiter.check("a")).await;
    assert_eq!((refused.allowed, refused.retry_after_ms), (false, 5_100));
}

#[tokio::test]
async fn who_waits_gets_the_place_at_the_named_moment_or_the_refusal_at_once() {
    let server = Server::start().await;
    let redis = server.client();
    let limiter = patient(sliding(2, 3_000));
    let requests = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = std::rc::Rc::clone(&requests);
    ask(&redis, limiter.peek("warm")).await;
    let redis = redis.observed(move |_| counted.set(counted.get() + 1));
    let wait = |timeout_ms| limiter.wait(&redis, "a", 2, timeout_ms);
    assert!(wait(2_000).await.unwrap().allowed);
    assert!(wait(60_000).await.unwrap().allowed);
    // One that is granted, one that is refused and then granted.
    assert_eq!(requests.get(), 3);
    let refused = wait(1_000).await.unwrap();
    assert!(!refused.allowed && refused.retry_after_ms > 1_000);
    assert_eq!(requests.get(), 4);
    assert!(limiter.wait(&redis, "a", 3, 1).await.is_err());
}

#[tokio::test]
async fn a_cost_above_any_limit_and_a_wrong_identifier_are_told_at_once() {
    let server = Server::start().await;
    let redis = server.client();
    let named = |name, limit: Limit| limit.named(name).unwrap();
    let limits = [
        named("user", fixed(10, 1_000)),
        named("address", sliding(5, 1_000)),
    ];
    let limiter = patient(Limits::new(&limits).unwrap());
    let wrong: [Identifier; 4] = [
        [("user", "u1")].into(),
        [("user", "u1"), ("user", "u2")].into(),
        [("user", "u1"), ("address", "a1"), ("other", "o1")].into(),
        Identifier::Each(Vec::new()),
    ];
    for id in wrong {
        let error = redis.run(limiter.check(id)).await.unwrap_err();
        assert_eq!(error.code(), "invalid_argument");
    }
    let error = redis.run(limiter.check("a").cost(6)).await.unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
    assert!(Limit::token_bucket(1, 1, Duration::ZERO).is_err());
}
