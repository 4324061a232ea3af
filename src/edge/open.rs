//! The one trip, as an op.

use super::{Edge, OnSessionFailure};
use crate::cache::{Cache, Head, Look, Looked};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::ratelimit::{Check, Decision, Identifier};
use crate::session::{Load, Session};
use crate::wire::{Commands, Replies};

/// What one request needs of Redis: see [`Edge::open`].
#[must_use = "an op does nothing until it is run"]
pub struct Open {
    check: Option<Check>,
    load: Option<Load>,
    look: Option<Look>,
    cache: Option<Cache>,
    ttl_ms: Option<u64>,
    on_session_failure: OnSessionFailure,
    /// Refused by what this isolate remembers: the rest is not asked for.
    recalled: bool,
}

/// What one request may do, and who sent it.
pub struct Visit {
    /// The limiter's; `None` when nobody was counted.
    pub decision: Option<Decision>,
    /// What the cache has for the request, where it was looked for: its lease is to be given back where the handler is
    /// not asked ([`Looked::release`]).
    pub looked: Option<Looked>,
    pub(super) session: Option<Session>,
    /// Why it could not be read.
    pub(super) session_error: Option<EdgeError>,
    pub(super) is_touched: bool,
}

impl Visit {
    /// Whether the limiter lets it pass; else there is no session here, and a lease in `looked` is another's to take.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision
            .as_ref()
            .is_none_or(|decision| decision.allowed)
    }

    /// The visitor's session, an anonymous one where it could not be read and that is allowed; `None` when the [`Edge`]
    /// has no sessions. Who asks for it makes the answer private, unless that says `Cache-Control: public`.
    pub fn session(&mut self) -> Option<&mut Session> {
        self.is_touched |= self.session.is_some();
        self.session.as_mut()
    }

    /// Why the session could not be read, when an anonymous one stands in for it.
    #[must_use]
    pub fn session_error(&self) -> Option<&EdgeError> {
        self.session_error.as_ref()
    }
}

impl Open {
    pub(super) fn new(edge: &Edge, id: Option<Identifier>, cookie_header: &str) -> Self {
        let sessions = edge.sessions.as_ref();
        Self {
            check: edge
                .limiter
                .as_ref()
                .zip(id)
                .map(|(limiter, id)| limiter.check(id)),
            load: sessions.map(|sessions| sessions.load(cookie_header)),
            look: None,
            cache: edge.cache.clone(),
            ttl_ms: edge.ttl_ms,
            on_session_failure: edge.on_session_failure,
            recalled: false,
        }
    }

    /// Looks for a stored answer as well, where the [`Edge`] has a cache: see [`Cache::look`].
    ///
    /// # Errors
    /// As [`Cache::look`].
    pub fn look(mut self, method: &str, url: &str, head: &Head) -> Result<Self, EdgeError> {
        let looks = |cache: &Cache| cache.look(method, url, head, None, self.ttl_ms);
        self.look = self.cache.as_ref().map(looks).transpose()?;
        Ok(self)
    }

    /// What follows the answer costs the client no time: see [`Look::in_background`].
    pub fn in_background(mut self) -> Self {
        self.look = self.look.map(Look::in_background);
        self
    }
}

impl Op for Open {
    type Output = Visit;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if let Some(check) = &mut self.check {
            out.scope(|out| check.encode(cx, out))?;
            self.recalled = check.is_recalled();
        }
        if self.recalled {
            return Ok(());
        }
        if let Some(load) = &mut self.load {
            out.scope(|out| load.encode(cx, out))?;
        }
        match &mut self.look {
            Some(look) => out.scope(|out| look.encode(cx, out)),
            None => Ok(()),
        }
    }

    fn decode(mut self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Visit, EdgeError> {
        let check = self.check.take();
        let decision = check.map(|check| replies.scope(|replies| check.decode(cx, replies)));
        let load = self.load.take().filter(|_| !self.recalled);
        let loaded = load.map(|load| replies.scope(|replies| load.decode(cx, replies)));
        let look = self.look.take().filter(|_| !self.recalled);
        let looked = look.map(|look| replies.scope(|replies| look.decode(cx, replies)));
        let mut visit = Visit {
            decision: decision.transpose()?,
            session: None,
            looked: looked.transpose()?,
            session_error: None,
            is_touched: false,
        };
        // A refused visitor need not hear that the session could not be read.
        let loaded = loaded.filter(|_| visit.is_allowed());
        let serves = self.on_session_failure == OnSessionFailure::Anonymous;
        match loaded {
            Some(Err(error)) if serves && error.is_outage() => {
                visit.session = Some(Session::anonymous(cx.now()));
                visit.session_error = Some(error);
            }
            Some(loaded) => visit.session = Some(loaded?),
            None => {}
        }
        Ok(visit)
    }

    fn timeout_ms(&self) -> Option<u64> {
        let check = self.check.as_ref().map_or(Some(0), Op::timeout_ms);
        let load = self.load.as_ref().filter(|_| !self.recalled);
        let load = load.map_or(Some(0), Op::timeout_ms);
        let look = self.look.as_ref().filter(|_| !self.recalled);
        let look = look.map_or(Some(0), Op::timeout_ms);
        let longest = check.zip(load).map(|(check, load)| check.max(load));
        longest.zip(look).map(|(longest, look)| longest.max(look))
    }
}
