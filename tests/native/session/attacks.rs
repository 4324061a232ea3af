//! What attackers send.

use futures_util::future::join_all;
use upstash_edge::host::Host;
use upstash_edge::{Cookie, Login, Status};

use super::{SECRET, begin, cookie, enter, load, save, sessions, signed_by, status, unsaved};
use crate::server::Server;

const NAME: &str = "__Host-session=";

#[tokio::test]
async fn what_no_secret_signed_is_refused_without_a_round_trip() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let (anonymous, user) = (begin(&redis, "k", 1).await, enter(&redis, "ada").await);
    let value = |cookie: &str| cookie[NAME.len()..].to_owned();
    let (one, two) = (value(&anonymous), value(&user));
    let flipped = |at: usize| {
        let mut bytes = one.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut forged = vec![
        String::new(),
        "null".to_owned(),
        one[..107].to_owned(),
        one[..65].to_owned(),
        one.clone() + "A",
        one.clone() + "=",
        one.clone() + &one,
        "A".repeat(65_536),
        // The signature of the other.
        one[..65].to_owned() + &two[87..],
        two[..87].to_owned() + &one[65..],
    ];
    forged.extend((0..108).map(flipped));
    let sent = fake.sent().len();
    for value in forged {
        let cookie = String::from(NAME) + &value;
        assert_eq!(status(&redis, &cookie).await, Status::Invalid);
    }
    let other = signed_by(&["another secret of the tests, 32 bytes long"]);
    for sessions in [other, sessions().name("other")] {
        for cookie in [&anonymous, &user] {
            let session = redis.run(sessions.load(cookie)).await.unwrap();
            assert_eq!(session.status(), Status::Invalid);
        }
    }
    assert_eq!(status(&redis, &"; =;\"".repeat(13_000)).await, Status::New);
    assert_eq!(fake.sent().len(), sent);
}

#[tokio::test]
async fn a_tossed_cookie_does_not_shadow_the_genuine_one() {
    let server = Server::start().await;
    let redis = server.client();
    let genuine = enter(&redis, "ada").await;
    let junk = format!("{NAME}{}", "A".repeat(130));
    for header in [
        format!("{junk}; {genuine}"),
        format!("{NAME}; {junk}; a=b; {genuine}; {junk}"),
        format!("{};{genuine}", ";a".repeat(32_000)),
        format!("{NAME}\"{}\"", &genuine[NAME.len()..]),
    ] {
        assert_eq!(load(&redis, &header).await.user_id(), Some("ada"));
    }
}

#[tokio::test]
async fn who_planted_an_id_does_not_become_the_user() {
    let server = Server::start().await;
    let redis = server.client();
    let planted = begin(&redis, "planted", 1).await;
    let mut attacker = load(&redis, &planted).await;
    let mut victim = load(&redis, &planted).await;
    victim.login("ada").unwrap();
    let user = cookie(&save(&redis, &mut victim).await);
    assert_eq!(status(&redis, &planted).await, Status::Expired);
    // Loaded before, used after.
    attacker.set("planted", &2).unwrap();
    assert_eq!(unsaved(&redis, &mut attacker).await, "conflict");
    attacker.rotate();
    assert_eq!(unsaved(&redis, &mut attacker).await, "conflict");
    attacker.login("mallory").unwrap();
    assert_eq!(unsaved(&redis, &mut attacker).await, "conflict");
    attacker.destroy();
    save(&redis, &mut attacker).await;
    let session = load(&redis, &user).await;
    assert_eq!(
        (session.user_id(), session.get("planted")),
        (Some("ada"), Some(1))
    );
    let listed = sessions().list(&redis, "mallory").await.unwrap();
    assert_eq!(listed, []);
}

