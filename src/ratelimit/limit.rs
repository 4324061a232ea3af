//! How much is allowed in how long: values that cannot be built wrong.

use std::rc::Rc;
use std::time::Duration;

use crate::error::EdgeError;

/// How much is allowed in how long.
///
/// ```
/// use std::time::Duration;
/// use upstash_edge::Limit;
/// assert!(Limit::sliding_window(10, Duration::from_secs(10)).is_ok());
/// assert!(Limit::fixed_window(0, Duration::from_secs(10)).is_err());
/// assert!(Limit::token_bucket(20, 5, Duration::from_secs(1)).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub(super) name: Rc<str>,
    pub(super) limit: u32,
    /// Of a token bucket: what `refill` tokens take.
    pub(super) window_ms: u64,
    pub(super) algorithm: Algorithm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    SlidingWindow,
    FixedWindow,
    TokenBucket { refill: u32 },
}

const LONGEST_WINDOW_MS: u64 = 366 * 86_400_000;

/// Lua counts in doubles, exact below 2^53, and adds two such numbers.
const MOST_PARTS: u64 = 1 << 52;

/// Names a limit that was given none.
const UNNAMED: &str = "default";

impl Limit {
    /// At most `limit` (total cost) within any `window`, wherever it begins; named `default`.
    ///
    /// # Errors
    /// `invalid_config` when `limit` is 0 or past 2,147,483,647, or `window` is not 1 ms to 366 days.
    pub fn sliding_window(limit: u32, window: Duration) -> Result<Self, EdgeError> {
        Self::new(limit, window, Algorithm::SlidingWindow)
    }

    /// At most `limit` within each window; they follow each other from the epoch on. Twice the limit can pass around
    /// the end of one. Named `default`.
    ///
    /// # Errors
    /// As [`Self::sliding_window`].
    pub fn fixed_window(limit: u32, window: Duration) -> Result<Self, EdgeError> {
        Self::new(limit, window, Algorithm::FixedWindow)
    }

    /// A bucket that holds `capacity` at most, full at first, into which `refill` flow evenly in each `every`;
    /// named `default`. Its window, where one is told, is the time from empty to full.
    ///
    /// # Errors
    /// `invalid_config` when `capacity` or `refill` is 0 or past 2,147,483,647, `every` is not 1 ms to 366 days,
    /// the empty bucket takes more than 366 days to fill, or `capacity` times `every` in milliseconds is past 2^52.
    pub fn token_bucket(capacity: u32, refill: u32, every: Duration) -> Result<Self, EdgeError> {
        if refill == 0 || refill > MOST {
            return Err(EdgeError::config("refill must be 1 to 2147483647"));
        }
        let bucket = Self::new(capacity, every, Algorithm::TokenBucket { refill })?;
        if u64::from(capacity).saturating_mul(bucket.window_ms) > MOST_PARTS {
            return Err(EdgeError::config(
                "capacity times every, in milliseconds, must be at most 2^52: divide refill and every by the same number",
            ));
        }
        if bucket.whole_window_ms() > LONGEST_WINDOW_MS {
            return Err(EdgeError::config(
                "a token bucket must fill within 366 days",
            ));
        }
        Ok(bucket)
    }

    fn new(limit: u32, window: Duration, algorithm: Algorithm) -> Result<Self, EdgeError> {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        if limit == 0 || limit > MOST {
            return Err(EdgeError::config("limit must be 1 to 2147483647"));
        }
        if window_ms == 0 || window_ms > LONGEST_WINDOW_MS {
            return Err(EdgeError::config("window must be 1 ms to 366 days"));
        }
        Ok(Self {
            name: UNNAMED.into(),
            limit,
            window_ms,
            algorithm,
        })
    }

