//! A local server that speaks Upstash's Redis REST protocol over any Redis, for development and tests.
//!
//! ```no_run
//! # async fn example() -> Result<(), upstash_gateway::Error> {
//! use upstash_gateway::{Config, Gateway};
//!
//! let config = Config::new("redis://127.0.0.1:6379", "a-token");
//! let gateway = Gateway::bind("127.0.0.1:0", config).await?;
//! println!("{}", gateway.url());
//! gateway.run().await;
//! # Ok(())
//! # }
//! ```
//!
//! # A map
//! ```text
//! server     Gateway: bind, where it listens, run
//! app        one request from end to end: who asks, for what, in which format
//! config     what can be set          error      why it could not start
//! execute    the commands of one caller, run
//! auth       tokens                   cors       what a browser asks first
//! route      path -> endpoint         body       a request body within the limit
//! format     which reply format       answer     HTTP answers
//! scripts    the flag that Upstash takes and Redis refuses
//! stats      what was counted         sync_token the read-your-writes header
//! events     subscriptions, MONITOR   rest_token ACL RESTTOKEN
//! command/   a command: from JSON, from a path; what Redis says of it; what REST cannot carry
//! reply/     a reply: to JSON, to RESP2
//! upstream/  the way to Redis: one server, a Sentinel set or a cluster; connections, redirects
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

mod answer;
mod app;
mod auth;
mod body;
mod command;
mod config;
mod cors;
mod error;
mod events;
mod execute;
mod format;

mod reply;
mod rest_token;
mod route;
mod scripts;
mod server;
mod stats;
mod sync_token;
mod upstream;

pub use config::{AclToken, Config};
pub use error::Error;
pub use server::Gateway;
