//! The playground: a limiter that the administrator drives, and what its window holds.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use worker::Response;

use super::super::app::App;
use super::super::failure::{Failure, asked};
use super::super::input::whole;
use crate::duration::duration_ms;
use crate::ratelimit::{Decision, Limit, RateLimiter, ReadWindow};

/// Above it Redis holds one of 128 parts of the window, and not each request: that cannot be drawn.
const MOST: u32 = 128;
const LONGEST_MS: u64 = 3_600_000;

/// What is to be done to an identifier of the playground.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::worker) struct Play {
    id: String,
    #[serde(deserialize_with = "whole")]
    limit: u32,
    window: String,
    #[serde(default)]
    act: Act,
    #[serde(default = "one", deserialize_with = "whole")]
    cost: u32,
}

fn one() -> u32 {
    1
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    #[default]
    Check,
    /// Looks, and takes nothing.
    Peek,
    Reset,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Played {
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    /// By the clock that decided.
    now: u64,
    window_ms: u64,
    window: Vec<Taken>,
}

/// What one request took of the window.
#[derive(Serialize)]
struct Taken {
    at: u64,
    cost: u32,
}

impl App<'_> {
    /// `POST /api/admin/limit`: 200 whatever was decided, for the answer is about a limit, not limited by it.
    pub(super) async fn play(&self, play: &Play) -> Result<Response, Failure> {
        let window_ms = duration_ms(&play.window).map_err(asked)?;
        if play.limit > MOST || window_ms > LONGEST_MS {
            return Err(Failure::bad(
                "here a limit is 1 to 128, and its window 1 h at most",
            ));
        }
        let window = Duration::from_millis(window_ms);
        let limit = Limit::sliding_window(play.limit, window).map_err(asked)?;
        let limiter = RateLimiter::new(limit).name("playground").memory(0);
        let state = ReadWindow::new(&limiter, &play.id);
        let (decision, state) = match play.act {
            Act::Reset => {
                let ((), state) = self.redis.run((limiter.reset(&play.id), state)).await?;
                (None, state)
            }
            Act::Check | Act::Peek => {
                let cost = if let Act::Peek = play.act {
                    0
                } else {
                    play.cost
                };
                let check = limiter.check(&play.id).cost(cost);
                let (decision, state) = self.redis.run((check, state)).await?;
                (Some(decision), state)
            }
        };
        let now = match &decision {
            Some(decision) => decision.decided_at(),
            None => worker::Date::now().as_millis(),
        };
        let live = |(at, _): &(u64, u32)| at.saturating_add(window_ms) > now;
        let window = state.into_iter().filter(live);
        let played = Played {
            decision,
            now,
            window_ms,
            window: window.map(|(at, cost)| Taken { at, cost }).collect(),
        };
        self.json(&played, 200)
    }
}
