//! Doing what is ready, as a Worker's cron trigger wants it: within bounds, several at once.

use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::mem::take;
use std::pin::Pin;
use std::task::Poll;

use super::{Job, Lease, Queue, Verdict};
use crate::client::Redis;
use crate::error::EdgeError;

/// Within what bounds a queue is drained.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    limit: usize,
    concurrency: usize,
    until: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            limit: usize::MAX,
            concurrency: 10,
            until: u64::MAX,
        }
    }
}

impl Drain {
    /// All that is ready, ten at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many jobs at most.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// So many at once, 1 to 1000.
    ///
    /// # Errors
    /// `invalid_config` when it is another number.
    pub fn concurrency(mut self, concurrency: usize) -> Result<Self, EdgeError> {
        if concurrency == 0 || concurrency > super::MOST_JOBS {
            return Err(EdgeError::config("concurrency must be 1 to 1000"));
        }
        self.concurrency = concurrency;
        Ok(self)
    }

    /// None is begun from this moment on, in epoch milliseconds. What is begun is finished.
    #[must_use]
    pub fn until(mut self, until: u64) -> Self {
        self.until = until;
        self
    }
}

/// What became of the jobs that were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Done.
    pub done: u64,
    /// Failed, and to be taken again.
    pub retried: u64,
    /// Failed for the last time.
    pub dead: u64,
    /// Ended when their lease was another's already, or when Redis could not be told: they are done again, or were.
    pub lost: u64,
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A drain on its way.
struct Run<'a> {
    queue: &'a Queue,
    redis: &'a Redis,
    taking: Option<Pending<'a, Result<Vec<Job>, EdgeError>>>,
    working: Vec<Pending<'a, (Lease, Verdict)>>,
    ended: Vec<(Lease, Verdict)>,
    settling: Option<Pending<'a, Drained>>,
    drained: Drained,
}

impl Queue {
    /// Takes what is ready and has `handler` do it, several at once, until there is none or a bound is reached. What a handler
    /// fails with is why its job died, if it did.
    ///
    /// Jobs that end while others are being settled are settled together, in one request.
    ///
    /// # Errors
    /// That of a take that failed, when all that was begun has ended. One of a settlement counts its jobs as lost.
    pub async fn drain<F, R, E>(
        &self,
        redis: &Redis,
        bounds: Drain,
        handler: F,
    ) -> Result<Drained, EdgeError>
    where
        F: Fn(Job) -> R,
        R: Future<Output = Result<(), E>>,
        E: Display,
    {
        let handler = &handler;
        let mut run = Run {
            queue: self,
            redis,
            taking: None,
            working: Vec::new(),
            ended: Vec::new(),
            settling: None,
            drained: Drained::default(),
        };
        let (mut left, mut stopped) = (bounds.limit, None);
        loop {
            // When half of them have ended: a take costs the same for one as for many.
            let free = (bounds.concurrency - run.working.len()).min(left);
            let is_time = run.working.len() <= bounds.concurrency / 2 && redis.now() < bounds.until;
            if stopped.is_none() && run.taking.is_none() && free > 0 && is_time {
                let op = self.take(free)?;
                run.taking = Some(Box::pin(redis.run(op)));
            }
            if !run.ended.is_empty() && run.settling.is_none() {
                run.settle();
            }
            if run.is_idle() {
                return stopped.unwrap_or(Ok(())).map(|()| run.drained);
            }
            match run.next().await {
                Some(Ok(jobs)) => {
                    if jobs.is_empty() {
                        stopped = Some(Ok(()));
                    }
                    left = left.saturating_sub(jobs.len());
                    run.working
                        .extend(jobs.into_iter().map(|job| worked(job, handler)));
                }
                Some(Err(error)) => stopped = Some(Err(error)),
                None => {}
            }
        }
    }
}

/// A job's verdict, when its handler has ended.
fn worked<'a, F, R, E>(job: Job, handler: &'a F) -> Pending<'a, (Lease, Verdict)>
where
    F: Fn(Job) -> R,
    R: Future<Output = Result<(), E>> + 'a,
    E: Display,
{
    Box::pin(async move {
        let lease = job.lease.clone();
        let verdict = match handler(job).await {
            Ok(()) => Verdict::Done,
            Err(error) => Verdict::Failed(error.to_string()),
        };
        (lease, verdict)
    })
}

impl Run<'_> {
    fn is_idle(&self) -> bool {
        self.taking.is_none() && self.settling.is_none() && self.working.is_empty()
    }

    /// Tells Redis of all that has ended, in one request.
    fn settle(&mut self) {
        let (queue, redis) = (self.queue, self.redis);
        let batch = take(&mut self.ended);
        self.settling = Some(Box::pin(async move {
            let told = match queue.settle(batch.iter().cloned()) {
                Ok(op) => redis.run(op).await.unwrap_or_default(),
                Err(_) => Vec::new(),
            };
            let mut drained = Drained::default();
            for (at, (lease, verdict)) in batch.iter().enumerate() {
                let held = told.get(at).copied().unwrap_or(false);
                let count = match verdict {
                    _ if !held => &mut drained.lost,
                    Verdict::Done => &mut drained.done,
                    _ if queue.is_last(lease) => &mut drained.dead,
                    _ => &mut drained.retried,
                };
                *count += 1;
            }
            drained
        }));
    }

    /// Until something has happened; what was taken, if that was it.
    async fn next(&mut self) -> Option<Result<Vec<Job>, EdgeError>> {
        poll_fn(|cx| {
            let mut taken = None;
            if let Some(taking) = &mut self.taking
                && let Poll::Ready(jobs) = taking.as_mut().poll(cx)
            {
                self.taking = None;
                taken = Some(jobs);
            }
            let mut happened = taken.is_some();
            if let Some(settling) = &mut self.settling
                && let Poll::Ready(more) = settling.as_mut().poll(cx)
            {
                self.settling = None;
                self.drained.add(more);
                happened = true;
            }
            let ended = &mut self.ended;
            self.working.retain_mut(|one| match one.as_mut().poll(cx) {
                Poll::Ready(verdict) => {
                    ended.push(verdict);
                    happened = true;
                    false
                }
                Poll::Pending => true,
            });
            if happened {
                Poll::Ready(taken)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

impl Drained {
    fn add(&mut self, more: Self) {
        self.done += more.done;
        self.retried += more.retried;
        self.dead += more.dead;
        self.lost += more.lost;
    }
}
