//! Jobs that repeat.

use upstash_edge::{Job, Queue, QueueCounts, Verdict};

use super::{Timed, payloads, queue};

const HOUR: u64 = 3_600_000;

impl Timed {
    async fn schedule(&self, queue: &Queue, every: u64, payload: u32) {
        let op = queue.schedule("report", every, &payload).unwrap();
        self.redis.run(op).await.unwrap();
    }

    /// The one that is ready.
    async fn one(&self, queue: &Queue) -> Job {
        let mut jobs = self.take(queue, 9).await;
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    async fn nobody(&self, queue: &Queue) {
        assert!(self.take(queue, 9).await.is_empty());
    }
}

/// At the beginning of an hour.
async fn start() -> Timed {
    let on = Timed::start().await;
    on.fake.set_now(1_700_000_000_000 / HOUR * HOUR + HOUR);
    on
}

#[tokio::test]
async fn it_is_taken_at_each_multiple_of_its_interval_however_often_it_is_scheduled() {
    let on = start().await;
    let queue = queue();
    on.fake.advance(1_000);
    for _ in 0..3 {
        on.schedule(&queue, HOUR, 1).await;
    }
    on.nobody(&queue).await;
    on.fake.advance(HOUR - 1_001);
    on.nobody(&queue).await;
    on.fake.advance(1);
    let job = on.one(&queue).await;
    assert_eq!(
        (job.id(), payloads(std::slice::from_ref(&job))),
        ("*report", vec![1])
    );
    // A deploy meanwhile changes what the next one is told, and takes this one from nobody.
    on.schedule(&queue, HOUR, 2).await;
    on.nobody(&queue).await;
    assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    on.nobody(&queue).await;
    // What was missed is done once.
    on.fake.advance(5 * HOUR + 10);
    let job = on.one(&queue).await;
    assert_eq!(
        (payloads(std::slice::from_ref(&job)), job.attempts),
        (vec![2], 1)
    );
    assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    on.fake.advance(HOUR - 11);
    on.nobody(&queue).await;
    on.fake.advance(1);
    on.one(&queue).await;
}

#[tokio::test]
async fn another_interval_holds_at_once() {
    let on = start().await;
    let queue = queue();
    on.schedule(&queue, 24 * HOUR, 1).await;
    on.schedule(&queue, HOUR, 1).await;
    on.fake.advance(HOUR);
    let job = on.one(&queue).await;
    // Set anew while it is worked on, it follows that when it ends.
    on.schedule(&queue, HOUR / 2, 1).await;
    assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    on.fake.advance(HOUR / 2);
    on.one(&queue).await;
}

#[tokio::test]
async fn one_that_fails_is_tried_again_leaves_its_dead_and_goes_on() {
    let on = start().await;
    let queue = queue().attempts(2).unwrap();
    on.schedule(&queue, HOUR, 7).await;
    on.fake.advance(HOUR);
    let job = on.one(&queue).await;
    assert!(on.settle(&queue, &job.lease, Verdict::Later(100)).await);
    on.fake.advance(100);
    let job = on.one(&queue).await;
    assert_eq!(job.attempts, 2);
    assert!(
        on.settle(&queue, &job.lease, Verdict::Failed("down".into()))
            .await
    );
    // One whose worker dies each time, too.
    on.fake.advance(HOUR);
    for attempts in [1, 2] {
        assert_eq!(on.one(&queue).await.attempts, attempts);
        on.fake.advance(1_000);
    }
    on.nobody(&queue).await;
    let dead = on.redis.run(queue.dead(9).unwrap()).await.unwrap();
    let reasons: Vec<_> = dead.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["its lease ended", "down"]);
    let counts = QueueCounts {
        delayed: 1,
        dead: 2,
        ..QueueCounts::default()
    };
    assert_eq!(on.counts(&queue).await, counts);
    // Requeued it is a job like others: done, it is gone.
    let requeued = on.redis.run(queue.requeue(&[&dead[0].id]).unwrap());
    assert_eq!(requeued.await.unwrap(), 1);
    let job = on.one(&queue).await;
    assert_eq!(payloads(std::slice::from_ref(&job)), [7]);
    assert!(on.settle(&queue, &job.lease, Verdict::Done).await);
    let counts = on.counts(&queue).await;
    assert_eq!((counts.delayed, counts.dead), (1, 1));
}

#[tokio::test]
async fn one_that_is_ended_is_gone_also_for_who_works_on_it() {
    let on = start().await;
    let queue = queue();
    on.schedule(&queue, HOUR, 7).await;
    on.fake.advance(HOUR);
    let job = on.one(&queue).await;
    let end = queue.unschedule("report").unwrap();
    on.redis.run(end).await.unwrap();
    assert!(!on.settle(&queue, &job.lease, Verdict::Done).await);
    on.fake.advance(10 * HOUR);
    on.nobody(&queue).await;
    assert_eq!(on.counts(&queue).await, QueueCounts::default());
}
