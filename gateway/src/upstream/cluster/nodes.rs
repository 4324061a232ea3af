//! The nodes of a cluster, and the newest map of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::slots::{Address, Map};
use crate::command::Command;
use crate::upstream::Failure;
use crate::upstream::dial::Target;
use crate::upstream::node::Node;
use crate::upstream::source::Source;

/// A map this young is not asked for again: when many callers are redirected, one asks.
const FRESH: Duration = Duration::from_millis(50);

/// The nodes of a cluster, each with its connections.
pub(crate) struct Nodes {
    seeds: Vec<Target>,
    template: Target,
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    newest: tokio::sync::Mutex<Newest>,
}

/// The newest map, and when it was last asked for, with or without success.
#[derive(Default)]
struct Newest {
    map: Option<Arc<Map>>,
    asked: Option<Instant>,
}

impl Nodes {
    /// `None` when there is no seed.
    pub(crate) fn new(seeds: Vec<Target>) -> Option<Self> {
        Some(Self {
            template: seeds.first()?.clone(),
            seeds,
            nodes: Mutex::default(),
            newest: tokio::sync::Mutex::default(),
        })
    }

    /// The node at an address.
    pub(crate) fn at(&self, address: &Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes.entry(address.clone()).or_insert_with(|| {
            let target = self.template.at(&address.0, address.1);
            Arc::new(Node::new(Source::Fixed(target)))
        });
        Arc::clone(node)
    }

    /// The map, if there is one that is not known to be `stale`; else a new one, or, when no node
    /// tells, the old one.
    pub(crate) async fn map(&self, stale: bool) -> Result<Arc<Map>, Failure> {
        let called = Instant::now();
        let mut newest = self.newest.lock().await;
        // While we waited for our turn somebody asked: a queue of callers asks once.
        let asked = newest
            .asked
            .is_some_and(|at| at >= called || at.elapsed() < FRESH);
        if (newest.map.is_none() || stale) && !asked {
            let known = newest.map.as_deref().map(Map::primaries);
            let known: Vec<Address> = known.into_iter().flatten().cloned().collect();
            if let Some(map) = self.ask(&known).await {
                self.forget_strangers(&map);
                newest.map = Some(Arc::new(map));
            }
            newest.asked = Some(Instant::now());
        }
        newest.map.clone().ok_or(Failure::Unreachable)
    }

    /// Any node's map: those we talk to first, then the seeds.
    async fn ask(&self, known: &[Address]) -> Option<Map> {
        for address in known {
            if let Some(map) = ask(&self.at(address), &address.0).await {
                return Some(map);
            }
        }
        for seed in &self.seeds {
            let node = Node::new(Source::Fixed(seed.clone()));
            if let Some(map) = ask(&node, seed.host()).await {
                return Some(map);
            }
        }
        None
    }

    /// Connections to nodes that are primaries no more are closed.
    fn forget_strangers(&self, map: &Map) {
        let primaries = map.primaries();
        self.nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|address, _| primaries.contains(&address));
    }
}

async fn ask(node: &Node, host: &str) -> Option<Map> {
    let command = Command::of(&["CLUSTER", "SLOTS"])?;
    let replies = node.run([&command].into_iter()).await.ok()?;
    match replies.into_iter().next()? {
        Ok(reply) => Map::new(&reply, host),
        Err(_) => None,
    }
}
