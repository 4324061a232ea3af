//! The bytes of the protocol: JSON commands out, RESP2 (or JSON turned into it) in, and event streams. No I/O.

mod arg;
mod bytes;
mod command;
mod event_stream;
mod json;
mod json_replies;
mod reply;
mod resp;
pub(crate) mod subscription;

pub use arg::Arg;
pub(crate) use bytes::{path_form, script_path};
pub use command::Commands;
pub(crate) use command::{Head, Repeat};
pub(crate) use event_stream::{EventStream, LARGEST_EVENT};
pub(crate) use json::string_into as json_string_into;
#[cfg(feature = "js-client")]
pub(crate) use json::texts as json_texts;
pub(crate) use json_replies::{
    error_text as json_error_text, one_to_resp as json_one_to_resp, to_resp as json_to_resp,
};
pub(crate) use reply::Slot;
pub use reply::{Array, Replies, Reply};
pub(crate) use resp::frame;
