//! Get-or-fetch, as a flow: look up, then serve, fetch under the lease, or wait for who holds it.
//!
//! ```text
//! lookup ─┬─ fresh ────────────────────────────▶ answer
//!         ├─ stale, to be fetched ─▶ answer, then fetch ─▶ store   (or, with no background, fetch ─▶ answer, store)
//!         ├─ stale, lease elsewhere ───────────▶ answer
//!         ├─ missing, lease taken ─▶ fetch ──▶ answer, then store (or release)
//!         ├─ missing, lease elsewhere ─▶ sleep ─▶ lookup .. 8 times, then fetch without the lease ──▶ answer
//!         ├─ unreadable, or ended on the way ─▶ lookup once more, taking the lease
//!         └─ Redis failed ─▶ fetch ──▶ answer, then release where that is in the background
//! ```
//!
//! The flow never waits and never calls anybody. Who drives it does what it asks (send, sleep, judge what was found, run
//! the caller's function) and tells it what came of it. It knows nothing of values: they are bytes to it.

pub(super) mod keep;
mod send;

use send::Sending;

use super::exchange::Exchange;
use super::failure::{CacheFailure, CacheOperation};
use super::flow::{Answer, Fetched, Next, Step};
use super::freshness::{Freshness, Instants, Times};
use super::key::{Keys, Space};
use super::payload::{Codec, Payload};
use super::watch::{Served, Watch};
use super::{Patience, nonce};
use crate::error::ErrorKind;
use crate::op::Context;
use crate::wire::Replies;

/// How long to wait before each look at what another fetches, in 128ths of the lease, and no longer than until it ends:
/// five looks for that, and three at what is fetched by whoever takes it over. Few enough for a free Worker's 50
/// subrequests.
const WAITS: [u64; 8] = [2, 5, 12, 30, 128, 8, 48, 256];

/// Which lookups take the lease.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    WhenNotFresh,
    /// The entry cannot be used although it looks fresh.
    EvenIfFresh,
    /// A refresh was asked for: what others fetch now may be older than the reason for it.
    FromAnybody,
    /// What it could bring would not be stored.
    Never,
}

struct Found {
    instants: Instants,
    freshness: Freshness,
}

pub(crate) struct GetOrFetch {
    /// The hash of tags beside the entry.
    hash: String,
    keys: Keys,
    times: Times,
    tags: Vec<String>,
    patience: Patience,
    space: Space,
    watch: Watch,
    /// Whether what follows the answer costs the caller no time.
    background: bool,
    /// In thousandths of what fetching cost.
    early: u32,
    /// Redis is not asked: what happens in place of its first answer.
    instead: Option<Next>,
    failed: Option<CacheFailure>,
    sending: Sending,
    taking: Taking,
    polls: usize,
    nonce: String,
    asked: u64,
    /// When it began to wait for somebody else's fetch to end.
    started: u64,
    /// When its own fetch began.
    began: u64,
    leased: bool,
    /// How long somebody else's lease holds.
    holds: u64,
    /// Nobody takes the lease, and nobody waits: what was answered last was not to be stored.
    passing: bool,
    /// The epoch and the counter of the tags at the lookup.
    seen: (String, u64),
    found: Option<Found>,
    /// Whether what was found can be used.
    usable: bool,
    /// Whether what was fetched is stored, or the lease given back.
    settle: bool,
    waiting: bool,
    payload: Option<Payload>,
    cost_ms: u64,
    /// What is HTTP of it, where the value is a whole answer.
    exchange: Option<Box<Exchange>>,
}

impl GetOrFetch {
    pub(super) fn new(
        space: &Space,
        key: &str,
        times: Times,
        tags: Vec<String>,
        patience: Patience,
        watch: &Watch,
    ) -> Self {
        let (hash, keys) = space.one(key);
        Self {
            hash,
            keys,
            times,
            tags,
            patience,
            space: space.clone(),
            watch: watch.clone(),
            background: false,
            early: 0,
            instead: None,
            failed: None,
            sending: Sending::Lookup,
            taking: Taking::WhenNotFresh,
            polls: 0,
            nonce: String::new(),
            asked: 0,
            started: 0,
            began: 0,
            leased: false,
            holds: 0,
            passing: false,
            seen: ("-".into(), 0),
            found: None,
            usable: false,
            settle: false,
            waiting: true,
            payload: None,
            cost_ms: 0,
            exchange: None,
        }
    }

