//! Random calls against a list that is as simple as the promise.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use upstash_edge::host::Fault;
use upstash_edge::{Job, Lease, NewJob, Queue, QueueCounts, Verdict};

use super::Timed;

const RUNS: usize = 60;
const STEPS: usize = 40;
const LEASE: u64 = 1_000;
const ATTEMPTS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Each with how long it waits.
    Enqueue(Vec<u64>),
    Take(usize),
    /// Of the leases that anybody ever had, which; and what is said of them.
    Settle(Vec<(usize, Verdict)>),
    Requeue(bool),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let wait = prop_oneof![
        Just(0u64),
        Just(1),
        Just(LEASE),
        Just(LEASE - 1),
        0..3 * LEASE
    ];
    let verdict = prop_oneof![
        3 => Just(Verdict::Done),
        2 => wait.clone().prop_map(Verdict::Later),
        1 => Just(Verdict::Dead("x".into())),
        1 => wait.clone().prop_map(Verdict::Extend),
    ];
    let step = prop_oneof![
        3 => proptest::collection::vec(wait.clone(), 0..5).prop_map(Step::Enqueue),
        5 => (1usize..6).prop_map(Step::Take),
        5 => proptest::collection::vec((0usize..64, verdict), 0..4).prop_map(Step::Settle),
        1 => any::<bool>().prop_map(Step::Requeue),
        4 => wait.prop_map(Step::Wait),
    ];
    proptest::collection::vec((step, prop::bool::weighted(0.1)), STEPS)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waits(u64),
    Leased(u64),
    Dead(u64),
}

#[derive(Debug)]
struct Known {
    id: String,
    payload: usize,
    state: State,
    attempts: u32,
    /// Which of all leases is its last, if that was not given back.
    lease: Option<usize>,
}

#[derive(Default)]
struct Model {
    jobs: Vec<Known>,
    added: usize,
    leases: Vec<(String, Lease)>,
}

impl Model {
    /// What a take of `n` finds, in its order: their places.
    fn ready(&self, now: u64, n: usize) -> Vec<usize> {
        let due = |job: &Known| match job.state {
            State::Leased(until) if until <= now => Some((0, until, job.id.clone())),
            State::Waits(until) if until <= now => Some((1, until, job.id.clone())),
            _ => None,
        };
        let places = self.jobs.iter().enumerate();
        let mut ready: Vec<_> = places
            .filter_map(|(at, job)| Some((due(job)?, at)))
            .collect();
        ready.sort();
        ready.into_iter().take(n).map(|(_, at)| at).collect()
    }

    /// Sent again, a take gives what it gave in any order.
    fn take(&mut self, now: u64, n: usize, taken: &[Job], is_lost: bool) {
        let mut expected = Vec::new();
        for at in self.ready(now, n) {
            let job = &mut self.jobs[at];
            if job.attempts == ATTEMPTS {
                job.state = State::Dead(now);
                job.lease = None;
                continue;
            }
            job.attempts += 1;
            job.state = State::Leased(now + LEASE);
            expected.push((job.id.clone(), job.payload, job.attempts));
            let own = taken.iter().find(|one| one.id() == job.id);
            let lease = &own.expect("it is taken").lease;
            job.lease = Some(self.leases.len());
            self.leases.push((job.id.clone(), lease.clone()));
        }
        let found = taken
            .iter()
            .map(|job| (job.id().to_owned(), job.payload().unwrap(), job.attempts));
        let mut found: Vec<_> = found.collect();
        if is_lost {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected);
        assert!(taken.iter().all(|job| job.leased_until == now + LEASE));
    }

    fn settle(&mut self, now: u64, lease: usize, verdict: &Verdict) -> bool {
        let Some(at) = self.jobs.iter().position(|job| job.lease == Some(lease)) else {
            return false;
        };
        let job = &mut self.jobs[at];
        match verdict {
            Verdict::Extend(ms) => job.state = State::Leased(now + ms),
            Verdict::Done => drop(self.jobs.remove(at)),
            Verdict::Later(ms) if job.attempts < ATTEMPTS => {
                job.state = State::Waits(now + ms);
                job.lease = None;
            }
            _ => {
                job.state = State::Dead(now);
                job.lease = None;
            }
        }
        true
    }

