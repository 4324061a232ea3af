//! One Redis server: a connection that everybody shares, and a pool for transactions.

use std::time::Instant;

use redis::Value;
use tokio::sync::Mutex;

use super::Failure;
use super::dial::Target;
use super::link::Link;
use super::pool::Pool;
use super::transaction::{self, Outcome};
use crate::command::Command;
use crate::{Config, Error};

/// One Redis server.
pub(crate) struct Node {
    target: Target,
    shared: Mutex<Shared>,
    pool: Pool,
}

#[derive(Default)]
struct Shared {
    link: Option<Link>,
    failed: Option<(Instant, Failure)>,
}

impl Node {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let target = Target::new(config)?;
        Ok(Self {
            pool: Pool::new(target.clone()),
            target,
            shared: Mutex::default(),
        })
    }

    /// Runs commands in order, in one write.
    pub(crate) async fn run(&self, commands: &[Command]) -> Result<Vec<Value>, Failure> {
        let link = self.link().await?;
        let mut connection = link.connection.clone();
        let replies = match commands {
            [command] => connection
                .send_packed_command(&command.packed())
                .await
                .map(|value| vec![value]),
            commands => {
                let mut pipeline = redis::Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command.packed());
                }
                connection
                    .send_packed_commands(&pipeline, 0, commands.len())
                    .await
            }
        };
        match replies {
            Ok(replies) if replies.len() == commands.len() => Ok(replies),
            Ok(_) => {
                self.forget(&link).await;
                Err(Failure::Lost)
            }
            Err(error) => {
                self.forget(&link).await;
                Err(error.into())
            }
        }
    }

    /// Runs commands at once, or none of them, on a connection that nobody else uses meanwhile.
    pub(crate) async fn transaction(&self, commands: &[Command]) -> Result<Outcome, Failure> {
        let link = self.pool.take().await?;
        let outcome = transaction::run(&link.link, commands).await;
        if outcome.is_ok() {
            self.pool.put(link);
        }
        outcome
    }

    async fn link(&self) -> Result<Link, Failure> {
        let asked = Instant::now();
        let mut shared = self.shared.lock().await;
        if let Some(link) = shared.link.as_ref().filter(|link| !link.is_closed()) {
            return Ok(link.clone());
        }
        // Somebody tried while we waited for our turn: a queue of callers must not each wait for
        // a time-out of its own, one after the other.
        if let Some((at, failure)) = shared.failed
            && at >= asked
        {
            return Err(failure);
        }
        match Link::open(&self.target).await {
            Ok(link) => {
                shared.link = Some(link.clone());
                Ok(link)
            }
            Err(failure) => {
                shared.failed = Some((Instant::now(), failure));
                Err(failure)
            }
        }
    }

    /// A connection that failed once is not used again, be it only that it fell silent.
    async fn forget(&self, link: &Link) {
        let mut shared = self.shared.lock().await;
        shared.link.take_if(|current| current.is(link));
    }
}
