//! Against a gateway and a redis-server of this test's own.
#![cfg(all(feature = "native", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod batch;
mod cache;
#[path = "../core/mod.rs"]
mod core;
mod edge;
mod env;
mod leaderboard;
mod limiter;
mod meter;
mod migration;
mod outage;
mod prompts;
mod queue;
mod readme;
mod retry;
mod server;
mod session;
mod subscribe;

use server::Server;

macro_rules! run {
    ($($name:ident)*) => {$(
        mod $name {
            use super::{Server, core};

            #[tokio::test]
            async fn over_resp2() {
                let server = Server::start().await;
                core::$name(server.client()).await;
            }

            #[tokio::test]
            async fn on_a_server_that_speaks_only_json() {
                let server = Server::start_with(|config| config.json_only = true).await;
                core::$name(server.client()).await;
            }
        }
    )*};
}

core::core_tests!(run);
