//! A reply, on its way to the caller.

pub(crate) mod json;
pub(crate) mod resp;

use redis::{ServerError, Value};

/// The reply to one command: a value, or Redis's error line.
pub(crate) type Reply = Result<Value, String>;

/// An error is what stands at the top; one inside an array is a value.
pub(crate) fn reply(value: Value) -> Reply {
    match value {
        Value::ServerError(error) => Err(error_line(&error)),
        value => Ok(value),
    }
}

/// The line that Redis sent, `ERR ..`.
pub(crate) fn error_line(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}
