//! The cache. Its configuration comes along with every call; what an isolate has seen of Redis is found by it again.
//!
//! Texts are JSON arrays of strings without nesting. A cache: the server's URL (it is Redis that fails, not a cache), its
//! name, ttl, jitter in thousandths, `staleWhileRevalidate`, `staleIfError`, shards, lock, timeout, and `true` where
//! it counts; times in milliseconds. Values enter as bytes, and leave as places in an answer's bytes. A codec is 0 JSON or
//! 1 bytes, 2 more where they are deflated.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use super::batch::Ask;
use super::json::Json;
use super::slots::Slots;
use super::{added, gone, text, with};
use crate::cache::{
    Answer, Cache, CacheFailure, CacheOperation, Codec, Fetched, GetOrFetch, Kind, Next, Payload,
    Read, Step,
};
use crate::client::Task;
use crate::error::EdgeError;
use crate::op::Context;
use crate::recent::Recent;
use crate::wire::{Commands, Replies, json_texts};

/// Past so many configurations, the one unused longest is made anew, its breaker closed.
const MOST: usize = 1_000;

thread_local! {
    static CACHES: RefCell<Recent<Cache>> = const { RefCell::new(Recent::new(MOST)) };
    pub(super) static FLOWS: RefCell<Slots<GetOrFetch>> = const { RefCell::new(Slots::new()) };
}

/// Why a cache cannot be made; `undefined` when it can.
#[wasm_bindgen]
pub fn cache_problem(cache: &str) -> Option<String> {
    built(cache).err().map(|error| text(&error))
}

/// Adds a read of keys; its outcome is `@` and the array of what failed (a text: what, and the code of its error; else 0), and
/// of five numbers for each fresh entry: its place among the keys, its codec, and the place of its payload: which answer,
/// from where, to where. Wanted are 0 JSON, 1 bytes, or 2 either,
/// without the payloads.
#[wasm_bindgen]
pub fn push_cache_read(
    batch: f64,
    cache: &str,
    keys: &str,
    wanted: u32,
    now: f64,
) -> Option<String> {
    let cache = match of(cache, 0.0, "") {
        Ok(cache) => cache,
        Err(error) => return Some(text(&error)),
    };
    let keys = json_texts(keys);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let wanted = (wanted < 2).then(|| codec_of(wanted).kind);
    added(with(batch, |batch| {
        batch.ask(Box::new(Reading(cache.read(&keys, wanted))), now as u64)
    }))
}

/// Adds a write of keys. `payloads` are theirs, one behind the other; `layout` says of each its codec and where it ends.
/// Without payloads it is a removal, whose outcome is how many were there. `ttl_ms` 0 is the cache's own.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "an object would cost more")]
pub fn push_cache_write(
    batch: f64,
    cache: &str,
    keys: &str,
    payloads: Option<Vec<u8>>,
    layout: &[u32],
    ttl_ms: f64,
    tags: &str,
    now: f64,
) -> Option<String> {
    let cache = match of(cache, ttl_ms, tags) {
        Ok(cache) => cache,
        Err(error) => return Some(text(&error)),
    };
    let keys = json_texts(keys);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let now = now as u64;
    added(with(batch, |batch| match payloads {
        None => batch.op(cache.delete_many(&keys), now, |deleted| {
            itoa::Buffer::new().format(deleted).to_owned()
        }),
        Some(payloads) => {
            let (mut each, mut start) = (Vec::with_capacity(keys.len()), 0);
            for of in layout.chunks_exact(2) {
                if let [codec, end] = *of {
                    let bytes = payloads.get(start..end as usize).unwrap_or_default();
                    each.push(Payload::new(codec_of(codec), bytes.to_vec()));
                    start = end as usize;
                }
            }
            batch.op(cache.write(&keys, each), now, null)
        }
    }))
}

fn codec_of(number: u32) -> Codec {
    let kind = if number & 1 == 0 {
        Kind::Json
    } else {
        Kind::Bytes
    };
    let deflated = number & 2 != 0;
    Codec { kind, deflated }
}

/// Adds an invalidation of tags: what has them is `gone`, or else stale.
#[wasm_bindgen]
pub fn push_cache_tags(
    batch: f64,
    cache: &str,
    tags: &str,
    gone: bool,
    now: f64,
) -> Option<String> {
    let tags = json_texts(tags);
    let op = of(cache, 0.0, "").and_then(|cache| {
        if gone {
            cache.invalidate_tags(&tags)
        } else {
            cache.expire_tags(&tags)
        }
    });
    match op {
        Ok(op) => added(with(batch, |batch| batch.op(op, now as u64, null))),
        Err(error) => Some(text(&error)),
    }
}

