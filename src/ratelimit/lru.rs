//! A map of bounded size that forgets what was used longest ago.

use sha2::{Digest, Sha256};

/// What stands for a key in the map: 128 bits of its SHA-256, so that an entry's size is the same for every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(u128);

impl Name {
    pub fn of(key: &str) -> Self {
        let mut name = [0; 16];
        for (to, from) in name.iter_mut().zip(Sha256::digest(key.as_bytes())) {
            *to = from;
        }
        Self(u128::from_le_bytes(name))
    }
}

/// Takes no memory before it holds something, and never more than for `capacity` entries.
#[derive(Debug)]
pub(super) struct Lru<V> {
    capacity: usize,
    slots: Vec<Slot<V>>,
    /// The first slot of each chain, a power of two of them.
    buckets: Vec<u32>,
    newest: u32,
    oldest: u32,
}

#[derive(Debug)]
struct Slot<V> {
    name: Name,
    value: Option<V>,
    chain: u32,
    newer: u32,
    older: u32,
}

const NONE: u32 = u32::MAX;

impl<V> Lru<V> {
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.min(NONE as usize),
            slots: Vec::new(),
            buckets: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// The entry, now the newest.
    pub fn get(&mut self, name: Name) -> Option<&mut V> {
        let at = self.find(name)?;
        self.slot(at)?.value.as_ref()?;
        self.unlink(at);
        self.link_newest(at);
        self.slot(at)?.value.as_mut()
    }

    /// Puts an entry, in place of the one of its name, else of the oldest when all places are taken.
    pub fn put(&mut self, name: Name, value: V) {
        if self.capacity == 0 {
            return;
        }
        if let Some(at) = self.find(name) {
            self.unlink(at);
            self.link_newest(at);
            if let Some(slot) = self.slot(at) {
                slot.value = Some(value);
            }
            return;
        }
        let value = Some(value);
        let held = self.slots.len();
        let at = if held < self.capacity {
            if held == self.slots.capacity() {
                // By itself it would grow past what is allowed.
                self.slots
                    .reserve_exact((self.capacity - held).min(held.max(16)));
            }
            self.slots.push(Slot {
                name,
                value,
                chain: NONE,
                newer: NONE,
                older: NONE,
            });
            held as u32
        } else {
            let at = self.oldest;
            self.unchain(at);
            self.unlink(at);
            if let Some(slot) = self.slot(at) {
                slot.name = name;
                slot.value = value;
            }
            at
        };
        if self.slots.len() > self.buckets.len() {
            self.grow();
        } else {
            self.chain(at);
        }
        self.link_newest(at);
    }

    /// Forgets an entry: its place is the next to be taken.
    pub fn remove(&mut self, name: Name) {
        let Some(at) = self.find(name) else { return };
        if let Some(slot) = self.slot(at) {
            slot.value = None;
        }
        self.unlink(at);
        self.link_oldest(at);
    }

    /// How many bytes it takes, beyond what its values point to.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let slots = self.slots.capacity() * size_of::<Slot<V>>();
        slots + self.buckets.capacity() * size_of::<u32>()
    }

    fn slot(&mut self, at: u32) -> Option<&mut Slot<V>> {
        self.slots.get_mut(at as usize)
    }

    fn bucket(&mut self, name: Name) -> Option<&mut u32> {
        let mask = self.buckets.len().wrapping_sub(1);
        self.buckets.get_mut(name.0 as usize & mask)
    }

    fn find(&mut self, name: Name) -> Option<u32> {
        let mut at = *self.bucket(name)?;
        loop {
            let slot = self.slots.get(at as usize)?;
            if slot.name == name {
                return Some(at);
            }
            at = slot.chain;
        }
    }

    fn chain(&mut self, at: u32) {
        let Some(name) = self.slot(at).map(|slot| slot.name) else {
            return;
        };
        let Some(bucket) = self.bucket(name) else {
            return;
        };
        let next = std::mem::replace(bucket, at);
        if let Some(slot) = self.slot(at) {
            slot.chain = next;
        }
    }

    fn unchain(&mut self, at: u32) {
        let Some((name, next)) = self.slot(at).map(|slot| (slot.name, slot.chain)) else {
            return;
        };
        let Some(bucket) = self.bucket(name) else {
            return;
        };
        if *bucket == at {
            *bucket = next;
            return;
        }
        let mut before = *bucket;
        while let Some(slot) = self.slot(before) {
            if slot.chain == at {
                slot.chain = next;
                return;
            }
            before = slot.chain;
        }
    }

    fn grow(&mut self) {
        let places = (2 * self.buckets.len()).max(16);
        self.buckets = vec![NONE; places];
        for at in 0..self.slots.len() as u32 {
            self.chain(at);
        }
    }

    fn link_newest(&mut self, at: u32) {
        let older = std::mem::replace(&mut self.newest, at);
        match self.slot(older) {
            Some(slot) => slot.newer = at,
            None => self.oldest = at,
        }
        if let Some(slot) = self.slot(at) {
            (slot.older, slot.newer) = (older, NONE);
        }
    }

    fn link_oldest(&mut self, at: u32) {
        let newer = std::mem::replace(&mut self.oldest, at);
        match self.slot(newer) {
            Some(slot) => slot.older = at,
            None => self.newest = at,
        }
        if let Some(slot) = self.slot(at) {
            (slot.older, slot.newer) = (NONE, newer);
        }
    }

    fn unlink(&mut self, at: u32) {
        let Some((older, newer)) = self.slot(at).map(|slot| (slot.older, slot.newer)) else {
            return;
        };
        match self.slot(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slot(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_was_used_last(
            capacity in 0usize..40,
            steps in proptest::collection::vec((0..3u8, 0..60u8), 0..400),
        ) {
            let mut lru = Lru::new(capacity);
            // The newest first.
            let mut model: Vec<(u8, usize)> = Vec::new();
            for (i, (what, key)) in steps.into_iter().enumerate() {
                let name = Name::of(&key.to_string());
                let held = model.iter().position(|(k, _)| *k == key).map(|at| model.remove(at));
                match what {
                    0 => {
                        prop_assert_eq!(lru.get(name).copied(), held.map(|(_, value)| value));
                        model.splice(0..0, held);
                    }
                    1 => {
                        lru.put(name, i);
                        model.insert(0, (key, i));
                        model.truncate(capacity);
                    }
                    _ => lru.remove(name),
                }
                prop_assert!(lru.slots.len() <= capacity);
            }
            for (key, value) in model {
                prop_assert_eq!(lru.get(Name::of(&key.to_string())).copied(), Some(value));
            }
        }
    }
}
