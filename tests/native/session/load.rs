//! Many at once.

use futures_util::future::join_all;

use super::{begin, load, sessions};
use crate::server::Server;

#[tokio::test]
async fn a_thousand_requests_at_once_that_each_set_their_own_key_all_hold() {
    let server = Server::start().await;
    let clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    let sessions = &sessions();
    let cookie = &begin(&clients[0], "start", 0).await;
    let requests = (0..1_000).map(|n| {
        let redis = &clients[n % 4];
        async move {
            let mut session = redis.run(sessions.load(cookie)).await.unwrap();
            let key = n.to_string();
            let count = session.get::<usize>(&key).unwrap_or(n);
            session.set(&key, &(count + 1)).unwrap();
            redis.run(sessions.save(&mut session)).await.unwrap();
        }
    });
    // A hundred under way at a time: a process has so many sockets.
    let mut requests = requests.collect::<Vec<_>>();
    while !requests.is_empty() {
        let rest = requests.split_off(requests.len().min(100));
        join_all(requests).await;
        requests = rest;
    }
    let after = load(&clients[0], cookie).await;
    for n in 0..1_000 {
        assert_eq!(after.get(&n.to_string()), Some(n + 1));
    }
    assert_eq!(after.entries().count(), 1_001);
}
