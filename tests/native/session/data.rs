//! What requests that run side by side make of one session.

use upstash_edge::host::Fault;

use super::{begin, cookie, load, save, sessions, unsaved};
use crate::server::Server;

#[tokio::test]
async fn a_conflict_tells_both_values_and_an_overwrite_has_none() {
    let server = Server::start().await;
    let redis = server.client();
    let cookie = begin(&redis, "a", 0).await;
    let mut one = load(&redis, &cookie).await;
    let mut two = load(&redis, &cookie).await;
    one.set("a", &1).unwrap();
    one.set("b", &1).unwrap();
    save(&redis, &mut one).await;
    two.set("a", &2).unwrap();
    two.delete("b");
    two.set("b", &2).unwrap();
    assert_eq!(unsaved(&redis, &mut two).await, "conflict");
    let told = two.conflicts().iter().map(|it| {
        let text = |json: &Option<String>| json.clone().unwrap_or_default();
        (it.key.clone(), text(&it.ours), text(&it.theirs))
    });
    let told: Vec<_> = told.collect();
    let both = |key: &str| (key.to_owned(), "2".to_owned(), "1".to_owned());
    assert_eq!(told, [both("a"), both("b")]);
    // Asked again it conflicts again: nothing is overwritten by insisting.
    assert_eq!(unsaved(&redis, &mut two).await, "conflict");
    two.overwrite("a", &2).unwrap();
    two.overwrite("b", &3).unwrap();
    save(&redis, &mut two).await;
    assert!(two.conflicts().is_empty());
    let after = load(&redis, &cookie).await;
    assert_eq!((after.get("a"), after.get("b")), (Some(2), Some(3)));
}

#[tokio::test]
async fn what_is_deleted_twice_is_no_conflict_and_what_is_changed_beside_a_deletion_is() {
    let server = Server::start().await;
    let redis = server.client();
    let cookie = begin(&redis, "a", 0).await;
    let loaded = || load(&redis, &cookie);
    let (mut one, mut two, mut three) = (loaded().await, loaded().await, loaded().await);
    one.delete("a");
    two.delete("a");
    three.set("a", &3).unwrap();
    save(&redis, &mut one).await;
    save(&redis, &mut two).await;
    assert_eq!(unsaved(&redis, &mut three).await, "conflict");
    assert!(three.conflicts()[0].theirs.is_none());
    let (mut one, mut two) = (loaded().await, loaded().await);
    one.overwrite("a", &4).unwrap();
    save(&redis, &mut one).await;
    let (mut late, mut changed) = (loaded().await, loaded().await);
    changed.set("a", &5).unwrap();
    save(&redis, &mut changed).await;
    late.delete("a");
    assert_eq!(unsaved(&redis, &mut late).await, "conflict");
    // It never saw the key, so it deletes nothing.
    two.delete("a");
    save(&redis, &mut two).await;
    assert_eq!(loaded().await.get("a"), Some(5));
}

#[tokio::test]
async fn a_clear_and_a_set_conflict_in_either_order() {
    let server = Server::start().await;
    let redis = server.client();
    for set_first in [true, false] {
        let cookie = begin(&redis, "old", 0).await;
        let mut clearing = load(&redis, &cookie).await;
        let mut setting = load(&redis, &cookie).await;
        clearing.clear();
        clearing.set("kept", &1).unwrap();
        setting.set("new", &2).unwrap();
        let [first, second] = if set_first {
            [&mut setting, &mut clearing]
        } else {
            [&mut clearing, &mut setting]
        };
        save(&redis, first).await;
        assert_eq!(unsaved(&redis, second).await, "conflict");
        let after = load(&redis, &cookie).await;
        let found = [after.get("old"), after.get("kept"), after.get("new")];
        let expected = if set_first {
            [Some(0), None, Some(2)]
        } else {
            [None, Some(1), None]
        };
        assert_eq!(found, expected);
    }
    // Two that clear agree; and who cleared may go on.
    let cookie = begin(&redis, "old", 0).await;
    let (mut one, mut two) = (load(&redis, &cookie).await, load(&redis, &cookie).await);
    for session in [&mut one, &mut two] {
        session.clear();
        save(&redis, session).await;
    }
    two.set("old", &7).unwrap();
    save(&redis, &mut two).await;
    two.clear();
    two.set("last", &8).unwrap();
    save(&redis, &mut two).await;
    let after = load(&redis, &cookie).await;
    assert_eq!(
        (after.get::<i32>("old"), after.get("last")),
        (None, Some(8))
    );
}

