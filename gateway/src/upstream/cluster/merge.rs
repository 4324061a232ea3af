//! Replies of all primaries, made one; and a cursor that walks over all of them.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use redis::Value;

use super::route::Merge;
use crate::command::Command;
use crate::reply::Reply;

/// One reply of many. An error of one is the error of all.
pub(crate) fn merge(replies: Vec<Reply>, how: Merge) -> Reply {
    let values = replies
        .into_iter()
        .collect::<Result<Vec<Value>, String>>()?;
    let merged = match how {
        Merge::Same => values.into_iter().next(),
        Merge::Sum => values
            .iter()
            .map(|value| match value {
                Value::Int(integer) => Some(*integer),
                _ => None,
            })
            .sum::<Option<i64>>()
            .map(Value::Int),
        Merge::Concat => elements(values).map(Value::Array),
        Merge::Union => elements(values).map(|mut all| {
            let mut seen = HashSet::new();
            all.retain(|one| match one {
                Value::BulkString(name) => seen.insert(name.clone()),
                _ => true,
            });
            Value::Array(all)
        }),
        Merge::Least => pairwise(values, i64::min),
        Merge::Sums => pairwise(values, i64::saturating_add),
        Merge::Any => Some(any(values)),
    };
    merged.ok_or_else(|| "ERR the nodes of the cluster answered in different ways".to_owned())
}

fn array(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn elements(values: Vec<Value>) -> Option<Vec<Value>> {
    let arrays: Option<Vec<_>> = values.into_iter().map(array).collect();
    Some(arrays?.into_iter().flatten().collect())
}

fn pairwise(values: Vec<Value>, add: fn(i64, i64) -> i64) -> Option<Value> {
    let pair = |pair: (Value, Value)| match pair {
        (Value::Int(left), Value::Int(right)) => Value::Int(add(left, right)),
        (left, _) => left,
    };
    values
        .into_iter()
        .map(array)
        .reduce(|left, right| Some(left?.into_iter().zip(right?).map(pair).collect()))
        .flatten()
        .map(Value::Array)
}

/// One that is not nil, drawn anew each time.
fn any(values: Vec<Value>) -> Value {
    let mut found: Vec<Value> = values
        .into_iter()
        .filter(|value| *value != Value::Nil)
        .collect();
    let drawn = RandomState::new().build_hasher().finish() >> 32;
    match found.len() {
        0 => Value::Nil,
        count => found.swap_remove(usize::try_from(drawn).unwrap_or_default() % count),
    }
}

/// Nodes that a cursor can tell apart.
const NODES: u64 = 1024;

/// Which primary a SCAN goes to, and the SCAN that it gets. A cursor of ours is the node's own times
/// 1024 plus the number of the node; the node's own stay small, for they index its hash table.
pub(crate) fn scan(command: &Command) -> Option<(usize, Command)> {
    let cursor: u64 = std::str::from_utf8(command.argument(1)?)
        .ok()?
        .parse()
        .ok()?;
    let own = (cursor / NODES).to_string();
    let arguments = command.arguments().skip(1).map(<[u8]>::to_vec);
    let mut parts = vec![b"SCAN".to_vec(), own.into_bytes()];
    parts.extend(arguments);
    Some((usize::try_from(cursor % NODES).ok()?, Command::new(parts)?))
}

/// The reply to a SCAN, with a cursor of ours; past the last node it is 0.
pub(crate) fn scanned(reply: Value, node: usize, nodes: usize) -> Option<Value> {
    let mut parts = array(reply)?;
    let own: u64 = match parts.first()? {
        Value::BulkString(cursor) => std::str::from_utf8(cursor).ok()?.parse().ok()?,
        _ => return None,
    };
    let ours = match own {
        0 if node + 1 < nodes => u64::try_from(node + 1).ok()?,
        0 => 0,
        own => own
            .checked_mul(NODES)?
            .checked_add(u64::try_from(node).ok()?)?,
    };
    *parts.first_mut()? = Value::BulkString(ours.to_string().into_bytes());
    Some(Value::Array(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(own: &str, node: usize) -> Value {
        let page = Value::Array(vec![Value::BulkString(own.into()), Value::Array(vec![])]);
        match scanned(page, node, 3) {
            Some(Value::Array(parts)) => parts[0].clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_scan_walks_every_node_and_ends_after_the_last() {
        assert_eq!(cursor("5", 1), Value::BulkString(b"5121".into()));
        assert_eq!(cursor("0", 1), Value::BulkString(b"2".into()));
        assert_eq!(cursor("0", 2), Value::BulkString(b"0".into()));
        let (node, sent) = scan(&Command::of(&["scan", "5121", "COUNT", "10"]).unwrap()).unwrap();
        assert_eq!(node, 1);
        assert_eq!(sent, Command::of(&["SCAN", "5", "COUNT", "10"]).unwrap());
    }

    #[test]
    fn replies_are_merged_as_their_command_wants() {
        let ints = |values: &[i64]| {
            Ok(Value::Array(
                values.iter().copied().map(Value::Int).collect(),
            ))
        };
        assert_eq!(
            merge(vec![Ok(Value::Int(1)), Ok(Value::Int(2))], Merge::Sum),
            Ok(Value::Int(3))
        );
        assert_eq!(
            merge(vec![ints(&[1]), ints(&[2, 3])], Merge::Concat),
            ints(&[1, 2, 3])
        );
        assert_eq!(
            merge(vec![ints(&[1, 1]), ints(&[0, 1])], Merge::Least),
            ints(&[0, 1])
        );
        let names = |names: &[&str]| {
            let name = |name: &&str| Value::BulkString(name.as_bytes().into());
            Ok(Value::Array(names.iter().map(name).collect()))
        };
        assert_eq!(
            merge(vec![names(&["a", "b"]), names(&["b", "c"])], Merge::Union),
            names(&["a", "b", "c"])
        );
        assert_eq!(
            merge(vec![ints(&[1, 2]), ints(&[3, 4])], Merge::Sums),
            ints(&[4, 6])
        );
        assert_eq!(
            merge(vec![Ok(Value::Nil), Ok(Value::Int(7))], Merge::Any),
            Ok(Value::Int(7))
        );
        assert_eq!(merge(vec![Ok(Value::Nil)], Merge::Any), Ok(Value::Nil));
        assert_eq!(
            merge(vec![Ok(Value::Okay), Err("ERR x".into())], Merge::Same),
            Err("ERR x".into())
        );
    }
}
