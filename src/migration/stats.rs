//! What a migration has counted.

use serde::Serialize;

use crate::histogram::{Histogram, bucket};

/// How far a migration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MigrationPhase {
    /// The switch is off.
    Off,
    /// At 0 %: the new store is written, and compared.
    #[default]
    Parallel,
    /// Between.
    Shift,
    /// At 100 %.
    Cutover,
}

impl MigrationPhase {
    pub(super) fn of(on: bool, share: f64) -> Self {
        match share {
            _ if !on => Self::Off,
            0.0 => Self::Parallel,
            100.0 => Self::Cutover,
            _ => Self::Shift,
        }
    }
}

/// What this isolate has counted since the migration was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStats {
    /// How far it is.
    pub phase: MigrationPhase,
    /// In percent.
    pub share: f64,
    /// Reads, by who answered.
    pub reads: MigrationReads,
    /// Writes and deletes that the old store took.
    pub writes: MigrationWrites,
    /// What was put into the new store by reads.
    pub backfills: MigrationBackfills,
    /// Samples of both stores.
    pub compared: MigrationComparisons,
    /// Of how many keys the new store may hold what is overtaken: the old one answers them.
    pub doubted: usize,
    /// Of how many more that had to be forgotten: above 10,000 the oldest are.
    pub forgotten: u64,
    /// Of reads, asked for or to compare.
    pub latency: MigrationLatencies,
}

/// Reads, by who answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationReads {
    /// The old store, for its own keys.
    pub old: u64,
    /// The new one.
    pub new: u64,
    /// The old one, where the new one had nothing.
    pub missed: u64,
    /// The old one, where the new one failed or was late.
    pub failed: u64,
    /// The old one, by the switch.
    pub switched_off: u64,
}

/// Writes and deletes that the old store took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationWrites {
    /// Both took them.
    pub both: u64,
    /// The new store took longer than the deadline; they count as `both` or `failed` once they have ended.
    pub late: u64,
    /// The new store did not.
    pub failed: u64,
    /// The switch kept them from it.
    pub switched_off: u64,
}

/// What was put into the new store by reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationBackfills {
    /// It stands there.
    pub done: u64,
    /// A write overtook it, and it was deleted again.
    pub undone: u64,
    /// The new store did not take it.
    pub failed: u64,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationComparisons {
    /// Both have the same.
    pub same: u64,
    /// They differ: the new store's was deleted.
    pub different: u64,
    /// The new store has nothing.
    pub missing: u64,
    /// One of them could not be asked.
    pub failed: u64,
}

/// Of both stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MigrationLatencies {
    /// The old one.
    pub old: Quantiles,
    /// The new one.
    pub new: Quantiles,
}

/// How long reads took, an eighth more or less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantiles {
    /// Of how many.
    pub count: u64,
    /// Half took no longer, in milliseconds; 0 when nothing was counted.
    pub p50_ms: u64,
    /// 99 of 100 took no longer.
    pub p99_ms: u64,
}

/// How long reads of one store took.
#[derive(Default)]
pub(super) struct Latency {
    count: u64,
    times: Histogram,
}

impl Latency {
    pub fn add(&mut self, ms: u64) {
        self.count += 1;
        self.times.add(bucket(ms), 1);
    }

    pub fn quantiles(&self) -> Quantiles {
        let quantile = |percent| self.times.quantile_ms(percent).unwrap_or_default();
        Quantiles {
            count: self.count,
            p50_ms: quantile(50),
            p99_ms: quantile(99),
        }
    }
}
