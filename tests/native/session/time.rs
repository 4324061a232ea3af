//! Sessions under clocks that differ and saves that are too large.

use upstash_edge::host::Host;
use upstash_edge::{Session, Status};

use super::{MINUTE, cookie, load, sessions};
use crate::server::Server;

fn times(session: &Session, now: u64) -> (u64, u64) {
    (now - session.created_at(), session.expires_at() - now)
}

#[tokio::test]
async fn idle_and_absolute_limits_hold_to_the_millisecond() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut session = load(&redis, "").await;
    session.set("k", &1).unwrap();
    let cookie = cookie(&redis.run(sessions().save(&mut session)).await.unwrap());
    assert_eq!(times(&session, fake.now()), (0, 30 * MINUTE));
    fake.advance(30 * MINUTE - 1);
    let session = load(&redis, &cookie).await;
    assert_eq!(times(&session, fake.now()), (30 * MINUTE - 1, 30 * MINUTE));
    // Visits keep it alive, up to the end that was set when it began.
    for _ in 0..47 {
        fake.advance(30 * MINUTE - 1);
        assert_eq!(load(&redis, &cookie).await.status(), Status::Valid);
    }
    let left = load(&redis, &cookie).await.expires_at() - fake.now();
    assert_eq!(left, 48);
    fake.advance(47);
    assert_eq!(load(&redis, &cookie).await.status(), Status::Valid);
    fake.advance(1);
    assert_eq!(load(&redis, &cookie).await.status(), Status::Expired);
}

#[tokio::test]
async fn an_idle_session_is_over_and_a_late_save_does_not_revive_it() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut session = load(&redis, "").await;
    session.set("k", &1).unwrap();
    let cookie = cookie(&redis.run(sessions().save(&mut session)).await.unwrap());
    fake.advance(30 * MINUTE);
    session.set("k", &2).unwrap();
    let error = redis.run(sessions().save(&mut session)).await.unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert_eq!(load(&redis, &cookie).await.status(), Status::Expired);
}

#[tokio::test]
async fn one_server_whose_clock_lags_ends_nobodys_session() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let honest = fake.now();
    let mut session = load(&redis, "").await;
    session.set("k", &1).unwrap();
    let cookie = cookie(&redis.run(sessions().save(&mut session)).await.unwrap());
    fake.set_now(honest - 31 * MINUTE);
    let mut lagging = load(&redis, &cookie).await;
    lagging.set("k", &2).unwrap();
    redis.run(sessions().save(&mut lagging)).await.unwrap();
    fake.set_now(honest + 1);
    let session = load(&redis, &cookie).await;
    assert_eq!(
        (session.status(), session.get("k")),
        (Status::Valid, Some(2))
    );
}

#[tokio::test]
async fn too_much_at_once_is_refused_before_it_is_sent_and_the_session_is_whole() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut session = load(&redis, "").await;
    for n in 0..1_000 {
        session.set(&n.to_string(), &n).unwrap();
    }
    let told = redis.run(sessions().save(&mut session)).await.unwrap();
    let cookie = cookie(&told);
    let before = fake.sent().len();
    session.login("ada").unwrap();
    for n in 0..1_001 {
        session.set(&n.to_string(), "changed").unwrap();
    }
    let error = sessions().commit(&redis, &mut session).await.unwrap_err();
    assert_eq!(error.code(), "too_large");
    session.set("0", &"x".repeat(70_000)).unwrap();
    let error = sessions().commit(&redis, &mut session).await.unwrap_err();
    assert_eq!(error.code(), "too_large");
    assert_eq!(fake.sent().len(), before);
    let mut session = load(&redis, &cookie).await;
    assert_eq!(
        (session.status(), session.get("999")),
        (Status::Valid, Some(999))
    );

    // As much as is allowed moves with a login.
    session.login("ada").unwrap();
    for n in 0..1_000 {
        session.set(&n.to_string(), &-n).unwrap();
    }
    let told = sessions().commit(&redis, &mut session).await.unwrap();
    let user = load(&redis, &self::cookie(&told)).await;
    assert_eq!((user.user_id(), user.get("999")), (Some("ada"), Some(-999)));
}
