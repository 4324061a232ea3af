//! Sessions on the requests and responses of a Rust Worker.

use worker::{Request, Response};

use super::{Load, Session, Sessions};
use crate::client::Redis;
use crate::error::{EdgeError, ErrorKind};

impl Sessions {
    /// Opens the session of a request.
    pub fn load_from(&self, request: &Request) -> Load {
        let header = request.headers().get("Cookie").ok().flatten();
        self.load(header.as_deref().unwrap_or_default())
    }

    /// Saves what changed, as [`Self::commit`]; the response with the cookies and `Cache-Control: no-store`, also where
    /// its own headers cannot be changed, as those of one that was fetched.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_on(
        &self,
        redis: &Redis,
        session: &mut Session,
        response: Response,
    ) -> Result<Response, EdgeError> {
        let cookies = self.commit(redis, session).await?;
        onto(response, &cookies).map_err(|_| {
            EdgeError::new(
                ErrorKind::InvalidArgument,
                "response: its headers are none that can be set",
            )
        })
    }
}

fn onto(response: Response, cookies: &[String]) -> worker::Result<Response> {
    let headers = response.headers().clone();
    for cookie in cookies {
        headers.append("Set-Cookie", cookie)?;
    }
    // What one visitor's session made is not for another's cache.
    headers.set("Cache-Control", "no-store")?;
    Ok(response.with_headers(headers))
}
