//! Many callers at once, of several isolates: clients that share nothing.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;
use upstash_edge::Redis;

use super::{Fetched, patient};
use crate::server::Server;

const ISOLATES: usize = 4;
const CALLERS: usize = 250;

/// Each caller's value, and how often the origin was asked.
async fn stampede(server: &Server, lock_ms: u64, origin_ms: u64) -> (Vec<Fetched>, usize) {
    let isolates: Vec<Redis> = (0..ISOLATES).map(|_| server.client()).collect();
    let (cache, calls) = (patient().lock_ms(lock_ms).unwrap(), Cell::new(0));
    let callers = isolates.iter().flat_map(|redis| {
        (0..CALLERS).map(|_| {
            cache.get_or_fetch(redis, "k", || {
                calls.set(calls.get() + 1);
                async {
                    sleep(Duration::from_millis(origin_ms)).await;
                    Fetched::Ok(json!({"n": 1}))
                }
            })
        })
    });
    let values = join_all(callers).await;
    (values, calls.get())
}

#[tokio::test]
async fn a_thousand_callers_of_four_isolates_call_the_origin_once() {
    let server = Server::start().await;
    let (values, calls) = stampede(&server, 60_000, 300).await;
    assert_eq!(values.len(), ISOLATES * CALLERS);
    assert!(values.iter().all(|value| *value == Ok(json!({"n": 1}))));
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn when_the_holder_of_the_lease_dies_one_other_takes_over() {
    let server = Server::start().await;
    let (redis, calls) = (server.client(), Rc::new(Cell::new(0)));
    let lock_ms = 3_000;
    let cache = patient().lock_ms(lock_ms).unwrap();
    // It takes the lease, and its fetch is dropped mid-way.
    let died = cache.get_or_fetch(&redis, "k", || {
        calls.set(calls.get() + 1);
        async {
            sleep(Duration::from_secs(3_600)).await;
            Fetched::Ok(json!(0))
        }
    });
    let mid_way = async {
        while calls.get() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = died => unreachable!("its origin takes an hour"),
        () = mid_way => {}
    }
    let started = Instant::now();
    let origin = || {
        calls.set(calls.get() + 1);
        async {
            sleep(Duration::from_millis(300)).await;
            Fetched::Ok(json!(1))
        }
    };
    let others = (0..50).map(|_| cache.get_or_fetch(&redis, "k", origin));
    let values = join_all(others).await;
    assert!(values.iter().all(|value| *value == Ok(json!(1))));
    assert_eq!(calls.get(), 2);
    // Twice the lease, and three times as long again for a slow machine.
    assert!(started.elapsed() < Duration::from_millis(8 * lock_ms));
}
