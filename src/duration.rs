//! Durations as text: `"500ms" "10s" "1.5m" "1h" "7d"`.

use crate::error::EdgeError;

/// Reads a duration, in milliseconds: a decimal number and one of `ms`, `s`, `m`, `h`, `d`.
///
/// # Errors
/// `invalid_config` when the text is no duration, or not a whole number of milliseconds, or past 10,000 days.
///
/// ```
/// assert_eq!(upstash_edge::duration_ms("1.5m").ok(), Some(90_000));
/// assert!(upstash_edge::duration_ms("10").is_err());
/// ```
pub fn duration_ms(text: &str) -> Result<u64, EdgeError> {
    parse(text.as_bytes()).ok_or_else(|| {
        EdgeError::config("a duration is a number and a unit, such as \"500ms\", \"10s\", \"1.5m\", \"1h\" or \"7d\", at most 10000 days")
    })
}

/// A time to wait, in milliseconds: timers of the web hold 31 bits, and wrap past them.
///
/// # Errors
/// `invalid_config` when it is 0 or past 2,147,483,647.
pub(crate) fn timeout(ms: u64) -> Result<u64, EdgeError> {
    if ms == 0 || ms > LONGEST_TIMEOUT_MS {
        return Err(EdgeError::config("timeout must be 1 ms to 2147483647 ms"));
    }
    Ok(ms)
}

pub(crate) const LONGEST_TIMEOUT_MS: u64 = (1 << 31) - 1;

/// A time to live, in milliseconds.
///
/// # Errors
/// `invalid_config` when it is 0 or past 10,000 days.
pub(crate) fn kept(ms: u64) -> Result<u64, EdgeError> {
    if ms == 0 || ms > LONGEST_MS {
        return Err(EdgeError::config(
            "a time to live must be 1 ms to 10000 days",
        ));
    }
    Ok(ms)
}

pub(crate) const LONGEST_MS: u64 = 10_000 * DAY_MS;

const DAY_MS: u64 = 86_400_000;

fn parse(text: &[u8]) -> Option<u64> {
    let digits = text
        .iter()
        .position(|b| !b.is_ascii_digit() && *b != b'.')?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit_ms: u64 = match unit {
        b"ms" => 1,
        b"s" => 1_000,
        b"m" => 60_000,
        b"h" => 3_600_000,
        b"d" => DAY_MS,
        _ => return None,
    };
    let mut whole = number.split(|b| *b == b'.');
    let (before, after) = (whole.next()?, whole.next());
    if whole.next().is_some() || before.is_empty() || after.is_some_and(<[u8]>::is_empty) {
        return None;
    }
    let mut total = decimal(before)?.checked_mul(unit_ms)?;
    if let Some(after) = after {
        // Exact, for a float would lose a millisecond of "0.007s".
        let scale = 10u64.checked_pow(u32::try_from(after.len()).ok()?)?;
        let part = decimal(after)?.checked_mul(unit_ms)?;
        if part % scale != 0 {
            return None;
        }
        total = total.checked_add(part / scale)?;
    }
    (total <= LONGEST_MS).then_some(total)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        number
            .checked_mul(10)?
            .checked_add(u64::from(digit.checked_sub(b'0')?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read_exactly() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("1.5m", 90_000),
            ("1h", 3_600_000),
            ("7d", 604_800_000),
            ("0s", 0),
            ("0.007s", 7),
        ] {
            assert_eq!(duration_ms(text).ok(), Some(ms), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "10",
            "s",
            "10 s",
            "-1s",
            "1.s",
            ".5s",
            "1.2.3s",
            "1e3s",
            "0.5ms",
            "10001d",
            "99999999999999999999d",
            "10S",
            "1\u{661}s",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
