//! Limits as text: `100/1m,1000/1h`.

use std::time::Duration;

use crate::duration::duration_ms;
use crate::error::{EdgeError, ErrorKind};
use crate::ratelimit::{Limit, Limits};

/// Reads sliding windows, each named by its window: `100/1m` is 100 within any minute, named `1m`. All must allow.
pub(crate) fn limits(text: &str) -> Result<Limits, EdgeError> {
    let limits: Result<Vec<_>, _> = text.split(',').map(|part| one(part.trim())).collect();
    Limits::new(&limits?)
}

fn one(text: &str) -> Result<Limit, EdgeError> {
    let parts = text.split_once('/');
    let read = parts.and_then(|(count, window)| {
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        Some((count.parse().ok().filter(|_| digits)?, window))
    });
    let (count, window) = read.ok_or_else(|| {
        EdgeError::config(
            "a limit is a whole number, a slash and a duration, such as \"100/1m\"; several have commas between them",
        )
    })?;
    Limit::sliding_window(count, Duration::from_millis(duration_ms(window)?))?.named(window)
}

/// The same error, behind the name of the setting it is about.
pub(crate) fn about(name: &str, error: &EdgeError) -> EdgeError {
    let message = name.to_owned() + ": " + error.message();
    EdgeError::with_text(ErrorKind::InvalidConfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_limits_are_read_in_order_and_named_by_their_windows() {
        let read = limits("100/1m, 1000/1h").unwrap();
        let minute = Limit::sliding_window(100, Duration::from_secs(60)).unwrap();
        let hour = Limit::sliding_window(1000, Duration::from_secs(3600)).unwrap();
        assert_eq!(
            *read,
            [minute.named("1m").unwrap(), hour.named("1h").unwrap()]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "100",
            "100/",
            "/1m",
            "+1/1m",
            "-1/1m",
            "1.5/1m",
            "0/1m",
            "1/0s",
            "1/1m,",
            "1/1m,2/1m",
            "1/1m;1/1h",
            "99999999999/1m",
            "1/367d",
        ] {
            let error = limits(text).unwrap_err();
            assert_eq!(error.code(), "invalid_config", "{text}");
        }
    }
}
