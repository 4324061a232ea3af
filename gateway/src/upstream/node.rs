//! One Redis server: a connection that everybody shares, and a pool for transactions.

use std::time::Instant;

use tokio::sync::Mutex;

use super::Failure;
use super::link::Link;
use super::pool::Pool;
use super::source::Source;
use super::transaction::{self, Outcome};
use crate::command::Command;
use crate::reply::{Reply, reply};

/// One Redis server.
pub(crate) struct Node {
    source: Source,
    shared: Mutex<Shared>,
    pool: Pool,
}

#[derive(Default)]
struct Shared {
    link: Option<Link>,
    failed: Option<(Instant, Failure)>,
}

impl Node {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            pool: Pool::new(source.clone()),
            source,
            shared: Mutex::default(),
        }
    }

    /// Where its connections come from.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Runs commands in order, in one write; there are as many replies.
    pub(crate) async fn run<'a>(
        &self,
        commands: impl ExactSizeIterator<Item = &'a Command>,
    ) -> Result<Vec<Reply>, Failure> {
        let count = commands.len();
        let mut pipeline = redis::Pipeline::with_capacity(count);
        for command in commands {
            pipeline.add_command(command.packed());
        }
        let link = self.link().await?;
        let mut connection = link.connection.clone();
        let replies = connection.send_packed_commands(&pipeline, 0, count).await;
        let replies: Vec<Reply> = match replies {
            Ok(replies) => replies.into_iter().map(reply).collect(),
            Err(error) => {
                self.forget(&link).await;
                return Err(error.into());
            }
        };
        // It is a replica now: whoever is the master is asked for anew.
        let demoted = |reply: &Reply| matches!(reply, Err(error) if error.starts_with("READONLY"));
        if replies.len() != count || replies.iter().any(demoted) {
            self.forget(&link).await;
        }
        if replies.len() == count {
            Ok(replies)
        } else {
            Err(Failure::Lost)
        }
    }

    /// Runs commands at once, or none of them, on a connection that nobody else uses meanwhile.
    pub(crate) async fn transaction(&self, commands: &[Command]) -> Result<Outcome, Failure> {
        let loan = self.pool.take().await?;
        let outcome = transaction::run(&loan.link, commands).await?;
        let demoted = |error: &String| error.starts_with("READONLY");
        match &outcome {
            Outcome::Refused(error) | Outcome::Discarded(error) if demoted(error) => {}
            _ => self.pool.put(loan),
        }
        Ok(outcome)
    }

    async fn link(&self) -> Result<Link, Failure> {
        let asked = Instant::now();
        let mut shared = self.shared.lock().await;
        if let Some(link) = shared.link.as_ref().filter(|link| self.source.holds(link)) {
            return Ok(link.clone());
        }
        // Somebody tried while we waited for our turn: a queue of callers must not each wait for
        // a time-out of its own, one after the other.
        if let Some((at, failure)) = shared.failed
            && at >= asked
        {
            return Err(failure);
        }
        match self.source.open().await {
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
