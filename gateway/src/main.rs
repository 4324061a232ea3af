//! A local server that speaks Upstash's Redis REST protocol over any Redis.
fn main() {}
