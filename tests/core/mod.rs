//! What a user relies on, run natively and in a browser against the same real server.
//!
//! Each test takes a client of its own; keys carry the test's name, so tests share one database.

mod commands;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use upstash_edge::commands::{Bytes, command};
use upstash_edge::{
    Arg, Cache, Commands, Context, EdgeError, HealthStatus, Identifier, Limit, Limits, Op,
    RateLimiter, Redis, Replies, Session, Sessions, Source, Status, health,
};

pub use commands::*;

const SECRET: &str = "a secret of the tests, 32 bytes long or more";

/// Lists the tests for a runner's macro.
macro_rules! core_tests {
    ($run:ident) => {
        $run! {
            limiter_admits_exactly_the_limit
            limiter_refuses_a_cost_that_can_never_pass
            limiter_of_several_limits_takes_from_all_or_none
            cache_keeps_null_false_zero_and_empty_as_values
            cache_calls_the_origin_once_for_many_callers
            cache_serves_the_origin_when_it_fails_and_stores_nothing
            session_lives_from_save_to_logout
            session_login_ends_the_old_id_and_keeps_the_data
            sessions_saved_at_once_lose_nothing_and_tell_conflicts
            one_run_is_one_request_whatever_it_holds
            a_transaction_is_applied_whole_and_tells_each_outcome
            bytes_come_back_byte_for_byte
            health_is_healthy
            strings
            times_to_live
            json_where_it_is_asked_for
            hashes
            lists
            sets
            sorted_sets
            ranges_of_sorted_sets
            sorted_sets_combined
            streams
            groups_of_streams
            keys_of_every_kind
            bits_counts_and_places
            a_command_on_another_kind_of_key_fails_alone
            scans_find_everything
        }
    };
}
pub(crate) use core_tests;

/// Every key of a run is new: the database may hold those of an earlier one.
fn fresh(name: &str) -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    format!("{name}-{:x}", u64::from_ne_bytes(bytes))
}

/// Patient: what passes when Redis is slow is another test's.
fn cache() -> Cache {
    Cache::new().timeout_ms(60_000).unwrap()
}

fn limiter(limit: u32) -> RateLimiter {
    let limit = Limit::sliding_window(limit, Duration::from_secs(60)).unwrap();
    RateLimiter::new(limit).timeout_ms(60_000).unwrap()
}

pub async fn limiter_admits_exactly_the_limit(redis: Redis) {
    let (limiter, id) = (limiter(10), fresh("limit"));
    let checks = (0..25).map(|_| limiter.check(&id)).collect::<Vec<_>>();
    let decisions = redis.run(checks).await.unwrap();
    let allowed = decisions.iter().filter(|d| d.allowed).count();
    assert_eq!(allowed, 10);
    assert!(decisions.iter().all(|d| d.source == Source::Redis));
    assert_eq!(decisions[0].remaining, 9);
    let refused = &decisions[24];
    assert_eq!(
        (refused.remaining, refused.limited_by.as_deref()),
        (0, Some("default"))
    );
    assert!(
        (59_000..=60_000).contains(&refused.retry_after_ms),
        "{refused:?}"
    );
    // Looking takes nothing and is always answered.
    let looked = redis.run(limiter.check(&id).cost(0)).await.unwrap();
    assert!(looked.allowed && looked.remaining == 0);
}

pub async fn limiter_refuses_a_cost_that_can_never_pass(redis: Redis) {
    let check = limiter(10).check(&fresh("cost")).cost(11);
    let error = redis.run(check).await.unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
}

