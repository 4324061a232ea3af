//! What the Worker decides as the front of an origin: plain data and pure functions, no request is made here.

pub(crate) mod config;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod path;
pub(crate) mod rules;
pub(crate) mod traffic;
pub(crate) mod visitor;
