//! Random traffic through the script in real Redis and through the local fallback, beside a log of everything.

use upstash_edge::host::{Fake, Host};
use upstash_edge::{Decision, OnFailure, RateLimiter, Redis, Source};

use super::model::{Kind, Log};
use super::{patient, sliding};
use crate::server::Server;

const START: u64 = 1_700_000_000_000;

/// Long beside the run, for the clock of a trace is not the one by which Redis forgets. Stamps of each width.
const WINDOWS: [u64; 4] = [65_536, 600_000, 86_400_000, 5_184_000_000];

struct Random(u64);

impl Random {
    fn new() -> Self {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).unwrap();
        let seed = u64::from_le_bytes(seed) | 1;
        println!("seed {seed}");
        Self(seed)
    }

    /// 0 to `below` - 1 (xorshift*).
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % below
    }

    fn step(&mut self, window: u64) -> i64 {
        let window = window as i64;
        let mut to = |most: i64| self.next(most as u64) as i64;
        match to(14) {
            0..5 => 0,
            5..9 => 1 + to(window / 50),
            9..11 => to(window / 4),
            11 => window,
            12 => window - 1,
            _ => -to(window / 10),
        }
    }
}

/// One identifier's traffic.
struct Trace {
    id: String,
    log: Log,
    limits: [u32; 2],
    cost: u64,
}

/// A client that reaches nobody, so that every check is counted locally.
fn nobody() -> (Redis, Fake) {
    let fake = Fake::new();
    let redis = Redis::builder("http://redis.invalid", "token")
        .retry(None)
        .build_with(fake.clone());
    (redis.unwrap(), fake)
}

/// Runs `paths` clocks, on each of them `ids` traces of `steps` checks, in Redis and locally, and compares the two.
fn run(
    paths: u64,
    ids: u64,
    steps: u64,
    trace: impl Fn(&mut Random, u64) -> ([u32; 2], Kind),
    seen: impl Fn(&Trace, &Decision, u64, u32, u32),
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let ((redis, fake), (alone, other)) = (server.faked(), nobody());
    let mut random = Random::new();
    let base = patient(sliding(1, 1)).memory(0);
    let base = base.on_failure(OnFailure::Local);
    for path in 0..paths {
        let window = WINDOWS[(path % 4) as usize];
        let mut traces: Vec<_> = (0..ids)
            .map(|id| {
                let (limits, kind) = trace(&mut random, window);
                Trace {
                    id: format!("{path}-{id}"),
                    log: Log::new(kind, window),
                    limits,
                    cost: u64::from(limits[0].min(limits[1])).min(1 + random.next(40)),
                }
            })
            .collect();
        fake.set_now(START);
        for _ in 0..steps {
            fake.set_now(fake.now().saturating_add_signed(random.step(window)));
            let now = fake.now();
            let asked: Vec<_> = traces
                .iter()
                .map(|trace| {
                    let limit = trace.limits[random.next(2) as usize];
                    // Dear where the limit is high, so that it is reached.
                    let scale = (u64::from(limit) / 200).max(1);
                    let cost = (random.next(trace.cost + 1) * scale).min(limit.into());
                    (limit, cost as u32)
                })
                .collect();
            let checks = || {
                let both = traces.iter().zip(&asked);
                both.map(|(trace, (limit, cost))| {
                    let check = base.check(&trace.id).cost(*cost);
                    check.limits(trace.log.limit(*limit))
                })
                .collect::<Vec<_>>()
            };
            let decisions = runtime.block_on(redis.run(checks())).unwrap();
            other.set_now(now);
            let locally = runtime.block_on(alone.run(checks())).unwrap();
            for ((mut local, decision), (trace, (limit, cost))) in locally
                .into_iter()
                .zip(decisions)
                .zip(traces.iter_mut().zip(asked))
            {
                assert_eq!(
                    (local.source, decision.source),
                    (Source::Local, Source::Redis)
                );
                assert_eq!(local.allowed, decision.allowed);
                // Redis forgets what a clock dated ahead, and says so; what is here stays.
                let longest = decision.policies[0].window_ms;
                if local.retry_after_ms <= longest && local.reset_at <= now + longest {
                    local.source = Source::Redis;
                    assert_eq!(local, decision, "{limit} {cost} {:?}", trace.log.admitted);
                }
                seen(trace, &decision, now, limit, cost);
                if decision.allowed {
                    trace.log.admit(now, cost);
                }
            }
        }
    }
}

