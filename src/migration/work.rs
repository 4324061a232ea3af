//! Reads and writes.

use super::Migration;
use super::after::{Rest, Said, Then};
use super::state::{Arriving, State};
use super::stores::Store;
use crate::client::first;
use crate::host::LocalFuture;

impl<V, O, N> Migration<O, N>
where
    V: Clone + PartialEq + 'static,
    O: Store<Value = V> + 'static,
    N: Store<Value = V> + 'static,
{
    /// The value under `key`. What follows, back-fills and comparisons, is waited for within the deadline; what has not ended
    /// by then is cancelled.
    ///
    /// # Errors
    /// The old store's, where it had to be asked.
    pub async fn get(&self, key: &str) -> Result<Option<V>, O::Error> {
        let until = self.until();
        let (answer, rest) = self.read(key, until).await;
        if !rest.is_empty() {
            self.within(self.clone().finish(rest), until).await;
        }
        answer
    }

    /// The same, but what follows goes to `background`: the `waitUntil` of the runtime.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_in(
        &self,
        key: &str,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<Option<V>, O::Error> {
        let (answer, rest) = self.read(key, self.until()).await;
        if !rest.is_empty() {
            background(Box::pin(self.clone().finish(rest)));
        }
        answer
    }

    /// Writes to the old store, then to the new one, then looks whether the old one still has it.
    ///
    /// # Errors
    /// The old store's; the new one's entry is then deleted, for nobody knows what the old one has.
    pub async fn set(&self, key: &str, value: &V) -> Result<(), O::Error> {
        self.write_within(key, Some(value)).await
    }

    /// The same, but of a key that the old store answers only that is waited for, and the rest goes to `background`.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn set_in(
        &self,
        key: &str,
        value: &V,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<(), O::Error> {
        self.write_in(key, Some(value), background).await
    }

    /// Deletes in the old store, then in the new one.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn delete(&self, key: &str) -> Result<(), O::Error> {
        self.write_within(key, None).await
    }

    /// The same as [`Self::set_in`] of a deletion.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn delete_in(
        &self,
        key: &str,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<(), O::Error> {
        self.write_in(key, None, background).await
    }

    pub(super) fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.shared.state.borrow_mut())
    }

    async fn within<T>(&self, work: impl Future<Output = T>, until: u64) -> Option<T> {
        first(work, self.sleep_until(until)).await
    }

    pub(super) async fn old(&self, key: &str) -> Result<Option<V>, O::Error> {
        let began = self.now();
        let value = self.from.get(key).await?;
        let ms = self.now().saturating_sub(began);
        self.state(|state| state.old.add(ms));
        Ok(value)
    }

    /// What the new store says within the time it has; `None` when it says nothing.
    pub(super) async fn new_one(&self, key: &str, until: u64) -> Option<Option<V>> {
        let began = self.now();
        let said = self.within(self.to.get(key), until).await;
        let now = self.now();
        self.state(|state| {
            state.new.add(now.saturating_sub(began));
            match &said {
                // A cache says of a Redis that is gone that nothing is there: only a hit shows health.
                Some(Ok(Some(_))) => state.answered(),
                Some(Ok(None)) => {}
                _ => state.failed(now),
            }
        });
        said?.ok()
    }

    async fn read(&self, key: &str, until: u64) -> (Result<Option<V>, O::Error>, Rest<V>) {
        let mut rest = Rest {
            mend: Vec::new(),
            then: Then::Nothing,
        };
        if !self.options.on {
            self.state(|state| state.reads.switched_off += 1);
            return (self.old(key).await, rest);
        }
        let now = self.now();
        rest.mend = self.state(|state| state.due(now));
        let compare = self.options.compare;
        if !self.state(|state| state.is_new(key, now)) {
            let answer = self.old(key).await;
            if let Ok(value) = &answer {
                let sampled = self.state(|state| {
                    state.reads.old += 1;
                    state.sampled(compare)
                });
                if sampled {
                    rest.then = Then::Compare(key.to_owned(), Said::Old(value.clone()));
                }
            }
            return (answer, rest);
        }
        let found = self.new_one(key, until).await;
        if let Some(Some(value)) = &found {
            let sampled = self.state(|state| {
                state.reads.new += 1;
                state.sampled(compare)
            });
            if sampled {
                rest.then = Then::Compare(key.to_owned(), Said::New(Some(value.clone())));
            }
            return (Ok(Some(value.clone())), rest);
        }
        let answer = self.old(key).await;
        if let Ok(value) = &answer {
            self.state(|state| match found {
                None => state.reads.failed += 1,
                Some(_) => state.reads.missed += 1,
            });
            if let (Some(_), Some(value), true) = (&found, value, self.options.backfill) {
                rest.then = Then::Fill(key.to_owned(), value.clone());
            }
        }
        (answer, rest)
    }

    async fn write_within(&self, key: &str, value: Option<&V>) -> Result<(), O::Error> {
        let until = self.until();
        let (answer, rest) = self.write(key, value, true).await;
        if let Some(rest) = rest {
            self.within(rest, until).await;
        }
        answer
    }

    async fn write_in(
        &self,
        key: &str,
        value: Option<&V>,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<(), O::Error> {
        let (answer, rest) = self.write(key, value, false).await;
        if let Some(rest) = rest {
            background(rest);
        }
        answer
    }

    /// The old store first: its word is the answer. Then the new one, waited for where reads go there.
    async fn write(
        &self,
        key: &str,
        value: Option<&V>,
        waits: bool,
    ) -> (Result<(), O::Error>, Option<LocalFuture<'static, ()>>) {
        let (this, name, value) = (self.clone(), key.to_owned(), value.cloned());
        let done = match &value {
            Some(value) => self.from.set(key, value).await,
            None => self.from.delete(key).await,
        };
        if !self.options.on {
            if done.is_ok() {
                self.state(|state| state.writes.switched_off += 1);
            }
            return (done, None);
        }
        if done.is_err() {
            // It may have been written all the same.
            let rest = Box::pin(async move { this.dropped(&name).await });
            return (done, Some(rest));
        }
        let (now, until) = (self.now(), self.until());
        let rest = Rest {
            mend: self.state(|state| state.due(now)),
            then: Then::Nothing,
        };
        let is_read = self.state(|state| state.is_new(key, now));
        // From here on: who is cut off leaves the doubt behind.
        let doubt = self.state(|state| state.doubt(key, now));
        if self.state(|state| state.is_away(now)) {
            self.state(|state| state.writes.failed += 1);
            return (Ok(()), None);
        }
        let (copier, arriving) = (self.clone(), Arriving::of(&self.shared, key));
        let (copied_key, copied_value) = (name.clone(), value.clone());
        let mut copied: LocalFuture<'static, bool> = Box::pin(async move {
            let _arriving = arriving;
            match &copied_value {
                Some(value) => copier.to.set(&copied_key, value).await.is_ok(),
                None => copier.to.delete(&copied_key).await.is_ok(),
            }
        });
        let mut known = None;
        if is_read || waits {
            known = self.within(&mut copied, until).await;
            if known.is_none() {
                self.state(|state| state.writes.late += 1);
            }
        }
        let rest = Box::pin(async move {
            let ok = match known {
                Some(ok) => ok,
                None => copied.await,
            };
            this.looked_at(&name, value.as_ref(), ok, doubt).await;
            this.finish(rest).await;
        });
        (Ok(()), Some(rest))
    }
}
