//! `get_or_fetch`, as a flow: look up, then serve, fetch under the lease, or wait for who holds it.
//!
//! ```text
//! lookup ─┬─ fresh ────────────────────────────▶ answer
//!         ├─ stale, lease taken ──▶ answer, then fetch ─▶ store
//!         ├─ stale, lease elsewhere ───────────▶ answer
//!         ├─ missing, lease taken ─▶ fetch ──▶ answer, then store (or release)
//!         ├─ missing, lease elsewhere ─▶ sleep ─▶ lookup .. 8 times, then fetch without the lease
//!         └─ Redis failed ─▶ fetch ──▶ answer, nothing stored
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
    state: State,
    polls: u32,
    nonce: String,
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
    Unreadable,
}

impl<T, E> GetOrFetch<T, E> {
    pub fn new(keys: Keys, times: Times, patience: Patience) -> Self {
        Self {
            keys,
            times,
            patience,
            state: State::Looking,
            polls: 0,
            nonce: String::new(),
            began: 0,
            value: PhantomData,
        }
    }

    fn send(&self) -> Next {
        Next::Send {
            timeout_ms: self.patience.timeout_ms,
        }
    }

    fn look_up(&mut self, cx: &Context<'_>, out: &mut Commands, refresh: bool) -> Next {
        let args = [
            cx.now().into(),
            (&self.nonce).into(),
            self.patience.lock_ms.into(),
            u32::from(refresh).into(),
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

    /// Doubling waits that add up to twice the lease.
    fn poll(&mut self, cx: &Context<'_>) -> Next {
        if self.polls >= MOST_POLLS {
            return self.fetch(cx, true, true);
        }
        let unit = (2 * self.patience.lock_ms) >> MOST_POLLS;
        let ms = unit.max(10) << self.polls;
        self.polls += 1;
        Next::Sleep { ms }
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
            return Step::then(self.fetch(cx, false, true));
        };
        match found {
            Found::Value(value, Freshness::Fresh) => Step::answer(Ok(value), Next::End),
            Found::Value(value, Freshness::Stale) if leased => {
                Step::answer(Ok(value), self.fetch(cx, true, false))
            }
            Found::Value(value, Freshness::Stale) => Step::answer(Ok(value), Next::End),
            _ if leased => Step::then(self.fetch(cx, true, true)),
            // The script saw a fresh entry, so it took no lease: ask for it.
            Found::Unreadable if self.polls == 0 => {
                self.polls += 1;
                Step::then(self.look_up(cx, out, true))
            }
            _ => Step::then(self.poll(cx)),
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
            (Freshness::Gone, _) => Found::Missing,
            (freshness, Some(value)) => Found::Value(value, freshness),
            (_, None) => Found::Unreadable,
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
                    Step::then(self.look_up(cx, out, false))
                }
                Err(_) => Step::then(self.fetch(cx, false, true)),
            },
            (State::Looking, Event::Slept) => Step::then(self.look_up(cx, out, false)),
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
    fn close(&self, cx: &Context<'_>, fetched: &Result<T, E>, out: &mut Commands) -> Next {
        let json = fetched
            .as_ref()
            .ok()
            .and_then(|value| serde_json::to_string(value).ok());
        if let Some(json) = json {
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
        } else {
            let args = [(&self.nonce).into()];
            out.script(&RELEASE, &[&self.keys.lease], &args, Repeat::Harmless);
        }
        self.send()
    }
}

/// 96 random bits, as text.
fn nonce(cx: &Context<'_>) -> Result<String, EdgeError> {
    Ok(Base64UrlUnpadded::encode_string(&cx.random::<12>()?))
}
