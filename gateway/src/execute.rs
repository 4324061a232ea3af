//! Commands of one caller, run.

use std::future::Future;

use redis::Value;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::command::{Command, Verdict, judge};
use crate::reply::Reply;
use crate::rest_token;
use crate::upstream::{Failure, Listener, Outcome};

/// What runs the commands of one caller.
pub(crate) struct Execution<'a> {
    pub(crate) app: &'a App,
    pub(crate) caller: Caller,
}

impl Execution<'_> {
    /// Runs what may be run, in order; the others are answered in their places.
    pub(crate) async fn run(&self, commands: Vec<Command>) -> Result<Vec<Reply>, Failure> {
        let table = self.app.upstream.table(&commands).await?;
        let mut places = Vec::with_capacity(commands.len());
        let mut sent = Vec::with_capacity(commands.len());
        let mut loaded = Vec::with_capacity(commands.len());
        for mut command in commands {
            if rest_token::is_asked_by(&command) {
                places.push(Some(self.rest_token(&command).await?));
                continue;
            }
            places.push(match judge(&command, self.caller.access, &table) {
                Verdict::Send => {
                    loaded.push(self.translate(&mut command));
                    sent.push(command);
                    None
                }
                Verdict::Answer(value) => Some(Ok(value)),
                Verdict::Refuse(error) => Some(Err(error)),
            });
        }
        let replies = if sent.is_empty() {
            Vec::new()
        } else {
            let run = self.caller.upstream.run(&sent, &table);
            self.counted(sent.len(), run).await?
        };
        let mut replies = named(replies, loaded).into_iter();
        Ok(places
            .into_iter()
            .map_while(|place| place.or_else(|| replies.next()))
            .collect())
    }

    /// Runs all, at once, or none; the error is why none.
    pub(crate) async fn transaction(
        &self,
        mut commands: Vec<Command>,
    ) -> Result<Result<Vec<Reply>, String>, Failure> {
        let table = self.app.upstream.table(&commands).await?;
        for command in &commands {
            if let Verdict::Refuse(error) = judge(command, self.caller.access, &table) {
                return Ok(Err(because(&error)));
            }
        }
        let loaded = commands
            .iter_mut()
            .map(|command| self.translate(command))
            .collect();
        let run = self.caller.upstream.transaction(&commands, &table);
        let outcome = self.counted(commands.len(), run).await?;
        Ok(match outcome {
            Outcome::Done(replies) => Ok(named(replies, loaded)),
            Outcome::Refused(error) => Err(because(&error)),
            Outcome::Discarded(error) => Err(error),
        })
    }

    /// A server that speaks only JSON stands for those that refuse the flag.
    fn translate(&self, command: &mut Command) -> Option<String> {
        if self.app.config.json_only {
            return None;
        }
        self.app.scripts.translate(command)
    }

    /// Listens for what `command` (SUBSCRIBE, PSUBSCRIBE, MONITOR) asks to be told.
    pub(crate) async fn listen(&self, command: &Command) -> Result<Listener, Failure> {
        self.counted(1, self.caller.upstream.listen(command)).await
    }

    /// Counts commands before they are sent, for a caller may go away meanwhile.
    async fn counted<T>(
        &self,
        count: usize,
        sending: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.app.stats.commands(count);
        sending.await.map_err(|failure| {
            if failure.nothing_sent() {
                self.app.stats.unsent(count);
            }
            self.own(failure)
        })
    }

    /// The gateway's own login failing is the gateway's affair, another user's is that user's.
    fn own(&self, failure: Failure) -> Failure {
        match (failure, self.caller.access) {
            (Failure::Login, Access::Acl) => Failure::Unauthorized,
            (failure, _) => failure,
        }
    }

    async fn rest_token(&self, command: &Command) -> Result<Reply, Failure> {
        let access = self.caller.access;
        rest_token::issue(command, access, &self.app.tokens, &self.app.config).await
    }
}

/// The replies, with a script's name as its caller knows it in place of Redis's own.
fn named(replies: Vec<Reply>, loaded: Vec<Option<String>>) -> Vec<Reply> {
    let name = |(reply, sha1): (Reply, Option<String>)| match sha1 {
        Some(sha1) => reply.map(|_| Value::BulkString(sha1.into_bytes())),
        None => reply,
    };
    replies.into_iter().zip(loaded).map(name).collect()
}

/// One command that is refused discards the others.
fn because(error: &str) -> String {
    format!("EXECABORT Transaction discarded because of: {error}")
}
