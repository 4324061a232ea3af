//! The `upstash-sync-token` header: opaque, and later tokens sort after earlier ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes sync tokens. One Redis answers every read here, so a token that comes back says nothing
/// that we must wait for; a client that keeps and returns them is what these are for.
pub(crate) struct SyncTokens {
    epoch: u128,
    next: AtomicU64,
}

impl SyncTokens {
    pub(crate) fn new() -> Self {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        Self {
            epoch,
            next: AtomicU64::new(1),
        }
    }

    pub(crate) fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:012x}{n:012x}", self.epoch)
    }
}
