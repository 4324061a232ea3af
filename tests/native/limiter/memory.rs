//! Refusals remembered: no request for what Redis would refuse again, and no refusal that it would not say.

use std::cell::Cell;
use std::rc::Rc;

use upstash_edge::host::Fake;
use upstash_edge::{Clock, Limits, RateLimiter, Redis, Source};

use super::{ask, bucket, fixed, patient, sliding};
use crate::server::Server;

/// A client that counts its requests.
fn counting(server: &Server) -> (Redis, Fake, Rc<Cell<u32>>) {
    let (redis, fake) = server.faked();
    let requests = Rc::new(Cell::new(0));
    let counted = Rc::clone(&requests);
    let redis = redis.observed(move |_| counted.set(counted.get() + 1));
    (redis, fake, requests)
}

#[tokio::test]
async fn a_refused_identifier_is_refused_without_a_request_until_the_moment_that_was_named() {
    let server = Server::start().await;
    let (redis, fake, requests) = counting(&server);
    for limit in [sliding(2, 3_000), fixed(2, 3_000), bucket(2, 1, 1_500)] {
        let limiter = patient(limit);
        fake.set_now(1_700_000_001_000 / 3_000 * 3_000);
        let now = fake_now(&fake);
        assert!(ask(&redis, limiter.check("a").cost(2)).await.allowed);
        let refused = ask(&redis, limiter.check("a").cost(2)).await;
        assert_eq!(
            (refused.source, refused.retry_after_ms),
            (Source::Redis, 3_000)
        );
        let sent = requests.get();
        for _ in 0..10 {
            fake.advance(299);
            let again = ask(&redis, limiter.check("a").cost(2)).await;
            assert_eq!((again.allowed, again.source), (false, Source::Memory));
            assert_eq!(again.retry_after_ms, now + 3_000 - fake_now(&fake));
            assert_eq!(again.reset_at, refused.reset_at);
        }
        assert_eq!(requests.get(), sent);
        // What others do, and what costs less, is asked.
        assert!(ask(&redis, limiter.check("b")).await.allowed);
        let cheaper = ask(&redis, limiter.check("a")).await;
        assert_eq!(cheaper.source, Source::Redis);
        assert!(ask(&redis, limiter.peek("a")).await.source == Source::Redis);
        fake.set_now(now + 3_000);
        assert!(ask(&redis, limiter.check("a")).await.allowed);
    }
}

fn fake_now(fake: &Fake) -> u64 {
    upstash_edge::host::Host::now(fake)
}

#[tokio::test]
async fn a_client_that_polls_is_admitted_as_often_as_without_a_memory() {
    let server = Server::start().await;
    let (redis, fake, _) = counting(&server);
    let admitted = async |limiter: RateLimiter| {
        fake.set_now(1_700_000_000_000);
        let mut admitted = 0;
        for _ in 0..1_000 {
            admitted += u32::from(ask(&redis, limiter.check("a")).await.allowed);
            fake.advance(100);
        }
        admitted
    };
    let limiter = patient(sliding(10, 10_000));
    assert_eq!(admitted(limiter.clone().name("with")).await, 100);
    assert_eq!(admitted(limiter.name("without").memory(0)).await, 100);
}

#[tokio::test]
async fn it_believes_for_five_seconds_and_never_against_the_clock() {
    let server = Server::start().await;
    let (redis, fake, requests) = counting(&server);
    let limiter = patient(sliding(1, 60_000));
    // A clock that steps back is no proof.
    for (asked_at, believed) in [(4_999, true), (5_000, false), (-1, false)] {
        let id = format!("{asked_at}");
        fake.set_now(1_700_000_000_000);
        ask(&redis, limiter.check(&id)).await;
        ask(&redis, limiter.check(&id)).await;
        // Elsewhere somebody gives it back.
        let elsewhere = limiter.clone().memory(1);
        redis.run(elsewhere.reset(&id)).await.unwrap();
        let sent = requests.get();
        fake.set_now(1_700_000_000_000u64.saturating_add_signed(asked_at));
        let decision = ask(&redis, limiter.check(&id)).await;
        assert_eq!(decision.allowed, !believed);
        assert_eq!(requests.get(), sent + u32::from(!believed));
    }
}

#[tokio::test]
async fn a_refund_a_reset_and_a_larger_limit_clear_it() {
    let server = Server::start().await;
    let (redis, _, _) = counting(&server);
    let limiter = patient(sliding(1, 60_000));
    let check = || ask(&redis, limiter.check("a"));
    assert!(check().await.allowed && !check().await.allowed);
    redis.run(limiter.refund("a", 1)).await.unwrap();
    assert!(check().await.allowed && !check().await.allowed);
    redis.run(limiter.reset("a")).await.unwrap();
    assert!(check().await.allowed && !check().await.allowed);
    let larger = || limiter.check("a").limits(sliding(2, 60_000));
    assert!(ask(&redis, larger()).await.allowed);
    assert_eq!(ask(&redis, larger()).await.source, Source::Redis);
    // Asked for before and after a refund in one request, by the order of the commands.
    assert_eq!(check().await.source, Source::Redis);
    assert_eq!(check().await.source, Source::Memory);
    let other = patient(sliding(1, 60_000)).name("other");
    ask(&redis, other.check("a")).await;
    let (refused, (), allowed) = redis
        .run((other.check("a"), other.refund("a", 1), other.check("a")))
        .await
        .unwrap();
    assert_eq!((refused.allowed, allowed.allowed), (false, true));
    // The refusal that was on its way is not remembered.
    assert_eq!(ask(&redis, other.check("a")).await.source, Source::Redis);
}

#[tokio::test]
async fn several_limits_and_the_servers_clock_are_always_asked() {
    let server = Server::start().await;
    let (redis, _, _) = counting(&server);
    let limits = Limits::new(&[sliding(1, 60_000), fixed(1, 60_000)]).unwrap();
    for limiter in [
        patient(limits),
        patient(sliding(1, 60_000)).clock(Clock::Server),
    ] {
        for allowed in [true, false, false] {
            let decision = ask(&redis, limiter.check("a")).await;
            assert_eq!(
                (decision.allowed, decision.source),
                (allowed, Source::Redis)
            );
        }
    }
}
