//! The edge on plain data, against a real Redis: what one trip reads, and what is made of it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use upstash_edge::host::LocalFuture;
use upstash_edge::{
    Closed, Edge, Identifier, Limit, OnSessionFailure, RateLimiter, Redis, Sessions, Source, Status,
};

use crate::server::Server;

const SECRET: &str = "a secret of the tests, 32 bytes long or more";

fn edge(limit: u32) -> Edge {
    let limit = Limit::sliding_window(limit, Duration::from_secs(60)).unwrap();
    let limiter = RateLimiter::new(limit).timeout_ms(60_000).unwrap();
    let sessions = Sessions::new(&[SECRET])
        .unwrap()
        .timeout_ms(60_000)
        .unwrap();
    Edge::new().limiter(limiter).sessions(sessions)
}

fn id(name: &str) -> Option<Identifier> {
    Some(name.into())
}

/// A view of the client that counts its requests.
fn counted(redis: &Redis) -> (Redis, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let seen = Rc::clone(&count);
    (redis.observed(move |_| seen.set(seen.get() + 1)), count)
}

fn inline(_: LocalFuture<'static, ()>) {
    panic!("nothing is left for later");
}

/// The cookie of a new session in which `n` is 1.
async fn begun(redis: &Redis, edge: &Edge) -> String {
    let mut visit = redis.run(edge.open(None, "")).await.unwrap();
    visit.session().unwrap().set("n", &1).unwrap();
    let closed = edge.close(redis, &mut visit, None, inline).await.unwrap();
    assert_eq!(closed.cache_control.as_deref(), Some("private, no-store"));
    let [cookie] = closed.cookies.try_into().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_limit_and_a_session_are_one_request_and_a_remembered_refusal_none() {
    let server = Server::start().await;
    let (redis, count) = counted(&server.client());
    let edge = edge(1);
    let cookie = begun(&redis, &edge).await;
    // From here on the server knows the scripts.
    redis.run(edge.open(id("nobody"), &cookie)).await.unwrap();
    count.set(0);

    let mut visit = redis.run(edge.open(id("ada"), &cookie)).await.unwrap();
    assert_eq!((visit.is_allowed(), count.get()), (true, 1));
    assert_eq!(visit.session().unwrap().get::<i32>("n"), Some(1));

    let mut refused = redis.run(edge.open(id("ada"), &cookie)).await.unwrap();
    assert_eq!((refused.is_allowed(), count.get()), (false, 2));
    assert!(refused.session().is_none());

    let remembered = redis.run(edge.open(id("ada"), &cookie)).await.unwrap();
    assert_eq!(remembered.decision.unwrap().source, Source::Memory);
    assert_eq!(count.get(), 2);
}

#[tokio::test]
async fn what_was_not_touched_is_neither_saved_nor_private() {
    let server = Server::start().await;
    let (redis, count) = counted(&server.client());
    let edge = edge(9);
    let mut visit = redis.run(edge.open(id("ada"), "")).await.unwrap();
    let before = count.get();
    let told = Some("max-age=60");
    let closed = edge.close(&redis, &mut visit, told, inline).await.unwrap();
    assert!(closed.is_shared && closed.cookies.is_empty());
    assert_eq!((closed.cache_control, count.get()), (None, before));

    visit.session();
    let Closed {
        cache_control,
        is_shared,
        ..
    } = edge.close(&redis, &mut visit, told, inline).await.unwrap();
    assert_eq!(cache_control.as_deref(), Some("private, max-age=60"));
    assert_eq!((is_shared, count.get()), (false, before));
}

#[tokio::test]
async fn a_change_is_saved_behind_the_answer_only_where_it_has_no_cookie_to_tell() {
    let server = Server::start().await;
    let redis = server.client();
    let edge = edge(9).save_in_background(true);
    // A new session has one.
    let cookie = begun(&redis, &edge).await;
    let mut visit = redis.run(edge.open(None, &cookie)).await.unwrap();
    visit.session().unwrap().set("n", &2).unwrap();
    let mut later = None;
    let background = |save| later = Some(save);
    let closed = edge
        .close(&redis, &mut visit, None, background)
        .await
        .unwrap();
    assert!(closed.cookies.is_empty());
    later.expect("it is saved later").await;
    let mut visit = redis.run(edge.open(None, &cookie)).await.unwrap();
    assert_eq!(visit.session().unwrap().get::<i32>("n"), Some(2));
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_anonymous_or_nobodys_and_is_not_replaced() {
    let mut server = Server::alone().await;
    let redis = server.client();
    let anonymous = edge(9);
    let cookie = begun(&redis, &anonymous).await;
    server.kill_redis();

    let mut visit = redis.run(anonymous.open(id("ada"), &cookie)).await.unwrap();
    assert_eq!(visit.decision.as_ref().unwrap().source, Source::Failure);
    assert!(
        visit
            .session_error()
            .is_some_and(upstash_edge::EdgeError::is_outage)
    );
    assert_eq!(visit.session().unwrap().status(), Status::New);
    // As it was, it is as good as none.
    let closed = anonymous.close(&redis, &mut visit, None, inline).await;
    assert!(closed.unwrap().cookies.is_empty());
    visit.session().unwrap().set("n", &2).unwrap();
    let closed = anonymous.close(&redis, &mut visit, None, inline).await;
    assert!(closed.unwrap_err().is_outage());

    let strict = anonymous.on_session_failure(OnSessionFailure::Refuse);
    let refused = redis.run(strict.open(id("ada"), &cookie)).await;
    assert!(refused.err().unwrap().is_outage());
}
