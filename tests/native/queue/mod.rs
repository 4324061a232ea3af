//! Queues: what is promised of a job, whatever happens to who takes it.

mod costs;
mod drain;
mod model;
mod repeating;

use std::collections::HashSet;

use upstash_edge::host::{Fake, Fault, Host};
use upstash_edge::{EdgeError, Job, Lease, NewJob, Queue, QueueCounts, Redis, Verdict};

use crate::server::Server;

/// A queue on a server that refuses TIME, so that the time is the caller's, which the test sets.
struct Timed {
    server: Server,
    redis: Redis,
    fake: Fake,
}

impl Timed {
    async fn start() -> Self {
        let server = Server::alone().await;
        assert_eq!(server.raw("ACL SETUSER default -time").trim(), "OK");
        let (redis, fake) = server.faked();
        Self {
            server,
            redis,
            fake,
        }
    }

    fn now(&self) -> u64 {
        self.fake.now()
    }

    async fn enqueue(&self, queue: &Queue, payloads: impl IntoIterator<Item = u32>) -> Vec<String> {
        let jobs = payloads.into_iter().map(|n| NewJob::new(&n).unwrap());
        let added = self.redis.run(queue.enqueue(jobs).unwrap()).await.unwrap();
        assert!(added.iter().all(|one| one.added));
        added.into_iter().map(|one| one.id).collect()
    }

    async fn take(&self, queue: &Queue, n: usize) -> Vec<Job> {
        self.redis.run(queue.take(n).unwrap()).await.unwrap()
    }

    async fn settle(&self, queue: &Queue, lease: &Lease, verdict: Verdict) -> bool {
        let op = queue.settle([(lease.clone(), verdict)]).unwrap();
        let told = self.redis.run(op).await.unwrap();
        assert_eq!(told.len(), 1);
        told[0]
    }

    async fn counts(&self, queue: &Queue) -> QueueCounts {
        self.redis.run(queue.counts()).await.unwrap()
    }
}

fn queue() -> Queue {
    Queue::new("mail: {1}").unwrap().lease_ms(1_000).unwrap()
}

fn payloads(jobs: &[Job]) -> Vec<u32> {
    jobs.iter().map(|job| job.payload().unwrap()).collect()
}

fn refused<T>(result: Result<T, EdgeError>, code: &str) {
    assert_eq!(result.err().unwrap().code(), code);
}

#[tokio::test]
async fn jobs_are_taken_in_their_order_once_and_are_gone_when_done() {
    let on = Timed::start().await;
    let queue = queue();
    on.enqueue(&queue, [1, 2, 3]).await;
    on.fake.advance(1);
    on.enqueue(&queue, [4]).await;
    let first = on.take(&queue, 3).await;
    assert_eq!(payloads(&first), [1, 2, 3]);
    assert!(first.iter().all(|job| job.attempts == 1));
    let rest = on.take(&queue, 3).await;
    assert_eq!(payloads(&rest), [4]);
    assert!(on.take(&queue, 3).await.is_empty());
    let done = first
        .iter()
        .chain(&rest)
        .map(|job| (job.lease.clone(), Verdict::Done));
    let told = on.redis.run(queue.settle(done).unwrap()).await.unwrap();
    assert_eq!(told, [true; 4]);
    assert_eq!(on.counts(&queue).await, QueueCounts::default());
    let left = on.server.raw("KEYS *");
    assert!(left.lines().all(|key| key.contains("q}:n:")), "{left}");
}

#[tokio::test]
async fn who_dies_loses_no_job_and_an_ack_that_comes_too_late_is_refused() {
    let on = Timed::start().await;
    let queue = queue();
    on.enqueue(&queue, [7]).await;
    let dead = on.take(&queue, 1).await.remove(0);
    on.fake.advance(999);
    assert!(on.take(&queue, 1).await.is_empty());
    on.fake.advance(1);
    // Its lease has ended, but nobody else has it: what is done is done. Here it goes to another first.
    let next = on.take(&queue, 1).await.remove(0);
    assert_eq!(
        (payloads(std::slice::from_ref(&next)), next.attempts),
        (vec![7], 2)
    );
    for verdict in [
        Verdict::Done,
        Verdict::Later(1),
        Verdict::Dead("x".into()),
        Verdict::Extend(1),
    ] {
        assert!(!on.settle(&queue, &dead.lease, verdict).await);
    }
    on.fake.advance(5_000);
    assert!(on.settle(&queue, &next.lease, Verdict::Done).await);
    assert!(!on.settle(&queue, &next.lease, Verdict::Extend(1)).await);
    assert_eq!(on.counts(&queue).await, QueueCounts::default());
}

