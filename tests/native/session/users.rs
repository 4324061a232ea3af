//! Logins, rotation, lists and revocation.

use upstash_edge::commands::command;
use upstash_edge::host::Host;
use upstash_edge::{Login, Status};

use super::{MINUTE, begin, cookie, enter, load, save, sessions, status, unsaved};
use crate::server::Server;

#[tokio::test]
async fn a_list_tells_the_users_own_sessions_and_a_handle_revokes_one() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let began = fake.now();
    let mut session = load(&redis, "").await;
    let laptop = Login::of("ada")
        .info("device", "laptop \"2\"\n")
        .info("place", "K\u{f6}ln");
    session
        .login(laptop.absolute_ms(2 * 24 * 60 * MINUTE))
        .unwrap();
    let first = cookie(&save(&redis, &mut session).await);
    fake.advance(MINUTE);
    let second = enter(&redis, "ada").await;
    let other = enter(&redis, "grace").await;
    fake.advance(MINUTE);
    load(&redis, &first).await;

    let list = sessions().list(&redis, "ada").await.unwrap();
    assert_eq!(list.len(), 2);
    let told = |n: usize| (list[n].created_at, list[n].last_seen_at, list[n].expires_at);
    let seen = began + 2 * MINUTE;
    assert_eq!(told(0), (began, seen, seen + 30 * MINUTE));
    assert_eq!(
        told(1),
        (began + MINUTE, began + MINUTE, began + 31 * MINUTE)
    );
    assert_eq!(list[0].info["device"], "laptop \"2\"\n");
    assert_eq!(list[0].info["place"], "K\u{f6}ln");
    assert!(list[1].info.is_empty());

    // Nobody revokes another's, and what is no handle names nothing.
    let handle = list[0].handle.as_str();
    for (user, handle) in [("grace", handle), ("ada", "no handle"), ("ada", "")] {
        let revoke = sessions().revoke(user, handle);
        assert!(!redis.run(revoke).await.unwrap());
    }
    let mut late = load(&redis, &first).await;
    assert!(redis.run(sessions().revoke("ada", handle)).await.unwrap());
    assert!(!redis.run(sessions().revoke("ada", handle)).await.unwrap());
    assert_eq!(status(&redis, &first).await, Status::Expired);
    assert_eq!(status(&redis, &second).await, Status::Valid);
    assert_eq!(status(&redis, &other).await, Status::Valid);
    // Nor does a late save bring it back, nor a late login.
    late.set("k", &1).unwrap();
    assert_eq!(unsaved(&redis, &mut late).await, "conflict");
    late.login("ada").unwrap();
    assert_eq!(unsaved(&redis, &mut late).await, "conflict");
    assert_eq!(status(&redis, &first).await, Status::Expired);
    assert_eq!(sessions().list(&redis, "ada").await.unwrap().len(), 1);
    assert_eq!(sessions().list(&redis, "nobody").await.unwrap(), []);
}

#[tokio::test]
async fn revoking_all_ends_every_session_but_the_one_that_asks() {
    let server = Server::start().await;
    let redis = server.client();
    let (one, two, three) = (
        enter(&redis, "ada").await,
        enter(&redis, "ada").await,
        enter(&redis, "ada").await,
    );
    let other = enter(&redis, "grace").await;
    let mut asking = load(&redis, &one).await;
    let mut stale = load(&redis, &two).await;
    let revoked = sessions().revoke_others(&redis, "ada", &mut asking).await;
    assert_eq!(revoked.unwrap(), 2);
    let found = |cookie| status(&redis, cookie);
    assert_eq!(found(&one).await, Status::Valid);
    assert_eq!(found(&two).await, Status::Expired);
    assert_eq!(found(&three).await, Status::Expired);
    assert_eq!(found(&other).await, Status::Valid);
    assert_eq!(sessions().list(&redis, "ada").await.unwrap().len(), 1);

    // Who was revoked does not survive by revoking the others.
    let revoked = sessions().revoke_others(&redis, "ada", &mut stale).await;
    assert_eq!(revoked.unwrap(), 1);
    assert_eq!(found(&two).await, Status::Expired);
    assert_eq!(found(&one).await, Status::Expired);

    // Another user's session is no exception, and is not touched.
    let mut session = load(&redis, &other).await;
    let four = enter(&redis, "ada").await;
    let revoked = sessions().revoke_others(&redis, "ada", &mut session).await;
    assert_eq!(revoked.unwrap(), 1);
    assert_eq!(found(&four).await, Status::Expired);
    assert_eq!(found(&other).await, Status::Valid);
    assert_eq!(sessions().revoke_all(&redis, "ada").await.unwrap(), 0);
    assert_eq!(sessions().revoke_all(&redis, "grace").await.unwrap(), 1);
    assert_eq!(found(&other).await, Status::Expired);
    assert_eq!(sessions().revoke_all(&redis, "nobody").await.unwrap(), 0);
}