pub async fn limiter_of_several_limits_takes_from_all_or_none(redis: Redis) {
    let hour = Duration::from_secs(3_600);
    let named = |limit: Result<Limit, EdgeError>, name| limit.unwrap().named(name).unwrap();
    let limits = [
        named(Limit::sliding_window(300, hour), "sliding"),
        named(Limit::fixed_window(7, 24 * 300 * hour), "fixed"),
        named(Limit::token_bucket(9, 1, hour), "bucket"),
    ];
    let limiter = RateLimiter::new(Limits::new(&limits).unwrap());
    let limiter = limiter.timeout_ms(60_000).unwrap();
    let one = fresh("several");
    let each = || {
        let id = one.as_str();
        Identifier::from([("sliding", id), ("fixed", id), ("bucket", id)])
    };
    for id in [Identifier::from(&one), each()] {
        let checks = vec![id.clone(); 10];
        let decisions = redis.run(limiter.check_all(checks)).await.unwrap();
        let allowed = decisions.iter().filter(|d| d.allowed).count();
        let last = &decisions[9];
        let left: Vec<_> = last.policies.iter().map(|p| p.remaining).collect();
        assert_eq!((allowed, left), (7, vec![293, 0, 2]));
        assert_eq!(last.limited_by.as_deref(), Some("fixed"));
        redis.run(limiter.refund(id.clone(), 1)).await.unwrap();
        let again = redis.run(limiter.check(id.clone())).await.unwrap();
        assert!(again.allowed && again.source == Source::Redis);
        redis.run(limiter.reset(id.clone())).await.unwrap();
        let peeked = redis.run(limiter.peek(id)).await.unwrap();
        assert_eq!((peeked.limit, peeked.remaining), (7, 7));
    }
}

pub async fn cache_keeps_null_false_zero_and_empty_as_values(redis: Redis) {
    let cache = cache();
    for value in [
        json!(null),
        json!(false),
        json!(0),
        json!(""),
        json!({"a": [1, "\u{1f600}"]}),
    ] {
        let key = fresh("value");
        assert_eq!(redis.run(cache.get::<Value>(&key)).await.unwrap(), None);
        redis.run(cache.set(&key, &value).unwrap()).await.unwrap();
        assert_eq!(redis.run(cache.get(&key)).await.unwrap(), Some(value));
        assert_eq!(redis.run(cache.delete(&key)).await.unwrap(), 1);
        assert_eq!(redis.run(cache.delete(&key)).await.unwrap(), 0);
        assert_eq!(redis.run(cache.get::<Value>(&key)).await.unwrap(), None);
    }
}

pub async fn cache_calls_the_origin_once_for_many_callers(redis: Redis) {
    let (cache, key, calls) = (cache(), fresh("fetch"), Rc::new(Cell::new(0)));
    let one = || {
        let calls = Rc::clone(&calls);
        let (cache, key, redis) = (&cache, &key, &redis);
        async move {
            let origin = || {
                calls.set(calls.get() + 1);
                // Takes a trip of its own: long enough for the others to find the lease taken.
                let slow = redis.run(limiter(1_000).check("origin"));
                async move {
                    slow.await?;
                    Ok::<_, EdgeError>(json!({"n": 42}))
                }
            };
            cache.get_or_fetch(redis, key, origin).await.unwrap()
        }
    };
    let all = futures_util::future::join_all((0..20).map(|_| one())).await;
    assert!(all.iter().all(|value| *value == json!({"n": 42})));
    assert_eq!(calls.get(), 1);
    assert_eq!(one().await, json!({"n": 42}));
    assert_eq!(calls.get(), 1);
}

pub async fn cache_serves_the_origin_when_it_fails_and_stores_nothing(redis: Redis) {
    let (cache, key) = (cache(), fresh("failing"));
    let failed = cache
        .get_or_fetch(&redis, &key, || async { Err::<Value, _>("no") })
        .await;
    assert_eq!(failed, Err("no"));
    // The lease was given back, so the next caller does not wait for anybody.
    let value = cache
        .get_or_fetch(&redis, &key, || async { Ok::<_, &str>(json!(7)) })
        .await;
    assert_eq!(value, Ok(json!(7)));
    assert_eq!(redis.run(cache.get(&key)).await.unwrap(), Some(json!(7)));
}

fn sessions() -> Sessions {
    Sessions::new(&[SECRET]).unwrap()
}