#[tokio::test]
async fn a_lease_that_is_extended_lasts() {
    let on = Timed::start().await;
    let queue = queue();
    on.enqueue(&queue, [7]).await;
    let job = on.take(&queue, 1).await.remove(0);
    on.fake.advance(900);
    assert!(on.settle(&queue, &job.lease, Verdict::Extend(5_000)).await);
    on.fake.advance(4_999);
    assert!(on.take(&queue, 1).await.is_empty());
    on.fake.advance(1);
    assert_eq!(on.take(&queue, 1).await.len(), 1);
}

#[tokio::test]
async fn delayed_jobs_wait_and_counts_tell_all() {
    let on = Timed::start().await;
    let queue = queue();
    let now = on.now();
    let jobs = [
        NewJob::new("later").unwrap().delay_ms(500).unwrap(),
        NewJob::new("at").unwrap().at(now + 300).unwrap(),
        NewJob::new("now").unwrap(),
    ];
    on.redis.run(queue.enqueue(jobs).unwrap()).await.unwrap();
    on.fake.advance(100);
    let expected = QueueCounts {
        ready: 1,
        delayed: 2,
        oldest_ready_ms: 100,
        ..QueueCounts::default()
    };
    assert_eq!(on.counts(&queue).await, expected);
    let jobs = on.take(&queue, 9).await;
    assert_eq!(jobs.len(), 1);
    on.fake.advance(200);
    let next = on.take(&queue, 9).await;
    assert_eq!(next[0].payload::<String>().unwrap(), "at");
    assert!(
        on.settle(&queue, &next[0].lease, Verdict::Dead("why".into()))
            .await
    );
    let expected = QueueCounts {
        delayed: 1,
        leased: 1,
        dead: 1,
        ..QueueCounts::default()
    };
    assert_eq!(on.counts(&queue).await, expected);
    // The first's lease has ended 150 ms ago, the last has been ready for 50 ms more.
    on.fake.advance(950);
    let expected = QueueCounts {
        ready: 2,
        dead: 1,
        oldest_ready_ms: 750,
        ..QueueCounts::default()
    };
    assert_eq!(on.counts(&queue).await, expected);
    refused(jobs[0].payload::<u32>(), "corrupt");
}

#[tokio::test]
async fn what_fails_waits_longer_each_time_and_is_dead_in_the_end() {
    let on = Timed::start().await;
    let queue = queue().attempts(3).unwrap();
    let queue = queue.backoff_ms(1_000, 10_000).unwrap();
    on.enqueue(&queue, [7]).await;
    for whole in [1_000, 2_000] {
        let job = on.take(&queue, 1).await.remove(0);
        let verdict = Verdict::Failed("down".into());
        assert!(on.settle(&queue, &job.lease, verdict).await);
        on.fake.advance(whole / 2 - 1);
        assert!(on.take(&queue, 1).await.is_empty());
        on.fake.advance(whole / 2 + 1);
    }
    let job = on.take(&queue, 1).await.remove(0);
    assert_eq!(job.attempts, 3);
    let reason = "it is still down: ".repeat(20);
    assert!(
        on.settle(&queue, &job.lease, Verdict::Failed(reason.clone()))
            .await
    );
    let dead = on.redis.run(queue.dead(10).unwrap()).await.unwrap();
    assert_eq!(
        (dead.len(), dead[0].attempts, dead[0].died_at),
        (1, 3, on.now())
    );
    assert_eq!(
        (&dead[0].id, dead[0].reason.as_str()),
        (&job.id().to_owned(), &reason[..200])
    );
    assert_eq!(dead[0].payload::<u32>().unwrap(), 7);
    let requeued = on
        .redis
        .run(queue.requeue(&[&dead[0].id, "nobody"]).unwrap());
    assert_eq!(requeued.await.unwrap(), 1);
    let job = on.take(&queue, 1).await.remove(0);
    assert_eq!(
        (job.attempts, payloads(std::slice::from_ref(&job))),
        (1, vec![7])
    );
    let again = on.redis.run(queue.requeue_all()).await.unwrap();
    assert_eq!(again, 0);
}

