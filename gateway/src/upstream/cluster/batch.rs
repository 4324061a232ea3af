//! Commands that have one node each: grouped by node, redirected where the nodes say so.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use futures_util::future::join_all;

use super::redirect::{Redirect, redirect};
use super::slots::{Address, Map};
use super::{Cluster, PATIENCE, PAUSE, Settled};
use crate::command::Command;
use crate::upstream::Failure;

/// A command that is under way.
pub(super) struct Item<'a> {
    command: &'a Command,
    slot: Option<u16>,
    redirected: Option<Redirect>,
    settled: Option<Settled>,
}

impl<'a> Item<'a> {
    pub(super) fn new(command: &'a Command, slot: Option<u16>) -> Self {
        Self {
            command,
            slot,
            redirected: None,
            settled: None,
        }
    }

    /// The node to go to, and whether it is only to be asked (`ASKING`).
    fn goes_to(&self, map: &Map) -> Option<(Address, bool)> {
        match &self.redirected {
            Some(Redirect::Moved(address)) => Some((address.clone(), false)),
            Some(Redirect::Ask(address)) => Some((address.clone(), true)),
            Some(Redirect::Later) | None => {
                let address = match self.slot {
                    Some(slot) => map.owner(slot),
                    None => map.primaries().into_iter().next(),
                };
                address.map(|address| (address.clone(), false))
            }
        }
    }

    /// Takes what came back; `true` when it was certainly not done and may be tried again.
    fn take(&mut self, settled: Settled, host: &str) -> bool {
        self.redirected = match &settled {
            Ok(Err(error)) => redirect(error, host),
            Err(Failure::Unreachable) => Some(Redirect::Later),
            _ => None,
        };
        self.settled = Some(settled);
        self.redirected.is_some()
    }
}

impl Cluster {
    /// Runs each command on its node.
    pub(super) async fn batch(&self, mut items: Vec<Item<'_>>) -> Vec<Settled> {
        let start = Instant::now();
        let mut stale = false;
        let mut waiting: Vec<&mut Item<'_>> = items.iter_mut().collect();
        while !waiting.is_empty() {
            let map = match self.nodes.map(stale).await {
                Ok(map) => map,
                Err(failure) => {
                    for item in waiting {
                        item.settled.get_or_insert(Err(failure));
                    }
                    break;
                }
            };
            let again = self.round(waiting, &map).await;
            if start.elapsed() > PATIENCE {
                break;
            }
            stale = again
                .iter()
                .any(|item| !matches!(item.redirected, Some(Redirect::Ask(_))));
            if again
                .iter()
                .any(|item| item.redirected == Some(Redirect::Later))
            {
                tokio::time::sleep(PAUSE).await;
            }
            waiting = again;
        }
        let lost = |item: &Item<'_>| matches!(item.settled, Some(Err(_)));
        if items.iter().any(lost) {
            // For the next caller.
            let _ = self.nodes.map(true).await;
        }
        items
            .into_iter()
            .map(|item| item.settled.unwrap_or(Err(Failure::Unreachable)))
            .collect()
    }

    /// One try of all that wait, the nodes at the same time; what is left to be tried again.
    async fn round<'i, 'c>(
        &self,
        waiting: Vec<&'i mut Item<'c>>,
        map: &Map,
    ) -> Vec<&'i mut Item<'c>> {
        let mut groups: BTreeMap<(Address, bool), Vec<&'i mut Item<'c>>> = BTreeMap::new();
        let mut again = Vec::new();
        for item in waiting {
            match item.goes_to(map) {
                Some(to) => groups.entry(to).or_default().push(item),
                None => {
                    item.take(Err(Failure::Unreachable), "");
                    again.push(item);
                }
            }
        }
        let runs = groups.into_iter().map(async |((address, asking), items)| {
            let replies = self.group(&address, asking, &items).await;
            let mut replies = replies.into_iter();
            let mut left = Vec::new();
            for item in items {
                let settled = replies.next().unwrap_or(Err(Failure::Lost));
                if item.take(settled, &address.0) {
                    left.push(item);
                }
            }
            left
        });
        again.extend(join_all(runs).await.into_iter().flatten());
        again
    }

    async fn group(
        &self,
        address: &Address,
        asking: bool,
        items: &[&mut Item<'_>],
    ) -> Vec<Settled> {
        static ASKING: OnceLock<Option<Command>> = OnceLock::new();
        let prefix = ASKING
            .get_or_init(|| Command::of(&["ASKING"]))
            .as_ref()
            .filter(|_| asking);
        let commands: Vec<&Command> = items
            .iter()
            .flat_map(|item| prefix.into_iter().chain([item.command]))
            .collect();
        let step = if prefix.is_some() { 2 } else { 1 };
        match self.nodes.at(address).run(commands.into_iter()).await {
            Ok(replies) => replies
                .into_iter()
                .skip(step - 1)
                .step_by(step)
                .map(Ok)
                .collect(),
            Err(failure) => items.iter().map(|_| Err(failure)).collect(),
        }
    }
}
