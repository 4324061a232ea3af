//! The sessions of a user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::Response;

use super::super::app::App;
use super::super::failure::Failure;
use crate::session::SessionInfo;

/// Whose sessions. In a body, for an address is logged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::worker) struct List {
    user: String,
}

/// Which session is to end: the one of a handle, or all of the user's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::worker) struct Revoke {
    user: String,
    handle: Option<String>,
    #[serde(default)]
    all: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    handle: String,
    created_at: u64,
    last_seen_at: u64,
    expires_at: u64,
    info: BTreeMap<String, String>,
}

impl From<SessionInfo> for Told {
    fn from(info: SessionInfo) -> Self {
        Self {
            handle: info.handle,
            created_at: info.created_at,
            last_seen_at: info.last_seen_at,
            expires_at: info.expires_at,
            info: info.info,
        }
    }
}

impl App<'_> {
    /// `POST /api/admin/sessions` `{"user": ".."}`
    pub(super) async fn sessions_list(&self, list: &List) -> Result<Response, Failure> {
        let told = self.sessions()?.list(&self.redis, &list.user).await?;
        let told: Vec<Told> = told.into_iter().map(Told::from).collect();
        let body = json!({ "now": worker::Date::now().as_millis(), "sessions": told });
        self.json(&body, 200)
    }

    /// `POST /api/admin/sessions/revoke` `{"user": "..", "handle": ".."}` or `{"user": "..", "all": true}`
    pub(super) async fn sessions_revoke(&self, revoke: &Revoke) -> Result<Response, Failure> {
        let sessions = self.sessions()?;
        let revoked = match (&revoke.handle, revoke.all) {
            (None, true) => sessions.revoke_all(&self.redis, &revoke.user).await?,
            (Some(handle), false) => {
                let revoke = sessions.revoke(&revoke.user, handle);
                u64::from(self.redis.run(revoke).await?)
            }
            _ => return Err(Failure::bad("revoke a handle, or all")),
        };
        self.json(&json!({ "revoked": revoked }), 200)
    }
}
