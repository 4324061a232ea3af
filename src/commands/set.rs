//! Sets: members, each once, in no order. Each of these replies as if it were empty when there is no such key.

use super::call::Call;
use crate::wire::Arg;

/// Adds members; how many are new.
pub fn sadd<'a>(key: &str, members: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("SADD").arg(key).args(members)
}

/// Removes members; how many there were.
pub fn srem<'a>(key: &str, members: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("SREM").arg(key).args(members)
}

/// All members.
pub fn smembers(key: &str) -> Call<Vec<String>> {
    Call::new("SMEMBERS").arg(key)
}

/// Whether it is a member.
pub fn sismember<'a>(key: &str, member: impl Into<Arg<'a>>) -> Call<bool> {
    Call::new("SISMEMBER").arg(key).arg(member)
}

/// Whether each is a member, in order.
pub fn smismember<'a>(
    key: &str,
    members: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<bool>> {
    Call::new("SMISMEMBER").arg(key).args(members)
}

/// How many members there are.
pub fn scard(key: &str) -> Call<u64> {
    Call::new("SCARD").arg(key)
}

/// Takes a member at random; `None` when there is none.
pub fn spop(key: &str) -> Call<Option<String>> {
    Call::new("SPOP").arg(key)
}

/// Takes `count` members at random, as many as there are at most.
pub fn spop_many(key: &str, count: u64) -> Call<Vec<String>> {
    Call::new("SPOP").arg(key).arg(count)
}

/// A member at random; `None` when there is none.
pub fn srandmember(key: &str) -> Call<Option<String>> {
    Call::new("SRANDMEMBER").arg(key)
}

/// `count` different members at random, as many as there are at most; when negative, that many, any of them more than
/// once.
pub fn srandmember_many(key: &str, count: i64) -> Call<Vec<String>> {
    Call::new("SRANDMEMBER").arg(key).arg(count)
}

/// Moves a member to another set; whether it was there.
pub fn smove<'a>(source: &str, destination: &str, member: impl Into<Arg<'a>>) -> Call<bool> {
    Call::new("SMOVE").arg(source).arg(destination).arg(member)
}

/// The members of all of these.
pub fn sinter<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<Vec<String>> {
    Call::new("SINTER").args(keys)
}

/// The members of any of these.
pub fn sunion<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<Vec<String>> {
    Call::new("SUNION").args(keys)
}

/// The members of the first that are in none of the others.
pub fn sdiff<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<Vec<String>> {
    Call::new("SDIFF").args(keys)
}

/// As [`sinter`], stored in `destination` in place of what it was; how many members it has.
pub fn sinterstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    Call::new("SINTERSTORE").arg(destination).args(keys)
}

/// As [`sunion`], stored in `destination` in place of what it was; how many members it has.
pub fn sunionstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    Call::new("SUNIONSTORE").arg(destination).args(keys)
}

/// As [`sdiff`], stored in `destination` in place of what it was; how many members it has.
pub fn sdiffstore<'a>(
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    Call::new("SDIFFSTORE").arg(destination).args(keys)
}

/// How many members all of these have in common.
pub fn sintercard<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("SINTERCARD").counted(keys)
}
