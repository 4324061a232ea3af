//! A queue of jobs: at least once, by leases.
//!
//! | what | requests | inner commands, each 1 TIME too |
//! |---|---|---|
//! | `enqueue` | 1 EVALSHA for up to 1000 | SET, ZADD, HSET; for each idempotency key SET, and GET where it was there |
//! | `take` | 1 EVALSHA for up to 1000 | SET, 1 or 2 ZRANGEBYSCOREs; where there is any HMGET, ZADD, HSET |
//! | `settle` | 1 EVALSHA for up to 1000 | HMGET, SET; of ZREM and HDEL, ZADD and HSET what is needed, once; GET when one is refused |
//! | `schedule` | 1 EVALSHA | HGET, ZSCORE, HSET; ZADD when it is new |
//! | `dead` | 1 EVALSHA | ZREVRANGEBYSCORE, HMGET |
//! | `requeue`, `purge` | 1 EVALSHA | 1 to find them, 2 to deal with them |
//! | `counts` | 1 EVALSHA | 5 ZCOUNTs; up to 2 ZRANGEBYSCOREs |
//!
//! A failure of Redis is told, by each of them.

mod backoff;
mod counts;
mod dead;
mod drain;
mod enqueue;
mod schedule;
mod settle;
mod take;

use serde::Serialize;

use crate::duration;
use crate::error::EdgeError;
use crate::keys;
use crate::op::Context;
use crate::wire::Arg;

use backoff::Backoff;

pub use counts::{QueueCounts, ReadCounts};
pub use dead::{DeadJob, EndDead, ReadDead};
pub use drain::{Drain, Drained};
pub use enqueue::{Enqueue, Enqueued, NewJob};
pub use schedule::Schedule;
pub use settle::{Settle, Verdict};
pub use take::{Job, Lease, Take};

/// Of a payload, in bytes of JSON.
const MOST_BYTES: usize = 65_536;

/// Jobs of one call.
const MOST_JOBS: usize = 1_000;

/// Jobs that are done at least once: who takes one has it on lease, and when the lease ends before the job is settled, another
/// takes it. Building one does nothing.
///
/// Every lease begins and ends by Redis's clock: those of who enqueues and who takes do not matter. All of a queue lies in one
/// slot of a cluster. It is no cache: it wants a database that does not evict.
///
/// ```
/// use upstash_edge::{NewJob, Queue};
/// let mail = Queue::new("mail")?.lease_ms(60_000)?;
/// let enqueue = mail.enqueue([NewJob::new(&"ada@example.com")?.key("welcome-ada")?])?;
/// # Ok::<(), upstash_edge::EdgeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Queue {
    /// As it stands in keys.
    slot: String,
    lease_ms: u64,
    attempts: u32,
    backoff: Backoff,
    dead: u32,
    key_window_ms: u64,
    timeout_ms: u64,
}

impl Queue {
    /// One with the defaults.
    ///
    /// # Errors
    /// `invalid_argument` when the name is not 1 to 128 bytes long.
    pub fn new(name: &str) -> Result<Self, EdgeError> {
        if !keys::is_name(name) {
            return Err(EdgeError::argument("name must be 1 to 128 bytes long"));
        }
        let mut slot = String::from("{");
        slot += &keys::part(name);
        slot += ":q}:";
        Ok(Self {
            slot,
            lease_ms: 30_000,
            attempts: 5,
            backoff: Backoff::default(),
            dead: 1_000,
            key_window_ms: 86_400_000,
            timeout_ms: 5_000,
        })
    }