/// The `Cookie` header a browser sends back.
fn returned(set_cookies: &[String]) -> String {
    let first = set_cookies.first().expect("a cookie was set");
    first.split(';').next().unwrap_or_default().to_owned()
}

async fn load(redis: &Redis, cookie: &str) -> Session {
    redis.run(sessions().load(cookie)).await.unwrap()
}

/// A new session with one value; its `Cookie` header.
async fn begin(redis: &Redis, key: &str, value: Value) -> String {
    let mut session = load(redis, "").await;
    session.set(key, &value).unwrap();
    returned(&redis.run(sessions().save(&mut session)).await.unwrap())
}

pub async fn session_lives_from_save_to_logout(redis: Redis) {
    let mut session = load(&redis, "").await;
    assert!(session.is_new() && session.status() == Status::New);
    assert!(
        redis
            .run(sessions().save(&mut session))
            .await
            .unwrap()
            .is_empty()
    );
    let cookie = begin(&redis, "cart", json!([1, {}, []])).await;

    let mut session = load(&redis, &cookie).await;
    assert_eq!(session.status(), Status::Valid);
    assert_eq!(session.get::<Value>("cart"), Some(json!([1, {}, []])));
    assert!(session.expires_at() > session.created_at());
    session.delete("cart");
    session
        .set("__proto__", &12_345_678_901_234_567_u64)
        .unwrap();
    assert!(
        redis
            .run(sessions().save(&mut session))
            .await
            .unwrap()
            .is_empty()
    );

    let mut session = load(&redis, &cookie).await;
    assert_eq!(session.get::<Value>("cart"), None);
    assert_eq!(session.get("__proto__"), Some(12_345_678_901_234_567_u64));
    session.destroy();
    let told = redis.run(sessions().save(&mut session)).await.unwrap();
    assert!(told[0].starts_with("__Host-session=;") && told[0].ends_with("; Max-Age=0"));
    assert_eq!(load(&redis, &cookie).await.status(), Status::Expired);
}

pub async fn session_login_ends_the_old_id_and_keeps_the_data(redis: Redis) {
    let planted = begin(&redis, "cart", json!(1)).await;
    let mut session = load(&redis, &planted).await;
    // Saved by another request in between: the login keeps it.
    let mut other = load(&redis, &planted).await;
    other.set("theme", "dark").unwrap();
    redis.run(sessions().save(&mut other)).await.unwrap();

    session.login("ada").unwrap();
    let cookie = returned(&sessions().commit(&redis, &mut session).await.unwrap());
    assert_ne!(cookie, planted);
    assert_eq!(load(&redis, &planted).await.user_id(), None);
    assert!(load(&redis, &planted).await.is_new());
    let user = load(&redis, &cookie).await;
    assert_eq!(user.user_id(), Some("ada"));
    assert_eq!(user.get("cart"), Some(1));
    assert_eq!(user.get::<String>("theme").as_deref(), Some("dark"));
    // What the old id saves late changes nothing.
    other.set("cart", &2).unwrap();
    let error = redis.run(sessions().save(&mut other)).await.unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert_eq!(load(&redis, &cookie).await.get("cart"), Some(1));
}

pub async fn sessions_saved_at_once_lose_nothing_and_tell_conflicts(redis: Redis) {
    let cookie = begin(&redis, "start", json!(0)).await;
    let mut one = load(&redis, &cookie).await;
    let mut two = load(&redis, &cookie).await;
    let mut three = load(&redis, &cookie).await;
    one.set("a", &1).unwrap();
    two.set("b", &2).unwrap();
    three.set("a", &3).unwrap();
    three.set("c", &3).unwrap();
    redis.run(sessions().save(&mut one)).await.unwrap();
    redis.run(sessions().save(&mut two)).await.unwrap();
    let error = redis.run(sessions().save(&mut three)).await.unwrap_err();
    assert_eq!(error.code(), "conflict");
    let after = load(&redis, &cookie).await;
    assert_eq!((after.get("a"), after.get("b")), (Some(1), Some(2)));
    // A refused save writes nothing at all.
    assert_eq!(after.get::<i32>("c"), None);
}

