//! What all views of a migration share.

use std::collections::HashMap;
use std::rc::Rc;

use super::Shared;
use super::stats::{
    Latency, MigrationBackfills, MigrationComparisons, MigrationLatencies, MigrationPhase,
    MigrationReads, MigrationStats, MigrationWrites,
};

/// So many failures in a row, and for so long, the new store is not asked.
const FAILURES: u32 = 3;
const AWAY_MS: u64 = 1_000;
/// Of so many keys it is remembered that the new store may hold what is no longer so.
const MOST_DOUBTED: usize = 10_000;
/// So many of them are deleted at once.
const MENDED_AT_ONCE: usize = 100;
const GOLDEN: u32 = 0x9e37_79b9;

/// Where a key stands among 10,000, the same in the npm package: FNV-1a, and Murmur3's last step, for the shards of a
/// cache are told by FNV-1a alone.
fn place(key: &str) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for byte in key.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) % 10_000
}

#[derive(Default)]
pub(super) struct State {
    pub share: f64,
    pub reads: MigrationReads,
    pub writes: MigrationWrites,
    pub backfills: MigrationBackfills,
    pub compared: MigrationComparisons,
    pub old: Latency,
    pub new: Latency,
    /// The keys in doubt: which doubt is the last, and since when.
    doubted: HashMap<String, (u64, u64)>,
    doubts: u64,
    forgotten: u64,
    /// How many puts of a key are under way.
    arriving: HashMap<String, u32>,
    failures: u32,
    away_until: u64,
    mend_at: u64,
    samples: u32,
}

impl State {
    /// Whether the new store answers for a key.
    pub fn is_new(&self, key: &str, now: u64) -> bool {
        let own = f64::from(place(key)) < self.share * 100.0;
        own && !self.doubted.contains_key(key) && !self.is_away(now)
    }

    /// Spread evenly, whatever the order of what is asked.
    pub fn sampled(&mut self, percent: f64) -> bool {
        self.samples = self.samples.wrapping_add(GOLDEN);
        f64::from(self.samples) < percent / 100.0 * 4_294_967_296.0
    }

    /// The new one's answer may be overtaken: until it is deleted there, or looked at, the old one is asked.
    pub fn doubt(&mut self, key: &str, now: u64) -> u64 {
        self.doubts += 1;
        self.doubted.insert(key.to_owned(), (self.doubts, now));
        if self.doubted.len() > MOST_DOUBTED {
            let oldest = self.doubted.iter().min_by_key(|(_, (doubt, _))| *doubt);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.doubted.remove(&oldest);
                self.forgotten += 1;
            }
        }
        self.doubts
    }

    /// Nothing has doubted it since, and nothing is on its way that would undo what was found or deleted.
    pub fn trust(&mut self, key: &str, doubt: u64) {
        let last = self
            .doubted
            .get(key)
            .is_some_and(|(last, _)| *last == doubt);
        if last && !self.arriving.contains_key(key) {
            self.doubted.remove(key);
        }
    }

    pub fn is_away(&self, now: u64) -> bool {
        now < self.away_until
    }

    pub fn answered(&mut self) {
        self.failures = 0;
    }

    pub fn failed(&mut self, now: u64) {
        self.failures += 1;
        if self.failures >= FAILURES {
            self.away_until = now + AWAY_MS;
        }
    }

    /// What is in doubt and may be deleted, now that the new store may be well again. By time, for whoever mends may be cut
    /// off; and a while after the doubt, for what a deadline has cut off may land yet.
    pub fn due(&mut self, now: u64) -> Vec<(String, u64)> {
        if self.doubted.is_empty() || self.is_away(now) || now < self.mend_at {
            return Vec::new();
        }
        self.mend_at = now + AWAY_MS;
        let old = self.doubted.iter().filter(|(key, (_, since))| {
            since.saturating_add(AWAY_MS) <= now && !self.arriving.contains_key(*key)
        });
        old.take(MENDED_AT_ONCE)
            .map(|(key, (doubt, _))| (key.clone(), *doubt))
            .collect()
    }

    pub fn stats(&self, phase: MigrationPhase) -> MigrationStats {
        MigrationStats {
            phase,
            share: self.share,
            reads: self.reads,
            writes: self.writes,
            backfills: self.backfills,
            compared: self.compared,
            doubted: self.doubted.len(),
            forgotten: self.forgotten,
            latency: MigrationLatencies {
                old: self.old.quantiles(),
                new: self.new.quantiles(),
            },
        }
    }
}

/// A put under way; it ends by being dropped, for a deadline or a request's end cuts it off so.
pub(super) struct Arriving {
    shared: Rc<Shared>,
    key: String,
}

impl Arriving {
    pub fn of(shared: &Rc<Shared>, key: &str) -> Self {
        let key = key.to_owned();
        *shared
            .state
            .borrow_mut()
            .arriving
            .entry(key.clone())
            .or_default() += 1;
        Self {
            shared: Rc::clone(shared),
            key,
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let arriving = &mut self.shared.state.borrow_mut().arriving;
        match arriving.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(arriving.remove(&self.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_where_the_npm_package_has_them() {
        let vectors = include_str!("../../tests/vectors/places.json");
        let vectors: Vec<(String, u32)> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 10);
        for (key, expected) in vectors {
            assert_eq!(place(&key), expected, "{key}");
        }
    }

    #[test]
    fn a_greater_share_moves_more_keys_and_none_back() {
        let mut state = State::default();
        let mut before: Vec<usize> = Vec::new();
        for share in [0.0, 1.0, 10.0, 50.0, 100.0] {
            state.share = share;
            let own = |n: &usize| state.is_new(&format!("key:{n}"), 0);
            let moved: Vec<usize> = (0..10_000).filter(own).collect();
            assert!(before.iter().all(|n| moved.contains(n)));
            assert!((moved.len() as f64 - share * 100.0).abs() < 200.0);
            before = moved;
        }
        assert_eq!(before.len(), 10_000);
    }

    #[test]
    fn samples_are_the_share_that_was_asked_for() {
        for percent in [0.0, 5.0, 50.0, 100.0] {
            let mut state = State::default();
            let sampled = (0..10_000).filter(|_| state.sampled(percent)).count();
            assert!((sampled as f64 - percent * 100.0).abs() < 20.0, "{sampled}");
        }
    }

    #[test]
    fn of_too_many_doubts_the_oldest_is_forgotten() {
        let mut state = State::default();
        for n in 0..=MOST_DOUBTED {
            state.doubt(&n.to_string(), 0);
        }
        let stats = state.stats(MigrationPhase::Parallel);
        assert_eq!((stats.doubted, stats.forgotten), (MOST_DOUBTED, 1));
        state.share = 100.0;
        assert!(state.is_new("0", 0) && !state.is_new("1", 0));
    }
}
