//! When not to ask Redis at all: after repeated failures, for a short while.

/// So many failures in a row, each of something asked after the one before was known.
const MOST_FAILURES: u32 = 3;

/// How long nobody asks then; after it one caller tries, and the others wait for what comes of that.
const PAUSE_MS: u64 = 2_000;

/// What one isolate has seen of a Redis lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    failed_at: u64,
}

impl Breaker {
    /// Whether Redis is to be asked at `now`.
    pub fn allows(&mut self, now: u64) -> bool {
        if self.failures < MOST_FAILURES {
            return true;
        }
        // A clock that was set back ends the pause.
        if (self.failed_at..self.failed_at.saturating_add(PAUSE_MS)).contains(&now) {
            return false;
        }
        self.failed_at = now;
        true
    }

    /// What was asked at `asked` was answered, or was not by `now`.
    pub fn saw(&mut self, answered: bool, asked: u64, now: u64) {
        if answered {
            self.failures = 0;
        } else if self.failures == 0 || asked >= self.failed_at {
            // What travelled with a failure counts once with it.
            self.failures = self.failures.saturating_add(1);
            self.failed_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_make_a_pause_and_one_caller_ends_it() {
        let mut breaker = Breaker::default();
        for asked in [0, 1_000, 2_000] {
            assert!(breaker.allows(asked));
            breaker.saw(false, asked, asked + 500);
        }
        assert!(!breaker.allows(2_501));
        assert!(!breaker.allows(4_499));
        assert!(breaker.allows(4_500));
        assert!(!breaker.allows(4_501));
        breaker.saw(true, 4_500, 4_600);
        assert!(breaker.allows(4_601));
    }

    #[test]
    fn what_fails_together_is_one_failure() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.saw(false, 0, 500);
        }
        assert!(breaker.allows(501));
    }

    #[test]
    fn a_success_in_between_begins_anew() {
        let mut breaker = Breaker::default();
        for asked in 0..100 {
            breaker.saw(asked % 3 == 2, asked, asked);
            assert!(breaker.allows(asked));
        }
    }

    #[test]
    fn failures_of_one_millisecond_count_each_when_one_was_known_before_the_next() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            assert!(breaker.allows(100));
            breaker.saw(false, 100, 100);
        }
        assert!(!breaker.allows(101));
        // A clock that was set back ends the pause.
        assert!(breaker.allows(50));
    }

    #[test]
    fn after_a_success_what_was_asked_before_the_last_failure_counts_again() {
        let mut breaker = Breaker::default();
        breaker.saw(false, 0, 500);
        breaker.saw(true, 450, 460);
        for (asked, now) in [(400, 900), (900, 950), (950, 960)] {
            assert!(breaker.allows(asked));
            breaker.saw(false, asked, now);
        }
        assert!(!breaker.allows(961));
    }
}
