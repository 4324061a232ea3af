//! Several limits in one check: all or nothing; and what is given back.

use upstash_edge::{Limit, Limits, RateLimiter};

use super::{ask, bucket, fixed, patient, sliding};
use crate::server::Server;

fn named(limit: Limit, name: &str) -> Limit {
    limit.named(name).unwrap()
}

fn limiter(limits: &[Limit]) -> RateLimiter {
    patient(Limits::new(limits).unwrap()).memory(0)
}

fn left(decision: &upstash_edge::Decision) -> Vec<u32> {
    decision
        .policies
        .iter()
        .map(|policy| policy.remaining)
        .collect()
}

#[tokio::test]
async fn what_one_limit_refuses_no_other_counts() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let limiter = limiter(&[
        named(sliding(3, 1_000), "second"),
        named(fixed(100, 3_600_000), "hour"),
        named(bucket(50, 1, 60_000), "bucket"),
        named(sliding(1_000, 86_400_000), "day"),
    ]);
    for n in 1..=3 {
        let decision = ask(&redis, limiter.check("a")).await;
        assert!(decision.allowed);
        assert_eq!(left(&decision), [3 - n, 100 - n, 50 - n, 1_000 - n]);
        assert_eq!((decision.limit, decision.remaining), (3, 3 - n));
    }
    for _ in 0..5 {
        let refused = ask(&redis, limiter.check("a")).await;
        assert_eq!(refused.limited_by.as_deref(), Some("second"));
        assert_eq!(
            (left(&refused), refused.retry_after_ms),
            (vec![0, 97, 47, 997], 1_000)
        );
    }
    fake.advance(1_000);
    assert_eq!(
        left(&ask(&redis, limiter.check("a")).await),
        [2, 96, 46, 996]
    );
    // Whoever binds for longest is named.
    fake.advance(1_000);
    let dear = ask(&redis, limiter.check("a").cost(3)).await;
    assert!(dear.allowed);
    let policies: Vec<_> = dear
        .policies
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    assert_eq!(policies, ["second", "hour", "bucket", "day"]);
}

#[tokio::test]
async fn the_order_of_limits_does_not_matter_and_other_limits_read_what_was_counted() {
    let server = Server::start().await;
    let (redis, _) = server.faked();
    let (a, b) = (sliding(5, 60_000), fixed(9, 60_000));
    let one = limiter(&[a.clone(), b.clone()]);
    let other = limiter(&[b, a]);
    assert_eq!(left(&ask(&redis, one.check("a").cost(2)).await), [3, 7]);
    assert_eq!(left(&ask(&redis, other.check("a")).await), [6, 2]);
    let lower = Limits::new(&[fixed(4, 60_000), sliding(2, 60_000)]).unwrap();
    let refused = ask(&redis, one.check("a").limits(lower)).await;
    assert_eq!((refused.allowed, left(&refused)), (false, vec![1, 0]));
    // A window that changed begins anew.
    let changed = Limits::new(&[sliding(5, 60_001), fixed(9, 60_000)]).unwrap();
    assert_eq!(
        left(&ask(&redis, one.check("a").limits(changed)).await),
        [4, 8]
    );
}

#[tokio::test]
async fn an_identifier_for_each_limit_counts_each_by_its_own() {
    let server = Server::start().await;
    let (redis, _) = server.faked();
    let limiter = limiter(&[
        named(fixed(2, 60_000), "user"),
        named(sliding(3, 60_000), "address"),
        named(sliding(9, 3_600_000), "address"),
    ]);
    let ids = |user: &'static str, address: &'static str| [("user", user), ("address", address)];
    let check = |user, address| ask(&redis, limiter.check(ids(user, address)));
    assert_eq!(left(&check("u1", "a1").await), [1, 2, 8]);
    assert_eq!(left(&check("u1", "a2").await), [0, 2, 8]);
    let refused = check("u1", "a1").await;
    assert_eq!(
        (refused.limited_by.as_deref(), left(&refused)),
        (Some("user"), vec![0, 2, 8])
    );
    assert_eq!(left(&check("u2", "a1").await), [1, 1, 7]);
    assert_eq!(left(&check("u3", "a1").await), [1, 0, 6]);
    let refused = check("u4", "a1").await;
    assert_eq!(
        (refused.limited_by.as_deref(), left(&refused)),
        (Some("address"), vec![2, 0, 6])
    );
    redis.run(limiter.refund(ids("u9", "a1"), 2)).await.unwrap();
    assert_eq!(left(&check("u4", "a1").await), [1, 1, 7]);
    redis.run(limiter.reset(ids("u1", "a1"))).await.unwrap();
    assert_eq!(left(&check("u1", "a1").await), [1, 2, 8]);
}

#[tokio::test]
async fn a_refund_takes_back_the_newest_first_and_never_more_than_was_taken() {
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let limiter = limiter(&[
        named(sliding(10, 10_000), "sliding"),
        named(fixed(10, 10_000), "fixed"),
        named(bucket(10, 10, 10_000), "bucket"),
    ]);
    // Nothing comes of nothing.
    redis.run(limiter.refund("a", 5)).await.unwrap();
    assert_eq!(server.raw("DBSIZE").trim(), "0");
    for cost in [3, 4, 2] {
        ask(&redis, limiter.check("a").cost(cost)).await;
        fake.advance(1_000);
    }
    // Of the tokens three have come back.
    assert_eq!(left(&ask(&redis, limiter.peek("a")).await), [1, 1, 4]);
    redis.run(limiter.refund("a", 3)).await.unwrap();
    let after = ask(&redis, limiter.peek("a")).await;
    assert_eq!(left(&after), [4, 4, 7]);
    // What is left was taken 3 s and 2 s ago.
    assert_eq!(after.policies[0].reset_at - 1_700_000_003_000, 8_000);
    fake.advance(7_000);
    assert_eq!(left(&ask(&redis, limiter.peek("a")).await)[0], 7);
    redis.run(limiter.refund("a", u32::MAX)).await.unwrap();
    let full = ask(&redis, limiter.peek("a")).await;
    assert_eq!(left(&full), [10, 10, 10]);
    assert_eq!(full.reset_at, 1_700_000_010_000);
    assert_eq!(
        left(&ask(&redis, limiter.check("a").cost(10)).await),
        [0, 0, 0]
    );
    redis.run(limiter.reset("a")).await.unwrap();
    assert_eq!(left(&ask(&redis, limiter.peek("a")).await), [10, 10, 10]);
}