#[tokio::test]
async fn of_two_that_revoke_each_other_neither_survives_the_other() {
    let server = Server::start().await;
    let redis = server.client();
    let (one, two) = (enter(&redis, "ada").await, enter(&redis, "ada").await);
    let (mut first, mut second) = (load(&redis, &one).await, load(&redis, &two).await);
    for session in [&mut first, &mut second] {
        let revoked = sessions().revoke_others(&redis, "ada", session).await;
        revoked.unwrap();
    }
    assert_eq!(status(&redis, &one).await, Status::Expired);
    assert_eq!(status(&redis, &two).await, Status::Expired);
}

#[tokio::test]
async fn a_spared_session_goes_on_and_may_spare_itself_again() {
    let server = Server::start().await;
    let redis = server.client();
    let one = enter(&redis, "ada").await;
    let mut session = load(&redis, &one).await;
    for _ in 0..3 {
        enter(&redis, "ada").await;
        let revoked = sessions().revoke_others(&redis, "ada", &mut session).await;
        assert_eq!(revoked.unwrap(), 1);
    }
    session.set("k", &1).unwrap();
    save(&redis, &mut session).await;
    assert_eq!(load(&redis, &one).await.get("k"), Some(1));
}

#[tokio::test]
async fn a_login_that_a_revocation_overtakes_is_no_login() {
    let server = Server::start().await;
    let redis = server.client();
    let one = enter(&redis, "ada").await;
    // Loaded before the revocation, and rotated or written after it.
    let mut session = load(&redis, &one).await;
    sessions().revoke_all(&redis, "ada").await.unwrap();
    session.rotate();
    session.set("k", &1).unwrap();
    if let Ok(told) = sessions().commit(&redis, &mut session).await {
        assert_eq!(status(&redis, &cookie(&told)).await, Status::Expired);
    }
    assert_eq!(status(&redis, &one).await, Status::Expired);
}

#[tokio::test]
async fn eviction_of_any_key_revives_nobody() {
    // KEYS asks one node.
    let server = Server::alone().await;
    for evicted in 0..3 {
        let redis = server.client();
        let user = format!("ada-{evicted}");
        let revoked = enter(&redis, &user).await;
        sessions().revoke_all(&redis, &user).await.unwrap();
        let before: Vec<String> = redis.run(command("KEYS", &["*".into()])).await.unwrap();
        let live = enter(&redis, &user).await;
        let kinds = ["}:g", "}:i", "}:s:"];
        let after: Vec<String> = redis.run(command("KEYS", &["*".into()])).await.unwrap();
        let gone = after.iter().filter(|key| {
            let fresh = evicted < 2 || !before.contains(key);
            fresh && key.contains(kinds[evicted])
        });
        for key in gone {
            let deleted: i64 = redis.run(command("DEL", &[key.into()])).await.unwrap();
            assert_eq!(deleted, 1);
        }
        let found = status(&redis, &live).await;
        assert_eq!(found == Status::Valid, evicted == 1);
        enter(&redis, &user).await;
        assert_eq!(status(&redis, &revoked).await, Status::Expired);
        assert_eq!(status(&redis, &live).await, found);
    }
}

