//! A Redis Cluster: each command goes to the node that holds its keys.

mod batch;
mod merge;
mod nodes;
mod redirect;
mod route;
mod slots;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::dial::Target;
use super::node::Node;
use super::{Failure, Outcome};
use crate::command::{Command, Table};
use crate::reply::Reply;
use batch::Item;
use nodes::Nodes;
use redirect::Redirect;
use route::{Merge, Route, route};

/// How long a command that was certainly not done is tried again while the cluster sorts itself out.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Between two such tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The reply to one command, or why there is none.
type Settled = Result<Reply, Failure>;

/// A Redis Cluster.
pub(crate) struct Cluster {
    nodes: Nodes,
}

impl Cluster {
    pub(crate) fn new(seeds: Vec<Target>) -> Option<Self> {
        Some(Self {
            nodes: Nodes::new(seeds)?,
        })
    }

    /// Runs commands: those of one slot in their order, those of different nodes at the same time,
    /// and those for every node between what stands before and after them.
    pub(crate) async fn run(
        &self,
        commands: &[Command],
        table: &Table,
    ) -> Result<Vec<Reply>, Failure> {
        let mut settled = Vec::with_capacity(commands.len());
        let mut batch = Vec::new();
        for command in commands {
            match route(command, table) {
                Route::Slot(slot) => batch.push(Item::new(command, Some(slot))),
                Route::Anywhere => batch.push(Item::new(command, None)),
                Route::Everywhere(merge) => {
                    settled.extend(self.batch(std::mem::take(&mut batch)).await);
                    settled.push(self.everywhere(command, merge).await);
                }
                Route::Scan => {
                    settled.extend(self.batch(std::mem::take(&mut batch)).await);
                    settled.push(self.scan(command).await);
                }
            }
        }
        settled.extend(self.batch(batch).await);
        answers(settled)
    }

    /// A transaction, on the one node that holds all its keys.
    pub(crate) async fn transaction(
        &self,
        commands: &[Command],
        table: &Table,
    ) -> Result<Outcome, Failure> {
        let mut slot = None;
        for command in commands {
            match route(command, table) {
                Route::Slot(this) if *slot.get_or_insert(this) == this => {}
                Route::Slot(_) => {
                    let text = "CROSSSLOT Keys in request don't hash to the same slot";
                    return Ok(Outcome::Refused(text.to_owned()));
                }
                Route::Anywhere => {}
                Route::Everywhere(_) | Route::Scan => {
                    return Ok(Outcome::Refused(format!(
                        "ERR {} goes to every node of the cluster: not in a transaction",
                        command.name().to_ascii_uppercase()
                    )));
                }
            }
        }
        let start = Instant::now();
        let mut stale = false;
        loop {
            let (node, host) = self.holder(slot, stale).await?;
            let outcome = node.transaction(commands).await;
            // In all of these cases nothing was done.
            let redirected = match &outcome {
                Err(Failure::Unreachable) => Some(Redirect::Later),
                Ok(Outcome::Refused(error) | Outcome::Discarded(error)) => {
                    redirect::redirect(error, &host)
                }
                _ => None,
            };
            let late = start.elapsed() > PATIENCE;
            match redirected {
                None => return outcome,
                // Redis has no ASKING for a transaction: it waits until the slot has moved.
                Some(Redirect::Ask(_)) if late => {
                    let text = "TRYAGAIN the slot is on its way to another node";
                    return Ok(Outcome::Refused(text.to_owned()));
                }
                Some(_) if late => return outcome,
                Some(_) => {}
            }
            stale = true;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A node that subscriptions can be had from: messages reach all of them.
    pub(crate) async fn any(&self) -> Result<Target, Failure> {
        for stale in [false, true] {
            let map = self.nodes.map(stale).await?;
            for address in map.primaries() {
                let target = self.nodes.at(address).source().target().await?;
                if target.dial().await.is_ok() {
                    return Ok(target);
                }
            }
        }
        Err(Failure::Unreachable)
    }

    async fn holder(&self, slot: Option<u16>, stale: bool) -> Result<(Arc<Node>, String), Failure> {
        let map = self.nodes.map(stale).await?;
        let address = match slot {
            Some(slot) => map.owner(slot),
            None => map.primaries().into_iter().next(),
        };
        let address = address.ok_or(Failure::Unreachable)?;
        Ok((self.nodes.at(address), address.0.clone()))
    }

    async fn everywhere(&self, command: &Command, merge: Merge) -> Settled {
        // The newest: a node that came since would be left out, and no redirect tells of it.
        let map = self.nodes.map(true).await?;
        let asked = map.primaries().into_iter().map(async |address| {
            let node = self.nodes.at(address);
            node.run([command].into_iter()).await
        });
        let mut replies = Vec::new();
        for reply in join_all(asked).await {
            replies.extend(reply?);
        }
        Ok(merge::merge(replies, merge))
    }

    async fn scan(&self, command: &Command) -> Settled {
        let invalid = || Ok(Err("ERR invalid cursor".to_owned()));
        let Some((index, own)) = merge::scan(command) else {
            return invalid();
        };
        let start = Instant::now();
        let mut stale = command.argument(1) == Some(b"0");
        loop {
            let map = self.nodes.map(stale).await?;
            let primaries = map.primaries();
            let Some(address) = primaries.get(index) else {
                return invalid();
            };
            let reply = match self.nodes.at(address).run([&own].into_iter()).await {
                // Somebody else may hold its keys by now.
                Err(Failure::Unreachable) if start.elapsed() <= PATIENCE => {
                    stale = true;
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                reply => reply?,
            };
            return Ok(match reply.into_iter().next() {
                Some(Ok(page)) => merge::scanned(page, index, primaries.len())
                    .ok_or_else(|| "ERR invalid cursor".to_owned()),
                Some(Err(error)) => Err(error),
                None => return Err(Failure::Lost),
            });
        }
    }
}

/// When no command got a reply the request fails as one; otherwise each has its own.
fn answers(settled: Vec<Settled>) -> Result<Vec<Reply>, Failure> {
    if settled.iter().all(Result::is_err)
        && let Some(Err(failure)) = settled.first()
    {
        return Err(*failure);
    }
    Ok(settled
        .into_iter()
        .map(|one| one.unwrap_or_else(|failure| Err(failure.text().to_owned())))
        .collect())
}