#[tokio::test]
async fn a_flash_is_read_once_and_by_two_at_once_without_conflict() {
    let server = Server::start().await;
    let redis = server.client();
    let mut session = load(&redis, "").await;
    session.flash("notice", "saved").unwrap();
    session.flash("gone", "at once").unwrap();
    assert_eq!(
        session.take_flash::<String>("gone").as_deref(),
        Some("at once")
    );
    let cookie = cookie(&save(&redis, &mut session).await);
    let (mut one, mut two) = (load(&redis, &cookie).await, load(&redis, &cookie).await);
    // It is no data.
    assert!(one.get::<String>("notice").is_none() && one.entries().count() == 0);
    for session in [&mut one, &mut two] {
        let read = session.take_flash::<String>("notice");
        assert_eq!(read.as_deref(), Some("saved"));
        assert_eq!(session.take_flash::<String>("notice"), None);
        save(&redis, session).await;
    }
    let mut after = load(&redis, &cookie).await;
    assert_eq!(after.take_flash::<String>("notice"), None);
    assert_eq!(after.take_flash::<String>("gone"), None);
}

#[tokio::test]
async fn a_save_whose_answer_is_lost_is_repeated_and_does_not_conflict_with_itself() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut session = load(&redis, "").await;
    session.set("a", &1).unwrap();
    // The first use teaches the client which form of the scripts this server takes.
    save(&redis, &mut session).await;
    let mut session = load(&redis, "").await;
    session.set("a", &1).unwrap();
    let lost = || fake.push(Fault::LostAnswer);
    lost();
    let first = cookie(&save(&redis, &mut session).await);
    session.set("a", &2).unwrap();
    session.delete("b");
    lost();
    assert!(save(&redis, &mut session).await.is_empty());
    session.set("a", &3).unwrap();
    session.rotate();
    lost();
    let rotated = cookie(&save(&redis, &mut session).await);
    assert_ne!(rotated, first);
    // Known by what it wrote: the next save of the same key finds its own value.
    session.set("a", &4).unwrap();
    lost();
    save(&redis, &mut session).await;
    session.clear();
    session.set("c", &5).unwrap();
    lost();
    save(&redis, &mut session).await;
    session.set("c", &6).unwrap();
    session.login("ada").unwrap();
    lost();
    lost();
    let user = cookie(&save(&redis, &mut session).await);
    let after = load(&redis, &user).await;
    assert_eq!((after.user_id(), after.get("c")), (Some("ada"), Some(6)));
    assert_eq!(after.get::<i32>("a"), None);
    let listed = sessions().list(&redis, "ada").await.unwrap();
    assert_eq!(listed.len(), 1);
    lost();
    assert_eq!(sessions().revoke_all(&redis, "ada").await.unwrap(), 1);
    assert!(load(&redis, &user).await.is_new());
}

#[tokio::test]
async fn what_did_not_change_costs_nothing() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cookie = begin(&redis, "a", 1).await;
    let mut session = load(&redis, &cookie).await;
    let sent = fake.sent().len();
    session.set("a", &1).unwrap();
    session.set("b", &1).unwrap();
    session.delete("b");
    session.delete("never was");
    assert!(save(&redis, &mut session).await.is_empty());
    assert!(save(&redis, &mut load(&redis, "").await).await.is_empty());
    assert_eq!(fake.sent().len(), sent);
}
