//! Lists: elements in order, from the left (the head, index 0) to the right (the tail, index -1).

use super::call::Call;
use crate::wire::Arg;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The head.
    Left,
    /// The tail.
    Right,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
        }
    }
}

/// Adds elements on the left, one after the other, so that the last one is the head; the list's new length.
pub fn lpush<'a>(key: &str, elements: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("LPUSH").arg(key).args(elements)
}

/// Adds elements on the right, in order; the list's new length.
pub fn rpush<'a>(key: &str, elements: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("RPUSH").arg(key).args(elements)
}

/// As [`lpush`], if there is such a list; its length, 0 when there is none.
pub fn lpushx<'a>(key: &str, elements: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("LPUSHX").arg(key).args(elements)
}

/// As [`rpush`], if there is such a list; its length, 0 when there is none.
pub fn rpushx<'a>(key: &str, elements: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("RPUSHX").arg(key).args(elements)
}

/// Takes the head; `None` when there is no such key.
pub fn lpop(key: &str) -> Call<Option<String>> {
    Call::new("LPOP").arg(key)
}

/// Takes the tail; `None` when there is no such key.
pub fn rpop(key: &str) -> Call<Option<String>> {
    Call::new("RPOP").arg(key)
}

/// Takes `count` elements from the left, as many as there are at most; `None` when there is no such key.
pub fn lpop_many(key: &str, count: u64) -> Call<Option<Vec<String>>> {
    Call::new("LPOP").arg(key).arg(count)
}

/// Takes `count` elements from the right, the tail first; `None` when there is no such key.
pub fn rpop_many(key: &str, count: u64) -> Call<Option<Vec<String>>> {
    Call::new("RPOP").arg(key).arg(count)
}

/// How many elements there are; 0 when there is no such key.
pub fn llen(key: &str) -> Call<u64> {
    Call::new("LLEN").arg(key)
}

/// The elements from index `start` to index `stop`, both included, negative ones counted from the tail.
pub fn lrange(key: &str, start: i64, stop: i64) -> Call<Vec<String>> {
    Call::new("LRANGE").arg(key).arg(start).arg(stop)
}

/// The element at this index; `None` beyond the ends.
pub fn lindex(key: &str, index: i64) -> Call<Option<String>> {
    Call::new("LINDEX").arg(key).arg(index)
}

/// Sets the element at this index; `redis_error` beyond the ends.
pub fn lset<'a>(key: &str, index: i64, element: impl Into<Arg<'a>>) -> Call<()> {
    Call::new("LSET").arg(key).arg(index).arg(element)
}

/// Adds an element left of the first `pivot`; the list's new length, -1 without a pivot, 0 without such a key.
pub fn linsert_before<'a, 'b>(
    key: &str,
    pivot: impl Into<Arg<'a>>,
    element: impl Into<Arg<'b>>,
) -> Call<i64> {
    linsert(key, "BEFORE", pivot.into(), element.into())
}

/// Adds an element right of the first `pivot`; the list's new length, -1 without a pivot, 0 without such a key.
pub fn linsert_after<'a, 'b>(
    key: &str,
    pivot: impl Into<Arg<'a>>,
    element: impl Into<Arg<'b>>,
) -> Call<i64> {
    linsert(key, "AFTER", pivot.into(), element.into())
}

fn linsert(key: &str, side: &str, pivot: Arg<'_>, element: Arg<'_>) -> Call<i64> {
    Call::new("LINSERT")
        .arg(key)
        .arg(side)
        .arg(pivot)
        .arg(element)
}

/// Removes elements equal to this one: the first `count`; when negative the last ones; when 0 all. How many were removed.
pub fn lrem<'a>(key: &str, count: i64, element: impl Into<Arg<'a>>) -> Call<u64> {
    Call::new("LREM").arg(key).arg(count).arg(element)
}

/// Keeps the elements from index `start` to index `stop`, both included, and removes all others.
pub fn ltrim(key: &str, start: i64, stop: i64) -> Call<()> {
    Call::new("LTRIM").arg(key).arg(start).arg(stop)
}

/// Takes an element from one end of `source`, adds it at an end of `destination`, and replies it; `None` when there is
/// no such source.
pub fn lmove(source: &str, from: Side, destination: &str, to: Side) -> Call<Option<String>> {
    Call::new("LMOVE")
        .arg(source)
        .arg(destination)
        .arg(from.word())
        .arg(to.word())
}

/// The index of the first such element; `None` when there is none.
pub fn lpos<'a>(key: &str, element: impl Into<Arg<'a>>) -> Call<Option<u64>> {
    Call::new("LPOS").arg(key).arg(element)
}
