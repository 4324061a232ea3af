//! The seam of whole HTTP answers, on plain data: look, with whatever else a request asks of Redis, and then keep. For the
//! types of the `worker` crate it is [`Edge`](crate::Edge), with nothing but a cache if need be.
//!
//! ```text
//! let (decision, session, mut looked) = redis.run((limiter.check(id), sessions.load(cookie), cache.look(method, url, &head)?)).await?;
//!
//! refused by the limiter ─▶ looked.release()         the lease is another's
//! looked.find() ─┬─ an answer ──────▶ serve it       if it wants_handler() all the same: ask it behind the answer, store
//!                └─ none ─▶ handler ─▶ looked.keep() ─▶ serve what it says ─▶ looked.store() | looked.forget()
//! ```

use super::fetch::GetOrFetch;
use super::flow::{Answer, Fetched, Next, Step};
use super::freshness::earliness;
use super::http::{Fields, cut};
use crate::client::{Mode, Redis};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Commands, Replies};

/// The fields of an HTTP message, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head(String);

impl Head {
    /// A head without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more field. One that could not be sent (a name that is no token, a value with a line feed) is left away.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let plain = |b: u8| !matches!(b, b'\r' | b'\n' | 0);
        let named = name.bytes().all(|b| b > b' ' && b != b':' && b != 0x7f);
        if named && !name.is_empty() && value.bytes().all(plain) {
            self.0.push_str(&name.to_ascii_lowercase());
            self.0.push(':');
            self.0.push_str(value);
            self.0.push('\n');
        }
        self
    }

    /// The fields, names in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields()
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields(&self.0)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Head {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        fields.fold(Self::new(), |head, (name, value)| {
            head.with(name.as_ref(), value.as_ref())
        })
    }
}

/// An answer that the cache gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// Its fields, `Age` and `Cache-Status` among them.
    pub head: Head,
    /// Its body: empty for a 304 and to a HEAD.
    pub body: Vec<u8>,
}

/// What to do with what a handler answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Its body is to be told to [`Looked::store`]: the handler's, or `renewed`.
    pub stored: bool,
    /// What the client gets in place of it, if that is another answer: a 304 where it has this one already, what was found
    /// where the handler says that this is still true, or where it failed.
    pub answer: Option<Answered>,
    /// The body that the handler says is still true: to be stored anew.
    pub renewed: Option<Vec<u8>>,
    /// What is to be added to the `Cache-Status` of what the handler answered.
    pub cache_status: String,
    /// The keys that it has made invalid: see [`Cache::delete_many`](super::Cache::delete_many).
    pub invalidates: Vec<String>,
}

/// Looks for the answer to a request: see [`Cache::look`](super::Cache::look).
pub struct Look {
    flow: GetOrFetch,
    early_refresh: f64,
}

impl Look {
    pub(super) fn new(flow: GetOrFetch, early_refresh: f64) -> Self {
        Self {
            flow,
            early_refresh,
        }
    }

    /// What follows the answer costs the client no time: a stale answer is served at once.
    #[must_use]
    pub fn in_background(mut self) -> Self {
        self.flow.in_background();
        self
    }
}

impl Op for Look {
    type Output = Looked;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if let Ok(drawn) = cx.random::<4>() {
            let drawn = u32::from_le_bytes(drawn);
            self.flow.early(earliness(self.early_refresh, drawn));
        }
        self.flow.encode(cx, out)
    }

    /// Never fails: a Redis that does not answer is a miss.
    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Looked, EdgeError> {
        let mut looked = Looked {
            flow: self.flow,
            step: Step::then(Next::End),
            found: Vec::new(),
        };
        looked.take(cx, replies);
        Ok(looked)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.flow.timeout_ms())
    }
}

/// What the cache has for a request, and what becomes of the handler's answer. It holds the lease where the handler is to
/// be asked: end it by [`Self::store`], [`Self::forget`] or [`Self::release`]; dropped, the lease ends by itself.
pub struct Looked {
    flow: GetOrFetch,
    step: Step,
    /// Head and body of what was found.
    found: Vec<u8>,
}

impl Looked {
    /// The answer that needs no handler, if there is one: waits for who fetches it already, at most twice the lease. It may be
    /// a stale one; then [`Self::wants_handler`].
    pub async fn find(&mut self, redis: &Redis) -> Option<Answered> {
        loop {
            if let Some(Answer::Found) = self.step.answer {
                let found = self.found(redis, 0);
                self.end(redis).await;
                return found;
            }
            match self.step.next {
                Next::Sleep { ms } => {
                    redis.sleep(ms).await;
                    self.step = self.flow.slept();
                }
                Next::Send => self.send(redis).await,
                _ => {
                    let refusal = self.flow.exchange()?.refusal()?;
                    self.step = Step::then(Next::End);
                    return Some(self.answered(refusal));
                }
            }
        }
    }

