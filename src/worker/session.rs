//! The demonstration of sessions.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use worker::{Request, Response};

use super::app::App;
use super::failure::Failure;
use crate::session::{Session, Status};

impl App<'_> {
    /// `GET /api/session`
    pub async fn session_get(&self, request: &Request) -> Result<Response, Failure> {
        let sessions = self.sessions()?;
        let mut session = self.run(sessions.load_from(request)).await?;
        let response = self.json(&shown(&session), 200)?;
        // Asks nobody; but the cookie of a secret that is to be dropped is signed anew.
        let committed = sessions.commit_on(&self.redis, &mut session, response);
        Ok(committed.await?)
    }

    /// `PUT /api/session`: a JSON object, which becomes the session's data.
    pub async fn session_put(&self, request: &Request, data: Value) -> Result<Response, Failure> {
        let Value::Object(data) = data else {
            return Err(Failure::bad("the session's data must be a JSON object"));
        };
        self.change(request, |session| {
            let kept: Vec<String> = session.entries().map(|(key, _)| key.to_owned()).collect();
            for key in kept.iter().filter(|key| !data.contains_key(*key)) {
                session.delete(key);
            }
            for (key, value) in &data {
                session.set(key, value)?;
            }
            Ok(())
        })
        .await
    }

    /// `POST /api/session/login` `{"userId": ".."}`
    pub async fn login(&self, request: &Request, body: &Value) -> Result<Response, Failure> {
        let user_id = body
            .get("userId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if user_id.is_empty() {
            return Err(Failure::bad("userId must be a text that is not empty"));
        }
        self.change(request, |session| Ok(session.login(user_id)?))
            .await
    }

    /// `POST /api/session/logout`
    pub async fn logout(&self, request: &Request) -> Result<Response, Failure> {
        self.change(request, |session| {
            session.destroy();
            Ok(())
        })
        .await
    }

    /// Loads, changes, saves; answers the session as it is then, and its cookies.
    async fn change(
        &self,
        request: &Request,
        change: impl FnOnce(&mut Session) -> Result<(), Failure>,
    ) -> Result<Response, Failure> {
        let sessions = self.sessions()?;
        let mut session = self.run(sessions.load_from(request)).await?;
        change(&mut session)?;
        let told = sessions.commit(&self.redis, &mut session).await?;
        let response = self.json(&shown(&session), 200)?;
        for cookie in told {
            response.headers().append("Set-Cookie", &cookie)?;
        }
        Ok(response)
    }
}

/// A session as JSON: never its id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    status: &'static str,
    data: BTreeMap<&'a str, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

fn shown(session: &Session) -> Shown<'_> {
    let stored = !session.is_new();
    Shown {
        status: match session.status() {
            Status::New => "new",
            Status::Valid => "valid",
            Status::Expired => "expired",
            Status::Invalid => "invalid",
        },
        data: session
            .entries()
            .filter_map(|(key, json)| Some((key, serde_json::from_str(json).ok()?)))
            .collect(),
        user_id: session.user_id(),
        created_at: stored.then(|| session.created_at()),
        expires_at: stored.then(|| session.expires_at()),
    }
}
