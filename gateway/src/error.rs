//! Why the gateway could not start, or stopped.

use std::fmt;

/// Why the gateway could not start, or stopped. Holds no token and no password.
#[derive(Debug)]
pub struct Error {
    what: &'static str,
    source: Option<std::io::Error>,
}

impl Error {
    pub(crate) fn config(what: &'static str) -> Self {
        Self { what, source: None }
    }

    pub(crate) fn io(what: &'static str, source: std::io::Error) -> Self {
        Self {
            what,
            source: Some(source),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.what),
            None => f.write_str(self.what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
