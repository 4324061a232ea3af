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

use super::entry;
use super::exchange::{Exchange, Place};
use super::failure::{CacheFailure, CacheOperation};
use super::flow::{Answer, Fetched, Next, Step};
use super::freshness::{Freshness, Instants, Times};
use super::http::Fields;
use super::key::{Keys, Space};
use super::payload::{Codec, Kind, Payload};
use super::watch::{Served, Watch};
use super::write::jittered;
use super::{Patience, nonce};
use crate::error::{EdgeError, ErrorKind};
use crate::op::Context;
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static LOOKUP: Script = script!(
    "../lua/cache_entry.lua",
    "../lua/cache_epoch.lua",
    "../lua/cache_lookup.lua"
);
static STORE: Script = script!("../lua/cache_current.lua", "../lua/cache_store.lua");
static STORE_BYTES: Script = script!(
    "../lua/bytes.lua",
    "../lua/cache_current.lua",
    "../lua/cache_store.lua"
);
static RELEASE: Script = script!("../lua/cache_release.lua");

/// How long to wait before each look at what another fetches, in 128ths of the lease, and no longer than until it ends:
/// five looks for that, and three at what is fetched by whoever takes it over. Few enough for a free Worker's 50
/// subrequests.
const WAITS: [u64; 8] = [2, 5, 12, 30, 128, 8, 48, 256];

#[derive(Clone, Copy)]
enum Sending {
    Lookup,
    Store,
    Release,
    /// An answer is not to be stored: nobody is to wait for another.
    Pass,
}

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

/// What to do with what a handler answered.
pub(crate) struct Kept {
    /// Its body is to be told: it is stored.
    pub stored: bool,
    /// The client gets another answer than the handler's: `text` is its head.
    pub built: bool,
    /// Where, in what was found, the body begins that is still true: the handler's says no more than that.
    pub renewed_at: usize,
    /// That head, or else what is to be added to `Cache-Status`.
    pub text: String,
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

    /// What is to be sent: first, and after each `Next::Send`. It may be nothing.
    pub fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.nonce.is_empty() {
            self.start(cx);
        }
        if self.instead.is_some() {
            return Ok(());
        }
        let (hash, entry, lease) = (&self.hash, &self.keys.entry, &self.keys.lease);
        let place = Place {
            hash,
            keys: &self.keys,
            nonce: &self.nonce,
            seen: &self.seen,
            tags: &self.tags,
        };
        // Sent again: a lookup finds its own lease by the nonce; a store finds none, for the first one gave it back; of a
        // release nobody reads the reply.
        let repeat = Repeat::Harmless;
        match self.sending {
            Sending::Lookup => {
                self.asked = cx.now();
                let taking = match self.taking {
                    Taking::WhenNotFresh => 0,
                    Taking::EvenIfFresh => 1,
                    Taking::FromAnybody => 2,
                    Taking::Never => 3,
                };
                if let Some(exchange) = &self.exchange {
                    let times = [self.asked, self.started, self.patience.lock_ms];
                    exchange.lookup(place, times, [taking, self.early], out);
                    return self.watch.send(&self.space, cx.now(), out);
                }
                let args = [
                    cx.now().into(),
                    (&self.nonce).into(),
                    self.patience.lock_ms.into(),
                    taking.into(),
                    self.early.into(),
                ];
                out.script(&LOOKUP, &[hash, entry, lease], &args, repeat);
            }
            Sending::Store => {
                let Some(payload) = &self.payload else {
                    return Ok(());
                };
                let times = jittered(self.times, cx);
                if let Some(exchange) = &self.exchange {
                    exchange.store(place, times, self.cost_ms, payload, out);
                    return self.watch.send(&self.space, cx.now(), out);
                }
                let instants = times.from(cx.now());
                let head = entry::head(&instants, payload.codec, self.cost_ms, &self.tags);
                let mut args = vec![
                    (&self.nonce).into(),
                    times.kept_ms().into(),
                    (&self.seen.0).into(),
                    self.seen.1.into(),
                    (&head).into(),
                ];
                args.extend(self.tags.iter().map(Arg::from));
                args.push(payload.arg());
                let script = if payload.arg().is_bytes() {
                    &STORE_BYTES
                } else {
                    &STORE
                };
                out.script(script, &[hash, entry, lease], &args, repeat);
            }
            Sending::Pass => Exchange::pass(place, out),
            Sending::Release => out.script(&RELEASE, &[lease], &[(&self.nonce).into()], repeat),
        }
        self.watch.send(&self.space, cx.now(), out)
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
    /// without an answer is not waited for a second time.
    fn settled(&mut self, replies: &mut Replies<'_>) -> Next {
        let Some(error) = replies.take().err() else {
            return Next::End;
        };
        self.failed = Some(CacheFailure::new(CacheOperation::Store, &error));
        let silent = matches!(
            error.kind(),
            ErrorKind::Timeout | ErrorKind::Network | ErrorKind::Aborted
        );
        if silent || matches!(self.sending, Sending::Release) {
            return Next::End;
        }
        self.sending = Sending::Release;
        Next::Send
    }

