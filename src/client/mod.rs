//! `Redis`: sends the ops of one run as one request and hands each its own replies.

mod answer;
mod config;
mod env;
mod listener;
mod pump;
mod server;
mod source;
mod subscription;
mod task;

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::EdgeError;
use crate::host::Host;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat};

pub use config::{Builder, Retry};
#[cfg(all(feature = "js-client", target_arch = "wasm32"))]
pub(crate) use listener::Listener;
pub(crate) use pump::first;
#[cfg(all(feature = "js-client", target_arch = "wasm32"))]
pub(crate) use server::Format;
pub(crate) use server::Server;
pub use subscription::{Message, Subscription};
pub(crate) use task::{Mode, Task};

use config::Config;

static PROBE: Script = script!("../lua/probe.lua");

/// A client of one Upstash Redis database. Clones are cheap and share what was learnt of the server.
///
/// Creating one does nothing: no time, no randomness, no request.
#[derive(Clone)]
pub struct Redis {
    shared: Rc<Shared>,
    observer: Option<Observer>,
}

struct Shared {
    config: Config,
    host: Box<dyn Host>,
    server: Rc<RefCell<Server>>,
}

type Observer = Rc<dyn Fn(&RequestEvent)>;

/// One finished HTTP request: names, counts and a code, never a key or a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEvent {
    /// The names of the commands it carried, in order; `OTHER` for one that the crate does not know.
    /// A subscription's request carries one, and is told when it ends.
    pub commands: Vec<&'static str>,
    /// Which attempt it was, from 1: the same commands, or those of them that were not answered, may be sent again.
    pub attempt: u32,
    /// From sending to the last byte of the answer, in milliseconds.
    pub duration_ms: u64,
    /// Bytes of the request's body.
    pub bytes_out: usize,
    /// Bytes of the answer's body.
    pub bytes_in: usize,
    /// The error that befell the whole request, if one did.
    pub error: Option<EdgeError>,
}

impl Redis {
    /// Starts the configuration of a client for the database at `url` (`https://..`), with its REST token.
    #[must_use]
    pub fn builder(url: &str, token: &str) -> Builder {
        Builder::new(url, token)
    }

    /// A client of the web's `fetch` with the defaults of [`Builder`].
    ///
    /// # Errors
    /// `invalid_config` when the URL or the token cannot be right.
    #[cfg(all(feature = "web", target_arch = "wasm32"))]
    pub fn new(url: &str, token: &str) -> Result<Self, EdgeError> {
        Self::builder(url, token).build()
    }

    /// A view of the same client that also tells `observer` of each finished request.
    #[must_use]
    pub fn observed(&self, observer: impl Fn(&RequestEvent) + 'static) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            observer: Some(Rc::new(observer)),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.shared.host.now()
    }

    /// What an op may know of the world at this moment.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::new(self.shared.host.as_ref())
    }

    /// Waits `ms` milliseconds.
    pub(crate) async fn sleep(&self, ms: u64) {
        self.shared.host.sleep(ms).await;
    }

    /// Sends the commands of `op` as one request and reads its replies.
    ///
    /// Whatever is run together is one round trip: `redis.run((limiter.check(id), sessions.load(cookie)))`.
    /// Commands run in the order they were appended, others' in between. One exception: a script that the server does
    /// not have, or wants in its other form (once for each server), is sent again behind the rest of its batch.
    ///
    /// # Errors
    /// What `op` makes of its replies: its own failure policy decides whether an outage is an error.
    pub async fn run<O: Op>(&self, mut op: O) -> Result<O::Output, EdgeError> {
        let host = self.shared.host.as_ref();
        let mut commands = Commands::default();
        commands.scope(|out| op.encode(&Context::new(host), out))?;
        let task = self.send(commands, op.timeout_ms(), Mode::Pipeline).await;
        Self::decode(op, &task, host)
    }

    /// The same, as one transaction (MULTI and EXEC): its commands are applied with no other's in between.
    ///
    /// A command that fails when it runs does not undo the others; if one is not a command at all, none is applied.
    /// After a lost answer it is sent again only if every command of it is harmless to repeat.
    ///
    /// # Errors
    /// What `op` makes of its replies.
    pub async fn transaction<O: Op>(&self, mut op: O) -> Result<O::Output, EdgeError> {
        let host = self.shared.host.as_ref();
        let mut commands = Commands::default();
        commands.scope(|out| op.encode(&Context::new(host), out))?;
        let timeout = op.timeout_ms().unwrap_or(self.shared.config.timeout_ms);
        let started = host.now();
        if commands.has_scripts() && !self.shared.server.borrow().knows_form() {
            let mut probe = Commands::default();
            probe.script(&PROBE, &[], &[], Repeat::Harmless);
            let probed = self.send(probe, Some(timeout), Mode::Pipeline).await;
            // In the wrong form a script would fail while the others are done.
            if let Err(error) = probed.slot(0) {
                let mut task = Task::new(commands, Mode::Transaction);
                task.fail(&error);
                return Self::decode(op, &task, host);
            }
        }
        let left = timeout.saturating_sub(host.now().saturating_sub(started));
        let task = self.send(commands, Some(left), Mode::Transaction).await;
        Self::decode(op, &task, host)
    }

    fn decode<O: Op>(op: O, task: &Task, host: &dyn Host) -> Result<O::Output, EdgeError> {
        let slots = task.slots();
        let mut replies = task.replies(&slots);
        replies.scope(|replies| op.decode(&Context::new(host), replies))
    }
}
