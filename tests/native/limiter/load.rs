//! Many at once.

use futures_util::future::join_all;
use upstash_edge::{Check, Limits};

use super::{bucket, fixed, patient, sliding};
use crate::server::Server;

#[tokio::test]
async fn four_clients_with_250_checks_each_at_once_are_admitted_exactly_the_limit() {
    let server = Server::start().await;
    let clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    // So slow that nothing comes back meanwhile.
    let several = [
        sliding(700, 3_600_000),
        fixed(97, 86_400_000 * 300),
        sliding(99, 7_200_000),
    ];
    let kinds: [(Limits, usize); 4] = [
        (sliding(100, 3_600_000).into(), 100),
        (sliding(700, 3_600_000).into(), 700),
        (bucket(100, 1, 3_600_000).into(), 100),
        (Limits::new(&several).unwrap(), 97),
    ];
    for round in 0..8 {
        let (limits, exactly) = &kinds[round % kinds.len()];
        let limiter = patient(limits.clone()).memory(0);
        let id = format!("round-{round}");
        // Each client's checks in five requests, all under way at once.
        let requests = (0..20).map(|n| {
            let checks: Vec<Check> = (0..50).map(|_| limiter.check(&id)).collect();
            clients[n % 4].run(checks)
        });
        let decisions = join_all(requests)
            .await
            .into_iter()
            .flat_map(Result::unwrap);
        let admitted = decisions.filter(|decision| decision.allowed).count();
        assert_eq!(admitted, *exactly);
    }
}
