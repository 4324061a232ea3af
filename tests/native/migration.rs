//! A migration: the races and failures with stores that play them, and the whole of it before a real Redis.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Value, json};
use upstash_edge::host::{Fake, Native};
use upstash_edge::{Cache, CacheStore, Migration, MigrationPhase, Store};

use crate::server::Server;

/// A store that fails and is silent as a test wants it; clones are one store.
#[derive(Clone, Default)]
struct Played(Rc<Play>);

#[derive(Default)]
struct Play {
    values: RefCell<HashMap<String, Value>>,
    asked: Cell<usize>,
    ill: Cell<bool>,
    silent: Cell<bool>,
    /// What somebody else does while a put is on its way.
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
}

#[derive(Debug, PartialEq)]
struct Ill;

impl Played {
    fn of(entries: &[(&str, Value)]) -> Self {
        let played = Self::default();
        for (key, value) in entries {
            played.put(key, value.clone());
        }
        played
    }

    fn put(&self, key: &str, value: Value) {
        self.0.values.borrow_mut().insert(key.to_owned(), value);
    }

    fn holds(&self, key: &str) -> Option<Value> {
        self.0.values.borrow().get(key).cloned()
    }

    async fn asked(&self) -> Result<(), Ill> {
        self.0.asked.set(self.0.asked.get() + 1);
        if self.0.silent.get() {
            std::future::pending::<()>().await;
        }
        if self.0.ill.get() { Err(Ill) } else { Ok(()) }
    }
}

impl Store for Played {
    type Value = Value;
    type Error = Ill;

    async fn get(&self, key: &str) -> Result<Option<Value>, Ill> {
        self.asked().await?;
        Ok(self.holds(key))
    }