pub async fn one_run_is_one_request_whatever_it_holds(redis: Redis) {
    let requests = Rc::new(Cell::new((0, 0)));
    let seen = Rc::clone(&requests);
    let observed = redis.observed(move |event| {
        let (count, _) = seen.get();
        seen.set((count + 1, event.commands.len()));
    });
    let cookie = begin(&redis, "k", json!("v")).await;
    let cache = cache();
    let (limiter, id, page) = (limiter(5), fresh("page"), fresh("page"));
    let ask = || {
        (
            limiter.check(&id),
            sessions().load(&cookie),
            cache.get::<Value>(&page),
            command::<Option<String>>("GET", &[(&page).into()]),
        )
    };
    // The first use teaches the client which form of the scripts this server takes.
    redis.run(ask()).await.unwrap();
    let (decision, session, cached, _) = observed.run(ask()).await.unwrap();
    assert!(decision.allowed && session.get::<String>("k").is_some() && cached.is_none());
    assert_eq!(requests.get(), (1, 4));

    // After a SCRIPT FLUSH what said NOSCRIPT is asked again, alone.
    redis.run(Flush).await.unwrap();
    let (decision, ..) = observed.run(ask()).await.unwrap();
    assert_eq!(decision.remaining, 2);
    assert_eq!(requests.get(), (3, 3));
}

pub async fn a_transaction_is_applied_whole_and_tells_each_outcome(redis: Redis) {
    let (id, key) = (fresh("transaction"), fresh("transaction"));
    let incr = || command::<i64>("INCR", &[(&key).into()]);
    // A script in it is sent whole, in the form this server takes, the first time too. (No INCR beside it: on a
    // cluster all keys of a transaction are in one slot.)
    let check = || limiter(5).check(&id);
    let (first, second) = redis.transaction((check(), check())).await.unwrap();
    assert_eq!((first.remaining, second.remaining), (4, 3));
    assert_eq!(redis.transaction((incr(), incr())).await.unwrap(), (1, 2));
    let wrong = command::<i64>("LPUSH", &[(&key).into(), "x".into()]);
    let (failed, three) = redis.transaction((wrong.settled(), incr())).await.unwrap();
    assert_eq!((failed.unwrap_err().code(), three), ("redis_error", 3));
    // Not a command at all: nothing of it is applied.
    let none = command::<i64>("INCR", &[]);
    let (failed, none) = redis
        .transaction((incr().settled(), none.settled()))
        .await
        .unwrap();
    assert!(failed.is_err() && none.is_err());
    assert_eq!(redis.run(incr()).await.unwrap(), 4);
}

pub async fn bytes_come_back_byte_for_byte(redis: Redis) {
    let source =
        "local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end return table.concat(t)";
    let all = || command::<Bytes>("EVAL_RO", &[source.into(), 0u32.into()]);
    let whole: Vec<u8> = (0..=255).collect();
    assert_eq!(redis.run(all()).await.unwrap().0, whole);
    assert_eq!(redis.transaction(all()).await.unwrap().0, whole);
    // What may not be asked again is not answered wrongly either.
    let once = command::<Bytes>("EVAL", &[source.into(), 0u32.into()]);
    match redis.run(once).await {
        Ok(bytes) => assert_eq!(bytes.0, whole),
        Err(error) => assert_eq!(error.code(), "corrupt"),
    }
}

struct Flush;

impl Op for Flush {
    type Output = ();

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        out.command("SCRIPT", &[Arg::Text("FLUSH")])
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        assert_eq!(replies.take()?.text()?, "OK");
        Ok(())
    }
}

pub async fn health_is_healthy(redis: Redis) {
    let health = health(&redis, 2_000).await;
    assert_eq!(health.status, HealthStatus::Healthy);
    assert!(health.error.is_none());
}
