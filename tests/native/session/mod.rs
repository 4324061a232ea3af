//! Sessions in real Redis.

mod attacks;
mod costs;
mod data;
mod load;
mod model;
mod overtaken;
mod time;
mod users;

use upstash_edge::{Redis, Session, Sessions, Status};

const MINUTE: u64 = 60_000;
const SECRET: &str = "a secret of the tests, 32 bytes long or more";

/// Patient: what passes when Redis is slow is another test's.
fn sessions() -> Sessions {
    signed_by(&[SECRET])
}

fn signed_by(secrets: &[&str]) -> Sessions {
    let sessions = Sessions::new(secrets).unwrap();
    sessions.timeout_ms(60_000).unwrap()
}

/// The `Cookie` header that a browser sends back.
fn cookie(told: &[String]) -> String {
    assert_eq!(told.len(), 1, "one cookie is set");
    told[0].split(';').next().unwrap().to_owned()
}

async fn load(redis: &Redis, cookie: &str) -> Session {
    redis.run(sessions().load(cookie)).await.unwrap()
}

async fn save(redis: &Redis, session: &mut Session) -> Vec<String> {
    sessions().commit(redis, session).await.unwrap()
}

/// The code of why it is not saved.
async fn unsaved(redis: &Redis, session: &mut Session) -> &'static str {
    let error = sessions().commit(redis, session).await.unwrap_err();
    error.code()
}

/// A new session with this value; its cookie.
async fn begin(redis: &Redis, key: &str, value: i32) -> String {
    let mut session = load(redis, "").await;
    session.set(key, &value).unwrap();
    cookie(&save(redis, &mut session).await)
}

/// A new session of this user; its cookie.
async fn enter(redis: &Redis, user: &str) -> String {
    let mut session = load(redis, "").await;
    session.login(user).unwrap();
    cookie(&save(redis, &mut session).await)
}

async fn status(redis: &Redis, cookie: &str) -> Status {
    load(redis, cookie).await.status()
}
