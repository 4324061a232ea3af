//! A table of values by handle. A handle carries a generation, so an old one never opens what stands there now.

use std::cell::Cell;

/// So many batches are never under way: past it, who asks is told no.
const MOST: usize = 65_536;

/// So many slots are looked at for each value that comes, so that what nobody ended does not pile up.
const LOOKED_AT: usize = 4;

thread_local! {
    /// The generation that a slot begins with.
    pub(super) static FIRST: Cell<u64> = const { Cell::new(0) };
}

pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
    /// Where to look next for a value whose time is over.
    hand: usize,
}

struct Slot<T> {
    generation: u64,
    deadline: f64,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
        }
    }

    /// The handle of `value`; NaN when the table is full of values that are still in time.
    pub fn put(&mut self, value: T, now: f64, deadline: f64) -> f64 {
        let all = self.free.is_empty() && self.slots.len() >= MOST;
        self.sweep(now, if all { MOST } else { LOOKED_AT });
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < MOST => {
                self.slots.push(Slot {
                    generation: FIRST.get(),
                    deadline: 0.0,
                    value: None,
                });
                self.slots.len() - 1
            }
            None => return f64::NAN,
        };
        let Some(slot) = self.slots.get_mut(index) else {
            return f64::NAN;
        };
        slot.generation += 1;
        slot.deadline = deadline;
        slot.value = Some(value);
        // Exact up to 2^53: a hundred thousand million generations.
        (slot.generation * MOST as u64 + index as u64) as f64
    }

    /// Takes the value out to work on it; its place stays its own, for [`Self::back`].
    pub fn take(&mut self, handle: f64) -> Option<T> {
        self.slot(handle)?.1.value.take()
    }

    pub fn back(&mut self, handle: f64, value: T) {
        if let Some((_, slot)) = self.slot(handle) {
            slot.value = Some(value);
        }
    }

    pub fn remove(&mut self, handle: f64) {
        let Some((index, slot)) = self.slot(handle) else {
            return;
        };
        if slot.value.take().is_some() {
            self.free.push(index);
        }
    }

    fn slot(&mut self, handle: f64) -> Option<(usize, &mut Slot<T>)> {
        let handle = handle as u64;
        let index = usize::try_from(handle % MOST as u64).ok()?;
        let slot = self.slots.get_mut(index)?;
        (slot.generation == handle / MOST as u64).then_some((index, slot))
    }

    /// What nobody ended in time belongs to requests that were cut off.
    fn sweep(&mut self, now: f64, most: usize) {
        for _ in 0..most.min(self.slots.len()) {
            self.hand = (self.hand + 1) % self.slots.len();
            let Some(slot) = self.slots.get_mut(self.hand) else {
                return;
            };
            if slot.value.is_some() && slot.deadline < now {
                slot.value = None;
                self.free.push(self.hand);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_handle_never_opens_a_new_value() {
        let mut slots = Slots::new();
        let first = slots.put("a", 0.0, 10.0);
        assert_eq!(slots.take(first), Some("a"));
        assert_eq!(slots.take(first), None);
        slots.back(first, "a again");
        assert_eq!(slots.take(first), Some("a again"));
        slots.back(first, "a");
        slots.remove(first);
        slots.remove(first);
        let second = slots.put("b", 0.0, 10.0);
        slots.back(first, "too late");
        assert_eq!(slots.take(first), None);
        assert_eq!(slots.take(second), Some("b"));
        assert_eq!(slots.take(f64::NAN), None);
        assert_eq!(slots.take(-1.0), None);
    }

    #[test]
    fn what_nobody_ends_does_not_pile_up() {
        let mut slots = Slots::new();
        for n in 0..10_000 {
            slots.put(n, f64::from(n), f64::from(n) + 50.0);
        }
        assert!(slots.slots.len() < 200, "{}", slots.slots.len());
    }

    #[test]
    fn a_full_table_refuses_until_a_deadline_has_passed() {
        let mut slots = Slots::new();
        for n in 0..MOST {
            assert!(!slots.put(n, 0.0, 100.0).is_nan());
        }
        assert!(slots.put(0, 50.0, 100.0).is_nan());
        assert!(!slots.put(0, 101.0, 200.0).is_nan());
    }
}
