//! `get_or_fetch`, as a flow: look up, then serve, fetch under the lease, or wait for who holds it.
//!
//! ```text
//! lookup ─┬─ fresh ────────────────────────────▶ answer
//!         ├─ stale, lease taken ──▶ answer, then fetch ─▶ store
//!         ├─ stale, lease elsewhere ───────────▶ answer
//!         ├─ missing, lease taken ─▶ fetch ──▶ answer, then store (or release)
//!         ├─ missing, lease elsewhere ─▶ sleep ─▶ lookup .. 8 times, then fetch without the lease
//!         ├─ unreadable, or ended on the way ─▶ lookup once more, taking the lease
//!         └─ Redis failed ─▶ fetch ──▶ answer; stored (or the lease released) only where that is in the background
//! ```

use std::marker::PhantomData;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::{self, Freshness, Times};
use super::{Keys, Patience};
use crate::error::EdgeError;
use crate::flow::{Event, Flow, Next, Step};
use crate::op::Context;
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies};

static LOOKUP: Script = script!("../lua/cache_lookup.lua");
static STORE: Script = script!("../lua/cache_store.lua");
static RELEASE: Script = script!("../lua/cache_release.lua");

/// Few enough for a free Worker's 50 subrequests.
const MOST_POLLS: u32 = 8;

pub(super) struct GetOrFetch<T, E> {
    keys: Keys,
    times: Times,
    patience: Patience,
    /// Whether what follows the answer costs the caller no time.
    background: bool,
    state: State,
    polls: u32,
    /// The entry cannot be used although it looks fresh: the lease is wanted all the same.
    unusable: bool,
    nonce: String,
    /// When it began to wait for somebody else's fetch to end.
    started: u64,
    /// When its own fetch began.
    began: u64,
    value: PhantomData<fn() -> (T, E)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Looking,
    /// Fetching: whether the value may be stored, and whether the caller still waits for it.
    Fetching {
        store: bool,
        waiting: bool,
    },
    /// Storing or releasing.
    Closing,
}

/// What a lookup found.
enum Found<T> {
    Value(T, Freshness),
    Missing,
    Unusable,
}

impl<T, E> GetOrFetch<T, E> {
    pub fn new(keys: Keys, times: Times, patience: Patience, background: bool) -> Self {
        Self {
            keys,
            times,
            patience,
            background,
            state: State::Looking,
            polls: 0,
            unusable: false,
            nonce: String::new(),
            started: 0,
            began: 0,
            value: PhantomData,
        }
    }

    fn send(&self) -> Next {
        Next::Send {
            timeout_ms: self.patience.timeout_ms,
        }
    }

    fn look_up(&mut self, cx: &Context<'_>, out: &mut Commands) -> Next {
        let args = [
            cx.now().into(),
            (&self.nonce).into(),
            self.patience.lock_ms.into(),
            u32::from(self.unusable).into(),
        ];
        // The nonce finds its own lease again.
        let keys = [self.keys.entry.as_str(), &self.keys.lease];
        out.script(&LOOKUP, &keys, &args, Repeat::Harmless);
        self.send()
    }

    fn fetch(&mut self, cx: &Context<'_>, store: bool, waiting: bool) -> Next {
        self.began = cx.now();
        self.state = State::Fetching { store, waiting };
        Next::Fetch
    }

    fn release(&mut self, out: &mut Commands) -> Next {
        self.state = State::Closing;
        let args = [(&self.nonce).into()];
        out.script(&RELEASE, &[&self.keys.lease], &args, Repeat::Harmless);
        self.send()
    }

    /// Doubling waits that add up to twice the lease, whatever the trips between them take.
    fn poll(&mut self, cx: &Context<'_>) -> Next {
        let longest = self.patience.lock_ms.saturating_mul(2);
        let left = self
            .started
            .saturating_add(longest)
            .saturating_sub(cx.now());
        if self.polls >= MOST_POLLS || left == 0 {
            return self.fetch(cx, true, true);
        }
        let ms = (longest >> MOST_POLLS).max(10) << self.polls;
        self.polls += 1;
        Next::Sleep { ms: ms.min(left) }
    }
}

