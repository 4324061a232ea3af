//! The demonstration of sessions.

use serde_json::{Map, Value, json};
use worker::Response;

use super::app::App;
use super::failure::Failure;
use crate::session::{Session, Status};

impl App<'_> {
    /// `GET /api/session`
    pub async fn session_get(&self, cookies: &str) -> Result<Response, Failure> {
        let session = self.redis.run(self.sessions()?.load(cookies)).await?;
        self.json(&shown(&session), 200)
    }

    /// `PUT /api/session`: a JSON object, which becomes the session's data.
    pub async fn session_put(&self, cookies: &str, data: Value) -> Result<Response, Failure> {
        let Value::Object(data) = data else {
            return Err(Failure::bad("the session's data must be a JSON object"));
        };
        self.change(cookies, |session| {
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
    pub async fn login(&self, cookies: &str, body: &Value) -> Result<Response, Failure> {
        let user_id = body
            .get("userId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if user_id.is_empty() {
            return Err(Failure::bad("userId must be a text that is not empty"));
        }
        self.change(cookies, |session| Ok(session.login(user_id)?))
            .await
    }

    /// `POST /api/session/logout`
    pub async fn logout(&self, cookies: &str) -> Result<Response, Failure> {
        self.change(cookies, |session| {
            session.destroy();
            Ok(())
        })
        .await
    }

    /// Loads, changes, saves; answers the session as it is then, and its cookies.
    async fn change(
        &self,
        cookies: &str,
        change: impl FnOnce(&mut Session) -> Result<(), Failure>,
    ) -> Result<Response, Failure> {
        let sessions = self.sessions()?;
        let mut session = self.redis.run(sessions.load(cookies)).await?;
        change(&mut session)?;
        let told = self.redis.run(sessions.save(&mut session)).await?;
        let response = self.json(&shown(&session), 200)?;
        for cookie in told {
            response.headers().append("Set-Cookie", &cookie)?;
        }
        Ok(response)
    }
}

/// A session as JSON: never its id.
fn shown(session: &Session) -> Value {
    let data: Map<String, Value> = session
        .entries()
        .filter_map(|(key, json)| Some((key.to_owned(), serde_json::from_str(json).ok()?)))
        .collect();
    let status = match session.status() {
        Status::New => "new",
        Status::Valid => "valid",
        Status::Expired => "expired",
        Status::Invalid => "invalid",
    };
    let mut shown = json!({ "status": status, "data": data });
    if !session.is_new() {
        shown["createdAt"] = session.created_at().into();
        shown["expiresAt"] = session.expires_at().into();
    }
    if let Some(user) = session.user_id() {
        shown["userId"] = user.into();
    }
    shown
}
