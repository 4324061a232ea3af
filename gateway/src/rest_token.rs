//! `ACL RESTTOKEN user password`: a command of Upstash's own, which Redis does not know.

use redis::Value;

use crate::Config;
use crate::auth::{Access, Tokens};
use crate::command::Command;
use crate::reply::Reply;
use crate::upstream::{Failure, Login, Upstream};

/// Whether `command` asks for a token.
pub(crate) fn is_asked_by(command: &Command) -> bool {
    command.name() == "acl"
        && command
            .argument(1)
            .is_some_and(|sub| sub.eq_ignore_ascii_case(b"resttoken"))
}

/// A token, for who proves to be that user.
pub(crate) async fn issue(
    command: &Command,
    access: Access,
    tokens: &Tokens,
    config: &Config,
) -> Result<Reply, Failure> {
    if access != Access::Standard {
        let text = "NOPERM this user has no permissions to run the 'acl|resttoken' command";
        return Ok(Err(text.to_owned()));
    }
    let text = |index| {
        command
            .argument(index)
            .and_then(|argument| std::str::from_utf8(argument).ok())
    };
    let (Some(user), Some(password), None) = (text(2), text(3), command.argument(4)) else {
        let text = "ERR wrong number of arguments for 'acl|resttoken' command";
        return Ok(Err(text.to_owned()));
    };
    let login = Login {
        user: user.to_owned(),
        password: password.to_owned(),
    };
    let refused = || {
        Err(format!(
            "ERR Wrong password or user \"{user}\" does not exist"
        ))
    };
    let Ok(upstream) = Upstream::new(config, Some(&login)) else {
        return Ok(refused());
    };
    match upstream.try_login().await {
        Ok(()) => Ok(tokens
            .issue(login, upstream)
            .map(|token| Value::BulkString(token.into_bytes()))
            .map_err(|error| format!("ERR {error}"))),
        Err(Failure::Login) => Ok(refused()),
        Err(failure) => Err(failure),
    }
}
