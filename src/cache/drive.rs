//! Drives a get-or-fetch over a host's `fetch` and timers, with values of Rust.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fetch::GetOrFetch;
use super::flow::{Answer, Fetched, Next, Step};
use super::payload::{self, Payload};
use crate::client::{Mode, Redis};
use crate::wire::Commands;

/// A get-or-fetch on its way, up to and beyond its answer.
pub(super) struct Drive<T, F> {
    redis: Redis,
    flow: GetOrFetch,
    origin: F,
    next: Next,
    found: Option<T>,
}

impl<T, E, F, R> Drive<T, F>
where
    T: Serialize + DeserializeOwned,
    F: FnMut() -> R,
    R: Future<Output = Result<T, E>>,
{
    /// `origin` is the caller's own function.
    pub fn new(redis: Redis, flow: GetOrFetch, origin: F) -> Self {
        Self {
            redis,
            flow,
            origin,
            next: Next::Send,
            found: None,
        }
    }

    /// Goes on to the answer.
    pub async fn answer(&mut self) -> Result<T, E> {
        while !self.is_finished() {
            if let Some(answer) = self.advance().await {
                return answer;
            }
        }
        // The origin is the last resort of every path.
        (self.origin)().await
    }

    /// Goes on to the end.
    pub async fn finish(&mut self) {
        while !self.is_finished() {
            self.advance().await;
        }
    }

    pub fn is_finished(&self) -> bool {
        self.next == Next::End
    }

    /// Does what the flow asked for, and asks it what then.
    async fn advance(&mut self) -> Option<Result<T, E>> {
        let mut fetched = None;
        let step = match std::mem::replace(&mut self.next, Next::End) {
            Next::Send => self.send().await,
            Next::Sleep { ms } => {
                self.redis.sleep(ms).await;
                self.flow.slept()
            }
            Next::Judge => self
                .flow
                .judged(&self.redis.context(), self.found.is_some()),
            Next::Fetch => {
                let given = (self.origin)().await;
                let told = match &given {
                    Ok(value) => {
                        let json = serde_json::to_string(value).map(Payload::json);
                        json.map_or(Fetched::Nothing, Fetched::Value)
                    }
                    Err(_) => Fetched::Failed,
                };
                fetched = Some(given);
                self.flow.fetched(&self.redis.context(), told)
            }
            Next::End => return None,
        };
        self.next = step.next;
        match step.answer? {
            Answer::Found => self.found.take().map(Ok),
            Answer::Fetched => fetched,
        }
    }

    async fn send(&mut self) -> Step {
        let mut commands = Commands::default();
        // What cannot be encoded is answered as what was not answered.
        let _ = self.flow.encode(&self.redis.context(), &mut commands);
        let timeout_ms = Some(self.flow.timeout_ms());
        let task = self.redis.send(commands, timeout_ms, Mode::Pipeline).await;
        let slots = task.slots();
        let cx = self.redis.context();
        let (step, found) = self.flow.answered(&cx, &mut task.replies(&slots));
        // What was found before stays, where no other was: it may yet stand in for a fetch that fails.
        if step.next == Next::Judge {
            self.found = found.and_then(|(codec, payload)| payload::value(codec, payload));
        }
        step
    }
}