    fn looked_up<'a>(
        &mut self,
        now: u64,
        replies: &mut Replies<'a>,
    ) -> Result<Option<(Codec, &'a [u8])>, EdgeError> {
        let mut reply = replies.take()?.array()?;
        let bytes = reply.entry()?.bytes()?;
        let expired = reply.entry()?.int()? == 1;
        let may = reply.entry()?.int()?;
        (self.leased, self.passing) = (may == 1, may == 2);
        let others = self.exchange.is_some() && reply.entry()?.int()? == 1;
        if may > 0 {
            self.seen.0 = reply.entry()?.text()?.to_owned();
            self.seen.1 = reply.entry()?.text()?.parse().unwrap_or(0);
            if self.passing {
                self.nonce = reply.entry()?.text()?.to_owned();
            }
        } else {
            self.holds = u64::try_from(reply.entry()?.int()?).unwrap_or(0);
        }
        self.usable = false;
        self.found = None;
        let entry = bytes.and_then(|bytes| entry::decode(bytes, Kind::Json));
        let entry = entry.map(|entry| (entry, entry.instants.freshness(now, expired)));
        if let Some(exchange) = &mut self.exchange {
            let good_for = exchange.found(entry.as_ref(), others, [now, self.started]);
            exchange.collapsed = self.polls > 0;
            return Ok(entry
                .zip(good_for)
                .map(|((entry, _), (freshness, usable))| {
                    self.usable = usable;
                    self.found = Some(Found {
                        instants: entry.instants,
                        freshness,
                    });
                    (entry.codec, entry.payload)
                }));
        }
        let Some((entry, freshness)) = entry.filter(|(_, freshness)| *freshness != Freshness::Gone)
        else {
            return Ok(None);
        };
        self.found = Some(Found {
            instants: entry.instants,
            freshness,
        });
        // Bytes and answers are nothing that could be served.
        Ok((entry.codec.kind == Kind::Json).then_some((entry.codec, entry.payload)))
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

    /// Takes the head of what a handler answered. `may_store` is what its caller says of it; its body, where it is to be
    /// told, comes with [`Self::body`], and else nothing more.
    pub fn kept(
        &mut self,
        cx: &Context<'_>,
        status: u16,
        fields: Fields<'_>,
        may_store: bool,
    ) -> Kept {
        let mut kept = Kept {
            stored: false,
            built: false,
            renewed_at: 0,
            text: String::new(),
        };
        let now = cx.now();
        let serves = |found: &Found| found.instants.serves_on_error(now);
        let stands_in = self.usable && self.found.as_ref().is_some_and(serves);
        let Some(exchange) = &mut self.exchange else {
            return kept;
        };
        // RFC 5861, section 4.
        if stands_in && matches!(status, 500 | 502 | 503 | 504) {
            kept.built = true;
            kept.text = exchange.told_found(now, status);
            return kept;
        }
        let stores = self.settle && (self.leased || self.passing);
        let renewed = exchange.answered(status, fields, now, stores && self.usable);
        if stores
            && may_store
            && let Some(times) = exchange.plan(self.times)
        {
            self.times = times;
            kept.stored = true;
        }
        kept.built = renewed || kept.stored && exchange.not_modified();
        kept.text = exchange.cache_status(kept.stored, renewed);
        if renewed {
            kept.renewed_at = exchange.found_body_at();
        }
        if kept.built {
            kept.text = exchange.told_answer(renewed, &kept.text);
        }
        kept
    }

    /// Takes the body of what is to be stored. `decoded`: the runtime has undone its `Content-Encoding`.
    pub fn body(&mut self, cx: &Context<'_>, body: &[u8], decoded: bool) -> Step {
        let payload = self
            .exchange()
            .map(|exchange| exchange.payload(body, decoded));
        self.fetched(cx, payload.map_or(Fetched::Nothing, Fetched::Value))
    }

    /// The fields that the handler is to be asked with: see [`Exchange::conditions`].
    pub fn conditions(&self) -> String {
        match self.exchange() {
            Some(exchange) if self.settle && self.leased => exchange.conditions(self.usable),
            _ => String::new(),
        }
    }
}
