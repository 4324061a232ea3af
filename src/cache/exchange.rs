//! A get-or-fetch whose value is a whole HTTP answer: what of it is HTTP. The flow is the same as for other values
//! (`fetch.rs`): one lease, the same waits, the same failure policy.
//!
//! An answer stands in a hash, its URL's, in a field for each variant (`lua/response_variant.lua`), under the key of an
//! entry: so a `delete` and tags mean answers too, and a value that is set under the key takes their place.

use super::entry::{self, Entry};
use super::freshness::{Freshness, Instants, Times};
use super::http::{Asked, Fields, Forward, Stored, head, merged, plan};
use super::key::Keys;
use super::payload::{Codec, Kind, Payload};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat};

static LOOKUP: Script = script!(
    "../lua/cache_entry.lua",
    "../lua/cache_epoch.lua",
    "../lua/response_variant.lua",
    "../lua/response_lookup.lua"
);
static STORE: Script = script!(
    "../lua/bytes.lua",
    "../lua/cache_current.lua",
    "../lua/response_variant.lua",
    "../lua/response_store.lua"
);
static PASS: Script = script!("../lua/response_pass.lua");

/// So many variants of one URL are kept.
const MOST_VARIANTS: u32 = 16;

/// So long nobody waits for the answer of a URL whose last one was not to be stored.
const PASS_MS: u64 = 60_000;

/// What all scripts of an answer are told.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The hash of tags.
    pub hash: &'a str,
    pub keys: &'a Keys,
    pub nonce: &'a str,
    /// The epoch and the counter of the tags before the handler was asked.
    pub seen: &'a (String, u64),
    pub tags: &'a [String],
}

/// The head of an answer that was found.
struct Found {
    status: u16,
    fields: String,
    body_at: usize,
    length: usize,
    instants: Instants,
}

/// One request, and what has become of it.
pub(crate) struct Exchange {
    asked: Asked,
    /// In place of its URL.
    key: Option<String>,
    /// For answers that state no lifetime.
    ttl_ms: Option<u64>,
    /// Why the handler was asked, as `Cache-Status` says it; empty while Redis has not answered.
    why: &'static str,
    found: Option<Found>,
    /// Whether an answer was waited for that another caller was fetching.
    pub collapsed: bool,
    /// What the handler answered, as it is to be stored, and when it came.
    status: u16,
    fields: String,
    came: u64,
    vary: String,
}

