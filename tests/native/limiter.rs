//! The sliding window in real Redis beside a log that remembers everything.

use std::cell::Cell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use upstash_edge::host::{Fake, Host};
use upstash_edge::{Decision, Limit, RateLimiter, Redis};

use crate::server::Server;

/// Long beside the run, for the clock of the trace is not the one Redis forgets by.
const WINDOW_MS: u64 = 600_000;

/// A step of the clock, in milliseconds, and what is asked then.
type Step = (i64, u32);

fn trace(most_cost: u32) -> impl Strategy<Value = Vec<Step>> {
    let window = WINDOW_MS as i64;
    let step = prop_oneof![
        4 => Just(0),
        4 => 1..window / 50,
        2 => 1..window / 4,
        1 => Just(window),
        1 => -window / 10..0,
    ];
    proptest::collection::vec((step, 0..=most_cost), 1..80)
}

/// Every admitted check, never forgotten.
#[derive(Default)]
struct Log(Vec<(u64, u32)>);

impl Log {
    fn newest(&self) -> u64 {
        self.0.last().map_or(0, |(at, _)| *at)
    }

    /// What was admitted within the `window` that ends at `at`.
    fn used(&self, at: u64, window: u64) -> u32 {
        let live = self.0.iter().filter(|(stamp, _)| stamp + window > at);
        live.map(|(_, cost)| cost).sum()
    }

    /// The first moment at which `cost` fits.
    fn fits_at(&self, at: u64, limit: u32, cost: u32) -> u64 {
        let ends = self
            .0
            .iter()
            .map(|(stamp, _)| stamp + WINDOW_MS)
            .filter(|end| *end > at);
        ends.chain([at])
            .filter(|moment| self.used(*moment, WINDOW_MS) + cost <= limit)
            .min()
            .unwrap_or(at)
    }
}

async fn ask(redis: &Redis, id: &str, limit: u32, cost: u32) -> Decision {
    let limit = Limit::sliding_window(limit, Duration::from_millis(WINDOW_MS)).unwrap();
    redis
        .run(RateLimiter::new(limit).check(id).cost(cost))
        .await
        .unwrap()
}

/// Runs many traces, each with a clock and an identifier of its own.
fn traces(
    cases: u32,
    limits: impl Strategy<Value = u32>,
    one: impl AsyncFn(&Redis, &Fake, &str, u32, &[Step]),
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let (redis, fake) = server.faked();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let case = Cell::new(0);
    let all = limits.prop_flat_map(|limit| (Just(limit), trace(limit.min(40))));
    TestRunner::new(config)
        .run(&all, |(limit, steps)| {
            case.set(case.get() + 1);
            let id = format!("trace-{}", case.get());
            fake.set_now(1_700_000_000_000);
            runtime.block_on(one(&redis, &fake, &id, limit, &steps));
            Ok(())
        })
        .unwrap();
}

fn step(fake: &Fake, by: i64) -> u64 {
    fake.set_now(fake.now().saturating_add_signed(by));
    fake.now()
}

#[test]
fn up_to_128_it_decides_as_a_log_of_everything_would() {
    traces(60, 1u32..=128, async |redis, fake, id, limit, steps| {
        let mut log = Log::default();
        for (by, cost) in steps {
            let now = step(fake, *by);
            let at = now.max(log.newest());
            let used = log.used(at, WINDOW_MS);
            let decision = ask(redis, id, limit, *cost).await;
            assert_eq!(
                decision.allowed,
                used + cost <= limit,
                "{log:?} {at} {cost}",
                log = log.0
            );
            if decision.allowed {
                assert_eq!(decision.remaining, limit - used - cost);
                assert_eq!(decision.retry_after_ms, 0);
                log.0.extend((*cost > 0).then_some((at, *cost)));
            } else {
                assert_eq!(decision.remaining, limit - used);
                let wait = log.fits_at(at, limit, *cost) - now;
                assert_eq!(decision.retry_after_ms, wait.min(WINDOW_MS + 5_000));
            }
            let newest = log.used(at, WINDOW_MS).min(1) as u64 * (log.newest() + WINDOW_MS);
            assert_eq!(
                decision.reset_at,
                newest.max(now).min(now + WINDOW_MS + 5_000)
            );
        }
    });
}

#[test]
fn above_128_it_admits_never_too_many_and_waits_at_most_a_128th_longer() {
    traces(40, 129u32..=400, async |redis, fake, id, limit, steps| {
        let mut log = Log::default();
        for (by, cost) in steps {
            // Dearer checks, so that the limit is reached.
            let cost = (cost * 7).min(limit);
            let at = step(fake, *by).max(log.newest());
            let decision = ask(redis, id, limit, cost).await;
            if decision.allowed {
                // Looking leaves no trace.
                log.0.extend((cost > 0).then_some((at, cost)));
                assert!(log.used(at, WINDOW_MS) <= limit);
            } else {
                let longer = WINDOW_MS + WINDOW_MS.div_ceil(128);
                assert!(log.used(at, longer) + cost > limit);
            }
        }
    });
}

#[tokio::test]
async fn it_passes_at_the_moment_it_named_and_not_a_millisecond_before() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    for cost in [3, 2, 5] {
        assert!(ask(&redis, "a", 10, cost).await.allowed);
        fake.advance(1_000);
    }
    let refused = ask(&redis, "a", 10, 4).await;
    assert_eq!(refused.retry_after_ms, WINDOW_MS - 2_000);
    fake.advance(refused.retry_after_ms - 1);
    assert_eq!(ask(&redis, "a", 10, 4).await.retry_after_ms, 1);
    fake.advance(1);
    assert!(ask(&redis, "a", 10, 4).await.allowed);
}

#[tokio::test]
async fn another_limit_reads_an_old_log_and_stays_exact() {
    let server = Server::start().await;
    let (redis, _) = server.faked();
    for _ in 0..50 {
        assert!(ask(&redis, "a", 1_000, 1).await.allowed);
    }
    let lowered = ask(&redis, "a", 20, 1).await;
    assert!(!lowered.allowed && lowered.remaining == 0);
    assert_eq!(ask(&redis, "a", 60, 0).await.remaining, 10);
}

#[tokio::test]
async fn identifiers_cannot_reach_into_each_other() {
    let server = Server::start().await;
    let redis = server.client();
    let one = Limit::sliding_window(1, Duration::from_secs(60)).unwrap();
    let limiters = [
        RateLimiter::new(one.clone()).name("a:b"),
        RateLimiter::new(one.clone()).name("a"),
        RateLimiter::new(one).name("a}{b"),
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
            assert!(redis.run(limiter.check(id)).await.unwrap().allowed, "{id}");
        }
    }
}
