//! What follows an answer: what was put is looked at, what is missing filled in, what differs deleted.

use super::Migration;
use super::state::Arriving;
use super::stores::Store;

/// What an answer leaves to be done.
pub(super) struct Rest<V> {
    /// What is in doubt, to be deleted.
    pub mend: Vec<(String, u64)>,
    pub then: Then<V>,
}

pub(super) enum Then<V> {
    Nothing,
    /// To be put into the new store.
    Fill(String, V),
    /// By what one of the stores has just said.
    Compare(String, Said<V>),
}

pub(super) enum Said<V> {
    Old(Option<V>),
    New(Option<V>),
}

impl<V> Rest<V> {
    pub fn is_empty(&self) -> bool {
        self.mend.is_empty() && matches!(self.then, Then::Nothing)
    }
}

impl<V, O, N> Migration<O, N>
where
    V: Clone + PartialEq + 'static,
    O: Store<Value = V> + 'static,
    N: Store<Value = V> + 'static,
{
    pub(super) async fn finish(self, rest: Rest<V>) {
        for (key, doubt) in rest.mend {
            self.deleted(&key, doubt).await;
        }
        match rest.then {
            Then::Nothing => {}
            Then::Fill(key, value) => self.fill(&key, &value).await,
            Then::Compare(key, said) => self.compared(&key, said).await,
        }
    }

    /// Whether what was put into the new store still stands. Two writers may reach the stores in different orders: whoever is
    /// last in the new one sees here what is right.
    pub(super) async fn looked_at(&self, key: &str, value: Option<&V>, ok: bool, doubt: u64) {
        let now = self.now();
        self.state(|state| {
            if ok {
                state.writes.both += 1;
                state.answered();
            } else {
                state.writes.failed += 1;
                state.failed(now);
            }
        });
        let stands = match value {
            _ if !ok => false,
            None => true,
            Some(_) => matches!(self.from.get(key).await, Ok(there) if there.as_ref() == value),
        };
        if stands {
            self.state(|state| state.trust(key, doubt));
        } else {
            self.dropped(key).await;
        }
    }

    /// What the old store has, put into the new one, and taken back if it was overtaken.
    async fn fill(&self, key: &str, value: &V) {
        let now = self.now();
        if self.state(|state| state.is_away(now)) {
            return;
        }
        let doubt = self.state(|state| state.doubt(key, now));
        let arriving = Arriving::of(&self.shared, key);
        let ok = self.to.set(key, value).await.is_ok();
        drop(arriving);
        // A write or delete since the old one's answer may have been in the new store before this put.
        let stands = matches!(self.old(key).await, Ok(Some(there)) if there == *value);
        let now = self.now();
        self.state(|state| {
            match (ok, stands) {
                (false, _) => state.backfills.failed += 1,
                (true, true) => state.backfills.done += 1,
                (true, false) => state.backfills.undone += 1,
            }
            if !ok {
                state.failed(now);
            }
            if stands {
                state.trust(key, doubt);
            }
        });
        if !stands {
            self.dropped(key).await;
        }
    }

    /// Looks at both, and once more where they differ: a write may have been between the two.
    async fn compared(&self, key: &str, said: Said<V>) {
        let (mut old, mut new) = match said {
            Said::Old(value) => (Some(value), None),
            Said::New(value) => (None, Some(value)),
        };
        for is_last in [false, true] {
            let now = self.now();
            if self.state(|state| state.is_away(now)) {
                return;
            }
            let there = match old.take() {
                Some(value) => Some(value),
                None => self.old(key).await.ok(),
            };
            let here = match new.take() {
                Some(value) => Some(value),
                None => self.new_one(key, self.until()).await,
            };
            let (Some(there), Some(here)) = (there, here) else {
                self.state(|state| state.compared.failed += 1);
                return;
            };
            if there == here {
                self.state(|state| state.compared.same += 1);
                return;
            }
            if here.is_none() {
                self.state(|state| state.compared.missing += 1);
                if let (Some(value), true) = (there, self.options.backfill) {
                    self.fill(key, &value).await;
                }
                return;
            }
            if is_last {
                self.state(|state| state.compared.different += 1);
                self.dropped(key).await;
            }
        }
    }

    /// Out of the new store; in doubt until then.
    pub(super) async fn dropped(&self, key: &str) {
        let now = self.now();
        let doubt = self.state(|state| state.doubt(key, now));
        if !self.state(|state| state.is_away(now)) {
            self.deleted(key, doubt).await;
        }
    }

    async fn deleted(&self, key: &str, doubt: u64) {
        let ok = self.to.delete(key).await.is_ok();
        let now = self.now();
        self.state(|state| {
            if ok {
                state.answered();
                state.trust(key, doubt);
            } else {
                state.failed(now);
            }
        });
    }
}
