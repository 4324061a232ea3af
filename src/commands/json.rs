//! JSON in a string, where it is asked for by name.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::reply::FromReply;
use super::string::{self, Set};
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::wire::{Replies, Reply};

/// A value that is JSON, for [`Call::reading`].
///
/// ```
/// use upstash_edge::commands::{Call, Json, hget};
/// let colours: Call<Option<Json<Vec<String>>>> = hget("settings", "colours").reading();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromReply for Json<T> {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let text = reply.bytes()?.unwrap_or_default();
        // Serde's own text may quote the value.
        let read = serde_json::from_slice(text).map(Self);
        read.map_err(|_| EdgeError::corrupt("the value is not JSON, or of another type"))
    }
}

/// The value, read as JSON; `None` when there is no such key. `corrupt` when it is not JSON, or of another type.
pub fn get_json<T: DeserializeOwned>(key: &str) -> GetJson<T> {
    GetJson(string::get(key).reading())
}

/// GET of a value that is JSON.
#[must_use = "an op does nothing until it is run"]
pub struct GetJson<T>(Call<Option<Json<T>>>);

impl<T: DeserializeOwned> Op for GetJson<T> {
    type Output = Option<T>;

    fn encode(
        &mut self,
        cx: &Context<'_>,
        out: &mut crate::wire::Commands,
    ) -> Result<(), EdgeError> {
        self.0.encode(cx, out)
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Option<T>, EdgeError> {
        Ok(self.0.decode(cx, replies)?.map(|Json(value)| value))
    }
}

/// Sets the value to this, written as JSON, as [`set`](super::set) does. `invalid_argument` when JSON cannot hold it.
pub fn set_json(key: &str, value: &(impl Serialize + ?Sized)) -> Set<()> {
    match serde_json::to_string(value) {
        Ok(text) => string::set(key, &text),
        Err(_) => {
            Set(Call::new("SET").refuse(EdgeError::argument("value cannot be written as JSON")))
        }
    }
}
