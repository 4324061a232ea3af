//! The way to Redis.

mod address;
mod cluster;
mod depth;
mod dial;
mod failure;
mod lines;
mod link;
mod listener;
mod node;
mod pool;
mod sentinels;
mod source;
mod tls;
mod transaction;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::command::{Command, Table};
use crate::reply::Reply;
use crate::{Config, Error};

use address::Address;
pub(crate) use address::Login;
use cluster::Cluster;
pub(crate) use failure::Failure;
use link::Link;
pub(crate) use listener::Listener;
use node::Node;
use sentinels::Sentinels;
use source::Source;
pub(crate) use transaction::Outcome;

/// A table that lacks a command is asked for again when it is this old: a module may have come.
const TABLE_AGE: Duration = Duration::from_secs(1);

/// Redis, as one user sees it.
pub(crate) struct Upstream {
    shape: Shape,
    table: Mutex<Option<(Arc<Table>, Instant)>>,
    /// Held by the one who asks for the table; when that last failed, and why.
    asking: tokio::sync::Mutex<Option<(Instant, Failure)>>,
}

enum Shape {
    One(Box<Node>),
    Cluster(Box<Cluster>),
}

impl Upstream {
    /// As the user of the URL, or as another one.
    pub(crate) fn new(config: &Config, login: Option<&Login>) -> Result<Self, Error> {
        let shape = match Address::new(config, login)? {
            Address::One(target) => Shape::One(Box::new(Node::new(Source::Fixed(target)))),
            Address::Sentinel {
                name,
                sentinels,
                master,
            } => {
                let sentinels = Sentinels::new(name, sentinels, master);
                Shape::One(Box::new(Node::new(Source::Sentinel(Arc::new(sentinels)))))
            }
            Address::Cluster(seeds) => {
                let cluster = Cluster::new(seeds).ok_or(Error::config("a cluster wants a node"))?;
                Shape::Cluster(Box::new(cluster))
            }
        };
        Ok(Self {
            shape,
            table: Mutex::new(None),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Runs commands in order; there are as many replies, errors among them.
    pub(crate) async fn run(
        &self,
        commands: &[Command],
        table: &Table,
    ) -> Result<Vec<Reply>, Failure> {
        match &self.shape {
            Shape::One(node) => node.run(commands.iter()).await,
            Shape::Cluster(cluster) => cluster.run(commands, table).await,
        }
    }

    /// Runs commands at once, or none of them.
    pub(crate) async fn transaction(
        &self,
        commands: &[Command],
        table: &Table,
    ) -> Result<Outcome, Failure> {
        match &self.shape {
            Shape::One(node) => node.transaction(commands).await,
            Shape::Cluster(cluster) => cluster.transaction(commands, table).await,
        }
    }

    /// A connection that listens for what `command` asks to be told.
    pub(crate) async fn listen(&self, command: &Command) -> Result<Listener, Failure> {
        let target = match &self.shape {
            Shape::One(node) => node.source().target().await?,
            Shape::Cluster(cluster) => cluster.any().await?,
        };
        Listener::open(&target, command).await
    }

    /// Whether Redis lets this user in.
    pub(crate) async fn try_login(&self) -> Result<(), Failure> {
        let target = match &self.shape {
            Shape::One(node) => node.source().target().await?,
            Shape::Cluster(cluster) => cluster.any().await?,
        };
        Link::open(&target).await.map(drop)
    }

    /// What Redis says of its commands; asked again when one of `wanted` is not in it.
    pub(crate) async fn table(&self, wanted: &[Command]) -> Result<Arc<Table>, Failure> {
        if let Some(table) = self.known(wanted) {
            return Ok(table);
        }
        // The reply is long: a hundred first callers at once must not each read it.
        let called = Instant::now();
        let mut failed = self.asking.lock().await;
        if let Some(table) = self.known(wanted) {
            return Ok(table);
        }
        // Nor must each wait for a time-out of its own, one after the other.
        if let Some((at, failure)) = *failed
            && at >= called
        {
            return Err(failure);
        }
        let ask: Vec<Command> = Command::of(&["COMMAND"]).into_iter().collect();
        let replies = match self.run(&ask, &Table::default()).await {
            Ok(replies) => replies,
            Err(failure) => {
                *failed = Some((Instant::now(), failure));
                return Err(failure);
            }
        };
        let table = match replies.first() {
            Some(Ok(reply)) => Table::new(reply),
            // This user may not ask.
            Some(Err(_)) | None => Table::default(),
        };
        let table = Arc::new(table);
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(&table), Instant::now()));
        Ok(table)
    }

    /// The table, unless it lacks one of `wanted` and is old enough to ask again.
    fn known(&self, wanted: &[Command]) -> Option<Arc<Table>> {
        let held = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let (table, at) = held.as_ref()?;
        let complete = wanted.iter().all(|command| table.get(command).is_some());
        (complete || at.elapsed() < TABLE_AGE).then(|| Arc::clone(table))
    }
}