    /// The same under another name: what `Decision::policies` and the headers call it, and what an identifier for it
    /// alone is given by.
    ///
    /// # Errors
    /// `invalid_config` unless the name is 1 to 64 visible ASCII characters without `"` and `\`,
    /// for it is written into headers.
    pub fn named(mut self, name: &str) -> Result<Self, EdgeError> {
        let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(EdgeError::config(
                "name of a limit must be 1 to 64 visible ASCII characters without quotes and backslashes",
            ));
        }
        self.name = name.into();
        Ok(self)
    }

    /// The window; of a token bucket the time from empty to full.
    pub(super) fn whole_window_ms(&self) -> u64 {
        match self.algorithm {
            Algorithm::TokenBucket { refill } => {
                (u64::from(self.limit) * self.window_ms).div_ceil(refill.into())
            }
            _ => self.window_ms,
        }
    }

    /// For how long its state is kept after a check, in milliseconds.
    pub(super) fn keep_ms(&self) -> u64 {
        self.whole_window_ms() + LATE_MS
    }

    /// What its state is kept under: limits that differ in it share nothing.
    pub(super) fn kind(&self) -> &'static str {
        match self.algorithm {
            Algorithm::SlidingWindow => "sw",
            Algorithm::FixedWindow => "fw",
            Algorithm::TokenBucket { .. } => "tb",
        }
    }

    fn identity(&self) -> (&str, &str, u64) {
        (self.kind(), &self.name, self.window_ms)
    }
}

const MOST: u32 = i32::MAX as u32;

/// How much longer a state is kept than its window: a check stamped inside the window may arrive after it.
const LATE_MS: u64 = 5_000;

/// The limits of one check, one or several: all must allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(Rc<[Limit]>);

impl Limits {
    /// Several limits that must all allow.
    ///
    /// # Errors
    /// `invalid_config` when there is none, or two are equal in name, algorithm and window.
    pub fn new(limits: &[Limit]) -> Result<Self, EdgeError> {
        let twice = |(i, limit): (usize, &Limit)| {
            let others = limits.iter().take(i);
            others.into_iter().any(|o| o.identity() == limit.identity())
        };
        if limits.is_empty() {
            return Err(EdgeError::config("limits must hold at least one limit"));
        }
        if limits.iter().enumerate().any(twice) {
            return Err(EdgeError::config(
                "two limits must differ in name, algorithm or window",
            ));
        }
        Ok(Self(limits.into()))
    }

    /// Where each limit's state stands in a key of all: in an order that does not depend on the one they were given in.
    pub(super) fn order(&self) -> Vec<usize> {
        // By counting, for they are few: a sort is 3 KB of wasm.
        let before = |limit: &Limit| {
            let smaller = |other: &&Limit| other.identity() < limit.identity();
            self.0.iter().filter(smaller).count()
        };
        let mut order = vec![0; self.0.len()];
        for (at, limit) in self.0.iter().enumerate() {
            if let Some(place) = order.get_mut(before(limit)) {
                *place = at;
            }
        }
        order
    }
}

impl std::ops::Deref for Limits {
    type Target = [Limit];

    fn deref(&self) -> &[Limit] {
        &self.0
    }
}

impl From<Limit> for Limits {
    fn from(limit: Limit) -> Self {
        Self(Rc::new([limit]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_check_could_count_exactly_cannot_be_built() {
        let (ms, day) = (Duration::from_millis(1), Duration::from_secs(86_400));
        for limit in [
            Limit::sliding_window(0, day),
            Limit::sliding_window(1 << 31, day),
            Limit::fixed_window(1, Duration::ZERO),
            Limit::fixed_window(1, 367 * day),
            Limit::token_bucket(0, 1, day),
            Limit::token_bucket(1, 0, day),
            Limit::token_bucket(1, 1 << 31, day),
            Limit::token_bucket(367, 1, day),
            Limit::token_bucket(MOST, MOST, day),
        ] {
            assert_eq!(limit.unwrap_err().code(), "invalid_config");
        }
        assert!(Limit::token_bucket(MOST, MOST, ms).is_ok());
        assert!(Limit::sliding_window(MOST, 366 * day).is_ok());
    }

    #[test]
    fn two_limits_that_would_share_a_state_are_refused() {
        let limit = |limit, seconds| Limit::sliding_window(limit, Duration::from_secs(seconds));
        let (a, b) = (limit(1, 1).unwrap(), limit(2, 1).unwrap());
        let error = Limits::new(&[a.clone(), b.clone()]).unwrap_err();
        assert_eq!(error.code(), "invalid_config");
        assert!(Limits::new(&[]).is_err());
        let fixed = Limit::fixed_window(1, Duration::from_secs(1)).unwrap();
        let named = b.named("b").unwrap();
        let limits = Limits::new(&[a, limit(1, 2).unwrap(), fixed, named]).unwrap();
        assert_eq!(limits.order(), [2, 3, 0, 1]);
    }
}