    /// Looks for a whole answer of HTTP.
    pub fn answering(mut self, exchange: Exchange) -> Self {
        if exchange.only_looks() {
            self.taking = Taking::Never;
        }
        self.exchange = Some(Box::new(exchange));
        self
    }

    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_deref()
    }

    /// What follows the answer costs the caller no time: a stale value is answered at once.
    pub fn in_background(&mut self) {
        self.background = true;
    }

    /// Fetches in any case.
    pub fn refreshing(&mut self) {
        self.taking = Taking::FromAnybody;
    }

    /// How early this caller refreshes: see [`earliness`](super::freshness::earliness).
    pub fn early(&mut self, thousandths: u32) {
        self.early = thousandths;
    }

    /// For how long what is fetched is fresh.
    #[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
    pub fn set_ttl_ms(&mut self, ttl_ms: u64) {
        self.times.ttl_ms = ttl_ms;
    }

    /// Which tags what is fetched carries.
    #[cfg(all(feature = "js-cache", target_arch = "wasm32"))]
    pub fn set_tags(&mut self, tags: Vec<String>) {
        self.tags = tags;
    }

    pub fn timeout_ms(&self) -> u64 {
        self.patience.timeout_ms
    }

    fn start(&mut self, cx: &Context<'_>) {
        self.started = cx.now();
        if self.exchange().is_some_and(Exchange::is_forwarded) {
            self.instead = Some(self.fetch(cx, false, true));
            return;
        }
        let lookup = CacheOperation::Lookup;
        let failed = match nonce(cx) {
            Ok(nonce) if self.watch.allows(cx.now()) => {
                self.nonce = nonce;
                return;
            }
            Ok(_) => CacheFailure::skipped(lookup),
            Err(error) => CacheFailure::new(lookup, &error),
        };
        self.failed = Some(failed);
        self.instead = Some(self.fetch(cx, false, true));
    }

    pub fn slept(&mut self) -> Step {
        Step::then(Next::Send)
    }

    /// Takes the replies; also what was found, when that is to be judged.
    pub fn answered<'a>(
        &mut self,
        cx: &Context<'_>,
        replies: &mut Replies<'a>,
    ) -> (Step, Option<(Codec, &'a [u8])>) {
        let (mut step, found) = self.taken(cx, replies);
        step.failed = self.failed.take();
        self.watch.listener.tell(step.failed);
        (step, found)
    }

    fn taken<'a>(
        &mut self,
        cx: &Context<'_>,
        replies: &mut Replies<'a>,
    ) -> (Step, Option<(Codec, &'a [u8])>) {
        if let Some(next) = self.instead.take() {
            return (Step::then(next), None);
        }
        if !matches!(self.sending, Sending::Lookup) {
            return (Step::then(self.settled(replies)), None);
        }
        let looked = self.looked_up(cx.now(), replies);
        let answered = looked.is_ok();
        self.watch.saw(answered, self.asked, cx.now());
        match looked {
            // What can be used of an answer is known without its caller.
            Ok(Some(found)) if self.exchange.is_some() => {
                (self.judged(cx, self.usable), Some(found))
            }
            Ok(Some(found)) => (Step::then(Next::Judge), Some(found)),
            Ok(None) => (self.missing(cx), None),
            // The answer was lost, but perhaps the lease was taken: it is given back, unless the caller would have to
            // wait for a Redis that has just failed. It is not used: a lookup that is done late, behind a write that
            // the fetch has not seen, would let it undo that.
            Err(error) => {
                self.failed = Some(CacheFailure::new(CacheOperation::Lookup, &error));
                self.leased = false;
                (Step::then(self.fetch(cx, self.background, true)), None)
            }
        }
    }

    /// A store that was refused for its size, or because Redis is full, has left the lease: nobody is to wait for it. One
    /// that has timed out is not waited for a second time.
    fn settled(&mut self, replies: &mut Replies<'_>) -> Next {
        let Some(error) = replies.take().err() else {
            return Next::End;
        };
        self.failed = Some(CacheFailure::new(CacheOperation::Store, &error));
        if error.kind() == ErrorKind::Timeout || matches!(self.sending, Sending::Release) {
            return Next::End;
        }
        self.sending = Sending::Release;
        Next::Send
    }

    fn counted(&self, cx: &Context<'_>, step: Step) -> Step {
        let fresh = |found: &Found| found.freshness == Freshness::Fresh;
        let served = match step.answer {
            None => return step,
            _ if self.exchange().is_some_and(Exchange::is_forwarded) => return step,
            Some(Answer::Fetched) => Served::Miss,
            Some(Answer::Found) if self.found.as_ref().is_some_and(fresh) => Served::Hit,
            Some(Answer::Found) => Served::Stale,
        };
        self.watch.count(served, cx.now());
        step
    }

    /// Whether what was found is of use to the caller.
    pub fn judged(&mut self, cx: &Context<'_>, usable: bool) -> Step {
        let step = self.served(cx, usable);
        self.counted(cx, step)
    }

    fn served(&mut self, cx: &Context<'_>, usable: bool) -> Step {
        self.usable = usable;
        let Some(found) = self.found.as_ref().filter(|_| usable) else {
            return self.missing(cx);
        };
        let servable = matches!(found.freshness, Freshness::Fresh | Freshness::Stale);
        if !servable || self.taking == Taking::FromAnybody {
            return self.missing(cx);
        }
        if self.leased && self.taking == Taking::EvenIfFresh && found.freshness == Freshness::Fresh
        {
            // Somebody has put a better one there meanwhile.
            self.sending = Sending::Release;
            return Step::answer(Answer::Found, Next::Send);
        }
        match (self.may_store(), self.background) {
            (false, _) => Step::answer(Answer::Found, Next::End),
            (true, true) => Step::answer(Answer::Found, self.fetch(cx, true, false)),
            (true, false) => Step::then(self.fetch(cx, true, true)),
        }
    }

    /// There is nothing to serve.
    fn missing(&mut self, cx: &Context<'_>) -> Step {
        if self.may_store() {
            return Step::then(self.fetch(cx, true, true));
        }
        if self.taking == Taking::Never {
            return Step::then(self.fetch(cx, false, true));
        }
        // The script took it for fresh and left the lease alone, but it ended on the way, or cannot be read: ask for
        // the lease at once.
        if self.taking == Taking::WhenNotFresh && self.holds == 0 {
            self.taking = Taking::EvenIfFresh;
            return Step::then(Next::Send);
        }
        Step::then(self.poll(cx))
    }

    /// Waits that grow until the lease ends, which is when one of those who wait takes it, and then until the next ends:
    /// twice the lease in all, whatever the trips between them take.
    fn poll(&mut self, cx: &Context<'_>) -> Next {
        let longest = self.patience.lock_ms.saturating_mul(2);
        let end = self.started.saturating_add(longest);
        let left = end.saturating_sub(cx.now()).min(longest);
        if self.polls >= WAITS.len() || left == 0 {
            return self.fetch(cx, false, true);
        }
        let share = WAITS.get(self.polls).copied().unwrap_or(0);
        self.polls += 1;
        let ms = (self.patience.lock_ms >> 7).max(10).saturating_mul(share);
        Next::Sleep {
            ms: ms.min(self.holds.saturating_add(1)).min(left),
        }
    }

    fn fetch(&mut self, cx: &Context<'_>, settle: bool, waiting: bool) -> Next {
        self.began = cx.now();
        (self.settle, self.waiting) = (settle, waiting);
        Next::Fetch
    }

    /// Takes what the caller's function gave: stored, or the lease given back when there is nothing to store.
    pub fn fetched(&mut self, cx: &Context<'_>, fetched: Fetched) -> Step {
        let serves = |found: &Found| found.instants.serves_on_error(cx.now());
        let answer = match fetched {
            Fetched::Failed if self.usable && self.found.as_ref().is_some_and(serves) => {
                Answer::Found
            }
            _ => Answer::Fetched,
        };
        let next = match fetched {
            _ if !self.settle => Next::End,
            Fetched::Nothing | Fetched::Failed if self.passing => Next::End,
            Fetched::Value(payload) if self.may_store() => {
                self.cost_ms = cx.now().saturating_sub(self.began);
                self.payload = Some(payload);
                self.sending = Sending::Store;
                Next::Send
            }
            Fetched::Nothing if self.exchange.is_some() => {
                self.sending = Sending::Pass;
                Next::Send
            }
            _ => {
                self.sending = Sending::Release;
                Next::Send
            }
        };
        let answer = self.waiting.then_some(answer);
        self.counted(cx, Step::with(answer, next))
    }

    /// Whether Redis takes what is fetched.
    fn may_store(&self) -> bool {
        self.leased || self.passing
    }

    /// Nothing will be fetched: the lease is given back.
    pub fn released(&mut self) -> Step {
        self.sending = Sending::Release;
        let next = if self.leased { Next::Send } else { Next::End };
        Step::then(next)
    }
}