/// Adds a read of the counts; its outcome is the array of hits, misses and stale hits.
#[wasm_bindgen]
pub fn push_cache_stats(batch: f64, cache: &str, now: f64) -> Option<String> {
    let cache = match of(cache, 0.0, "") {
        Ok(cache) => cache,
        Err(error) => return Some(text(&error)),
    };
    added(with(batch, |batch| {
        batch.op(cache.stats(), now as u64, |stats| {
            let mut json = Json::default();
            json.number("[", stats.hits);
            json.number(",", stats.misses);
            json.number(",", stats.stale);
            json.raw("]");
            json.text
        })
    }))
}

/// The glob of the keys of all entries.
#[wasm_bindgen]
pub fn cache_pattern(cache: &str) -> Option<String> {
    of(cache, 0.0, "").ok().map(|cache| cache.pattern())
}

fn null((): ()) -> String {
    "null".to_owned()
}

/// Begins a get-or-fetch that is forgotten at `deadline`, should nobody end it. NaN when it cannot be: then nothing but
/// the caller's own function is left.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "an object would cost more")]
pub fn flow_begin(
    cache: &str,
    key: &str,
    ttl_ms: f64,
    tags: &str,
    early: u32,
    background: bool,
    refresh: bool,
    now: f64,
    deadline: f64,
) -> f64 {
    let Ok(cache) = of(cache, ttl_ms, tags) else {
        return f64::NAN;
    };
    let mut flow = cache.fetching(key);
    flow.early(early);
    if background {
        flow.in_background();
    }
    if refresh {
        flow.refreshing();
    }
    FLOWS.with_borrow_mut(|flows| flows.put(flow, now, deadline))
}

/// What happened: 0 the time passed, 1 what was found can be used, 2 or cannot, 3 the caller's function gave nothing to
/// store, 4 or failed, 5 no replies will come, 6 it will
/// not be asked. At first a flow wants something sent.
///
/// What then, as every step: the JSON array of the answer (0 not yet, 1 what was found, 2 what the function gave), what to
/// do (0 send, 1 sleep, 2 judge, 3 fetch, 4 nothing more), for how many milliseconds to sleep, and what failed, as for
/// [`push_cache_read`].
#[wasm_bindgen]
pub fn flow_step(flow: f64, event: u32, now: f64) -> String {
    let cx = Context::at(now as u64);
    told(stepped(flow, |flow| match event {
        0 => flow.slept(),
        1 | 2 => flow.judged(&cx, event == 1),
        3 => flow.fetched(&cx, Fetched::Nothing),
        4 => flow.fetched(&cx, Fetched::Failed),
        6 => flow.released(),
        _ => flow.answered(&cx, &mut Replies::new(&[], &[])).0,
    }))
}

/// The caller's function gave a value: `payload`, of this codec. `ttl_ms` 0 and `tags` empty leave what was said before.
#[wasm_bindgen]
pub fn flow_fetched(
    flow: f64,
    codec: u32,
    payload: Vec<u8>,
    ttl_ms: f64,
    tags: &str,
    now: f64,
) -> String {
    let cx = Context::at(now as u64);
    told(stepped(flow, |flow| {
        if ttl_ms > 0.0 {
            flow.set_ttl_ms(ttl_ms as u64);
        }
        if let (false, Ok(tags)) = (tags.is_empty(), crate::cache::tags(&json_texts(tags))) {
            flow.set_tags(tags);
        }
        flow.fetched(&cx, Fetched::Value(Payload::new(codec_of(codec), payload)))
    }))
}

/// Adds what a flow wants sent; its outcome is `@` and a step, behind which stand the codec and the place of what was found
/// when that is to be judged: which answer, from where, to where.
#[wasm_bindgen]
pub fn push_flow(batch: f64, flow: f64, now: f64) -> Option<String> {
    added(with(batch, |batch| {
        batch.ask(Box::new(Flowing(flow)), now as u64)
    }))
}

/// Forgets the flow.
#[wasm_bindgen]
pub fn flow_end(flow: f64) {
    FLOWS.with_borrow_mut(|flows| flows.remove(flow));
}

fn stepped(flow: f64, step: impl FnOnce(&mut GetOrFetch) -> Step) -> Option<Step> {
    flowing(flow, step)
}