fn assert_exact(trace: &Trace, decision: &Decision, now: u64, limit: u32, cost: u32) {
    let keep = decision.policies[0].window_ms + 5_000;
    trace.log.assert_exact(decision, now, limit, cost, keep);
}

#[test]
fn a_sliding_window_up_to_128_decides_as_a_log_of_everything_would() {
    let trace = |random: &mut Random, _| ([1 + random.next(128) as u32; 2], Kind::Sliding);
    run(8, 60, 32, trace, assert_exact);
}

#[test]
fn a_limit_that_changes_reads_what_was_counted_under_the_other() {
    let trace = |random: &mut Random, _| {
        let mut limit = || 1 + random.next(128) as u32;
        ([limit(), limit()], Kind::Sliding)
    };
    run(8, 60, 32, trace, assert_exact);
}

#[test]
fn a_fixed_window_decides_as_a_log_of_everything_would() {
    let trace = |random: &mut Random, _| {
        let mut limit = || 1 + random.next(10_000) as u32;
        ([limit(), limit()], Kind::Fixed)
    };
    run(8, 60, 32, trace, assert_exact);
}

#[test]
fn a_token_bucket_decides_as_a_log_of_everything_would() {
    let trace = |random: &mut Random, window: u64| {
        let limit = 1 + random.next(10_000) as u32;
        // The bucket fills within a year.
        let least = u64::from(limit) * window / (366 * 86_400_000) + 1;
        let refill = (least + random.next(u64::from(limit) * 2)) as u32;
        ([limit; 2], Kind::Bucket { refill })
    };
    run(8, 60, 32, trace, assert_exact);
}

#[test]
fn above_128_never_one_too_many_and_nobody_waits_more_than_a_128th_too_long() {
    let trace = |random: &mut Random, _| {
        let most = [500, 10_000, 3_000_000][random.next(3) as usize];
        ([129 + random.next(most) as u32; 2], Kind::Sliding)
    };
    run(8, 60, 32, trace, |trace, decision, now, limit, cost| {
        let (log, at) = (&trace.log, trace.log.at(now));
        let longer = log.window + log.window.div_ceil(128);
        if decision.allowed {
            assert!(log.used(at, log.window) + cost <= limit);
        } else {
            assert!(log.used(at, longer) + cost > limit);
        }
        assert!(u64::from(decision.remaining) <= log.left(at, limit));
    });
}

#[test]
fn a_limit_that_grows_and_shrinks_never_lets_one_too_many_pass() {
    let trace = |random: &mut Random, _| {
        let mut limit = || {
            let most = [200, 2_000, 200_000, 20_000_000][random.next(4) as usize];
            1 + random.next(most) as u32
        };
        ([limit(), limit()], Kind::Sliding)
    };
    run(8, 60, 32, trace, |trace, decision, now, limit, cost| {
        let (log, at) = (&trace.log, trace.log.at(now));
        if decision.allowed {
            assert!(cost == 0 || log.used(at, log.window) + cost <= limit);
        } else {
            let longer = log.window + log.window.div_ceil(128);
            assert!(log.used(at, longer) + cost > limit);
        }
    });
}

#[test]
fn clocks_that_differ_shorten_the_window_by_no_more() {
    let (redis, fake) = nobody();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut random = Random::new();
    for case in 0..200 {
        let (window, differ) = (60_000, 1 + random.next(30_000));
        let limit = 1 + random.next(300) as u32;
        let limiter = RateLimiter::new(sliding(limit, window)).on_failure(OnFailure::Local);
        let mut log = Log::new(Kind::Sliding, window);
        let mut time = START;
        for _ in 0..150 {
            time += random.next(window / 30);
            let cost = (1 + random.next(20) as u32).min(limit);
            // Each caller's clock is ahead of the true time by less than `differ`.
            fake.set_now(time + random.next(differ));
            let decision = runtime
                .block_on(redis.run(limiter.check("a").cost(cost)))
                .unwrap();
            if decision.allowed {
                assert!(log.used(time, window - differ) + cost <= limit, "{case}");
                log.admit(time, cost);
            }
        }
    }
}
