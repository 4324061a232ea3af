//! Adding jobs, as an op.

use serde::Serialize;

use super::{Queue, clock, written};
use crate::base64;
use crate::duration::LONGEST_MS;
use crate::error::EdgeError;
use crate::keys;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static ENQUEUE: Script = script!("../lua/queue.lua", "../lua/queue_enqueue.lua");

/// Of an instant, in epoch milliseconds: the year 9999's end.
const LATEST: u64 = 253_402_300_799_999;

/// A job to be added.
#[derive(Clone, Debug)]
pub struct NewJob {
    json: String,
    when: String,
    key: Option<String>,
}

impl NewJob {
    /// One that may be taken at once.
    ///
    /// # Errors
    /// `invalid_argument` when the payload cannot be written as JSON, or is larger than 64 KiB.
    pub fn new(payload: &(impl Serialize + ?Sized)) -> Result<Self, EdgeError> {
        Ok(Self {
            json: written(payload)?,
            when: String::from("+0"),
            key: None,
        })
    }

    /// It may be taken after so many milliseconds, by Redis's clock.
    ///
    /// # Errors
    /// `invalid_argument` when it is past 10,000 days.
    pub fn delay_ms(mut self, delay_ms: u64) -> Result<Self, EdgeError> {
        if delay_ms > LONGEST_MS {
            return Err(EdgeError::argument("delay_ms must be at most 10000 days"));
        }
        self.when = String::from("+") + itoa::Buffer::new().format(delay_ms);
        Ok(self)
    }

    /// It may be taken from this moment on, in epoch milliseconds.
    ///
    /// # Errors
    /// `invalid_argument` when it is past the year 9999.
    pub fn at(mut self, at: u64) -> Result<Self, EdgeError> {
        if at > LATEST {
            return Err(EdgeError::argument("at must be before the year 10000"));
        }
        self.when = itoa::Buffer::new().format(at).to_owned();
        Ok(self)
    }

    /// Its idempotency key, of 1 to 128 bytes: while the key holds no other job with it is added, whatever became of this one.
    ///
    /// # Errors
    /// `invalid_argument` when it is empty or longer.
    pub fn key(mut self, key: &str) -> Result<Self, EdgeError> {
        if !keys::is_name(key) {
            return Err(EdgeError::argument("key must be 1 to 128 bytes long"));
        }
        self.key = Some(keys::part(key));
        Ok(self)
    }
}

/// What became of a job that was to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job's, or where its idempotency key was there before, that of the job that came with it.
    pub id: String,
    /// Whether it is this job's.
    pub added: bool,
}

/// Adds jobs: see [`Queue::enqueue`].
#[must_use = "an op does nothing until it is run"]
pub struct Enqueue {
    queue: Queue,
    jobs: Vec<NewJob>,
    nonce: String,
}

impl Enqueue {
    pub(super) fn of(queue: Queue, jobs: Vec<NewJob>) -> Self {
        Self {
            queue,
            jobs,
            nonce: String::new(),
        }
    }
}

impl Op for Enqueue {
    type Output = Vec<Enqueued>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        self.nonce = base64::url(&cx.random::<12>()?);
        let [jobs, records] = self.queue.keys();
        let mut keys = vec![jobs, records, self.queue.nonce_key(&self.nonce)];
        let mut args: Vec<Arg<'_>> = vec![
            clock(cx),
            (&self.nonce).into(),
            self.queue.key_window_ms.into(),
        ];
        for job in &self.jobs {
            args.push((&job.json).into());
            args.push((&job.when).into());
            if let Some(key) = &job.key {
                keys.push(self.queue.slot.clone() + "k:" + key);
                args.push(keys.len().into());
            } else {
                args.push(0u32.into());
            }
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        out.script(&ENQUEUE, &keys, &args, Repeat::Harmless);
        Ok(())
    }

    fn decode(
        self,
        _: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Vec<Enqueued>, EdgeError> {
        if self.jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids = replies.take()?.array()?;
        let enqueued = (0..self.jobs.len()).map(|at| {
            let id = ids.entry()?.text()?.to_owned();
            // Another of the same call may have had the key before.
            let number = id.strip_prefix(&self.nonce).and_then(|id| id.get(1..));
            let added = number.is_some_and(|number| number.parse() == Ok(at));
            Ok(Enqueued { id, added })
        });
        enqueued.collect()
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.queue.timeout_ms)
    }
}
