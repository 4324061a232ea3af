//! What a check is billed: the commands that Redis counts, those inside the script too; and what it leaves behind.

use upstash_edge::{Clock, Limit, Limits};

use super::{ask, bucket, fixed, patient, sliding};
use crate::server::Server;

#[tokio::test]
async fn a_check_is_one_get_and_a_set_only_when_it_is_allowed() {
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let several = || Limits::new(&[sliding(1_000, 60_000), fixed(5_000, 60_000)]).unwrap();
    type Case = (Limits, Clock, &'static [(&'static str, u32)]);
    let cases: [Case; 5] = [
        (sliding(1_000, 60_000).into(), Clock::Client, &[]),
        (fixed(1_000, 60_000).into(), Clock::Client, &[]),
        (bucket(1_000, 1, 60_000).into(), Clock::Client, &[]),
        (several(), Clock::Client, &[]),
        (
            sliding(1_000, 60_000).into(),
            Clock::Server,
            &[("time", 1_000)],
        ),
    ];
    for (case, (limits, clock, more)) in cases.into_iter().enumerate() {
        let limiter = patient(limits).name(&case.to_string());
        let limiter = limiter.clock(clock).memory(0);
        // The script is known from here on.
        ask(&redis, limiter.peek("warm")).await;
        let counted = |set: Option<u32>| {
            let set = set.map(|set| ("set", set));
            let base = [("evalsha", 1_000), ("get", 1_000)];
            let all = base.into_iter().chain(set).chain(more.iter().copied());
            all.map(|(name, calls)| (name.to_owned(), calls))
                .collect::<Vec<_>>()
        };
        for (allowed, expected) in [(true, counted(Some(1_000))), (false, counted(None))] {
            server.raw("CONFIG RESETSTAT");
            let decisions = redis
                .run(limiter.check_all(vec!["a"; 1_000]))
                .await
                .unwrap();
            assert!(decisions.iter().all(|decision| decision.allowed == allowed));
            assert_eq!(server.calls(), expected);
        }
        server.raw("CONFIG RESETSTAT");
        redis.run(limiter.reset("a")).await.unwrap();
        assert_eq!(server.calls(), [("del".to_owned(), 1)]);
    }
    // Refused and remembered: nothing at all.
    let limiter = patient(sliding(1, 60_000)).name("remembered");
    redis.run(limiter.check_all(["a", "a"])).await.unwrap();
    server.raw("CONFIG RESETSTAT");
    for _ in 0..1_000 {
        fake.advance(1);
        assert!(!ask(&redis, limiter.check("a")).await.allowed);
    }
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn an_identifier_for_each_limit_is_one_mget_and_a_set_for_each() {
    let server = Server::alone().await;
    let redis = server.client();
    let named = |limit: Limit, name| limit.named(name).unwrap();
    let limits = [
        named(sliding(1, 60_000), "user"),
        named(fixed(9, 60_000), "address"),
    ];
    let limiter = patient(Limits::new(&limits).unwrap());
    let check = || ask(&redis, limiter.check([("user", "u"), ("address", "a")]));
    ask(&redis, limiter.peek("warm")).await;
    for sets in [2, 0] {
        server.raw("CONFIG RESETSTAT");
        check().await;
        let counted = server.calls();
        let of = |name| {
            counted
                .iter()
                .find(|(of, _)| of == name)
                .map_or(0, |(_, n)| *n)
        };
        assert_eq!(
            (of("evalsha"), of("mget"), of("get"), of("set")),
            (1, 1, 0, sets)
        );
    }
}

#[tokio::test]
async fn a_key_stays_small_whatever_the_traffic_and_is_gone_after_its_window() {
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    for (limit, most) in [
        (10, 39),
        (100, 309),
        (1_000, 526),
        (100_000, 656),
        (2_000_000_000, 787),
    ] {
        let limiter = patient(sliding(limit, 60_000)).memory(0);
        let id = limit.to_string();
        for _ in 0..8 {
            let checks = (0..60).map(|_| {
                fake.advance(113);
                limiter.check(&id).cost((limit / 520).max(1))
            });
            // Each at its own moment.
            for check in checks {
                ask(&redis, check).await;
            }
        }
        let key = format!("{{ratelimit:{id}}}:sw:default:60000");
        let bytes: usize = server.raw(&format!("STRLEN {key}")).trim().parse().unwrap();
        assert!((1..=most).contains(&bytes), "{limit}: {bytes}");
        let left: u64 = server.raw(&format!("PTTL {key}")).trim().parse().unwrap();
        assert!((1..=65_000).contains(&left), "{left}");
    }
    assert_eq!(server.raw("DBSIZE").trim(), "5");
}
