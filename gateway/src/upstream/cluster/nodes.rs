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
    map: tokio::sync::Mutex<Option<(Arc<Map>, Instant)>>,
}

impl Nodes {
    /// `None` when there is no seed.
    pub(crate) fn new(seeds: Vec<Target>) -> Option<Self> {
        Some(Self {
            template: seeds.first()?.clone(),
            seeds,
            nodes: Mutex::default(),
            map: tokio::sync::Mutex::default(),
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

    /// The map, if there is one that is not known to be `stale`; else a new one.
    pub(crate) async fn map(&self, stale: bool) -> Result<Arc<Map>, Failure> {
        let mut current = self.map.lock().await;
        if let Some((map, at)) = current.as_ref()
            && (!stale || at.elapsed() < FRESH)
        {
            return Ok(Arc::clone(map));
        }
        let known: Vec<Address> = current
            .as_ref()
            .map(|(map, _)| map.primaries().into_iter().cloned().collect())
            .unwrap_or_default();
        let asked = self.ask(&known).await;
        match (asked, current.as_mut()) {
            (Some(map), _) => {
                let map = Arc::new(map);
                self.forget_strangers(&map);
                *current = Some((Arc::clone(&map), Instant::now()));
                Ok(map)
            }
            // Better an old map than none; and nobody asks again at once.
            (None, Some((map, at))) => {
                *at = Instant::now();
                Ok(Arc::clone(map))
            }
            (None, None) => Err(Failure::Unreachable),
        }
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
