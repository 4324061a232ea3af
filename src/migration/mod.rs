//! An old store beside a new one: reads by share, writes to both, back in a moment.
//!
//! Until nobody asks it any more the old one is right: where the two may differ the new one's entry is deleted, never
//! mended in place, for a delete that comes late does no harm. The races are told in docs/migration.md.

mod after;
mod state;
mod stats;
mod stores;
mod work;

use std::cell::RefCell;
use std::rc::Rc;

use crate::duration::timeout;
use crate::error::EdgeError;
use crate::host::{Host, LocalFuture};

pub use stats::{
    MigrationBackfills, MigrationComparisons, MigrationLatencies, MigrationPhase, MigrationReads,
    MigrationStats, MigrationWrites, Quantiles,
};
pub use stores::{CacheStore, Store};

use state::State;

/// An old store beside a new one, usually a [`CacheStore`]: writes go to both, reads to the new one by a share of the keys,
/// the rest and whatever it cannot answer to the old one. What the old store took is done, what it answers stands, its
/// failures are the caller's; the new one's never are.
///
/// Which key is read where is told by a hash of it, the same in the npm package: a greater share moves more keys, and none
/// back. Clones, and views by [`with`](Self::with), share the share and the counts.
///
/// ```
/// # #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
/// # async fn moved(old: impl upstash_edge::Store<Value = String, Error = std::io::Error> + 'static) -> Result<(), Box<dyn std::error::Error>> {
/// use upstash_edge::{Cache, CacheStore, Migration, Redis, host::Native};
/// let new = CacheStore::new(Redis::from_env()?, Cache::new().name("reports"));
/// let store = Migration::new(old, new, Native::default()).share(50.0)?.compare(5.0)?;
/// let store = store.switch(std::env::var("ENABLE_REDIS_CACHE").ok().as_deref());
/// store.set("report", &"three".to_owned()).await?;
/// assert_eq!(store.get("report").await?.as_deref(), Some("three"));
/// # Ok(())
/// # }
/// ```
pub struct Migration<O, N> {
    from: Rc<O>,
    to: Rc<N>,
    shared: Rc<Shared>,
    options: Options,
}

struct Shared {
    host: Box<dyn Host>,
    state: RefCell<State>,
}

#[derive(Clone, Copy)]
struct Options {
    on: bool,
    compare: f64,
    backfill: bool,
    timeout_ms: u64,
}

impl<O, N> Clone for Migration<O, N> {
    fn clone(&self) -> Self {
        Self {
            from: Rc::clone(&self.from),
            to: Rc::clone(&self.to),
            shared: Rc::clone(&self.shared),
            options: self.options,
        }
    }
}

impl<O, N> Migration<O, N> {
    /// At 0 %, comparing nothing, with back-fills and a deadline of 500 ms. Making one does nothing.
    pub fn new(from: O, to: N, host: impl Host + 'static) -> Self {
        let (host, state) = (Box::new(host), RefCell::default());
        Self {
            from: Rc::new(from),
            to: Rc::new(to),
            shared: Rc::new(Shared { host, state }),
            options: Options {
                on: true,
                compare: 0.0,
                backfill: true,
                timeout_ms: 500,
            },
        }
    }

    /// Of which share of the keys the new store answers reads, in percent, 0 to 100 and parts thereof.
    ///
    /// # Errors
    /// `invalid_config` when it is outside of that.
    pub fn share(self, percent: f64) -> Result<Self, EdgeError> {
        self.set_share(percent)?;
        Ok(self)
    }

    /// The same at run time, for all clones and views.
    ///
    /// # Errors
    /// As [`Self::share`].
    pub fn set_share(&self, percent: f64) -> Result<(), EdgeError> {
        self.shared.state.borrow_mut().share = checked(percent, "share must be 0 to 100")?;
        Ok(())
    }

    /// Which share of the reads asks both stores and compares, in percent.
    ///
    /// # Errors
    /// `invalid_config` when it is not 0 to 100.
    pub fn compare(mut self, percent: f64) -> Result<Self, EdgeError> {
        self.options.compare = checked(percent, "compare must be 0 to 100")?;
        Ok(self)
    }

    /// Whether what only the old store has is put into the new one.
    #[must_use]
    pub fn backfill(mut self, backfill: bool) -> Self {
        self.options.backfill = backfill;
        self
    }

    /// How long the new store may keep a read or a write waiting, in milliseconds; the old store then decides.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(mut self, ms: u64) -> Result<Self, EdgeError> {
        self.options.timeout_ms = timeout(ms)?;
        Ok(self)
    }

    /// The switch, by the text of `ENABLE_REDIS_CACHE`: absent, empty, `true` and `1` are on, anything else is off, and off
    /// the new store is asked nothing. Look it up for each request: a new version of a Worker is the whole rollback.
    #[must_use]
    pub fn switch(mut self, text: Option<&str>) -> Self {
        // Misspelt it is off: the old store can answer anything.
        let text = text.unwrap_or_default().trim();
        self.options.on = text.is_empty() || text == "1" || text.eq_ignore_ascii_case("true");
        self
    }

    /// The same migration, its share and its counts, for one request with stores of its own.
    #[must_use]
    pub fn with<P, M>(&self, from: P, to: M) -> Migration<P, M> {
        Migration {
            from: Rc::new(from),
            to: Rc::new(to),
            shared: Rc::clone(&self.shared),
            options: self.options,
        }
    }

    /// How far the migration is, by switch and share.
    #[must_use]
    pub fn phase(&self) -> MigrationPhase {
        MigrationPhase::of(self.options.on, self.shared.state.borrow().share)
    }

    /// What has been counted since the migration was made: plain data.
    #[must_use]
    pub fn stats(&self) -> MigrationStats {
        self.shared.state.borrow().stats(self.phase())
    }

    fn now(&self) -> u64 {
        self.shared.host.now()
    }

    fn until(&self) -> u64 {
        self.now().saturating_add(self.options.timeout_ms)
    }

    /// What is left of a deadline.
    fn sleep_until(&self, until: u64) -> LocalFuture<'static, ()> {
        self.shared.host.sleep(until.saturating_sub(self.now()))
    }
}

fn checked(percent: f64, problem: &'static str) -> Result<f64, EdgeError> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent);
    }
    Err(EdgeError::config(problem))
}
