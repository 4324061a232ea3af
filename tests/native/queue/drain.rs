//! Draining: all of it, within bounds, and nobody's job by two.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use upstash_edge::host::Fault;
use upstash_edge::{Drain, Drained, Job, NewJob, Queue, QueueCounts};

use super::{Timed, queue};
use crate::server::Server;

#[tokio::test]
async fn it_does_what_is_ready_and_says_what_became_of_it() {
    let on = Timed::start().await;
    let queue = queue().attempts(1).unwrap();
    on.enqueue(&queue, 0..25).await;
    let (now, most) = (Cell::new(0), Cell::new(0));
    let work = |job: Job| {
        let (now, most) = (&now, &most);
        async move {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            match job.payload::<u32>().unwrap() % 5 {
                0 => Err("a fifth fails"),
                _ => Ok(()),
            }
        }
    };
    let bounds = Drain::new().concurrency(4).unwrap();
    let some = queue
        .drain(&on.redis, bounds.limit(10), work)
        .await
        .unwrap();
    let expected = Drained {
        done: 8,
        dead: 2,
        ..Drained::default()
    };
    assert_eq!((some, most.get()), (expected, 4));
    let none = queue.drain(&on.redis, bounds.until(on.now()), work).await;
    assert_eq!(none.unwrap(), Drained::default());
    let rest = queue.drain(&on.redis, bounds, work).await.unwrap();
    assert_eq!((rest.done, rest.dead), (12, 3));
    let counts = QueueCounts {
        dead: 5,
        ..QueueCounts::default()
    };
    assert_eq!(on.counts(&queue).await, counts);
    assert!(Drain::new().concurrency(0).is_err());
}

#[tokio::test]
async fn jobs_that_end_together_are_settled_together() {
    let on = Timed::start().await;
    let queue = queue();
    on.enqueue(&queue, 0..100).await;
    let before = on.fake.sent().len();
    let bounds = Drain::new().concurrency(100).unwrap();
    let drained = queue.drain(&on.redis, bounds, |_| async { Ok::<_, String>(()) });
    assert_eq!(drained.await.unwrap().done, 100);
    // A take, a settlement, a take that finds nothing; the scripts of both are sent twice at first.
    assert!(on.fake.sent().len() - before <= 5);
}

#[tokio::test]
async fn when_redis_is_lost_midway_what_was_begun_ends_and_is_done_again() {
    let on = Timed::start().await;
    let queue = queue().timeout_ms(200).unwrap();
    on.enqueue(&queue, 0..4).await;
    assert_eq!(on.take(&queue, 1).await.len(), 1);
    let done = Cell::new(0);
    let work = |_: Job| {
        done.set(done.get() + 1);
        // Each of what is sent from here on, a retry too.
        for _ in 0..40 {
            on.fake.push(Fault::Lost);
        }
        async { Ok::<_, String>(()) }
    };
    let bounds = Drain::new().concurrency(3).unwrap();
    let told = queue.drain(&on.redis, bounds, work).await;
    assert!(told.unwrap_err().is_outage());
    assert_eq!(done.get(), 3);
    // Another's clock is past all leases.
    let other = on.server.client();
    let again = queue.drain(&other, Drain::new(), |_| async { Ok::<_, String>(()) });
    assert_eq!(again.await.unwrap().done, 4);
}

/// Two at once, on a server of their own clocks and Redis's time: what each does, and whether another was at it.
async fn race(queue: &Queue, jobs: u32) -> (HashMap<u32, u32>, u64) {
    let server = Server::start().await;
    let redis = server.client();
    for first in (0..jobs).step_by(1_000) {
        let jobs = (first..jobs.min(first + 1_000)).map(|n| NewJob::new(&n).unwrap());
        redis.run(queue.enqueue(jobs).unwrap()).await.unwrap();
    }
    let (live, times) = (RefCell::new(HashSet::new()), RefCell::new(HashMap::new()));
    let work = |job: Job| {
        let (live, times) = (&live, &times);
        async move {
            let n: u32 = job.payload().unwrap();
            assert!(live.borrow_mut().insert(n), "two are at {n}");
            tokio::task::yield_now().await;
            live.borrow_mut().remove(&n);
            *times.borrow_mut().entry(n).or_insert(0) += 1;
            Ok::<_, String>(())
        }
    };
    let bounds = Drain::new().concurrency(100).unwrap();
    let (one, two) = (server.client(), server.client());
    let both = futures_util::future::join(
        queue.drain(&one, bounds, work),
        queue.drain(&two, bounds, work),
    );
    let (one, two) = both.await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.done > 0 && two.done > 0, "both drained");
    assert_eq!((one.lost, two.lost), (0, 0));
    let counts = redis.run(queue.counts()).await.unwrap();
    assert_eq!(counts, QueueCounts::default());
    (times.into_inner(), one.done + two.done)
}

#[tokio::test]
async fn two_at_once_do_ten_thousand_jobs_once_each() {
    // A lease that no slow machine outlives.
    let queue = queue().lease_ms(600_000).unwrap();
    let (times, done) = race(&queue.timeout_ms(30_000).unwrap(), 10_000).await;
    assert_eq!((times.len(), done), (10_000, 10_000));
    assert!(times.values().all(|times| *times == 1));
}
