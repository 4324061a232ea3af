//! What an entry is good for at a moment: pure functions of its times and now.

/// How long an entry is fresh, and for how long after that it may still be served, in milliseconds.
///
/// The windows are those of RFC 5861: both begin where freshness ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub ttl_ms: u64,
    /// `stale-while-revalidate`
    pub stale_ms: u64,
    /// `stale-if-error`
    pub error_ms: u64,
    /// The share of `ttl_ms` that jitter may take off, in thousandths.
    pub jitter: u32,
}

impl Times {
    /// The same with jitter: `ttl * (1 - jitter * u)` for `drawn` = `u` * 2^32, so that what was written together does
    /// not end together.
    pub fn jittered(self, drawn: u32) -> Self {
        // The longest ttl takes 50 bits, so 13 of `drawn` are what 64 hold.
        let most = self.ttl_ms.saturating_mul(self.jitter.into()) / 1_000;
        let off = most.saturating_mul((drawn >> 19).into()) >> 13;
        Self {
            // Never all of it: `u` is less than 1.
            ttl_ms: self.ttl_ms.saturating_sub(off),
            ..self
        }
    }

    /// How long Redis has to keep it.
    pub fn kept_ms(self) -> u64 {
        self.ttl_ms.saturating_add(self.stale_ms.max(self.error_ms))
    }

    /// The instants they mean for what is written at `now`.
    pub fn from(self, now: u64) -> Instants {
        let fresh = now.saturating_add(self.ttl_ms);
        Instants {
            written: now,
            fresh_until: fresh,
            stale_until: fresh.saturating_add(self.stale_ms),
            error_until: fresh.saturating_add(self.error_ms),
        }
    }
}

/// The instants of an entry, in epoch milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instants {
    pub written: u64,
    pub fresh_until: u64,
    pub stale_until: u64,
    pub error_until: u64,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it while one caller refreshes it (RFC 5861, section 3).
    Stale,
    /// Serve it only when fetching fails (RFC 5861, section 4).
    OnError,
    /// Do not serve it.
    Gone,
}

impl Instants {
    /// Fresh before `fresh_until`, unless a tag of it was `expired`; then stale before `stale_until`; then good for
    /// errors before `error_until`.
    pub fn freshness(&self, now: u64, expired: bool) -> Freshness {
        if now < self.fresh_until && !expired {
            Freshness::Fresh
        } else if now < self.stale_until {
            Freshness::Stale
        } else if now < self.error_until {
            Freshness::OnError
        } else {
            Freshness::Gone
        }
    }

    /// Whether it may stand in for a fetch that failed.
    pub fn serves_on_error(&self, now: u64) -> bool {
        now < self.stale_until.max(self.error_until)
    }
}

/// XFetch (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015): who reads an
/// entry refreshes it already when `now - cost * beta * ln(u) >= fresh_until`, `u` being random in (0, 1].
/// `-beta * ln(u)` in thousandths, for `drawn` = `u` * 2^32; the rest is the lookup's, which knows the cost.
pub(super) fn earliness(beta: f64, drawn: u32) -> u32 {
    let u = (f64::from(drawn) + 1.0) / 4_294_967_296.0;
    (-beta * u.ln() * 1_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_is_fresh_then_stale_then_for_errors_then_gone_to_the_millisecond() {
        let times = Times {
            ttl_ms: 100,
            stale_ms: 50,
            error_ms: 80,
            jitter: 0,
        };
        let entry = times.from(1_000);
        for (now, fresh, expired) in [
            (1_099, Freshness::Fresh, Freshness::Stale),
            (1_100, Freshness::Stale, Freshness::Stale),
            (1_149, Freshness::Stale, Freshness::Stale),
            (1_150, Freshness::OnError, Freshness::OnError),
            (1_179, Freshness::OnError, Freshness::OnError),
            (1_180, Freshness::Gone, Freshness::Gone),
        ] {
            assert_eq!(entry.freshness(now, false), fresh, "{now}");
            assert_eq!(entry.freshness(now, true), expired, "{now}");
        }
        assert_eq!((entry.written, times.kept_ms()), (1_000, 180));
        assert_eq!(times.from(u64::MAX).error_until, u64::MAX);
    }

    #[test]
    fn jitter_takes_off_its_share_as_drawn() {
        for (jitter, drawn, ttl_ms) in [
            (1_000, u32::MAX, 1),
            (1_000, 1 << 31, 4_096),
            (500, 1 << 31, 6_144),
            (0, u32::MAX, 8_192),
        ] {
            let times = Times {
                ttl_ms: 8_192,
                stale_ms: 0,
                error_ms: 0,
                jitter,
            };
            assert_eq!(times.jittered(drawn).ttl_ms, ttl_ms);
        }
    }

    #[test]
    fn early_refresh_is_off_without_beta_and_grows_with_rarity() {
        assert_eq!(earliness(0.0, 0), 0);
        assert_eq!(earliness(1.0, u32::MAX), 0);
        // ln 2
        assert_eq!(earliness(1.0, (1 << 31) - 1), 693);
        assert_eq!(earliness(2.0, (1 << 31) - 1), 1_386);
        // The rarest draw: 32 ln 2.
        assert_eq!(earliness(1.0, 0), 22_180);
    }

    proptest! {
        #[test]
        fn an_entry_only_ever_gets_worse(
            ttl_ms in 1u64..1 << 40, stale_ms in 0u64..1 << 40, error_ms in 0u64..1 << 40,
            written in 0u64..1 << 42, first in 0u64..1 << 43, later in 0u64..1 << 42, expired: bool,
        ) {
            let order = |freshness| match freshness {
                Freshness::Fresh => 0,
                Freshness::Stale => 1,
                Freshness::OnError => 2,
                Freshness::Gone => 3,
            };
            let times = Times { ttl_ms, stale_ms, error_ms, jitter: 0 };
            let entry = times.from(written);
            let before = order(entry.freshness(first, expired));
            prop_assert!(before <= order(entry.freshness(first + later, expired)));
            prop_assert!(before >= order(entry.freshness(first, false)));
            // Redis keeps it for as long as it is good for anything, and no longer.
            let kept = first < written + times.kept_ms();
            prop_assert_eq!(kept, before != 3);
            prop_assert_eq!(entry.serves_on_error(first), before != 3);
        }

        #[test]
        fn jitter_takes_off_its_share_at_most(ttl_ms in 1u64..1 << 40, jitter in 0u32..=1_000, drawn: u32) {
            let times = Times { ttl_ms, stale_ms: 0, error_ms: 0, jitter };
            let jittered = times.jittered(drawn).ttl_ms;
            prop_assert!(jittered >= 1 && jittered <= ttl_ms);
            let least = (u128::from(ttl_ms) * u128::from(1_000 - jitter) / 1_000) as u64;
            prop_assert!(jittered >= least.max(1));
            prop_assert_eq!(times.jittered(0).ttl_ms, ttl_ms);
        }
    }
}
