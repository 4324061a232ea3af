//! What a client of the REST protocol relies on, against a real Redis, by raw HTTP.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod http;
mod server;

mod auth;
mod commands;
mod cors;
mod formats;
mod limits;
mod outage;
mod paths;
mod pipelines;
mod read_only;
mod stats;
mod transactions;
