//! The heads of entries: what stands under each key, without the values themselves.

use serde::Serialize;

use super::super::entry;
use super::super::freshness::Freshness;
use super::super::payload::Kind;
use crate::base64;
use crate::error::EdgeError;
use crate::keys::unescaped;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static HEADS: Script = script!("../../lua/cache_entry.lua", "../../lua/cache_heads.lua");

/// So much of a name is shown, in characters.
const SHOWN_NAME: usize = 200;
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

/// Where `}:e:` stands in a key.
pub(super) fn entry_at(key: &[u8]) -> Option<usize> {
    let at = key.iter().position(|b| *b == b'}')?;
    key.get(at..)?.starts_with(b"}:e:").then_some(at)
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Json => "json",
        Kind::Bytes => "bytes",
        Kind::Answer => "answer",
    }
}

/// The heads of entries: one script a shard.
pub(super) struct Heads {
    keys: Vec<Vec<u8>>,
    /// The hash of tags of each shard, and the places of its keys.
    shards: Vec<(String, Vec<usize>)>,
}

impl Heads {
    pub fn of(keys: Vec<Vec<u8>>) -> Self {
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
        fn any_bytes_have_a_head_and_a_name(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(held(&bytes, 1, 0, 0).bytes, 1);
            prop_assert_eq!(named(&bytes).name.chars().count() <= SHOWN_NAME, true);
        }
    }
}
