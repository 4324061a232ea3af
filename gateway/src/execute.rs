//! Commands of one caller, run.

use crate::auth::Access;
use crate::command::{Command, Verdict, judge};
use crate::reply::{Reply, reply};
use crate::stats::Stats;
use crate::upstream::{Failure, Outcome, Upstream};

/// What runs the commands of one caller.
pub(crate) struct Execution<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) access: Access,
    pub(crate) stats: &'a Stats,
}

impl Execution<'_> {
    /// Runs what may be run, in order; the others are answered in their places.
    pub(crate) async fn run(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Failure> {
        let table = self.upstream.table(&commands).await?;
        let mut places = Vec::with_capacity(commands.len());
        let mut sent = Vec::with_capacity(commands.len());
        for command in commands {
            places.push(match judge(&command, self.access, &table) {
                Verdict::Send => {
                    sent.push(command);
                    None
                }
                Verdict::Answer(value) => Some(Ok(value)),
                Verdict::Refuse(error) => Some(Err(error)),
            });
        }
        let values = if sent.is_empty() {
            Vec::new()
        } else {
            self.stats.commands(sent.len());
            self.upstream.run(&sent).await?
        };
        let mut values = values.into_iter();
        let replies: Vec<Reply> = places
            .into_iter()
            .map_while(|place| place.or_else(|| values.next().map(reply)))
            .collect();
        Ok(replies)
    }

    /// Runs all, at once, or none; the error is why none.
    pub(crate) async fn transaction(
        &self,
        commands: Vec<Command>,
    ) -> Result<Result<Vec<Reply>, String>, Failure> {
        let table = self.upstream.table(&commands).await?;
        for command in &commands {
            if let Verdict::Refuse(error) = judge(command, self.access, &table) {
                return Ok(Err(because(&error)));
            }
        }
        self.stats.commands(commands.len());
        Ok(match self.upstream.transaction(&commands).await? {
            Outcome::Done(values) => Ok(values.into_iter().map(reply).collect()),
            Outcome::Refused(error) => Err(because(&error)),
            Outcome::Discarded(error) => Err(error),
        })
    }
}

/// One command that is refused discards the others.
fn because(error: &str) -> String {
    format!("EXECABORT Transaction discarded because of: {error}")
}
