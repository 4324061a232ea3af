//! What a cache holds, for who wants to see it: entries page by page, and what stands under one.

mod heads;

use serde::Serialize;

use heads::{Heads, Listed, entry_at, kind};

use super::payload::{Kind, inflated};
use super::write::DELETE;
use super::{Cache, entry};
use crate::base64;
use crate::client::Redis;
use crate::commands::{Bytes, Call, command};
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::wire::{Arg, Commands, Repeat, Replies};

/// About how many keys the server looks at for one SCAN, and how many SCANs one page is.
const SCANNED: u32 = 500;
const MOST_SCANS: usize = 8;
/// So much of a value is read, and shown, in bytes.
const READ: i64 = 1 << 20;
const SHOWN: usize = 16 << 10;

/// One page of what was found.
#[derive(Serialize)]
pub(crate) struct Page {
    /// Where the next page begins; `0` behind the last.
    pub cursor: String,
    pub entries: Vec<Listed>,
}

/// What one value is.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub kind: &'static str,
    /// As text; what is no UTF-8 is replaced.
    pub text: String,
    /// How long all of it is, in bytes.
    pub bytes: usize,
    /// Whether `text` is the beginning alone.
    pub cut: bool,
}

impl Cache {
    /// Entries from `cursor` on (`0`: the first) whose names hold `part`. By SCAN, never KEYS; the same may come twice
    /// when the server moves it meanwhile. 1 to 8 SCANs, one after the other, then one EVALSHA a shard.
    ///
    /// # Errors
    /// `invalid_argument` for a cursor that is none, and what befell a request.
    pub(crate) async fn explore(
        &self,
        redis: &Redis,
        cursor: &str,
        part: &str,
        count: usize,
    ) -> Result<Page, EdgeError> {
        // As Redis reads it: what is none would be an error of its own, and look like an outage.
        if !cursor.bytes().all(|b| b.is_ascii_digit()) || cursor.parse::<u64>().is_err() {
            return Err(EdgeError::argument("cursor must be one that a page told"));
        }
        let mut glob = self.space.pattern();
        if !part.is_empty() {
            keys::glob_into(&mut glob, &keys::part(part));
            glob.push('*');
        }
        let (mut cursor, mut found) = (cursor.to_owned(), Vec::new());
        for _ in 0..MOST_SCANS {
            let args = [
                Arg::from(&cursor),
                "MATCH".into(),
                Arg::from(&glob),
                "COUNT".into(),
                SCANNED.into(),
            ];
            let scan: Call<(String, Vec<Bytes>)> = command("SCAN", &args);
            let (next, keys) = redis.run(scan).await?;
            cursor = next;
            for Bytes(key) in keys {
                if !found.contains(&key) {
                    found.push(key);
                }
            }
            if found.len() >= count || cursor == "0" {
                break;
            }
        }
        let entries = redis.run(Heads::of(found)).await?;
        Ok(Page { cursor, entries })
    }

