//! A failure as an answer: `{"error": {"code": .., "message": ..}}`.

use serde::Serialize;
use worker::Response;

use crate::error::{EdgeError, ErrorKind};

/// Why a request gets no better answer.
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
    allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'a str,
    message: &'a str,
}

impl Failure {
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            allow: None,
        }
    }

    pub fn not_found() -> Self {
        Self::new(404, "not_found", "there is nothing here")
    }

    pub fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, "method_not_allowed", "this path takes other methods")
        }
    }

    pub fn bad(message: &str) -> Self {
        Self::new(400, "invalid_argument", message)
    }

    /// Redis did not answer.
    pub fn away() -> Self {
        Self::new(503, "network", "Redis does not answer")
    }

    pub fn forbidden(message: &str) -> Self {
        Self::new(403, "forbidden", message)
    }

    pub fn too_large(message: &str) -> Self {
        Self::new(413, "too_large", message)
    }

    pub fn response(&self) -> worker::Result<Response> {
        let response = Response::from_json(&Body {
            error: Inner {
                code: self.code,
                message: &self.message,
            },
        })?
        .with_status(self.status);
        response.headers().set("Cache-Control", "no-store")?;
        if let Some(allow) = self.allow {
            response.headers().set("Allow", allow)?;
        }
        Ok(response)
    }
}

/// Of options that come with the request a wrong one is the asker's.
pub(super) fn asked(error: EdgeError) -> Failure {
    match error.kind() {
        ErrorKind::InvalidConfig => Failure::bad(error.message()),
        _ => error.into(),
    }
}

impl From<EdgeError> for Failure {
    fn from(error: EdgeError) -> Self {
        let status = match error.kind() {
            ErrorKind::InvalidArgument => 400,
            ErrorKind::Conflict => 409,
            ErrorKind::TooLarge => 413,
            ErrorKind::InvalidConfig | ErrorKind::Unsupported => 500,
            ErrorKind::RedisError | ErrorKind::Corrupt => 502,
            _ => 503,
        };
        Self::new(status, error.code(), error.message())
    }
}

/// The runtime's own failures; their texts are not for strangers.
impl From<worker::Error> for Failure {
    fn from(_: worker::Error) -> Self {
        Self::new(500, "server_error", "the runtime refused")
    }
}
