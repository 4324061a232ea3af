//! HTTP caching by RFC 9111, as a shared cache: what a request asks of the cache, what of an answer may be stored, and
//! how a stored one is served. Pure: no I/O and no clock.
//!
//! A head travels as text, here as in an entry: `name:value` and a line feed for each field, names in lower case.

mod date;
mod directives;
mod fields;
mod request;
mod response;
mod serve;

pub(crate) use fields::Fields;
pub(super) use fields::cut;
pub(crate) use request::Asked;
pub(super) use request::Forward;
pub(super) use response::{head, plan};
pub(super) use serve::{Stored, merged};