    /// For how long who takes a job has it, in milliseconds. Default 30 s. Work that takes longer extends its lease, or is done
    /// twice.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn lease_ms(mut self, lease_ms: u64) -> Result<Self, EdgeError> {
        self.lease_ms = duration::kept(lease_ms)?;
        Ok(self)
    }

    /// How often a job is taken at most before it is dead, 1 to 1000. Default 5.
    ///
    /// # Errors
    /// `invalid_config` when it is another number.
    pub fn attempts(mut self, attempts: u32) -> Result<Self, EdgeError> {
        if attempts == 0 || attempts > 1_000 {
            return Err(EdgeError::config("attempts must be 1 to 1000"));
        }
        self.attempts = attempts;
        Ok(self)
    }

    /// How long a job that failed waits, in milliseconds: a random half to whole of `base_ms`, which doubles with each attempt
    /// up to `max_ms`. Default 1 s and 1 h.
    ///
    /// # Errors
    /// `invalid_config` when one is 0 or past 10,000 days, or `max_ms` is less than `base_ms`.
    pub fn backoff_ms(mut self, base_ms: u64, max_ms: u64) -> Result<Self, EdgeError> {
        self.backoff = Backoff::new(duration::kept(base_ms)?, duration::kept(max_ms)?)?;
        Ok(self)
    }

    /// How many dead jobs are kept, 1 to 1,000,000; beyond it the longest dead are deleted. Default 1000.
    ///
    /// # Errors
    /// `invalid_config` when it is another number.
    pub fn dead_limit(mut self, dead: u32) -> Result<Self, EdgeError> {
        if dead == 0 || dead > 1_000_000 {
            return Err(EdgeError::config("dead_limit must be 1 to 1000000"));
        }
        self.dead = dead;
        Ok(self)
    }

    /// For how long an idempotency key holds from the first use on, in milliseconds. Default 24 h.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn key_window_ms(mut self, key_window_ms: u64) -> Result<Self, EdgeError> {
        self.key_window_ms = duration::kept(key_window_ms)?;
        Ok(self)
    }

    /// How long each call waits for Redis, in milliseconds, 1 to 30,000: what is sent again is known for 60 s. Default 5 s.
    ///
    /// # Errors
    /// `invalid_config` when it is another number.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Result<Self, EdgeError> {
        if timeout_ms == 0 || timeout_ms > 30_000 {
            return Err(EdgeError::config("timeout_ms must be 1 to 30000"));
        }
        self.timeout_ms = timeout_ms;
        Ok(self)
    }

    /// Adds jobs, up to 1000, in their order. Sent again after a lost answer they are not added twice.
    ///
    /// # Errors
    /// `invalid_argument` when there are more.
    pub fn enqueue(&self, jobs: impl IntoIterator<Item = NewJob>) -> Result<Enqueue, EdgeError> {
        let jobs: Vec<_> = jobs.into_iter().collect();
        few(jobs.len())?;
        Ok(Enqueue::of(self.clone(), jobs))
    }

    /// Leases up to `n` jobs, 1 to 1000: those whose lease has ended, then those that are ready, the longest first.
    ///
    /// # Errors
    /// `invalid_argument` when `n` is another number.
    pub fn take(&self, n: usize) -> Result<Take, EdgeError> {
        if n == 0 {
            return Err(EdgeError::argument("n must be 1 to 1000"));
        }
        few(n)?;
        Ok(Take::of(self.clone(), n))
    }

    /// Says what became of jobs, up to 1000. Its output is, for each in turn, whether its lease still held: `false` says that it
    /// ended and the job is another's or gone, and that nothing was done to it.
    ///
    /// # Errors
    /// `invalid_argument` when there are more, or a delay is past 10,000 days.
    pub fn settle(
        &self,
        verdicts: impl IntoIterator<Item = (Lease, Verdict)>,
    ) -> Result<Settle, EdgeError> {
        let verdicts: Vec<_> = verdicts.into_iter().collect();
        few(verdicts.len())?;
        Settle::of(self.clone(), verdicts)
    }

    /// A job that repeats, by an `id` of 1 to 128 bytes: it is taken at the multiples of `every_ms` since the epoch, by Redis's
    /// clock, never while it is still worked on, and once for all that were missed. Said again, by each deploy, it is the same
    /// one; another payload holds from the next time on, another interval at once.
    ///
    /// # Errors
    /// `invalid_argument` when the id is empty or longer, the interval 0 or past 10,000 days, or the payload no JSON or larger than
    /// 64 KiB.
    pub fn schedule(
        &self,
        id: &str,
        every_ms: u64,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<Schedule, EdgeError> {
        if every_ms == 0 || every_ms > duration::LONGEST_MS {
            return Err(EdgeError::argument("every_ms must be 1 ms to 10000 days"));
        }
        let plan = Some((every_ms, written(payload)?));
        Schedule::of(self.clone(), id, plan)
    }

    /// Ends a job that repeats, also where it is worked on.
    ///
    /// # Errors
    /// `invalid_argument` when the id is empty or longer than 128 bytes.
    pub fn unschedule(&self, id: &str) -> Result<Schedule, EdgeError> {
        Schedule::of(self.clone(), id, None)
    }

    /// Dead jobs, up to `n`, 1 to 1000, the last to die first.
    ///
    /// # Errors
    /// `invalid_argument` when `n` is another number.
    pub fn dead(&self, n: usize) -> Result<ReadDead, EdgeError> {
        if n == 0 {
            return Err(EdgeError::argument("n must be 1 to 1000"));
        }
        few(n)?;
        Ok(ReadDead {
            queue: self.clone(),
            n,
        })
    }

    /// Lets the dead jobs of these ids, up to 1000, be taken again, as if for the first time. Its output is how many were dead.
    ///
    /// # Errors
    /// `invalid_argument` when there are more ids.
    pub fn requeue(&self, ids: &[&str]) -> Result<EndDead, EdgeError> {
        EndDead::of(self.clone(), "requeue", ids)
    }

    /// The same for up to 1000 dead jobs, the longest dead first.
    pub fn requeue_all(&self) -> EndDead {
        EndDead {
            queue: self.clone(),
            what: "requeue",
            ids: None,
        }
    }

    /// Deletes the dead jobs of these ids, up to 1000. Its output is how many were dead.
    ///
    /// # Errors
    /// `invalid_argument` when there are more ids.
    pub fn purge(&self, ids: &[&str]) -> Result<EndDead, EdgeError> {
        EndDead::of(self.clone(), "purge", ids)
    }

    /// The same for up to 1000 dead jobs, the longest dead first.
    pub fn purge_all(&self) -> EndDead {
        EndDead {
            queue: self.clone(),
            what: "purge",
            ids: None,
        }
    }

    /// How many jobs there are of each kind.
    pub fn counts(&self) -> ReadCounts {
        ReadCounts(self.clone())
    }

    /// The jobs and their records: see `lua/queue.lua`.
    fn keys(&self) -> [String; 2] {
        [self.slot.clone() + "j", self.slot.clone() + "r"]
    }

    /// What remembers a call.
    fn nonce_key(&self, nonce: &str) -> String {
        self.slot.clone() + "n:" + nonce
    }
}

/// What each script is told first: see `lua/queue.lua`.
fn clock<'a>(cx: &Context<'_>) -> Arg<'a> {
    cx.now().into()
}

fn few(count: usize) -> Result<(), EdgeError> {
    if count > MOST_JOBS {
        return Err(EdgeError::argument("there must be at most 1000"));
    }
    Ok(())
}

fn written(payload: &(impl Serialize + ?Sized)) -> Result<String, EdgeError> {
    let json = serde_json::to_string(payload)
        .map_err(|_| EdgeError::argument("payload must be something that JSON can hold"))?;
    if json.len() > MOST_BYTES {
        return Err(EdgeError::argument(
            "payload must be at most 65536 bytes of JSON",
        ));
    }
    Ok(json)
}
