//! Caching, exact rate limiting and sessions for edge runtimes, over Upstash's Redis REST API.
