//! Statistics: counted in the isolate, sent along with a check, bounded in size and time.

use upstash_edge::{Limit, Limits, RateLimiter};

use super::{ask, fixed, sliding};
use crate::server::Server;

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn what_was_allowed_and_refused_is_told_by_the_hour_and_who_was_refused_most() {
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let limiter = RateLimiter::new(sliding(2, HOUR_MS)).analytics(true);
    let other_isolate = limiter.clone().memory(10);
    for limiter in [&limiter, &other_isolate] {
        for (id, checks) in [("a", 5), ("{b}", 3), ("c", 1)] {
            for _ in 0..checks {
                ask(&redis, limiter.check(id)).await;
            }
            ask(&redis, limiter.peek(id)).await;
        }
    }
    // Remembered refusals too; nothing was sent so far, and each isolate knows its own.
    assert_eq!(server.raw("EXISTS {ratelimit}:stats:472222").trim(), "0");
    let own = redis.run(limiter.stats(0)).await.unwrap();
    assert_eq!((own.allowed, own.refused), (5, 4));
    assert_eq!(own.most_refused.first(), Some(&("a".to_owned(), 3)));
    assert_eq!(redis.run(limiter.stats(1)).await.unwrap().allowed, 0);
    fake.advance(10_000);
    for (at, limiter) in [&limiter, &other_isolate].into_iter().enumerate() {
        let seen = std::rc::Rc::new(std::cell::Cell::new((0, 0)));
        let told = std::rc::Rc::clone(&seen);
        let observed =
            redis.observed(move |event| told.set((told.get().0 + 1, event.commands.len())));
        if at == 1 {
            server.raw("CONFIG RESETSTAT");
        }
        ask(&observed, limiter.check("d")).await;
        // One request; the first time the script is in it as text.
        assert_eq!(seen.get(), (1, 2));
    }
    let of = |name| {
        server
            .calls()
            .into_iter()
            .find(|(of, _)| of == name)
            .map(|(_, calls)| calls)
    };
    assert_eq!(
        (of("evalsha"), of("hincrby"), of("pexpire")),
        (Some(2), Some(2), Some(2))
    );
    assert_eq!((of("zincrby"), of("zremrangebyrank")), (Some(2), Some(1)));
    // With the check that the counts travelled with: it is this isolate's, and not sent yet.
    let stats = redis.run(limiter.stats(0)).await.unwrap();
    assert_eq!(stats.since, 1_700_000_000_000 / HOUR_MS * HOUR_MS);
    assert_eq!((stats.allowed, stats.refused), (7, 12));
    let most = [("a", 8), ("%7Bb%7D", 4)].map(|(id, count)| (id.to_owned(), count));
    assert_eq!(stats.most_refused, most);
    fake.advance(HOUR_MS);
    assert_eq!(redis.run(limiter.stats(0)).await.unwrap().allowed, 0);
    assert_eq!(redis.run(limiter.stats(1)).await.unwrap().allowed, 7);
}

#[tokio::test]
async fn they_stay_small_whoever_is_refused_and_end() {
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let named = |limit: Limit, name| limit.named(name).unwrap();
    let limits = [
        named(fixed(1, 400 * HOUR_MS), "user"),
        named(fixed(9_999, 400 * HOUR_MS), "all"),
    ];
    let limiter = RateLimiter::new(Limits::new(&limits).unwrap()).analytics(true);
    let check = |id: &str| limiter.check([("user", id), ("all", "x")]);
    for round in 0..20 {
        for n in 0..30 {
            let id = format!("{round}-{n}");
            redis.run(vec![check(&id), check(&id)]).await.unwrap();
        }
        fake.advance(10_000);
    }
    let stats = redis.run(limiter.stats(0)).await.unwrap();
    assert_eq!((stats.allowed, stats.refused), (20 * 30, 20 * 30));
    assert_eq!(stats.most_refused.len(), 100);
    assert!(stats.most_refused[0].0.starts_with("user:"), "{stats:?}");
    let hour = 1_700_000_000_000 / HOUR_MS;
    for what in ["stats", "refused"] {
        let left: u64 = server
            .raw(&format!("PTTL {{ratelimit}}:{what}:{hour}"))
            .trim()
            .parse()
            .unwrap();
        assert!(left <= 48 * HOUR_MS);
    }
    // Off by default.
    server.raw("FLUSHALL");
    let silent = RateLimiter::new(sliding(1, HOUR_MS));
    for _ in 0..3 {
        ask(&redis, silent.check("a")).await;
        fake.advance(10_000);
    }
    assert_eq!(server.raw("DBSIZE").trim(), "1");
}
