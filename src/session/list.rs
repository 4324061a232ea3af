//! What a user is told of their sessions, and ending all of them.

use std::collections::BTreeMap;

use super::user::{EndAll, Handles, Infos, Spared};
use super::{Session, Sessions};
use crate::client::Redis;
use crate::error::EdgeError;

/// One session of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// What [`Sessions::revoke`] takes. It opens nothing, and stays the same through rotation.
    pub handle: String,
    /// When it began, in epoch milliseconds.
    pub created_at: u64,
    /// When its last visit was noted, in epoch milliseconds.
    pub last_seen_at: u64,
    /// When it ends if nobody comes back, in epoch milliseconds.
    pub expires_at: u64,
    /// What was said at the login.
    pub info: BTreeMap<String, String>,
}

impl Sessions {
    /// The sessions of a user that are valid, those that may live longest first, 1,000 at most. Two round trips at most.
    ///
    /// # Errors
    /// `invalid_argument` when `user_id` is empty, and whatever keeps Redis from answering.
    pub async fn list(&self, redis: &Redis, user_id: &str) -> Result<Vec<SessionInfo>, EdgeError> {
        let (sessions, user) = (self.clone(), user_id.to_owned());
        let (generation, handles) = redis.run(Handles { sessions, user }).await?;
        let infos = Infos {
            sessions: self.clone(),
            user: user_id.to_owned(),
            generation,
            handles,
        };
        let listed = redis.run(infos).await?.into_iter();
        let told = listed.map(|it| SessionInfo {
            handle: it.handle,
            created_at: it.created_at,
            last_seen_at: it.last_seen_at,
            expires_at: it.expires_at,
            info: serde_json::from_str(&it.info).unwrap_or_default(),
        });
        Ok(told.collect())
    }

    /// Ends all sessions of a user, in one round trip, whatever their number; how many.
    ///
    /// # Errors
    /// `invalid_argument` when `user_id` is empty, and whatever keeps Redis from answering: then they may live on.
    pub async fn revoke_all(&self, redis: &Redis, user_id: &str) -> Result<u64, EdgeError> {
        Ok(self.end_all(redis, user_id, None).await?.0)
    }

    /// The same, but for `except`, should that be a valid session of this user's.
    ///
    /// # Errors
    /// As [`Self::revoke_all`].
    pub async fn revoke_others(
        &self,
        redis: &Redis,
        user_id: &str,
        except: &mut Session,
    ) -> Result<u64, EdgeError> {
        let spared = except.id.clone().map(|id| Spared {
            id,
            generation: except.generation.clone(),
        });
        let (count, generation) = self.end_all(redis, user_id, spared).await?;
        if except.user_id.as_deref() == Some(user_id) {
            except.generation = generation;
        }
        Ok(count)
    }

    async fn end_all(
        &self,
        redis: &Redis,
        user_id: &str,
        spared: Option<Spared>,
    ) -> Result<(u64, String), EdgeError> {
        let end = EndAll {
            sessions: self.clone(),
            user: user_id.to_owned(),
            spared,
            next: String::new(),
        };
        redis.run(end).await
    }
}
