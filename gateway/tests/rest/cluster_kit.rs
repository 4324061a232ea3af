//! A real cluster of three masters and three replicas.

use std::net::TcpListener;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use upstash_gateway::Config;

use crate::server::{Redis, Server, TOKEN};

pub struct Cluster {
    pub nodes: Vec<Option<Redis>>,
}

impl Cluster {
    pub fn start() -> Self {
        let nodes: Vec<Redis> = (0..6).map(|_| node()).collect();
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .unwrap();
        assert!(created.status.success(), "{created:?}");
        let cluster = Self {
            nodes: nodes.into_iter().map(Some).collect(),
        };
        // Until every node, not only the first, knows that the cluster is whole and its replicas linked.
        cluster.until(|node| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
        cluster.until(|node| node.cli(&["CLUSTER", "NODES"]).matches("slave").count() == 3);
        cluster.until(|node| {
            let replication = node.cli(&["INFO", "replication"]);
            replication.contains("master_link_status:up") || replication.contains("state=online")
        });
        cluster
    }

    /// One for all tests that do no harm to it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn until(&self, ready: impl Fn(&Redis) -> bool) {
        let start = Instant::now();
        while !self.alive().all(&ready) {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the cluster is not ready"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn alive(&self) -> impl Iterator<Item = &Redis> {
        self.nodes.iter().flatten()
    }

    pub fn url(&self) -> String {
        let addresses: Vec<String> = self
            .alive()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis-cluster://{}", addresses.join(","))
    }

    pub async fn gateway(&self) -> Server {
        Server::with(Config::new(self.url(), TOKEN)).await
    }

    /// A key that another master holds.
    pub fn elsewhere(&self, key: &str) -> String {
        let (here, _) = self.holder(key);
        let mut others = (0..).map(|n| format!("{{elsewhere-{n}}}"));
        others.find(|other| self.holder(other).0 != here).unwrap()
    }

    /// The index of the master that holds a key, and its id.
    pub fn holder(&self, key: &str) -> (usize, String) {
        let any = self.alive().next().unwrap();
        let slot: u32 = any.cli(&["CLUSTER", "KEYSLOT", key]).parse().unwrap();
        for line in any.cli(&["CLUSTER", "NODES"]).lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let holds = words
                .iter()
                .skip(8)
                .filter_map(|range| range.split_once('-'))
                .any(|(first, last)| {
                    (first.parse().unwrap()..=last.parse().unwrap()).contains(&slot)
                });
            if holds {
                let port = words[1].split(['@', ':']).nth(1).unwrap();
                let at = self.nodes.iter().position(|node| {
                    node.as_ref()
                        .is_some_and(|node| node.port.to_string() == port)
                });
                return (at.unwrap(), words[0].to_owned());
            }
        }
        panic!("nobody holds {key}");
    }
}

/// The bus has the port of the node plus 10000: both must be free, and below those that the system
/// hands out to connections.
fn node() -> Redis {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 12_000 + u16::try_from(std::process::id() % 400).unwrap() * 20;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 10_000) {
            return Redis::start_with(
                port,
                &[
                    "--port",
                    &port.to_string(),
                    "--cluster-enabled",
                    "yes",
                    "--cluster-config-file",
                    "nodes.conf",
                    "--cluster-node-timeout",
                    "1000",
                ],
            );
        }
    }
}
