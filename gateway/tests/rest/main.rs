//! What a client of the REST protocol relies on, against a real Redis, by raw HTTP.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cluster_kit;
mod http;
mod server;

mod acl;
mod auth;
mod cluster;
mod command_line;
mod commands;
mod cors;
mod events;
mod formats;
mod json_only;
mod limits;
mod outage;
mod paths;
mod pipelines;
mod read_only;
mod sentinel;
mod stats;
mod tls;
mod transactions;
