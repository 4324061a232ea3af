//! The bytes of the protocol: JSON commands out, RESP2 (or JSON turned into it) in. No I/O.

mod command;
mod json;
mod reply;
mod resp;

pub use command::{Arg, Commands};
pub(crate) use command::{Head, Repeat};
pub(crate) use json::{
    error_text as json_error_text, string_into as json_string_into, to_resp as json_to_resp,
};
pub(crate) use reply::Slot;
pub use reply::{Array, Replies, Reply};
pub(crate) use resp::frame;