#[tokio::test]
async fn who_dies_with_a_job_each_time_does_not_do_so_for_ever() {
    let on = Timed::start().await;
    let queue = queue().attempts(2).unwrap();
    on.enqueue(&queue, [7]).await;
    for attempts in [1, 2] {
        assert_eq!(on.take(&queue, 1).await[0].attempts, attempts);
        on.fake.advance(1_000);
    }
    assert!(on.take(&queue, 1).await.is_empty());
    let dead = on.redis.run(queue.dead(1).unwrap()).await.unwrap();
    assert_eq!(
        (dead[0].attempts, dead[0].reason.as_str()),
        (2, "its lease ended")
    );
}

#[tokio::test]
async fn the_longest_dead_make_room_and_purged_ones_are_gone() {
    let on = Timed::start().await;
    let queue = queue().dead_limit(3).unwrap();
    for n in 0..5 {
        on.enqueue(&queue, [n]).await;
        let job = on.take(&queue, 1).await.remove(0);
        assert!(
            on.settle(&queue, &job.lease, Verdict::Dead(String::new()))
                .await
        );
        on.fake.advance(1);
    }
    let dead = on.redis.run(queue.dead(10).unwrap()).await.unwrap();
    let kept: Vec<u32> = dead.iter().map(|one| one.payload().unwrap()).collect();
    assert_eq!(kept, [4, 3, 2]);
    on.enqueue(&queue, [9]).await;
    let live = on.take(&queue, 1).await.remove(0);
    // What is not dead is not deleted, by its id either.
    let ids = [dead[0].id.as_str(), live.id()];
    assert_eq!(on.redis.run(queue.purge(&ids).unwrap()).await.unwrap(), 1);
    let none = on.redis.run(queue.purge(&[]).unwrap()).await.unwrap();
    assert_eq!(none, 0);
    assert_eq!(on.redis.run(queue.purge_all()).await.unwrap(), 2);
    assert!(on.settle(&queue, &live.lease, Verdict::Done).await);
    assert_eq!(on.server.raw("HLEN {mail%3A%20%7B1%7D:q}:r").trim(), "0");
}

#[tokio::test]
async fn a_job_with_a_key_is_added_once_while_the_key_holds() {
    let on = Timed::start().await;
    let queue = queue().key_window_ms(60_000).unwrap();
    let job = |key| NewJob::new(&1).unwrap().key(key).unwrap();
    let op = queue.enqueue([job("a"), job("b"), job("a")]).unwrap();
    let added = on.redis.run(op).await.unwrap();
    assert_eq!(
        added.iter().map(|one| one.added).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(added[0].id, added[2].id);
    // Also when the job is done.
    for job in on.take(&queue, 9).await {
        assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    }
    let again = on.redis.run(queue.enqueue([job("b"), job("c")]).unwrap());
    let again = again.await.unwrap();
    assert_eq!(
        (again[0].added, &again[0].id, again[1].added),
        (false, &added[1].id, true)
    );
    assert_eq!(on.take(&queue, 9).await.len(), 1);
    let left = on.server.raw("PTTL {mail%3A%20%7B1%7D:q}:k:a");
    assert!((1..=60_000).contains(&left.trim().parse::<u64>().unwrap()));
}

#[tokio::test]
async fn a_lost_answer_neither_loses_a_job_nor_makes_two_of_it() {
    let on = Timed::start().await;
    let queue = queue().attempts(2).unwrap();
    // The scripts are known from here on.
    on.enqueue(&queue, [1]).await;
    let job = on.take(&queue, 1).await.remove(0);
    assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    on.fake.push(Fault::LostAnswer);
    let ids = on.enqueue(&queue, [1, 2, 3]).await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3);
    on.fake.push(Fault::LostAnswer);
    let taken = on.take(&queue, 2).await;
    assert_eq!(payloads(&taken), [1, 2]);
    assert_eq!(on.counts(&queue).await.leased, 2);
    for (verdict, job) in [Verdict::Done, Verdict::Later(0)].into_iter().zip(&taken) {
        on.fake.push(Fault::LostAnswer);
        assert!(on.settle(&queue, &job.lease, verdict).await);
    }
    let taken = on.take(&queue, 9).await;
    assert_eq!(
        payloads(&taken).into_iter().collect::<HashSet<_>>(),
        [2, 3].into()
    );
    // One that dies twice is dead once.
    on.fake.push(Fault::LostAnswer);
    let verdicts = taken
        .iter()
        .map(|job| (job.lease.clone(), Verdict::Dead("x".into())));
    let told = on.redis.run(queue.settle(verdicts).unwrap()).await.unwrap();
    assert_eq!((told, on.counts(&queue).await.dead), (vec![true; 2], 2));
}

