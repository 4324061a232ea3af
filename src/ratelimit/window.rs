//! What a sliding window holds, for who wants to see it.

use super::RateLimiter;
use super::call::Call;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Replies};

/// Reads when an identifier was allowed, and how much, oldest first: of a limiter of one sliding window. One GET.
///
/// What is over stands there too, until a later check takes it away.
pub(crate) struct ReadWindow(Call);

impl ReadWindow {
    pub fn new(limiter: &RateLimiter, id: &str) -> Self {
        Self(Call::new(limiter, id.into()))
    }
}

impl Op for ReadWindow {
    type Output = Vec<(u64, u32)>;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.0.name()?;
        let [key] = self.0.keys().keys.as_slice() else {
            return Err(EdgeError::argument("id must be one"));
        };
        out.command("GET", &[Arg::from(key)])
    }

    fn decode(
        self,
        _: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Vec<(u64, u32)>, EdgeError> {
        let Some(value) = replies.take()?.bytes()? else {
            return Ok(Vec::new());
        };
        let window_ms = self.0.limits.iter().map(|limit| limit.window_ms).max();
        read(value, window_ms.unwrap_or(0))
            .ok_or_else(|| EdgeError::corrupt("a window of a limit was expected in the reply"))
    }
}

/// As `lua/limit.lua` writes it: 2 bytes how many pairs (12 bits) and how wide a total is (4 bits), 6 bytes the newest
/// stamp, the total in front of the pairs; then the pairs: the low bytes of when, and the running total behind.
fn read(value: &[u8], window_ms: u64) -> Option<Vec<(u64, u32)>> {
    let number = |bytes: &[u8]| -> u64 {
        let digits = bytes.iter().rev();
        digits.fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (head, rest) = value.split_at_checked(8)?;
    let (counts, newest) = head.split_at_checked(2)?;
    let (counts, newest) = (number(counts), number(newest));
    let width = usize::try_from(counts >> 12).ok()?;
    if !(1..=4).contains(&width) {
        return None;
    }
    let held = usize::try_from(counts & 0xfff).ok()?;
    let stamp: usize = match window_ms {
        0..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        0x100_0001..=0x1_0000_0000 => 4,
        _ => 5,
    };
    // Low bytes wrap: what is meant is the last such number up to the newest, or behind the total before.
    let wrapped =
        |from: u64, to: u64, bytes: usize| to.wrapping_sub(from) & ((1u64 << (8 * bytes)) - 1);
    let (first, mut rest) = rest.split_at_checked(width)?;
    let mut before = number(first);
    let mut pairs = Vec::with_capacity(held);
    for _ in 0..held {
        let (pair, behind) = rest.split_at_checked(stamp + width)?;
        let (low, total) = pair.split_at_checked(stamp)?;
        let (low, total) = (number(low), number(total));
        let at = newest.checked_sub(wrapped(low, newest, stamp))?;
        pairs.push((at, u32::try_from(wrapped(before, total, width)).ok()?));
        (before, rest) = (total, behind);
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pairs_are_read_as_the_script_writes_them_across_a_wrap() {
        // Two pairs, totals of one byte; newest 0x10005; a total of 250 in front, then 253 and, wrapped, 2.
        let value = [2, 0x10, 5, 0, 1, 0, 0, 0, 250, 0xff, 0xff, 253, 5, 0, 2];
        let read = read(&value, 10_000);
        assert_eq!(read, Some(vec![(0xffff, 3), (0x1_0005, 5)]));
    }

    #[test]
    fn what_is_cut_short_is_no_window() {
        let value = [2, 0x10, 5, 0, 1, 0, 0, 0, 250, 0xff, 0xff, 253, 5, 0, 2];
        for length in 0..value.len() {
            assert_eq!(read(&value[..length], 10_000), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_window_or_none(value in any::<Vec<u8>>(), window_ms: u64) {
            let _ = read(&value, window_ms);
        }
    }
}
