//! What each call costs: as `docs/queue.md` says.

use upstash_edge::{NewJob, Verdict};

use super::queue;
use crate::meter::Meter;

#[tokio::test]
async fn every_call_costs_what_the_docs_say() {
    let meter = Meter::start().await;
    let queue = queue().attempts(2).unwrap();
    let jobs = |n: usize| queue.enqueue(vec![NewJob::new(&1).unwrap(); n]).unwrap();
    let keyed = || queue.enqueue([NewJob::new(&1).unwrap().key("k").unwrap()]);
    let schedule = || queue.schedule("s", 3_600_000, &1).unwrap();
    // The first time teaches the client which form of the scripts this server takes.
    meter.run(jobs(1)).await;
    let one = meter.run(queue.take(1).unwrap()).await.remove(0);
    let died = Verdict::Dead("x".into());
    meter.run(queue.settle([(one.lease, died)]).unwrap()).await;
    meter.run(queue.purge_all()).await;
    meter.run(queue.counts()).await;
    meter.run(schedule()).await;
    meter.run(queue.unschedule("s").unwrap()).await;

    let (_, requests, enqueued) = meter.cost(jobs(100)).await;
    let added = "evalsha 1, hset 1, set 1, time 1, zadd 1";
    assert_eq!((requests, enqueued.as_str()), (1, added));
    let (mut taken, requests, take) = meter.cost(queue.take(100).unwrap()).await;
    let leased = "evalsha 1, hmget 1, hset 1, set 1, time 1, zadd 1, zrangebyscore 2";
    assert_eq!((requests, take.as_str(), taken.len()), (1, leased, 100));
    let (_, _, none) = meter.cost(queue.take(100).unwrap()).await;
    assert_eq!(none, "evalsha 1, set 1, time 1, zrangebyscore 2");
    let (_, _, counts) = meter.cost(queue.counts()).await;
    assert_eq!(counts, "evalsha 1, time 1, zcount 5");

    let later = taken.split_off(90);
    let done = taken.into_iter().map(|job| (job.lease, Verdict::Done));
    let (_, requests, acked) = meter.cost(queue.settle(done).unwrap()).await;
    let gone = "evalsha 1, hdel 1, hmget 1, set 1, time 1, zrem 1";
    assert_eq!((requests, acked.as_str()), (1, gone));
    let extend = later[..1]
        .iter()
        .map(|job| (job.lease.clone(), Verdict::Extend(9_000)));
    let (_, _, extended) = meter.cost(queue.settle(extend).unwrap()).await;
    assert_eq!(extended, "evalsha 1, hmget 1, time 1, zadd 1");
    let retry = later
        .iter()
        .map(|job| (job.lease.clone(), Verdict::Later(0)));
    let (_, _, retried) = meter.cost(queue.settle(retry).unwrap()).await;
    assert_eq!(retried, "evalsha 1, hmget 1, hset 1, set 1, time 1, zadd 1");
    let late = later.iter().map(|job| (job.lease.clone(), Verdict::Done));
    let (_, _, refused) = meter.cost(queue.settle(late).unwrap()).await;
    assert_eq!(refused, "evalsha 1, get 1, hmget 1, time 1");
    let again = meter.run(queue.take(10).unwrap()).await;
    let died = again
        .into_iter()
        .map(|job| (job.lease, Verdict::Dead("x".into())));
    let (_, _, buried) = meter.cost(queue.settle(died).unwrap()).await;
    assert_eq!(
        buried,
        "evalsha 1, hmget 1, hset 1, set 1, time 1, zadd 1, zcount 1"
    );

    let (_, _, listed) = meter.cost(queue.dead(10).unwrap()).await;
    assert_eq!(listed, "evalsha 1, hmget 1, time 1, zrevrangebyscore 1");
    let (_, _, requeued) = meter.cost(queue.requeue_all()).await;
    assert_eq!(
        requeued,
        "evalsha 1, hset 1, time 1, zadd 1, zrangebyscore 1"
    );
    let (_, _, first) = meter.cost(keyed().unwrap()).await;
    assert_eq!(first, "evalsha 1, hset 1, set 2, time 1, zadd 1");
    let (_, _, held) = meter.cost(keyed().unwrap()).await;
    assert_eq!(held, "evalsha 1, get 1, set 2, time 1");
    let (_, _, scheduled) = meter.cost(schedule()).await;
    assert_eq!(
        scheduled,
        "evalsha 1, hget 1, hset 1, time 1, zadd 1, zscore 1"
    );
    let (_, _, same) = meter.cost(schedule()).await;
    assert_eq!(same, "evalsha 1, hget 1, hset 1, time 1, zscore 1");
    let (_, _, ended) = meter.cost(queue.unschedule("s").unwrap()).await;
    assert_eq!(ended, "evalsha 1, hdel 1, time 1, zrem 1");
}
