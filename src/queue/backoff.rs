//! How long a job that failed waits.

use crate::error::EdgeError;

/// Doubles with each attempt, from a base up to a maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    base_ms: u64,
    max_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base_ms: 1_000,
            max_ms: 3_600_000,
        }
    }
}

impl Backoff {
    pub fn new(base_ms: u64, max_ms: u64) -> Result<Self, EdgeError> {
        if max_ms < base_ms {
            return Err(EdgeError::config("max_ms must not be less than base_ms"));
        }
        Ok(Self { base_ms, max_ms })
    }

    /// After so many attempts: between half of it and the whole, so that what failed together does not come back together.
    pub fn after(self, attempts: u32, drawn: u32) -> u64 {
        let doubled = 1u64.checked_shl(attempts.saturating_sub(1));
        let whole = doubled.map_or(self.max_ms, |times| self.base_ms.saturating_mul(times));
        let whole = whole.min(self.max_ms);
        let half = u128::from(whole - whole / 2);
        let part = half * u128::from(drawn) / u128::from(u32::MAX);
        whole / 2 + u64::try_from(part).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_doubles_up_to_the_maximum() {
        let backoff = Backoff::new(100, 1_000).unwrap();
        let whole: Vec<_> = (1..7).map(|n| backoff.after(n, u32::MAX)).collect();
        assert_eq!(whole, [100, 200, 400, 800, 1_000, 1_000]);
        let half: Vec<_> = (1..7).map(|n| backoff.after(n, 0)).collect();
        assert_eq!(half, [50, 100, 200, 400, 500, 500]);
        assert!(Backoff::new(2, 1).is_err());
    }

    proptest! {
        #[test]
        fn it_is_never_past_the_maximum_nor_under_half_of_the_base(base in 1u64..1 << 40, more in 0u64..1 << 40, attempts: u32, drawn: u32) {
            let delay = Backoff::new(base, base + more).unwrap().after(attempts, drawn);
            prop_assert!(delay >= base / 2 && delay <= base + more);
        }
    }
}