#[tokio::test]
async fn leases_go_by_redis_and_not_by_the_clocks_of_who_takes() {
    let server = Server::start().await;
    let (behind, slow) = server.faked();
    let (ahead, fast) = server.faked();
    // Fakes draw the same numbers, and no two calls have the same nonce.
    fast.random(&mut [0; 64]).unwrap();
    slow.set_now(1);
    fast.set_now(200_000_000_000_000);
    let queue = queue().lease_ms(3_600_000).unwrap();
    let enqueue = |n: u32| queue.enqueue([NewJob::new(&n).unwrap()]).unwrap();
    for redis in [&ahead, &behind] {
        redis.run(enqueue(1)).await.unwrap();
    }
    let one = behind.run(queue.take(1).unwrap()).await.unwrap();
    let two = ahead.run(queue.take(9).unwrap()).await.unwrap();
    assert_eq!((one.len(), two.len()), (1, 1));
    for redis in [&ahead, &behind] {
        assert!(redis.run(queue.take(9).unwrap()).await.unwrap().is_empty());
        let counts = redis.run(queue.counts()).await.unwrap();
        assert_eq!((counts.leased, counts.ready), (2, 0));
    }
    let verdicts = [one, two]
        .concat()
        .into_iter()
        .map(|job| (job.lease, Verdict::Done));
    let told = behind.run(queue.settle(verdicts).unwrap()).await.unwrap();
    assert_eq!(told, [true, true]);
}

#[tokio::test]
async fn what_is_no_job_is_refused() {
    for name in ["", &"x".repeat(129)] {
        refused(Queue::new(name), "invalid_argument");
        refused(NewJob::new(&1).unwrap().key(name), "invalid_argument");
        refused(queue().schedule(name, 1, &1), "invalid_argument");
    }
    refused(NewJob::new(&"x".repeat(65_535)), "invalid_argument");
    refused(
        NewJob::new(&1).unwrap().delay_ms(864_000_000_001),
        "invalid_argument",
    );
    refused(
        NewJob::new(&1).unwrap().at(253_402_300_800_000),
        "invalid_argument",
    );
    refused(queue().schedule("a", 0, &1), "invalid_argument");
    refused(queue().take(0), "invalid_argument");
    refused(queue().take(1_001), "invalid_argument");
    refused(queue().dead(0), "invalid_argument");
    refused(queue().purge(&["a"; 1_001]), "invalid_argument");
    refused(
        queue().enqueue(vec![NewJob::new(&1).unwrap(); 1_001]),
        "invalid_argument",
    );
    for wrong in [
        queue().lease_ms(0),
        queue().attempts(0),
        queue().attempts(1_001),
        queue().backoff_ms(0, 1),
        queue().backoff_ms(2, 1),
        queue().dead_limit(0),
        queue().key_window_ms(0),
        queue().timeout_ms(30_001),
    ] {
        refused(wrong, "invalid_config");
    }
    let redis = Redis::builder("http://redis.invalid", "token")
        .retry(None)
        .build_with(Fake::new())
        .unwrap();
    refused(redis.run(queue().take(1).unwrap()).await, "network");
}