    fn counts(&self, now: u64) -> QueueCounts {
        let mut counts = QueueCounts::default();
        for job in &self.jobs {
            match job.state {
                State::Waits(until) | State::Leased(until) if until <= now => {
                    counts.ready += 1;
                    counts.oldest_ready_ms = counts.oldest_ready_ms.max(now - until);
                }
                State::Waits(_) => counts.delayed += 1,
                State::Leased(_) => counts.leased += 1,
                State::Dead(_) => counts.dead += 1,
            }
        }
        counts
    }
}

async fn play(on: &Timed, queue: &Queue, steps: &[(Step, bool)]) {
    let mut model = Model::default();
    for (at, (step, is_lost)) in steps.iter().enumerate() {
        if *is_lost && !matches!(step, Step::Wait(_) | Step::Requeue(_)) {
            on.fake.push(Fault::LostAnswer);
        }
        let now = on.now();
        match step {
            Step::Wait(ms) => on.fake.advance(*ms),
            Step::Enqueue(waits) => {
                let numbered = (model.added..).zip(waits);
                let jobs = numbered.map(|(n, ms)| NewJob::new(&n).unwrap().delay_ms(*ms).unwrap());
                let added = on.redis.run(queue.enqueue(jobs).unwrap()).await.unwrap();
                for (one, wait) in added.into_iter().zip(waits) {
                    model.jobs.push(Known {
                        id: one.id,
                        payload: model.added,
                        state: State::Waits(now + wait),
                        attempts: 0,
                        lease: None,
                    });
                    model.added += 1;
                }
            }
            Step::Take(n) => model.take(now, *n, &on.take(queue, *n).await, *is_lost),
            Step::Settle(verdicts) => {
                let mut said: Vec<(usize, &Verdict)> = Vec::new();
                for (which, verdict) in verdicts {
                    let Some(lease) = which.checked_rem(model.leases.len()) else {
                        continue;
                    };
                    // Each job once: the last leases first, or it would mostly be old ones.
                    let lease = model.leases.len() - 1 - lease;
                    if said
                        .iter()
                        .all(|(other, _)| model.leases[*other].0 != model.leases[lease].0)
                    {
                        said.push((lease, verdict));
                    }
                }
                let asked = said
                    .iter()
                    .map(|(lease, verdict)| (model.leases[*lease].1.clone(), (*verdict).clone()));
                let told = on.redis.run(queue.settle(asked).unwrap()).await.unwrap();
                let expected: Vec<_> = said
                    .iter()
                    .map(|(lease, verdict)| model.settle(now, *lease, verdict))
                    .collect();
                assert_eq!(told, expected, "step {at} of {steps:?}");
            }
            Step::Requeue(purges) => {
                let op = if *purges {
                    queue.purge_all()
                } else {
                    queue.requeue_all()
                };
                let count = on.redis.run(op).await.unwrap();
                assert_eq!(count, model.counts(now).dead);
                for job in &mut model.jobs {
                    if let State::Dead(_) = job.state {
                        (job.state, job.attempts) = (State::Waits(now), 0);
                        job.lease = purges.then_some(usize::MAX);
                    }
                }
                model.jobs.retain(|job| job.lease != Some(usize::MAX));
            }
        }
        // One that was lost on the way to an op that sends nothing.
        if on.now() == now {
            let counts = on.redis.run(queue.counts()).await.unwrap();
            assert_eq!(counts, model.counts(now), "step {at} of {steps:?}");
        }
    }
}

#[tokio::test]
async fn a_queue_is_what_the_model_is() {
    let on = Timed::start().await;
    let mut runner = TestRunner::deterministic();
    for run in 0..RUNS {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let queue = Queue::new(&format!("model-{run}")).unwrap();
        let queue = queue.lease_ms(LEASE).unwrap().attempts(ATTEMPTS).unwrap();
        play(&on, &queue, &steps).await;
    }
}