impl<T: DeserializeOwned, E> GetOrFetch<T, E> {
    fn looked_up(
        &mut self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
        out: &mut Commands,
    ) -> Step<Result<T, E>> {
        let Ok((found, leased)) = found::<T>(cx.now(), replies) else {
            // The answer was lost, but perhaps the lease was taken: it is used or given back, unless the caller
            // would have to wait for a Redis that has just failed.
            return Step::then(self.fetch(cx, self.background, true));
        };
        match found {
            Found::Value(value, Freshness::Fresh) if leased => {
                Step::answer(Ok(value), self.release(out))
            }
            Found::Value(value, Freshness::Fresh) => Step::answer(Ok(value), Next::End),
            Found::Value(value, _) if leased => {
                Step::answer(Ok(value), self.fetch(cx, true, false))
            }
            Found::Value(value, _) => Step::answer(Ok(value), Next::End),
            _ if leased => Step::then(self.fetch(cx, true, true)),
            // The script took it for fresh, so it took no lease: ask for that at once.
            Found::Unusable if !self.unusable => {
                self.unusable = true;
                Step::then(self.look_up(cx, out))
            }
            Found::Unusable | Found::Missing => Step::then(self.poll(cx)),
        }
    }
}

fn found<T: DeserializeOwned>(
    now: u64,
    replies: &mut Replies<'_>,
) -> Result<(Found<T>, bool), EdgeError> {
    let mut reply = replies.take()?.array()?;
    let bytes = reply.entry()?.bytes()?;
    let leased = reply.entry()?.int()? == 1;
    let found = match bytes.map(entry::decode) {
        None => Found::Missing,
        Some(entry) => match (
            entry.freshness(now),
            serde_json::from_slice(entry.payload).ok(),
        ) {
            (Freshness::Fresh | Freshness::Stale, Some(value)) => {
                Found::Value(value, entry.freshness(now))
            }
            _ => Found::Unusable,
        },
    };
    Ok((found, leased))
}

impl<T: Serialize + DeserializeOwned, E> Flow for GetOrFetch<T, E> {
    type Answer = Result<T, E>;

    fn step(
        &mut self,
        cx: &Context<'_>,
        event: Event<'_, '_, Result<T, E>>,
        out: &mut Commands,
    ) -> Step<Result<T, E>> {
        match (self.state, event) {
            (State::Looking, Event::Started) => match nonce(cx) {
                Ok(nonce) => {
                    self.nonce = nonce;
                    self.started = cx.now();
                    Step::then(self.look_up(cx, out))
                }
                Err(_) => Step::then(self.fetch(cx, false, true)),
            },
            (State::Looking, Event::Slept) => Step::then(self.look_up(cx, out)),
            (State::Looking, Event::Answered(replies)) => self.looked_up(cx, replies, out),
            (State::Fetching { store, waiting }, Event::Fetched(fetched)) => {
                self.state = State::Closing;
                let next = if store {
                    self.close(cx, &fetched, out)
                } else {
                    Next::End
                };
                Step {
                    answer: waiting.then_some(fetched),
                    next,
                }
            }
            _ => Step::then(Next::End),
        }
    }
}

impl<T: Serialize, E> GetOrFetch<T, E> {
    /// Stores what was fetched; gives the lease back when there is nothing to store.
    fn close(&mut self, cx: &Context<'_>, fetched: &Result<T, E>, out: &mut Commands) -> Next {
        let json = fetched
            .as_ref()
            .ok()
            .and_then(|value| serde_json::to_string(value).ok());
        let Some(json) = json else {
            return self.release(out);
        };
        self.state = State::Closing;
        let entry = entry::encode(&json, self.times, cx.now());
        let args = [
            (&self.nonce).into(),
            (&entry).into(),
            self.times.kept_ms().into(),
            self.began.into(),
        ];
        // A second store is refused by what the first one stored; nobody reads the reply.
        let keys = [self.keys.entry.as_str(), &self.keys.lease];
        out.script(&STORE, &keys, &args, Repeat::Harmless);
        self.send()
    }
}

/// 96 random bits, as text.
fn nonce(cx: &Context<'_>) -> Result<String, EdgeError> {
    Ok(Base64UrlUnpadded::encode_string(&cx.random::<12>()?))
}
