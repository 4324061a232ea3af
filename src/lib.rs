//! Caching, exact rate limiting and sessions for edge runtimes, over Upstash's Redis REST API.
//!
//! Everything is an [`Op`]: commands out, a typed reply in. Ops compose, and what composes travels together:
//! a rate limit, a session and a cached page are one HTTP request.
//!
//! ```text
//! wire       bytes of the protocol, no I/O        op         commands out, a typed reply in
//! script     a Lua script in its two forms        host       time, randomness, sleep, fetch
//! client     Redis: batches, retries, deadlines   error      the one error
//! commands   what each is; typed ones as ops      scan       the SCAN commands as streams
//! ratelimit  cache  prompt_cache  session          features: each says what to send and how to read it
//! leaderboard  queue  health
//! migration  an old store beside a new one
//! edge       the whole request in one trip        front      the Worker before an origin: what it decides
//! js         the face of the npm package          worker     the deployable Worker
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
// What one feature's entry of the npm package leaves unused, another's needs.
#![cfg_attr(
    all(feature = "js-client", not(feature = "js")),
    allow(dead_code, unused_imports)
)]

mod base64;
mod cache;
mod client;
pub mod commands;
mod duration;
mod edge;
mod error;
#[cfg(any(test, all(feature = "worker", target_arch = "wasm32")))]
#[cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "its tests run natively")
)]
mod front;
mod health;
#[cfg_attr(
    not(all(feature = "worker", target_arch = "wasm32")),
    allow(
        dead_code,
        reason = "only the Worker adds up what isolates have counted"
    )
)]
mod histogram;
pub mod host;
mod keys;
mod leaderboard;
mod migration;
mod op;
mod prompt_cache;
mod queue;
mod ratelimit;
mod recent;
mod scan;
mod script;
mod session;
mod wire;

#[cfg(all(feature = "js-client", target_arch = "wasm32"))]
mod js;
// Plain data: its tests run natively.
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "js/slots.rs"]
mod slots;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
mod worker;

pub use cache::{
    Answered, Cache, CacheFailure, CacheOperation, CacheStats, Delete, Get, GetBytes, GetMany, Has,
    Head, Invalidate, Keep, Look, Looked, ReadCacheStats, Set,
};
pub use client::{Builder, Message, Redis, RequestEvent, Retry, Subscription};
pub use duration::duration_ms;
pub use edge::{Closed, Edge, OnSessionFailure, Open, Problem, Visit};
pub use error::{EdgeError, ErrorKind};
pub use health::{Health, HealthStatus, health};
pub use leaderboard::{Leaderboard, Ranked, ReadBoard, RemoveMember, Window, WriteScore};
pub use migration::{
    CacheStore, Migration, MigrationBackfills, MigrationComparisons, MigrationLatencies,
    MigrationPhase, MigrationReads, MigrationStats, MigrationWrites, Quantiles, Store,
};
pub use op::{Context, Op, Settled};
pub use prompt_cache::{
    GetPrompt, PromptAnswer, PromptCache, PromptStats, ReadPromptStats, SetPrompt,
};
pub use queue::{
    DeadJob, Drain, Drained, EndDead, Enqueue, Enqueued, Job, Lease, NewJob, Queue, QueueCounts,
    ReadCounts, ReadDead, Schedule, Settle, Take, Verdict,
};
pub use ratelimit::{
    Check, Clock, Decision, HeaderStyle, Identifier, Limit, Limits, OnFailure, Policy, RateLimiter,
    ReadStats, Refund, Reset, Source, Stats, partition_key,
};
pub use scan::Scan;
pub use session::{
    Conflict, Cookie, Load, Login, Revoke, SameSite, Save, Session, SessionInfo, Sessions, Status,
};
pub use wire::{Arg, Array, Commands, Replies, Reply};