    /// What stands under the key that an [`id`](Listed::id) names; nothing when it is gone. Two round trips.
    ///
    /// # Errors
    /// `invalid_argument` when it is no key of this cache, and what befell a request.
    pub(crate) async fn shown(&self, redis: &Redis, id: &str) -> Result<Vec<Shown>, EdgeError> {
        let key = self.key_of(id)?;
        let key = Arg::from(&key);
        let string: Call<Bytes> = command("GETRANGE", &[key, 0.into(), (READ - 1).into()]);
        let length: Call<u64> = command("STRLEN", &[key]);
        let order: Call<Option<String>> = command("HGET", &[key, "o".into()]);
        let asked = (string.settled(), length.settled(), order.settled());
        // The wrong type is an answer, an outage is none.
        let (string, length, order) = redis.run(asked).await?;
        if let Some(error) = string.as_ref().err().filter(|error| error.is_outage()) {
            return Err(error.clone());
        }
        if let (Ok(Bytes(value)), Ok(length)) = (string, length) {
            let shown = (!value.is_empty()).then(|| shown(&value, length as usize));
            return Ok(shown.into_iter().collect());
        }
        let order = order.ok().flatten().unwrap_or_default();
        let mut args = vec![key];
        args.extend(order.split_ascii_whitespace().map(Arg::from));
        if args.len() < 2 {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Bytes>> = redis.run(command("HMGET", &args)).await?;
        let values = values.iter().flatten();
        Ok(values
            .map(|Bytes(value)| shown(value, value.len()))
            .collect())
    }

    /// Removes the key that an [`id`](Listed::id) names, and its lease; whether it was there.
    ///
    /// # Errors
    /// As [`Self::shown`].
    pub(crate) async fn remove(&self, redis: &Redis, id: &str) -> Result<bool, EdgeError> {
        let key = self.key_of(id)?;
        let parts = entry_at(key.as_bytes()).and_then(|at| key.split_at_checked(at));
        let (slot, rest) = parts.unwrap_or_default();
        let name = rest.strip_prefix("}:e:").unwrap_or_default();
        let lease = slot.to_owned() + "}:l:" + name;
        redis.run(Remove { key, lease }).await
    }

    /// The key of Redis that `id` names, if it is an entry of this cache: nothing else is read or removed by it.
    fn key_of(&self, id: &str) -> Result<String, EdgeError> {
        let key = base64::from_url(id.as_bytes());
        let key = key.and_then(|key| String::from_utf8(key).ok());
        let begins = String::from("{") + &keys::part(&self.space.name) + ":";
        let own = |key: &String| {
            let rest = key.strip_prefix(&begins).and_then(|it| it.split_once('}'));
            rest.is_some_and(|(shard, rest)| {
                let digits = shard.bytes().all(|b| b.is_ascii_digit());
                digits && rest.starts_with(":e:")
            })
        };
        key.filter(own)
            .ok_or_else(|| EdgeError::argument("id must be one that a page told"))
    }
}

fn shown(value: &[u8], length: usize) -> Shown {
    let decoded = entry::decode(value, Kind::Bytes);
    let is_ours = decoded.is_some_and(|entry| entry.payload.len() < value.len());
    let (kind, payload) = match decoded {
        Some(entry) if is_ours => {
            let read = inflated(entry.codec, entry.payload);
            (kind(entry.codec.kind), read.unwrap_or_default())
        }
        _ => ("plain", value.into()),
    };
    let head = payload.get(..SHOWN).unwrap_or(&payload);
    Shown {
        kind,
        text: String::from_utf8_lossy(head).into_owned(),
        bytes: payload.len() + (length - value.len().min(length)),
        cut: head.len() < payload.len() || value.len() < length,
    }
}

/// Removes one entry and its lease.
struct Remove {
    key: String,
    lease: String,
}

impl Op for Remove {
    type Output = bool;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        out.script(&DELETE, &[&self.key, &self.lease], &[], Repeat::Never);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<bool, EdgeError> {
        Ok(replies.take()?.count()? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_names_entries_of_this_cache_alone() {
        let cache = Cache::new().name("a{b");
        let of = |key: &[u8]| cache.key_of(&base64::url(key)).is_ok();
        assert!(of(b"{a%7Bb:0}:e:k"));
        assert!(of("{a%7Bb:12}:e:\u{202e}}:e:".as_bytes()));
        for key in [
            &b"{a%7Bb:0}:t"[..],
            b"{a%7Bb:0}:l:k",
            b"{a%7Bb:x}:e:k",
            b"{a%7Bb:12}:e:\xff",
            b"{a:0}:e:k",
            b"{session}:abc",
            b"",
            b"{a%7Bb:0",
        ] {
            assert!(!of(key), "{}", String::from_utf8_lossy(key));
        }
        assert!(cache.key_of("!").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown(bytes in any::<Vec<u8>>()) {
            let shown = shown(&bytes, bytes.len());
            prop_assert!(shown.text.len() <= 3 * SHOWN);
        }
    }
}
