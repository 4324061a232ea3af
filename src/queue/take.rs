//! Leasing jobs, as an op.

use serde::de::DeserializeOwned;

use super::{Queue, clock};
use crate::base64;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Commands, Repeat, Replies, Reply};

static TAKE: Script = script!(
    "../lua/queue.lua",
    "../lua/queue_end.lua",
    "../lua/queue_take.lua"
);

/// What says whose a job is, for as long as nobody else takes it.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) attempts: u32,
}

/// A job in hand.
#[derive(Clone, Debug)]
pub struct Job {
    /// By which [`Queue::settle`] knows it.
    pub lease: Lease,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// Until when it is leased, in epoch milliseconds of Redis's clock.
    pub leased_until: u64,
    json: String,
}

impl Job {
    /// Which it is. That of a job that repeats is `*` and the id it was scheduled by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.lease.id
    }

    /// Its payload.
    ///
    /// # Errors
    /// `corrupt` when it is of another type.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, EdgeError> {
        serde_json::from_str(&self.json)
            .map_err(|_| EdgeError::corrupt("the payload is of another type"))
    }
}

/// Leases jobs: see [`Queue::take`].
#[must_use = "an op does nothing until it is run"]
pub struct Take {
    queue: Queue,
    n: usize,
    token: String,
}

impl Take {
    pub(super) fn of(queue: Queue, n: usize) -> Self {
        let token = String::new();
        Self { queue, n, token }
    }
}

impl Op for Take {
    type Output = Vec<Job>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.token = base64::url(&cx.random::<12>()?);
        let [jobs, records] = self.queue.keys();
        let nonce = self.queue.nonce_key(&self.token);
        let args = [
            clock(cx),
            self.n.into(),
            self.queue.lease_ms.into(),
            self.queue.attempts.into(),
            self.queue.dead.into(),
            (&self.token).into(),
        ];
        // Its token is its nonce: taken again it gives what is leased by it.
        out.script(&TAKE, &[&jobs, &records, &nonce], &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<Job>, EdgeError> {
        let mut taken = replies.take()?.array()?;
        let leased_until = number(taken.entry()?)?;
        let mut jobs = Vec::new();
        while let Some(id) = taken.next() {
            let attempts = number(taken.entry()?)?;
            let lease = Lease {
                id: id.text()?.to_owned(),
                token: self.token.clone(),
                attempts,
            };
            jobs.push(Job {
                lease,
                attempts,
                leased_until,
                json: taken.entry()?.text()?.to_owned(),
            });
        }
        Ok(jobs)
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}

/// A number that a script wrote as text, for one past 2^31 is not every server's integer.
pub(super) fn number<T: std::str::FromStr>(reply: Reply<'_>) -> Result<T, EdgeError> {
    reply
        .text()?
        .parse()
        .map_err(|_| EdgeError::corrupt("a number was expected in the reply"))
}
