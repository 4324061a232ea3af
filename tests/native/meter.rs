//! What a call costs: requests, and the commands that Redis counts, those inside the scripts too.

use upstash_edge::host::Fake;
use upstash_edge::{Op, Redis};

use crate::server::Server;

/// A Redis of its own, and what is asked of it.
pub struct Meter {
    pub server: Server,
    pub redis: Redis,
    pub fake: Fake,
}

impl Meter {
    pub async fn start() -> Self {
        // INFO is asked of one node.
        let server = Server::alone().await;
        let (redis, fake) = server.faked();
        Self {
            server,
            redis,
            fake,
        }
    }

    pub async fn run<O: Op>(&self, op: O) -> O::Output {
        self.redis.run(op).await.unwrap()
    }

    /// What an op gives, how many requests it was and which commands Redis did.
    pub async fn cost<O: Op>(&self, op: O) -> (O::Output, usize, String) {
        self.server.raw("CONFIG RESETSTAT");
        let before = self.fake.sent().len();
        let output = self.run(op).await;
        let calls = self.server.calls();
        let calls = calls.iter().map(|(name, calls)| format!("{name} {calls}"));
        let calls = calls.collect::<Vec<_>>().join(", ");
        (output, self.fake.sent().len() - before, calls)
    }
}
