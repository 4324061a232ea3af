//! What a cache holds, for who wants to see it: entries page by page, and what stands under one.

use serde::Serialize;

use super::freshness::Freshness;
use super::payload::{Kind, inflated};
use super::write::DELETE;
use super::{Cache, entry};
use crate::base64;
use crate::client::Redis;
use crate::commands::{Bytes, Call, command};
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static HEADS: Script = script!("../lua/cache_entry.lua", "../lua/cache_heads.lua");

/// About how many keys the server looks at for one SCAN, and how many SCANs one page is.
const SCANNED: u32 = 500;
const MOST_SCANS: usize = 8;
/// So much of a name is shown, in characters.
const SHOWN_NAME: usize = 200;
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

/// What stands under one key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    /// The whole key of Redis, in base64url; absent for one that is no text, which no command here can name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// As the cache was asked for it; what is no UTF-8 is replaced, what is long cut.
    pub name: String,
    /// How long the name is, in bytes.
    pub name_bytes: usize,
    /// The number of its shard.
    pub shard: u32,
    /// For how long Redis keeps it, in milliseconds; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_ms: Option<u64>,
    /// What stands there: one value, or one for each variant of an answer.
    pub values: Vec<Held>,
}

/// One value, without itself. Instants are epoch milliseconds, absent where another client wrote it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    /// `fresh`, `stale`, `on-error` (for a fetch that fails), `gone`.
    pub state: &'static str,
    /// `json`, `bytes`, `answer`, or `plain`.
    pub kind: &'static str,
    pub deflated: bool,
    /// With its head.
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_until: Option<u64>,
    /// How long fetching it took.
    pub cost_ms: u64,
    pub tags: Vec<String>,
    /// Whether a tag of it was invalidated, or expired.
    pub tagged: bool,
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
        if cursor.is_empty() || cursor.len() > 20 || !cursor.bytes().all(|b| b.is_ascii_digit()) {
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

/// Where `}:e:` stands in a key.
fn entry_at(key: &[u8]) -> Option<usize> {
    let at = key.iter().position(|b| *b == b'}')?;
    key.get(at..)?.starts_with(b"}:e:").then_some(at)
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

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Json => "json",
        Kind::Bytes => "bytes",
        Kind::Answer => "answer",
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

/// The heads of entries: one script a shard.
struct Heads {
    keys: Vec<Vec<u8>>,
    /// The hash of tags of each shard, and the places of its keys.
    shards: Vec<(String, Vec<usize>)>,
}

impl Heads {
    fn of(keys: Vec<Vec<u8>>) -> Self {
        let mut shards: Vec<(String, Vec<usize>)> = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let text = std::str::from_utf8(key).ok();
            let slot = entry_at(key).and_then(|at| text?.get(..at));
            // One that is not text another client wrote: it is listed by its name alone.
            let Some(slot) = slot else { continue };
            let hash = slot.to_owned() + "}:t";
            match shards.iter_mut().find(|(other, _)| *other == hash) {
                Some((_, places)) => places.push(place),
                None => shards.push((hash, vec![place])),
            }
        }
        Self { keys, shards }
    }
}

impl Op for Heads {
    type Output = Vec<Listed>;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        for (hash, places) in &self.shards {
            let mut keys = vec![hash.as_str()];
            let of = |place: &usize| std::str::from_utf8(self.keys.get(*place)?).ok();
            keys.extend(places.iter().filter_map(of));
            out.script(&HEADS, &keys, &[], Repeat::Read);
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<Listed>, EdgeError> {
        let mut listed: Vec<Listed> = self.keys.iter().map(|key| named(key)).collect();
        for (_, places) in &self.shards {
            let mut entries = replies.take()?.array()?;
            for place in places {
                let mut found = entries.entry()?.array()?;
                let kept_ms = found.entry()?.int()?;
                let Some(listed) = listed.get_mut(*place) else {
                    continue;
                };
                listed.kept_ms = u64::try_from(kept_ms).ok();
                while let Some(head) = found.next() {
                    let head = head.bytes()?.unwrap_or_default();
                    let (bytes, worth) = (found.entry()?.count()?, found.entry()?.int()?);
                    listed.values.push(held(head, bytes, worth, cx.now()));
                }
            }
        }
        Ok(listed)
    }
}

fn named(key: &[u8]) -> Listed {
    let at = entry_at(key).map_or(0, |at| at + 4);
    let name = unescaped(key.get(at..).unwrap_or_default());
    let slot = key.get(..at).unwrap_or_default();
    let shard = slot.rsplit(|b| *b == b':').nth(2);
    let shard = shard.and_then(|number| std::str::from_utf8(number).ok());
    let shard = shard.and_then(|number| number.trim_end_matches('}').parse().ok());
    let text = String::from_utf8_lossy(&name);
    let is_text = std::str::from_utf8(key).is_ok();
    Listed {
        id: is_text.then(|| base64::url(key)),
        name: text.chars().take(SHOWN_NAME).collect(),
        name_bytes: name.len(),
        shard: shard.unwrap_or(0),
        kept_ms: None,
        values: Vec::new(),
    }
}

fn held(head: &[u8], bytes: u64, worth: i64, now: u64) -> Held {
    let tagged = worth > 0;
    let entry = entry::decode(head, Kind::Bytes).filter(|_| !head.is_empty());
    let Some(entry) = entry else {
        return Held {
            state: if worth == 2 { "gone" } else { "fresh" },
            kind: "plain",
            bytes,
            ..Held::default()
        };
    };
    let instants = entry.instants;
    let state = match instants.freshness(now, worth == 1) {
        _ if worth == 2 => "gone",
        Freshness::Fresh => "fresh",
        Freshness::Stale => "stale",
        Freshness::OnError => "on-error",
        Freshness::Gone => "gone",
    };
    let mut fields = head.split(|b| *b == b';').skip(6);
    let mut next = || std::str::from_utf8(fields.next().unwrap_or_default()).unwrap_or_default();
    let cost_ms = next().parse().unwrap_or(0);
    let tags = next().split(',').filter(|tag| !tag.is_empty());
    let tag = |tag: &str| String::from_utf8_lossy(&unescaped(tag.as_bytes())).into_owned();
    Held {
        state,
        kind: kind(entry.codec.kind),
        deflated: entry.codec.deflated,
        bytes,
        written_at: Some(instants.written),
        fresh_until: Some(instants.fresh_until),
        stale_until: Some(instants.stale_until),
        error_until: Some(instants.error_until),
        cost_ms,
        tags: tags.map(tag).collect(),
        tagged,
    }
}

/// What [`keys::part`] and [`keys::word`] escaped.
pub(crate) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied();
    let mut read = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        let escaped = (byte == b'%').then(|| Some(digit()? << 4 | digit()?));
        match escaped.flatten().and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => {
                read.push(byte);
                bytes = ahead;
            }
            None => read.push(byte),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_head_tells_times_tags_and_cost() {
        let held = held(b"ue1;j;100;200;300;400;7;a%3Bb,c;E;3;", 99, 0, 150);
        assert_eq!(
            (held.state, held.kind, held.bytes, held.cost_ms),
            ("fresh", "json", 99, 7)
        );
        assert_eq!(held.tags, ["a;b", "c"]);
        assert_eq!((held.written_at, held.error_until), (Some(100), Some(400)));
    }

    #[test]
    fn its_state_is_what_a_reader_would_make_of_it() {
        let state = |worth, now| held(b"ue1;a;100;200;300;400;7;;;;", 9, worth, now).state;
        assert_eq!(state(0, 199), "fresh");
        assert_eq!((state(1, 199), state(0, 299)), ("stale", "stale"));
        assert_eq!((state(0, 399), state(0, 400)), ("on-error", "gone"));
        assert_eq!(state(2, 150), "gone");
        assert_eq!(held(b"", 9, 0, 0).kind, "plain");
    }

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

    #[test]
    fn a_hostile_name_is_told_cut_and_replaced() {
        let listed = named(b"{c:3}:e:\xff%3Cb>");
        assert_eq!(
            (listed.name.as_str(), listed.shard, listed.name_bytes),
            ("\u{fffd}<b>", 3, 4)
        );
        let long = named(&[&b"{c:0}:e:"[..], &[b'x'; 10_240]].concat());
        assert_eq!((long.name.len(), long.name_bytes), (SHOWN_NAME, 10_240));
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(text in any::<String>()) {
            for escaped in [keys::part(&text), keys::word(&text)] {
                if !escaped.starts_with("%h") {
                    prop_assert_eq!(unescaped(escaped.as_bytes()), text.as_bytes());
                }
            }
        }

        #[test]
        fn any_bytes_are_shown(bytes in any::<Vec<u8>>()) {
            let shown = shown(&bytes, bytes.len());
            prop_assert!(shown.text.len() <= 3 * SHOWN);
            let _ = (held(&bytes, 1, 0, 0), named(&bytes));
        }
    }
}