#[tokio::test]
async fn after_a_rotation_the_old_id_is_let_through_for_the_grace_and_gets_no_new_cookie() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let old = enter(&redis, "ada").await;
    let (mut one, mut two) = (load(&redis, &old).await, load(&redis, &old).await);
    one.rotate();
    let new = cookie(&save(&redis, &mut one).await);
    assert_ne!(old, new);
    // It had the old id in hand when it was replaced.
    two.rotate();
    two.set("two", &2).unwrap();
    assert!(save(&redis, &mut two).await.is_empty());
    // It comes with the old id.
    fake.advance(9_999);
    let mut late = load(&redis, &old).await;
    assert_eq!((late.user_id(), late.get("two")), (Some("ada"), Some(2)));
    late.rotate();
    late.set("late", &3).unwrap();
    assert!(save(&redis, &mut late).await.is_empty());
    // It must not get a new id by a login either.
    late.login("ada").unwrap();
    assert_eq!(unsaved(&redis, &mut late).await, "conflict");
    let mut current = load(&redis, &new).await;
    assert_eq!(
        (current.get("two"), current.get("late")),
        (Some(2), Some(3))
    );
    assert_eq!(sessions().list(&redis, "ada").await.unwrap().len(), 1);

    fake.advance(1);
    assert_eq!(status(&redis, &old).await, Status::Expired);
    let mut replayed = two;
    replayed.set("two", &4).unwrap();
    assert_eq!(unsaved(&redis, &mut replayed).await, "conflict");
    // A second rotation within the grace of the first ends the first's old id.
    current.rotate();
    let newer = cookie(&save(&redis, &mut current).await);
    current.rotate();
    let newest = cookie(&save(&redis, &mut current).await);
    assert_eq!(status(&redis, &new).await, Status::Expired);
    assert_eq!(status(&redis, &newer).await, Status::Valid);
    assert_eq!(status(&redis, &newest).await, Status::Valid);
    // A login leaves no grace at all.
    current.login("ada").unwrap();
    let user = cookie(&save(&redis, &mut current).await);
    for ended in [&newer, &newest] {
        assert_eq!(status(&redis, ended).await, Status::Expired);
    }
    // Ended by the old id within the grace it is ended for all.
    let mut session = load(&redis, &user).await;
    let mut leaving = load(&redis, &user).await;
    session.rotate();
    let rotated = cookie(&save(&redis, &mut session).await);
    leaving.destroy();
    assert!(cookie(&save(&redis, &mut leaving).await).ends_with('='));
    assert_eq!(status(&redis, &rotated).await, Status::Expired);
    assert_eq!(sessions().list(&redis, "ada").await.unwrap(), []);
}

#[tokio::test]
async fn a_login_keeps_the_data_and_changes_whose_it_is() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let anonymous = begin(&redis, "cart", 1).await;
    let mut session = load(&redis, &anonymous).await;
    let remembered = Login::of("ada").absolute_ms(90 * 60_000).persistent();
    session.login(remembered).unwrap();
    let told = save(&redis, &mut session).await;
    assert!(told[0].ends_with("; Max-Age=5400"), "{}", told[0].len());
    let ada = cookie(&told);
    session.login("grace").unwrap();
    let told = save(&redis, &mut session).await;
    assert!(told[0].ends_with("; SameSite=Lax"));
    let grace = cookie(&told);
    for ended in [&anonymous, &ada] {
        assert_eq!(status(&redis, ended).await, Status::Expired);
    }
    let session = load(&redis, &grace).await;
    assert_eq!(
        (session.user_id(), session.get("cart")),
        (Some("grace"), Some(1))
    );
    assert_eq!(sessions().list(&redis, "ada").await.unwrap(), []);
    assert_eq!(sessions().revoke_all(&redis, "ada").await.unwrap(), 0);
    assert_eq!(status(&redis, &grace).await, Status::Valid);
    // Nobody can be told apart from a user without a name.
    let mut session = load(&redis, &grace).await;
    assert_eq!(session.login("").unwrap_err().code(), "invalid_argument");
    let endless = Login::of("ada").absolute_ms(0);
    assert_eq!(session.login(endless).unwrap_err().code(), "invalid_config");
    let sent = fake.sent().len();
    session.login("ada").unwrap();
    let error = redis.run(sessions().save(&mut session)).await.unwrap_err();
    assert_eq!(
        (error.code(), fake.sent().len()),
        ("invalid_argument", sent)
    );
}
