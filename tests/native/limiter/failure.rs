//! Without Redis.

use upstash_edge::host::{Fake, Fault, Response};
use upstash_edge::{OnFailure, RateLimiter, Redis, Source};

use super::{ask, sliding};
use crate::server::Server;

#[tokio::test]
async fn each_outage_is_met_by_the_policy_and_the_source_tells() {
    let answer = |status, body: &str| {
        Fault::Answer(Response {
            status,
            content_type: "application/json".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Response::default()
        })
    };
    for fault in [
        Fault::Lost,
        Fault::Silence,
        answer(503, ""),
        answer(200, r#"{"error":"ERR max requests limit exceeded"}"#),
    ] {
        for (policy, source, expected) in [
            (OnFailure::Allow, Source::Failure, [true; 3]),
            (OnFailure::Deny, Source::Failure, [false; 3]),
            (OnFailure::Local, Source::Local, [true, true, false]),
        ] {
            let fake = Fake::new();
            let redis = Redis::builder("http://redis.invalid", "token").retry(None);
            let redis = redis.build_with(fake.clone()).unwrap();
            let limiter = RateLimiter::new(sliding(2, 60_000)).on_failure(policy);
            for allowed in expected {
                fake.push(fault.clone());
                let decision = ask(&redis, limiter.check("a")).await;
                assert_eq!((decision.allowed, decision.source), (allowed, source));
                assert_eq!(decision.retry_after_ms > 0, !allowed);
            }
            assert_eq!(fake.sent().len(), 3);
        }
    }
}

#[tokio::test]
async fn what_is_counted_here_is_given_back_and_reset_here() {
    let redis = Redis::builder("http://redis.invalid", "token").retry(None);
    let redis = redis.build_with(Fake::new()).unwrap();
    let limiter = RateLimiter::new(sliding(2, 60_000)).on_failure(OnFailure::Local);
    let check = || ask(&redis, limiter.check("a"));
    check().await;
    check().await;
    assert!(!check().await.allowed);
    assert!(
        redis
            .run(limiter.refund("a", 1))
            .await
            .unwrap_err()
            .is_outage()
    );
    assert!(check().await.allowed && !check().await.allowed);
    assert!(redis.run(limiter.reset("a")).await.unwrap_err().is_outage());
    assert_eq!(check().await.remaining, 1);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_waited_for() {
    let server = Server::alone().await;
    let redis = server.client();
    let limiter = RateLimiter::new(sliding(1, 60_000)).on_failure(OnFailure::Deny);
    let limiter = limiter.timeout_ms(100).unwrap();
    server.raw("CLIENT PAUSE 6000 ALL");
    let started = std::time::Instant::now();
    let decision = ask(&redis, limiter.check("a")).await;
    assert_eq!(decision.source, Source::Failure);
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
}