    /// Whether the handler is to be asked.
    #[must_use]
    pub fn wants_handler(&self) -> bool {
        self.step.next == Next::Fetch
    }

    /// The fields that the handler is to be asked with in place of the client's, `None` being none: it is to give the whole
    /// answer, or say whether the one that was found is still true.
    #[must_use]
    pub fn conditions(&self) -> Vec<(String, Option<String>)> {
        let conditions = self.flow.conditions();
        let given = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        Fields(&conditions)
            .map(|(name, value)| (name.to_owned(), given(value)))
            .collect()
    }

    /// What to do with what the handler answered, by its head. `may_store` is what the caller says of it.
    ///
    /// Where it is not to be stored, [`Self::forget`] says so to the others.
    pub fn keep(&mut self, redis: &Redis, status: u16, head: &Head, may_store: bool) -> Keep {
        let fields = Fields(&head.0);
        let kept = self.flow.kept(&redis.context(), status, fields, may_store);
        let invalidates = self.flow.exchange();
        Keep {
            stored: kept.stored,
            answer: kept.built.then(|| self.answered(&kept.text)),
            renewed: (kept.renewed_at > 0).then(|| {
                self.found
                    .get(kept.renewed_at..)
                    .unwrap_or_default()
                    .to_vec()
            }),
            cache_status: if kept.built { String::new() } else { kept.text },
            invalidates: invalidates
                .map(|exchange| exchange.invalidates(status, fields))
                .unwrap_or_default(),
        }
    }

    /// Stores what the handler answered, its `body` being whole. `decoded`: the runtime has undone its `Content-Encoding`.
    pub async fn store(&mut self, redis: &Redis, body: &[u8], decoded: bool) {
        self.step = self.flow.body(&redis.context(), body, decoded);
        self.end(redis).await;
    }

    /// What the handler answered is not stored: for a while nobody will wait for another's answer.
    pub async fn forget(&mut self, redis: &Redis) {
        self.step = self.flow.fetched(&redis.context(), Fetched::Nothing);
        self.end(redis).await;
    }

    /// The handler failed: what may stand in for its answer.
    pub async fn fail(&mut self, redis: &Redis) -> Option<Answered> {
        self.step = self.flow.fetched(&redis.context(), Fetched::Failed);
        let stands = match self.step.answer {
            Some(Answer::Found) => self.found(redis, 500),
            _ => None,
        };
        self.end(redis).await;
        stands
    }

    /// The handler will not be asked: another may ask it.
    pub async fn release(&mut self, redis: &Redis) {
        self.step = self.flow.released();
        self.end(redis).await;
    }

    fn found(&self, redis: &Redis, failed: u16) -> Option<Answered> {
        let exchange = self.flow.exchange()?;
        Some(self.answered(&exchange.told_found(redis.context().now(), failed)))
    }

    /// An answer as the flow tells it.
    fn answered(&self, text: &str) -> Answered {
        let (line, fields) = cut(text, b'\n');
        let (status, body_at) = cut(line, b' ');
        let body_at: usize = body_at.and_then(|at| at.parse().ok()).unwrap_or(0);
        let body = if body_at > 0 {
            self.found.get(body_at..)
        } else {
            None
        };
        Answered {
            status: status.parse().unwrap_or(500),
            head: Head(fields.unwrap_or_default().to_owned()),
            body: body.unwrap_or_default().to_vec(),
        }
    }

    async fn end(&mut self, redis: &Redis) {
        while self.step.next == Next::Send {
            self.send(redis).await;
        }
    }

    async fn send(&mut self, redis: &Redis) {
        let mut commands = Commands::default();
        // What cannot be encoded is answered as what was not answered.
        let _ = self.flow.encode(&redis.context(), &mut commands);
        let timeout_ms = Some(self.flow.timeout_ms());
        let task = redis.send(commands, timeout_ms, Mode::Pipeline).await;
        let slots = task.slots();
        self.take(&redis.context(), &mut task.replies(&slots));
    }

    fn take(&mut self, cx: &Context<'_>, replies: &mut Replies<'_>) {
        let (step, found) = self.flow.answered(cx, replies);
        self.step = step;
        if let Some((_, found)) = found {
            self.found = found.to_vec();
        }
    }
}
