//! What becomes of a request once its handler has answered.

use super::answer::{is_public, privacy};
use super::{Edge, Visit};
use crate::client::Redis;
use crate::error::EdgeError;
use crate::host::LocalFuture;

/// What the answer is to say; it is the caller's to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// `Set-Cookie` values, to be appended.
    pub cookies: Vec<String>,
    /// `Cache-Control`, in place of its own; `None` leaves it as it is.
    pub cache_control: Option<String>,
    /// Whether it may be stored for others: its handler has not seen the session, or says that it is public.
    pub is_shared: bool,
}

impl Edge {
    /// Saves what the handler changed in the session, and says what the answer must. `told` is its `Cache-Control`.
    ///
    /// The save is waited for, unless [`Self::save_in_background`] is on and `background` takes it. Nothing is sent
    /// when the session is as it was.
    ///
    /// # Errors
    /// As [`Sessions::commit`](crate::Sessions::commit); and why the session could not be read, when an anonymous one
    /// stood in for it and was changed.
    pub async fn close(
        &self,
        redis: &Redis,
        visit: &mut Visit,
        told: Option<&str>,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<Closed, EdgeError> {
        if !visit.is_touched {
            return Ok(Closed {
                is_shared: true,
                ..Closed::default()
            });
        }
        let cookies = self.save(redis, visit, background).await?;
        Ok(Closed {
            is_shared: is_public(told),
            cache_control: privacy(told, !cookies.is_empty()),
            cookies,
        })
    }

    async fn save(
        &self,
        redis: &Redis,
        visit: &mut Visit,
        background: impl FnOnce(LocalFuture<'static, ()>),
    ) -> Result<Vec<String>, EdgeError> {
        let (Some(sessions), Some(session)) = (&self.sessions, &mut visit.session) else {
            return Ok(Vec::new());
        };
        if let Some(error) = &visit.session_error {
            // What stands in Redis is not known: a save would begin another session, and its cookie end that one.
            return match session.is_changed() {
                true => Err(error.clone()),
                false => Ok(Vec::new()),
            };
        }
        if !self.saves_in_background || session.moves() || !session.is_changed() {
            return sessions.commit(redis, session).await;
        }
        if let Some(mut session) = visit.session.take() {
            let (sessions, redis) = (sessions.clone(), redis.clone());
            background(Box::pin(async move {
                // Nobody is left to hear of it.
                let _ = sessions.commit(&redis, &mut session).await;
            }));
        }
        Ok(Vec::new())
    }
}