pub(super) fn flowing<T>(handle: f64, act: impl FnOnce(&mut GetOrFetch) -> T) -> Option<T> {
    let mut flow = FLOWS.with_borrow_mut(|flows| flows.take(handle))?;
    let told = act(&mut flow);
    FLOWS.with_borrow_mut(|flows| flows.back(handle, flow));
    Some(told)
}

/// A flow that is gone leaves the caller's own function.
pub(super) fn told(step: Option<Step>) -> String {
    let mut json = Json::default();
    let (answer, next) = match &step {
        Some(step) => (step.answer, step.next),
        None => (None, Next::Fetch),
    };
    json.number(
        "[",
        match answer {
            None => 0,
            Some(Answer::Found) => 1,
            Some(Answer::Fetched) => 2,
        },
    );
    let (next, ms) = match next {
        Next::Send => (0, 0),
        Next::Sleep { ms } => (1, ms),
        Next::Judge => (2, 0),
        Next::Fetch => (3, 0),
        Next::End => (4, 0),
    };
    json.number(",", next);
    json.number(",", ms);
    json.raw(",");
    failed(&mut json, step.and_then(|step| step.failed));
    json.raw("]");
    json.text
}

struct Flowing(f64);

impl Ask for Flowing {
    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        flowing(self.0, |flow| flow.encode(cx, out)).unwrap_or_else(|| Err(gone()))
    }

    fn answer(
        self: Box<Self>,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
        task: &Task,
    ) -> Result<String, EdgeError> {
        let mut found = None;
        let step = stepped(self.0, |flow| {
            let (step, judged) = flow.answered(cx, replies);
            found = judged;
            step
        });
        let mut json = Json::default();
        json.raw("@");
        json.raw(&told(step));
        if let Some((codec, payload)) = found {
            json.text.pop();
            located(&mut json, task, codec, payload);
            json.raw("]");
        }
        Ok(json.text)
    }
}

struct Reading(Read);

impl Ask for Reading {
    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.0.encode(cx.now(), out)
    }

    fn answer(
        self: Box<Self>,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
        task: &Task,
    ) -> Result<String, EdgeError> {
        let mut json = Json::default();
        let fail = self.0.decode(cx.now(), replies, |key, codec, payload| {
            json.number(",", key as u64);
            located(&mut json, task, codec, payload);
        });
        let mut told = Json::default();
        told.raw("@[");
        failed(&mut told, fail);
        told.raw(&json.text);
        told.raw("]");
        Ok(told.text)
    }
}

/// As a text, what failed and the code of its error, or 0.
fn failed(json: &mut Json, failed: Option<CacheFailure>) {
    let Some(CacheFailure { operation, code }) = failed else {
        return json.raw("0");
    };
    json.raw(match operation {
        CacheOperation::Read => "\"read ",
        CacheOperation::Lookup => "\"lookup ",
        CacheOperation::Store => "\"store ",
    });
    json.raw(code);
    json.raw("\"");
}

fn located(json: &mut Json, task: &Task, codec: Codec, payload: &[u8]) {
    let codec = u64::from(codec.kind == Kind::Bytes) + 2 * u64::from(codec.deflated);
    json.number(",", codec);
    place(json, task, payload);
}

/// Where `part` of an answer lies: in which, from where, to where.
pub(super) fn place(json: &mut Json, task: &Task, part: &[u8]) {
    let (answer, start) = task.place(part).unwrap_or_default();
    for number in [answer, start, start + part.len()] {
        json.number(",", number as u64);
    }
}

/// The cache, for a call that has its own ttl and tags.
pub(super) fn of(config: &str, ttl_ms: f64, tags: &str) -> Result<Cache, EdgeError> {
    let mut cache = CACHES.with_borrow_mut(|caches| caches.get(config, || built(config)))?;
    if ttl_ms > 0.0 {
        cache = cache.ttl_ms(ttl_ms as u64)?;
    }
    if !tags.is_empty() {
        cache = cache.tags(&json_texts(tags))?;
    }
    Ok(cache)
}

fn built(config: &str) -> Result<Cache, EdgeError> {
    let fields = json_texts(config);
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let number = |at: usize| field(at).parse::<u64>().unwrap_or(0);
    Cache::new()
        .name(field(1))
        .metrics(field(9) == "true")
        .jitter_thousandths(number(3) as u32)
        .stale_while_revalidate_ms(number(4))
        .stale_if_error_ms(number(5))
        .ttl_ms(number(2))?
        .shards(number(6) as u32)?
        .lock_ms(number(7))?
        .timeout_ms(number(8))
}