impl Exchange {
    /// `key` in place of the URL; `ttl_ms` for answers that state no lifetime.
    pub fn new(asked: Asked, key: Option<String>, ttl_ms: Option<u64>) -> Self {
        Self {
            asked,
            key,
            ttl_ms,
            why: "",
            found: None,
            collapsed: false,
            status: 0,
            fields: String::new(),
            came: 0,
            vary: String::new(),
        }
    }

    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.asked.url)
    }

    /// Whether it is not even looked up.
    pub(super) fn is_forwarded(&self) -> bool {
        self.asked.forward != Forward::No
    }

    /// Whether it takes no lease: nothing that it could bring would be stored.
    pub(super) fn only_looks(&self) -> bool {
        self.asked.head || self.asked.no_store || self.asked.only_if_cached
    }

    /// What the client gets in place of a handler's answer, if it wants none asked (RFC 9111, section 5.2.1.7).
    pub fn refusal(&self) -> Option<&'static str> {
        (self.asked.only_if_cached && !self.is_forwarded())
            .then_some("504 0\ncache-status:upstash-edge; detail=only-if-cached\n")
    }

    /// Which keys an answer makes invalid.
    pub fn invalidates(&self, status: u16, fields: Fields<'_>) -> Vec<String> {
        let mut urls = self.asked.invalidates(status, fields);
        if let (Some(own), Some(key)) = (urls.first_mut(), &self.key) {
            own.clone_from(key);
        }
        urls
    }

    /// `started` is when the request came.
    pub(super) fn lookup(
        &self,
        place: Place<'_>,
        [now, started, lock_ms]: [u64; 3],
        [taking, early]: [u32; 2],
        out: &mut Commands,
    ) {
        let args = [
            self.asked.wants_fresh_at(now).into(),
            self.asked.wants_since(started).into(),
            place.nonce.into(),
            lock_ms.into(),
            taking.into(),
            early.into(),
            (&self.asked.base).into(),
            (&self.asked.selecting).into(),
            u32::from(!place.tags.is_empty()).into(),
        ];
        let keys = [place.hash, &place.keys.entry, &place.keys.lease];
        out.script(&LOOKUP, &keys, &args, Repeat::Harmless);
    }

    /// `cost_ms` is how long the handler took, its body with it.
    pub(super) fn store(
        &self,
        place: Place<'_>,
        times: Times,
        cost_ms: u64,
        payload: &Payload,
        out: &mut Commands,
    ) {
        let head = entry::head(&times.from(self.came), payload.codec, cost_ms, place.tags);
        let tags = place.tags.join(",");
        let payload = payload.arg();
        let mut args = vec![
            Arg::Text(place.nonce),
            times.kept_ms().into(),
            (&place.seen.0).into(),
            place.seen.1.into(),
            (&self.asked.base).into(),
            (&self.asked.selecting).into(),
            or_dash(&self.vary).into(),
            MOST_VARIANTS.into(),
            or_dash(&tags).into(),
            (&head).into(),
            payload,
        ];
        if !payload.is_bytes() {
            // Where the bytes are: nowhere.
            args.insert(0, "-".into());
        }
        let keys = [place.hash, &place.keys.entry, &place.keys.lease];
        out.script(&STORE, &keys, &args, Repeat::Harmless);
    }

    /// Says that what was answered is not to be stored.
    pub(super) fn pass(place: Place<'_>, out: &mut Commands) {
        let args = [place.nonce.into(), PASS_MS.into()];
        out.script(&PASS, &[&place.keys.lease], &args, Repeat::Harmless);
    }

    /// Takes what the lookup found, `others` being whether the URL has other variants alone; what it is good for to this request,
    /// and whether it may be served to it at all.
    pub(super) fn found(
        &mut self,
        entry: Option<&(Entry<'_>, Freshness)>,
        others: bool,
        [now, started]: [u64; 2],
    ) -> Option<(Freshness, bool)> {
        self.found = None;
        let of_http = |entry: &Entry<'_>| entry.codec.kind == Kind::Answer;
        let stored = entry
            .filter(|(entry, _)| of_http(entry))
            .and_then(|(entry, freshness)| {
                Some((entry, *freshness, Stored::decode(entry.payload)?))
            });
        let Some((entry, freshness, stored)) = stored else {
            self.because(if others { "vary-miss" } else { "uri-miss" });
            return None;
        };
        let is_fresh = freshness == Freshness::Fresh;
        self.because(if is_fresh { "request" } else { "stale" });
        if freshness == Freshness::Gone {
            return None;
        }
        let instants = entry.instants;
        self.found = Some(Found {
            status: stored.status,
            fields: stored.fields.0.to_owned(),
            body_at: stored.body_at,
            length: entry.payload.len().saturating_sub(stored.body_at),
            instants,
        });
        let fresh_enough = self.asked.wants_fresh_at(now) < instants.fresh_until;
        let recent_enough = instants.written >= self.asked.wants_since(started);
        let good_for = match freshness {
            Freshness::Fresh if fresh_enough && recent_enough => Freshness::Fresh,
            // `max-stale`: served as it is, for as long as it stands there.
            Freshness::Stale | Freshness::OnError if fresh_enough && recent_enough => {
                Freshness::Stale
            }
            Freshness::Stale if self.asked.takes_stale() => Freshness::Stale,
            // The client has asked for a fresher one: this may stand in for a failure alone.
            _ => Freshness::OnError,
        };
        Some((good_for, stored.answers(&self.asked)))
    }

    /// The first reason is the one: what came of waiting is another matter.
    fn because(&mut self, why: &'static str) {
        if self.why.is_empty() {
            self.why = why;
        }
    }

    /// The fields that the handler is to be asked with in place of the client's: a line each, one without a value being
    /// left away. The whole answer is wanted, not what the client lacks of it, or else what has changed since the one
    /// that was found.
    pub(super) fn conditions(&self, found_serves: bool) -> String {
        let mut fields = String::new();
        let [tag, date] = self.validators(found_serves);
        let [has_tag, has_date] = self.asked.conditions;
        for (name, value, is_there) in [
            ("if-none-match:", tag, has_tag),
            ("if-modified-since:", date, has_date),
        ] {
            if value.is_some() || is_there {
                fields.push_str(name);
                fields.push_str(value.unwrap_or_default());
                fields.push('\n');
            }
        }
        fields
    }

    /// The tag and the date of what was found, where the handler can be asked whether it is still that.
    fn validators(&self, found_serves: bool) -> [Option<&str>; 2] {
        match self
            .found
            .as_ref()
            .filter(|found| found_serves && found.status == 200)
        {
            Some(found) => ["etag", "last-modified"].map(|name| Fields(&found.fields).value(name)),
            None => [None; 2],
        }
    }

    /// Takes the head of what the handler answered at `now`. Where it is a 304 to the validators of what was found, it
    /// becomes that, with its fields made new. Whether it did.
    pub(super) fn answered(
        &mut self,
        status: u16,
        fields: Fields<'_>,
        now: u64,
        found_serves: bool,
    ) -> bool {
        let asked = self.validators(found_serves) != [None; 2];
        let renewed = self.found.as_ref().filter(|_| status == 304 && asked);
        (self.status, self.fields) = match renewed {
            Some(found) => (found.status, merged(Fields(&found.fields), fields)),
            None => (status, fields.0.to_owned()),
        };
        self.came = now;
        status != self.status
    }

    /// How long what was answered is to be kept, if it is to be stored.
    pub(super) fn plan(&mut self, ours: Times) -> Option<Times> {
        let (fields, ttl_ms) = (Fields(&self.fields), self.ttl_ms);
        let plan = plan(&self.asked, self.status, fields, self.came, ttl_ms, ours)?;
        self.vary = plan.vary;
        Some(plan.times)
    }

    /// What was answered, with its body, as it is stored. `decoded`: the runtime has undone its `Content-Encoding`.
    pub(super) fn payload(&self, body: &[u8], decoded: bool) -> Payload {
        let head = head(self.status, Fields(&self.fields), self.came, decoded);
        let mut bytes = Vec::with_capacity(head.len() + body.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
        let codec = Codec {
            kind: Kind::Answer,
            deflated: false,
        };
        Payload::new(codec, bytes)
    }

    /// Whether the client has already what was answered.
    pub(super) fn not_modified(&self) -> bool {
        self.asked.not_modified(self.status, Fields(&self.fields))
    }

    /// Where the body begins of what was found.
    pub(super) fn found_body_at(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.body_at)
    }

    /// The head of what was answered, as the client gets it: before the body of what was found, if that was `renewed`, or
    /// else as a 304.
    pub(super) fn told_answer(&self, renewed: bool, cache_status: &str) -> String {
        let found = self.found.as_ref().filter(|_| renewed);
        let (body_at, length) = found.map_or((0, 0), |found| (found.body_at, found.length));
        let stored = Stored {
            status: self.status,
            fields: Fields(&self.fields),
            body_at,
        };
        stored.told(&self.asked, 0, length, cache_status)
    }

    /// The head of what was found, as it is served at `now`: `failed` is the status in whose place it stands.
    pub fn told_found(&self, now: u64, failed: u16) -> String {
        let Some(found) = &self.found else {
            return String::new();
        };
        let stored = Stored {
            status: found.status,
            fields: Fields(&found.fields),
            body_at: found.body_at,
        };
        let mut status = String::from(NAME);
        if failed > 0 || self.collapsed {
            status.push_str("; fwd=");
            status.push_str(self.why);
        } else {
            status.push_str("; hit");
        }
        if failed > 0 {
            number(&mut status, "; fwd-status=", failed.into());
        } else if self.collapsed {
            status.push_str("; collapsed");
        }
        let left_ms = found.instants.fresh_until as i64 - now as i64;
        number(&mut status, "; ttl=", left_ms.div_euclid(1_000));
        let since_ms = now.saturating_sub(found.instants.written);
        stored.told(&self.asked, since_ms, found.length, &status)
    }

    /// What `Cache-Status` says of what the handler answered.
    pub(super) fn cache_status(&self, is_stored: bool, renewed: bool) -> String {
        let mut status = String::from(NAME);
        status.push_str("; fwd=");
        let (why, detail) = match self.asked.forward {
            Forward::Method => ("method", ""),
            Forward::Bypass(detail) => ("bypass", detail),
            Forward::No if self.why.is_empty() => ("bypass", "unavailable"),
            Forward::No => (self.why, ""),
        };
        status.push_str(why);
        if renewed {
            status.push_str("; fwd-status=304");
        }
        if is_stored {
            status.push_str("; stored");
        }
        if !detail.is_empty() {
            status.push_str("; detail=");
            status.push_str(detail);
        }
        status
    }
}

/// What this cache is called in `Cache-Status` (RFC 9211).
const NAME: &str = "upstash-edge";

/// A path has no empty segment.
fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

fn number(text: &mut String, name: &str, number: i64) {
    text.push_str(name);
    text.push_str(itoa::Buffer::new().format(number));
}
