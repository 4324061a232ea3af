//! MULTI .. EXEC.

use redis::{ServerErrorKind, Value};

use super::Failure;
use super::link::Link;
use crate::command::Command;
use crate::reply::{Reply, error_line, reply};

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A reply for each command.
    Done(Vec<Reply>),
    /// Nothing was done: Redis refused a command when it was queued, with this error.
    Refused(String),
    /// Nothing was done: Redis refused EXEC, with this error.
    Discarded(String),
}

/// Sends MULTI, the commands and EXEC in one write.
pub(crate) async fn run(link: &Link, commands: &[Command]) -> Result<Outcome, Failure> {
    let mut pipeline = redis::Pipeline::with_capacity(commands.len());
    pipeline.atomic();
    for command in commands {
        pipeline.add_command(command.packed());
    }
    let mut connection = link.connection.clone();
    let executed = connection
        .send_packed_commands(&pipeline, commands.len() + 1, 1)
        .await;
    match executed {
        Ok(mut replies) => match replies.pop() {
            Some(Value::Array(values)) if values.len() == commands.len() => {
                Ok(Outcome::Done(values.into_iter().map(reply).collect()))
            }
            Some(Value::ServerError(error)) => Ok(Outcome::Discarded(error_line(&error))),
            _ => Err(Failure::Lost),
        },
        Err(error) if is_abort(&error) => Ok(refused(error)),
        Err(error) => Err(error.into()),
    }
}

fn is_abort(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::ExecAbort)
}

fn refused(error: redis::RedisError) -> Outcome {
    let first = error
        .into_server_errors()
        .and_then(|errors| errors.first().map(|(_, error)| error_line(error)))
        .unwrap_or_else(|| "ERR".to_owned());
    Outcome::Refused(first)
}