#[tokio::test]
async fn an_id_that_was_replaced_cannot_hide_the_session_from_its_users_list() {
    let server = Server::start().await;
    let redis = server.client();
    let cookie = enter(&redis, "ada").await;
    let mut leaving = load(&redis, &cookie).await;
    let mut staying = load(&redis, &cookie).await;
    // Twice: the first old id is dead though its grace is not over.
    for _ in 0..2 {
        staying.rotate();
        save(&redis, &mut staying).await;
    }
    leaving.destroy();
    save(&redis, &mut leaving).await;
    assert_eq!(sessions().list(&redis, "ada").await.unwrap().len(), 1);
    assert_eq!(sessions().revoke_all(&redis, "ada").await.unwrap(), 0);
    assert_eq!(sessions().list(&redis, "ada").await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_users_say_writes_no_header_and_no_field_of_ours() {
    let server = Server::start().await;
    let redis = server.client();
    let nasty = [
        "__proto__",
        "constructor",
        "",
        "h",
        "a",
        "u",
        "g",
        "\r\nSet-Cookie: x=1",
        "\u{0}",
        "*",
    ];
    for user in nasty.iter().filter(|user| !user.is_empty()) {
        let mut session = load(&redis, "").await;
        for key in nasty {
            session.set(key, key).unwrap();
            session.flash(key, "flashed").unwrap();
        }
        session.login(Login::of(user).info(user, user)).unwrap();
        let told = save(&redis, &mut session).await;
        assert!(told[0].bytes().all(|b| (b' '..=b'~').contains(&b)));
        let mut session = load(&redis, &cookie(&told)).await;
        assert_eq!(session.user_id(), Some(*user));
        for key in nasty {
            assert_eq!(session.get::<String>(key).as_deref(), Some(key));
            assert_eq!(
                session.take_flash::<String>(key).as_deref(),
                Some("flashed")
            );
        }
        session.clear();
        save(&redis, &mut session).await;
        let after = load(&redis, &cookie(&told)).await;
        assert_eq!((after.user_id(), after.entries().count()), (Some(*user), 0));
        let list = sessions().list(&redis, user).await.unwrap();
        assert_eq!(list[0].info[*user], *user);
    }
}

#[tokio::test]
async fn a_secret_is_rotated_and_nobody_is_logged_out() {
    const NEWER: &str = "a newer secret of the tests, 32 bytes or more";
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut old = load(&redis, "").await;
    old.login(Login::of("ada").persistent()).unwrap();
    let first = cookie(&save(&redis, &mut old).await);
    let both = signed_by(&[NEWER, SECRET]);
    let mut session = redis.run(both.load(&first)).await.unwrap();
    assert_eq!(session.user_id(), Some("ada"));
    // Signed anew at its next save, which costs no round trip; the browser keeps it as long as before.
    let sent = fake.sent().len();
    let told = redis.run(both.save(&mut session)).await.unwrap();
    assert!(told[0].ends_with("; Max-Age=86400"));
    assert!(redis.run(both.save(&mut session)).await.unwrap().is_empty());
    assert_eq!(fake.sent().len(), sent);
    let newer = signed_by(&[NEWER]);
    let session = redis.run(newer.load(&cookie(&told))).await.unwrap();
    assert_eq!(session.user_id(), Some("ada"));
    let session = redis.run(newer.load(&first)).await.unwrap();
    assert_eq!(session.status(), Status::Invalid);
    assert!(fake.now() > 0);
}

#[tokio::test]
async fn secrets_change_under_live_traffic_and_every_user_stays() {
    const NEWER: &str = "a newer secret of the tests, 32 bytes or more";
    let server = Server::start().await;
    let redis = server.client();
    let stages = [
        signed_by(&[SECRET]),
        signed_by(&[SECRET, NEWER]),
        signed_by(&[NEWER, SECRET]),
        signed_by(&[NEWER]),
    ];
    let browsers = (0..16).map(|n| {
        let (redis, stages) = (&redis, &stages);
        async move {
            let user = format!("user {n}");
            let mut held = enter(redis, &user).await;
            for request in 0..40_usize {
                let stage = request / 10;
                // While a change spreads, half of the isolates are still a stage behind.
                let behind = stage < 3 && request % 10 < 5 && (request + n) % 2 == 0;
                let sessions = &stages[stage.saturating_sub(usize::from(behind))];
                let mut session = redis.run(sessions.load(&held)).await.unwrap();
                assert_eq!(session.user_id(), Some(user.as_str()), "request {request}");
                if request % 3 == 0 {
                    session.set("request", &request).unwrap();
                }
                let told = redis.run(sessions.save(&mut session)).await.unwrap();
                if !told.is_empty() {
                    held = cookie(&told);
                }
            }
        }
    });
    join_all(browsers).await;
}

#[tokio::test]
async fn a_csrf_token_holds_for_its_session_until_the_id_changes() {
    let server = Server::start().await;
    let redis = server.client();
    let sessions = sessions();
    // A form on a page for nobody in particular makes a session.
    let mut session = load(&redis, "").await;
    let token = sessions.csrf_token(&mut session).unwrap();
    let told = cookie(&save(&redis, &mut session).await);
    let mut session = load(&redis, &told).await;
    assert!(sessions.verify_csrf(&session, &token));
    assert_ne!(sessions.csrf_token(&mut session).unwrap(), token);
    assert!(save(&redis, &mut session).await.is_empty());
    for forged in ["", &token[1..], &(token.clone() + "A"), &"A".repeat(86)] {
        assert!(!sessions.verify_csrf(&session, forged));
    }
    let other = load(&redis, &begin(&redis, "k", 1).await).await;
    assert!(!sessions.verify_csrf(&other, &token));
    assert!(!sessions.verify_csrf(&load(&redis, "").await, &token));
    for login in [false, true] {
        // What the answer to the rotation shows is for the id that it sets.
        session.rotate();
        let mut shown = sessions.csrf_token(&mut session).unwrap();
        if login {
            session.login("ada").unwrap();
            shown = sessions.csrf_token(&mut session).unwrap();
        }
        let told = cookie(&save(&redis, &mut session).await);
        session = load(&redis, &told).await;
        assert!(sessions.verify_csrf(&session, &shown));
        assert!(!sessions.verify_csrf(&session, &token));
    }
}

#[tokio::test]
async fn a_cookie_of_another_name_and_shape_works_for_development() {
    let server = Server::start().await;
    let redis = server.client();
    let plain = sessions()
        .cookie(Cookie::named("id").secure(false))
        .unwrap();
    let mut session = redis.run(plain.load("")).await.unwrap();
    session.set("k", &1).unwrap();
    let told = redis.run(plain.save(&mut session)).await.unwrap();
    assert!(told[0].starts_with("id=") && !told[0].contains("Secure"));
    let session = redis.run(plain.load(&cookie(&told))).await.unwrap();
    assert_eq!(session.get("k"), Some(1));
}
