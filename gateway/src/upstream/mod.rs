//! The way to Redis.

mod dial;
mod failure;
mod link;
mod node;
mod pool;
mod transaction;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Value;

use crate::command::{Command, Table};
use crate::{Config, Error};

pub(crate) use failure::Failure;
use node::Node;
pub(crate) use transaction::Outcome;

/// A table that lacks a command is asked for again when it is this old: a module may have come.
const TABLE_AGE: Duration = Duration::from_secs(1);

/// Redis, as one user sees it.
pub(crate) struct Upstream {
    node: Node,
    table: Mutex<Option<(Arc<Table>, Instant)>>,
}

impl Upstream {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            node: Node::new(config)?,
            table: Mutex::new(None),
        })
    }

    /// Runs commands in order, in one write; there are as many values as commands, errors among them.
    pub(crate) async fn run(&self, commands: &[Command]) -> Result<Vec<Value>, Failure> {
        self.node.run(commands).await
    }

    /// Runs commands at once, or none of them.
    pub(crate) async fn transaction(&self, commands: &[Command]) -> Result<Outcome, Failure> {
        self.node.transaction(commands).await
    }

    /// What Redis says of its commands; asked again when one of `wanted` is not in it.
    pub(crate) async fn table(&self, wanted: &[Command]) -> Result<Arc<Table>, Failure> {
        let known = self.known();
        if let Some((table, at)) = known {
            let complete = wanted.iter().all(|command| table.get(command).is_some());
            if complete || at.elapsed() < TABLE_AGE {
                return Ok(table);
            }
        }
        let ask: Vec<Command> = Command::new(vec![b"COMMAND".to_vec()])
            .into_iter()
            .collect();
        let reply = self.node.run(&ask).await?;
        let table = Arc::new(reply.first().map(Table::new).unwrap_or_default());
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(&table), Instant::now()));
        Ok(table)
    }

    fn known(&self) -> Option<(Arc<Table>, Instant)> {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