    async fn set(&self, key: &str, value: &Value) -> Result<(), Ill> {
        self.asked().await?;
        if let Some(meanwhile) = self.0.meanwhile.take() {
            meanwhile();
        }
        self.put(key, value.clone());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Ill> {
        self.asked().await?;
        self.0.values.borrow_mut().remove(key);
        Ok(())
    }
}

/// All of it read from the new store, by a clock that is set by hand.
fn cut_over(from: &Played, to: &Played) -> (Migration<Played, Played>, Fake) {
    let fake = Fake::new();
    let migration = Migration::new(from.clone(), to.clone(), fake.clone());
    (migration.share(100.0).unwrap(), fake)
}

#[tokio::test]
async fn from_a_store_to_redis_parallel_half_all_gone_and_back() {
    let mut server = Server::alone().await;
    let old = Played::default();
    let new = CacheStore::new(server.client(), Cache::new().name("moved"));
    let migration = Migration::new(old, new, Native::default())
        .compare(100.0)
        .and_then(|migration| migration.timeout_ms(10_000))
        .unwrap();
    let key = |n: u32| format!("report:{n}");
    for n in 0..100 {
        migration.set(&key(n), &json!({ "n": n })).await.unwrap();
    }
    let read = async |migration: &Migration<Played, CacheStore<Value>>| {
        for n in 0..100 {
            let read = migration.get(&key(n)).await;
            assert_eq!(read, Ok(Some(json!({ "n": n }))));
        }
        migration.stats()
    };
    let stats = read(&migration).await;
    assert_eq!(stats.phase, MigrationPhase::Parallel);
    assert_eq!(
        (stats.reads.old, stats.writes.both, stats.compared.same),
        (100, 100, 100)
    );

    migration.set_share(50.0).unwrap();
    let half = read(&migration).await;
    assert!((26..75).contains(&half.reads.new), "{}", half.reads.new);

    migration.set_share(100.0).unwrap();
    let all = read(&migration).await;
    assert_eq!(all.reads.new - half.reads.new, 100);
    assert_eq!(
        (
            all.compared.same,
            all.compared.different,
            all.compared.missing
        ),
        (300, 0, 0)
    );

    server.kill_redis();
    let gone = read(&migration).await;
    assert_eq!(gone.reads.new, all.reads.new);

    let off = migration.switch(Some("false"));
    let asked = off.stats().latency.new.count;
    let back = read(&off).await;
    assert_eq!(
        (back.phase, back.reads.switched_off),
        (MigrationPhase::Off, 100)
    );
    assert_eq!(back.latency.new.count, asked);
}

#[tokio::test]
async fn a_back_fill_that_a_delete_overtakes_is_undone() {
    let (from, to) = (Played::of(&[("k", json!(1))]), Played::default());
    let (migration, _) = cut_over(&from, &to);
    let gone = from.clone();
    let delete = move || drop(gone.0.values.borrow_mut().remove("k"));
    *to.0.meanwhile.borrow_mut() = Some(Box::new(delete));
    assert_eq!(migration.get("k").await, Ok(Some(json!(1))));
    assert_eq!((migration.get("k").await, to.holds("k")), (Ok(None), None));
    assert_eq!(migration.stats().backfills.undone, 1);
}

#[tokio::test]
async fn of_two_writers_in_different_orders_the_new_store_keeps_neither_that_is_wrong() {
    let (from, to) = (Played::default(), Played::default());
    let (migration, _) = cut_over(&from, &to);
    let other = from.clone();
    let second = move || other.put("k", json!("second"));
    *to.0.meanwhile.borrow_mut() = Some(Box::new(second));
    migration.set("k", &json!("first")).await.unwrap();
    assert_eq!(to.holds("k"), None);
    assert_eq!(migration.get("k").await, Ok(Some(json!("second"))));
}

#[tokio::test]
async fn what_only_the_old_store_took_is_read_there_until_the_new_one_has_forgotten_it() {
    let (from, to) = (Played::default(), Played::default());
    let (migration, fake) = cut_over(&from, &to);
    migration.set("k", &json!(1)).await.unwrap();
    to.0.ill.set(true);
    migration.set("k", &json!(2)).await.unwrap();
    to.0.ill.set(false);
    assert_eq!(
        (to.holds("k"), migration.stats().doubted),
        (Some(json!(1)), 1)
    );
    assert_eq!(migration.get("k").await, Ok(Some(json!(2))));
    assert_eq!(migration.stats().reads.old, 1);
    fake.advance(1_001);
    assert_eq!(migration.get("k").await, Ok(Some(json!(2))));
    assert_eq!((to.holds("k"), migration.stats().doubted), (None, 0));
}

#[tokio::test]
async fn a_new_store_that_never_answers_keeps_nobody_waiting_past_the_deadline() {
    let (from, to) = (Played::of(&[("k", json!(1))]), Played::default());
    let (migration, fake) = cut_over(&from, &to);
    to.0.silent.set(true);
    assert_eq!(migration.get("k").await, Ok(Some(json!(1))));
    migration.set("k", &json!(2)).await.unwrap();
    let stats = migration.stats();
    assert_eq!(
        (stats.reads.failed, stats.writes.late, stats.doubted),
        (1, 1, 1)
    );
    // What was cut off may have landed: it is deleted before it is believed.
    to.0.silent.set(false);
    to.put("k", json!("landed late"));
    assert_eq!(migration.get("k").await, Ok(Some(json!(2))));
    fake.advance(1_001);
    assert_eq!(migration.get("k").await, Ok(Some(json!(2))));
    assert_eq!((to.holds("k"), migration.stats().doubted), (None, 0));
}

#[tokio::test]
async fn what_goes_to_the_background_is_done_there() {
    let (from, to) = (Played::of(&[("k", json!(1))]), Played::default());
    let (migration, _) = cut_over(&from, &to);
    let rest = RefCell::new(Vec::new());
    let read = migration
        .get_in("k", |work| rest.borrow_mut().push(work))
        .await;
    assert_eq!((read, to.holds("k")), (Ok(Some(json!(1))), None));
    for work in rest.take() {
        work.await;
    }
    assert_eq!(
        (to.holds("k"), migration.stats().backfills.done),
        (Some(json!(1)), 1)
    );

    migration.set_share(0.0).unwrap();
    let write = |value: Value| {
        let (migration, rest) = (migration.clone(), &rest);
        async move {
            migration
                .set_in("k", &value, |work| rest.borrow_mut().push(work))
                .await
        }
    };
    write(json!(2)).await.unwrap();
    assert_eq!(
        (from.holds("k"), to.holds("k")),
        (Some(json!(2)), Some(json!(1)))
    );
    // In between the old one is asked, whatever the share.
    migration.set_share(100.0).unwrap();
    assert_eq!(migration.get("k").await, Ok(Some(json!(2))));
    for work in rest.take() {
        work.await;
    }
    assert_eq!(
        (to.holds("k"), migration.stats().doubted),
        (Some(json!(2)), 0)
    );
}

#[tokio::test]
async fn after_three_failures_in_a_row_the_new_store_is_left_alone_and_no_read_fails() {
    let (from, to) = (Played::of(&[("k", json!(1))]), Played::default());
    let (migration, fake) = cut_over(&from, &to);
    to.0.ill.set(true);
    for _ in 0..20 {
        assert_eq!(migration.get("k").await, Ok(Some(json!(1))));
    }
    assert_eq!(to.0.asked.get(), 3);
    fake.advance(1_001);
    to.0.ill.set(false);
    assert_eq!(migration.get("k").await, Ok(Some(json!(1))));
    assert_eq!(migration.get("k").await, Ok(Some(json!(1))));
    assert_eq!(migration.stats().reads.new, 1);
}

#[tokio::test]
async fn a_write_that_the_old_store_refuses_is_the_callers() {
    let (from, to) = (Played::default(), Played::of(&[("k", json!(1))]));
    let (migration, _) = cut_over(&from, &to);
    from.0.ill.set(true);
    assert_eq!(migration.set("k", &json!(2)).await, Err(Ill));
    assert_eq!((to.holds("k"), migration.stats().writes.both), (None, 0));
    assert_eq!(migration.get("k").await, Err(Ill));
}

#[tokio::test]
async fn a_comparison_tells_what_differs_and_deletes_it_in_the_new_store() {
    let from = Played::of(&[
        ("a", json!({ "x": 1, "y": 2 })),
        ("b", json!(1)),
        ("c", json!(3)),
    ]);
    let to = Played::of(&[("a", json!({ "y": 2, "x": 1 })), ("b", json!(2))]);
    let migration = Migration::new(from.clone(), to.clone(), Fake::new());
    let migration = migration.backfill(false).compare(100.0).unwrap();
    for key in ["a", "b", "c"] {
        assert_eq!(migration.get(key).await, Ok(from.holds(key)));
    }
    let compared = migration.stats().compared;
    assert_eq!(
        (compared.same, compared.different, compared.missing),
        (1, 1, 1)
    );
    assert_eq!((to.holds("a").is_some(), to.holds("b")), (true, None));
}

#[tokio::test]
async fn the_switch_is_on_by_what_says_so_and_off_by_anything_else() {
    let (from, to) = (
        Played::of(&[("k", json!("old"))]),
        Played::of(&[("k", json!("new"))]),
    );
    let (migration, _) = cut_over(&from, &to);
    for (text, read) in [
        (None, "new"),
        (Some(""), "new"),
        (Some("1"), "new"),
        (Some(" TRUE "), "new"),
        (Some("false"), "old"),
        (Some("0"), "old"),
        (Some("flase"), "old"),
    ] {
        let migration = migration.clone().switch(text);
        assert_eq!(migration.get("k").await, Ok(Some(json!(read))), "{text:?}");
    }
}

#[test]
fn a_share_that_is_none_is_refused() {
    for share in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        let migration = Migration::new(Played::default(), Played::default(), Fake::new());
        assert!(migration.share(share).is_err(), "{share}");
    }
}
