//! What is deployed: `upstash_edge::worker`, whose `fetch` event becomes this module's.
#[cfg(target_arch = "wasm32")]
extern crate upstash_edge as _;
