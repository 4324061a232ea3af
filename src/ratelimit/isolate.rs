//! What one isolate remembers by itself: refusals, and what it counted while Redis was away. Plain data, no clock.

use super::decision::{Source, Verdict};
use super::key::Keys;
use super::lru::{Lru, Name};
use super::state::State;
use super::tally::Tally;
use super::{Decision, Limit, Limits};

/// A refusal is believed for this long at most, for another isolate may give back, reset or raise the limit.
const BELIEVED_MS: u64 = 5_000;

/// How many keys are counted here while Redis is away.
const MOST_LOCAL: usize = 10_000;

/// One limiter's memory in this isolate. Bounded: what was used longest ago is forgotten.
#[derive(Debug)]
pub(super) struct Isolate {
    refusals: Lru<Refusal>,
    local: Lru<Vec<State>>,
    forgotten: u64,
    pub tally: Tally,
}

/// What Redis said when it refused.
#[derive(Debug)]
struct Refusal {
    /// Limit and refill: under another one Redis might say something else.
    limit: Limit,
    cost: u32,
    left: u32,
    stored_at: u64,
    retry_at: u64,
    reset_at: u64,
}

impl Isolate {
    pub fn new(max_entries: usize) -> Self {
        Self {
            refusals: Lru::new(max_entries),
            local: Lru::new(MOST_LOCAL),
            forgotten: 0,
            tally: Tally::default(),
        }
    }

    /// The refusal of a check that Redis would refuse as well: it refused one of the same cost a moment ago, and has
    /// allowed none since. When a costlier one passes only Redis knows.
    pub fn recall(&mut self, key: &str, limit: &Limit, cost: u32, now: u64) -> Option<Decision> {
        let name = Name::of(key);
        let refusal = self.refusals.get(name)?;
        if refusal.limit.limit < limit.limit {
            self.refusals.remove(name);
            return None;
        }
        let until = refusal.retry_at.min(refusal.stored_at + BELIEVED_MS);
        let holds = refusal.limit == *limit
            && refusal.cost == cost
            && (refusal.stored_at..until).contains(&now);
        let verdict = Verdict {
            left: refusal.left,
            retry_after_ms: refusal.retry_at.checked_sub(now)?,
            ends_ms: refusal.reset_at.checked_sub(now)?,
            spent_ms: 0,
        };
        holds.then(|| {
            let limits = std::slice::from_ref(limit);
            let mut decision = Decision::new(limits, &[verdict], cost, now);
            decision.source = Source::Memory;
            decision
        })
    }

    /// Remembers what Redis refused, under the clock of the check.
    pub fn remember(&mut self, key: &str, limit: &Limit, cost: u32, decision: &Decision) {
        let refusal = Refusal {
            limit: limit.clone(),
            cost,
            left: decision.remaining,
            stored_at: decision.decided_at,
            retry_at: decision.decided_at + decision.retry_after_ms,
            reset_at: decision.reset_at,
        };
        self.refusals.put(Name::of(key), refusal);
    }

    /// Gives back what was counted here.
    pub fn give_back(&mut self, keys: &Keys, limits: &Limits, cost: u32, now: u64) {
        let held = |key: &String| self.local.get(Name::of(key)).is_some();
        if keys.keys.iter().any(held) {
            let mut states = self.states(keys, limits);
            for (state, at) in states.iter_mut().zip(&keys.order) {
                if let Some(limit) = limits.get(*at) {
                    state.give_back(limit, cost, now);
                }
            }
            self.store(keys, states);
        }
    }

    /// Nothing was ever counted for these keys.
    pub fn reset(&mut self, keys: &Keys) {
        for key in &keys.keys {
            self.local.remove(Name::of(key));
        }
    }

    /// What Redis refused for these keys it may allow now.
    pub fn forget(&mut self, keys: &Keys) {
        self.forgotten += 1;
        for key in &keys.keys {
            self.refusals.remove(Name::of(key));
        }
    }

    /// What is left is less than was remembered.
    pub fn outdate(&mut self, keys: &Keys) {
        for key in &keys.keys {
            self.refusals.remove(Name::of(key));
        }
    }

    /// Tells whether anything was forgotten since: a refusal on its way meanwhile is not to be remembered.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Decides as the script would, by what this isolate has counted: all limits or none.
    pub fn decide(&mut self, keys: &Keys, limits: &Limits, cost: u32, now: u64) -> Decision {
        let mut states = self.states(keys, limits);
        let mut verdicts = vec![Verdict::default(); limits.len()];
        for (state, at) in states.iter().zip(&keys.order) {
            if let (Some(limit), Some(verdict)) = (limits.get(*at), verdicts.get_mut(*at)) {
                *verdict = state.look(limit, cost, now);
            }
        }
        let mut decision = Decision::new(limits, &verdicts, cost, now);
        decision.source = Source::Local;
        if decision.allowed && cost > 0 {
            for (state, at) in states.iter_mut().zip(&keys.order) {
                if let Some(limit) = limits.get(*at) {
                    state.take(limit, cost, now);
                }
            }
            self.store(keys, states);
        }
        decision
    }

    /// In the order of `keys.order`.
    fn states(&mut self, keys: &Keys, limits: &Limits) -> Vec<State> {
        let fresh = |at: &usize| limits.get(*at).map(State::new);
        let mut states: Vec<_> = keys.order.iter().filter_map(fresh).collect();
        let mut places = states.iter_mut();
        for key in &keys.keys {
            let held = self.local.get(Name::of(key)).map(|held| held.as_slice());
            let count = keys.order.len() / keys.keys.len().max(1);
            let held = held
                .unwrap_or_default()
                .iter()
                .map(Some)
                .chain(std::iter::repeat(None));
            for (place, held) in places.by_ref().take(count).zip(held) {
                if let Some(held) = held {
                    place.clone_from(held);
                }
            }
        }
        states
    }

    fn store(&mut self, keys: &Keys, states: Vec<State>) {
        let count = keys.order.len() / keys.keys.len().max(1);
        let mut states = states.into_iter();
        for key in &keys.keys {
            let own = states.by_ref().take(count).collect();
            self.local.put(Name::of(key), own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_million_refused_identifiers_take_little_memory_and_the_newest_are_known() {
        let limit = Limit::sliding_window(1, Duration::from_secs(60)).unwrap();
        let refused = Verdict {
            retry_after_ms: 60_000,
            ends_ms: 60_000,
            ..Verdict::default()
        };
        let decision = Decision::new(std::slice::from_ref(&limit), &[refused], 1, 0);
        let mut isolate = Isolate::new(10_000);
        assert_eq!(isolate.refusals.bytes() + isolate.local.bytes(), 0);
        for id in 0..1_000_000 {
            isolate.remember(itoa::Buffer::new().format(id), &limit, 1, &decision);
        }
        let bytes = isolate.refusals.bytes();
        println!("{bytes} bytes");
        assert!(bytes <= 10_000 * 130, "{bytes}");
        for (id, known) in [("989999", false), ("990000", true), ("999999", true)] {
            assert_eq!(isolate.recall(id, &limit, 1, 1).is_some(), known);
        }
    }
}
