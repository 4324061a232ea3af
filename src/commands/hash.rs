//! Hashes: fields and values under a key. Each of these replies as if it were empty when there is no such key.

use std::collections::HashMap;

use super::call::Call;
use crate::wire::Arg;

/// The field's value; `None` when there is none.
pub fn hget(key: &str, field: &str) -> Call<Option<String>> {
    Call::new("HGET").arg(key).arg(field)
}

/// Sets each field to its value; how many fields are new.
///
/// ```
/// use upstash_edge::commands::{Call, hset};
/// let added: Call<u64> = hset("user:1", [("name", "Ada"), ("city", "London")]);
/// ```
pub fn hset<'a>(
    key: &str,
    fields: impl IntoIterator<Item = (impl Into<Arg<'a>>, impl Into<Arg<'a>>)>,
) -> Call<u64> {
    Call::new("HSET").arg(key).pairs(fields)
}

/// Sets the field if there is none yet; whether it was set.
pub fn hsetnx<'a>(key: &str, field: &str, value: impl Into<Arg<'a>>) -> Call<bool> {
    Call::new("HSETNX").arg(key).arg(field).arg(value)
}

/// One value a field, in order, `None` where there is none.
pub fn hmget<'a>(
    key: &str,
    fields: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<Option<String>>> {
    Call::new("HMGET").arg(key).args(fields)
}

/// All fields with their values.
pub fn hgetall(key: &str) -> Call<HashMap<String, String>> {
    Call::new("HGETALL").arg(key)
}

/// Deletes fields; how many there were.
pub fn hdel<'a>(key: &str, fields: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("HDEL").arg(key).args(fields)
}

/// Whether there is such a field.
pub fn hexists(key: &str, field: &str) -> Call<bool> {
    Call::new("HEXISTS").arg(key).arg(field)
}

/// Adds to a field; its new value.
pub fn hincrby(key: &str, field: &str, by: i64) -> Call<i64> {
    Call::new("HINCRBY").arg(key).arg(field).arg(by)
}

/// Adds to a field; its new value.
pub fn hincrbyfloat(key: &str, field: &str, by: f64) -> Call<f64> {
    Call::new("HINCRBYFLOAT")
        .arg(key)
        .arg(field)
        .float("by", by)
}

/// All fields.
pub fn hkeys(key: &str) -> Call<Vec<String>> {
    Call::new("HKEYS").arg(key)
}

/// All values.
pub fn hvals(key: &str) -> Call<Vec<String>> {
    Call::new("HVALS").arg(key)
}

/// How many fields there are.
pub fn hlen(key: &str) -> Call<u64> {
    Call::new("HLEN").arg(key)
}

/// The length of the field's value in bytes.
pub fn hstrlen(key: &str, field: &str) -> Call<u64> {
    Call::new("HSTRLEN").arg(key).arg(field)
}

/// `count` different fields at random, as many as there are at most; when negative, that many, any of them more than once.
pub fn hrandfield(key: &str, count: i64) -> Call<Vec<String>> {
    Call::new("HRANDFIELD").arg(key).arg(count)
}
