//! How long things took, as counts of ever wider buckets: what isolates have counted adds up.

/// The bucket of a time in milliseconds: each below 8 ms by itself, then four an octave.
pub(crate) fn bucket(ms: u64) -> u32 {
    let ms = ms.min(LONGEST_MS);
    if ms < 4 {
        return ms as u32;
    }
    let octave = ms.ilog2();
    (octave - 1) * 4 + ((ms >> (octave - 2)) & 3) as u32
}

const LONGEST_MS: u64 = (1 << 20) - 1;

/// The middle of a bucket, in milliseconds.
fn middle(bucket: u32) -> u64 {
    if bucket < 4 {
        return bucket.into();
    }
    let shift = (bucket / 4).saturating_sub(1).min(40);
    let least = u64::from(4 + bucket % 4) << shift;
    least + ((1 << shift) >> 1)
}

/// Counts by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram(Vec<(u32, u64)>);

impl Histogram {
    pub fn add(&mut self, bucket: u32, count: u64) {
        let place = self.0.iter_mut().find(|(other, _)| *other == bucket);
        match place {
            Some((_, held)) => *held = held.saturating_add(count),
            None => self.0.push((bucket, count)),
        }
    }

    pub fn join(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            self.add(*bucket, *count);
        }
    }

    /// The time that `percent` of all did not exceed, an eighth more or less; `None` when nothing was counted.
    pub fn quantile_ms(&self, percent: u64) -> Option<u64> {
        let total: u64 = self.0.iter().map(|(_, count)| *count).sum();
        let wanted = (total * percent).div_ceil(100).max(1);
        // By looking for the least bucket again and again, for they are few.
        let up_to = |bucket: u32| -> u64 {
            let within = self.0.iter().filter(|(other, _)| *other <= bucket);
            within.map(|(_, count)| *count).sum()
        };
        let reached = self.0.iter().map(|(bucket, _)| *bucket);
        let least = reached.filter(|bucket| up_to(*bucket) >= wanted).min();
        least.map(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for ms in times {
            histogram.add(bucket(*ms), 1);
        }
        histogram
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let times: Vec<u64> = (1..=100)
            .map(|n| if n <= 98 { n % 5 } else { 1_000 })
            .collect();
        let histogram = of(&times);
        assert_eq!(histogram.quantile_ms(50), Some(2));
        assert_eq!(histogram.quantile_ms(98), Some(4));
        assert_eq!(histogram.quantile_ms(99), Some(960));
        assert_eq!(of(&[]).quantile_ms(50), None);
        let mut joined = of(&[1, 1]);
        joined.join(&of(&[7]));
        assert_eq!(
            (joined.quantile_ms(50), joined.quantile_ms(99)),
            (Some(1), Some(7))
        );
    }

    proptest! {
        #[test]
        fn a_bucket_tells_its_times_to_an_eighth_and_keeps_their_order(ms in 0u64..LONGEST_MS, more in 0u64..1_000) {
            prop_assert!(middle(bucket(ms)).abs_diff(ms) * 8 <= ms);
            prop_assert!(bucket(ms) <= bucket(ms + more));
        }
    }
}
