//! The typed commands, family by family.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use upstash_edge::commands::*;
use upstash_edge::{EdgeError, Op, Redis};

use super::fresh;

const MINUTE: Duration = Duration::from_secs(60);

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn owned<T: Clone>(pairs: &[(&str, T)]) -> Vec<(String, T)> {
    let own = |(name, value): &(&str, T)| ((*name).to_owned(), value.clone());
    pairs.iter().map(own).collect()
}

fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort();
    items
}

fn ms_left(ttl: Ttl) -> u64 {
    match ttl {
        Ttl::Ms(ms) => ms,
        other => panic!("{other:?}"),
    }
}

async fn refused<O: Op>(redis: &Redis, op: O) -> EdgeError {
    match redis.run(op).await {
        Ok(_) => panic!("it was done"),
        Err(error) => error,
    }
}

pub async fn strings(redis: Redis) {
    let (key, other, none) = (fresh("{s}"), fresh("{s}"), fresh("{s}"));
    let key = key.as_str();
    let asked = (get(&none), getdel(&none), getex(&none), strlen(&none));
    assert_eq!(redis.run(asked).await, Ok((None, None, None, 0)));

    let asked = (set(key, "é\"\n"), get(key), strlen(key), append(key, 7));
    assert_eq!(redis.run(asked).await, Ok(((), some("é\"\n"), 4, 5)));
    let asked = (
        setrange(key, 4, "89"),
        getrange(key, 0, 1),
        getrange(key, -2, -1),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((6, "é".to_owned(), "89".to_owned()))
    );

    let asked = (set(key, "1").nx(), set(key, "2").xx(), set(&none, "3").xx());
    assert_eq!(redis.run(asked).await, Ok((false, true, false)));
    let asked = (
        set(key, "3").get(),
        set(&other, "1").nx().get(),
        set(key, "4").nx().get(),
    );
    assert_eq!(redis.run(asked).await, Ok((some("2"), None, some("3"))));
    assert_eq!(redis.run(getdel(key)).await, Ok(some("3")));

    let asked = (
        incr(key),
        incrby(key, i64::MAX - 1),
        decrby(key, i64::MAX),
        decr(key),
    );
    assert_eq!(redis.run(asked).await, Ok((1, i64::MAX, 0, -1)));
    assert_eq!(redis.run(incrbyfloat(key, 1.5)).await, Ok(0.5));
    let noise = [0, 255, 128];
    let asked = (set(key, &noise[..]).ttl(MINUTE), get(key).reading());
    assert_eq!(redis.run(asked).await, Ok(((), Some(Bytes(noise.into())))));
    let asked = (
        mset([(key, "a"), (&other, "b")]),
        mget([key, &none, &other]),
        msetnx([(&none, 1), (&other, 2)]),
        exists([&none]),
    );
    let values = vec![some("a"), None, some("b")];
    assert_eq!(redis.run(asked).await, Ok(((), values, false, 0)));
}

pub async fn times_to_live(redis: Redis) {
    let (key, none) = (fresh("{ttl}"), fresh("{ttl}"));
    let key = key.as_str();
    assert_eq!(
        redis.run((ttl(&none), expire(&none, MINUTE))).await,
        Ok((Ttl::NoKey, false))
    );
    let asked = (
        set(key, "v"),
        ttl(key),
        set(key, "v").expires_at(1).ttl(MINUTE),
        ttl(key),
    );
    let ((), before, (), after) = redis.run(asked).await.unwrap();
    assert_eq!(before, Ttl::Persistent);
    assert!((1..=60_000).contains(&ms_left(after)));
    // A condition of SET and a time to live, in either order.
    let asked = (
        set(key, "w").keep_ttl().xx(),
        ttl(key),
        getex(key).persist(),
        ttl(key),
    );
    let (done, kept, value, persistent) = redis.run(asked).await.unwrap();
    assert!(done && ms_left(kept) > 0);
    assert_eq!((value, persistent), (some("w"), Ttl::Persistent));

    // Later than none is nothing, earlier is anything.
    let asked = (
        expire(key, MINUTE).gt(),
        expire(key, MINUTE).xx(),
        expire(key, MINUTE).lt(),
        expire(key, MINUTE).nx(),
        persist(key),
        persist(key),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((false, false, true, false, true, false))
    );
    let asked = (
        getex(key).ttl(MINUTE),
        ttl(key),
        expire_at(key, 1),
        get(key),
    );
    let (value, left, expired, gone) = redis.run(asked).await.unwrap();
    assert!(ms_left(left) <= 60_000);
    assert_eq!((value, expired, gone), (some("w"), true, None));
    for error in [
        refused(&redis, set(key, "v").ttl(Duration::from_micros(999))).await,
        refused(&redis, getex(key).ttl(Duration::ZERO)).await,
        refused(&redis, expire(key, Duration::ZERO)).await,
    ] {
        assert_eq!(
            error.to_string(),
            "invalid_argument: ttl must be 1 ms or more"
        );
    }
}

pub async fn json_where_it_is_asked_for(redis: Redis) {
    let (key, none) = (fresh("json"), fresh("json"));
    let value = json!({"a": [1.5, null, "\u{1f600}"], "n": u64::MAX});
    let asked = (
        get_json::<Value>(&none),
        set_json(&key, &value).ttl(MINUTE),
        get_json(&key),
        ttl(&key),
    );
    let (missing, (), found, left) = redis.run(asked).await.unwrap();
    assert_eq!((missing, found), (None, Some(value)));
    assert!(ms_left(left) > 0);
    // A value that is null is there.
    let asked = (set_json(&key, &()), get_json::<Value>(&key), get(&key));
    assert_eq!(
        redis.run(asked).await,
        Ok(((), Some(Value::Null), some("null")))
    );

    redis.run(set(&key, "secret-value")).await.unwrap();
    for error in [
        refused(&redis, get_json::<Value>(&key)).await,
        refused(
            &redis,
            (set_json(&key, "secret-value"), get_json::<u8>(&key)),
        )
        .await,
    ] {
        assert_eq!(error.code(), "corrupt");
        assert!(!error.message().contains("secret"));
    }
    let no_text = HashMap::from([([1], 2)]);
    let error = refused(&redis, set_json(&none, &no_text)).await;
    assert_eq!(
        (error.code(), redis.run(exists([&none])).await),
        ("invalid_argument", Ok(0))
    );
    let asked = (
        hset(&none, [("f", "[1,2]")]),
        hget(&none, "f").reading::<Option<Json<Vec<u8>>>>(),
    );
    assert_eq!(redis.run(asked).await, Ok((1, Some(Json(vec![1, 2])))));
}

pub async fn hashes(redis: Redis) {
    let (key, none) = (fresh("hash"), fresh("hash"));
    let asked = (hget(&none, "f"), hgetall(&none), hkeys(&none), hlen(&none));
    assert_eq!(
        redis.run(asked).await,
        Ok((None, HashMap::new(), Vec::new(), 0))
    );

    let asked = (
        hset(&key, [("a", "1"), ("b", "2")]),
        hset(&key, &HashMap::from([("b".to_owned(), "3".to_owned())])),
        hsetnx(&key, "a", 9),
        hmget(&key, ["b", "none", "a"]),
        hstrlen(&key, "a"),
        hexists(&key, "none"),
    );
    let values = vec![some("3"), None, some("1")];
    assert_eq!(redis.run(asked).await, Ok((2, 0, false, values, 1, false)));
    let all: HashMap<_, _> = owned(&[("a", "1".to_owned()), ("b", "3".to_owned())])
        .into_iter()
        .collect();
    assert_eq!(redis.run(hgetall(&key)).await, Ok(all));
    let bytes = hgetall(&key).reading::<Vec<(String, Bytes)>>();
    assert!(
        redis
            .run(bytes)
            .await
            .unwrap()
            .contains(&("b".to_owned(), Bytes(b"3".to_vec())))
    );

    let asked = (
        hkeys(&key),
        hvals(&key),
        hrandfield(&key, 9),
        hrandfield(&key, -9),
    );
    let (fields, values, few, many) = redis.run(asked).await.unwrap();
    assert_eq!(
        (sorted(fields), sorted(values)),
        (sorted(few), vec!["1".to_owned(), "3".to_owned()])
    );
    assert_eq!(many.len(), 9);
    let asked = (
        hincrby(&key, "a", -3),
        hincrbyfloat(&key, "b", 0.25),
        hdel(&key, ["a", "none"]),
        hlen(&key),
    );
    assert_eq!(redis.run(asked).await, Ok((-2, 3.25, 1, 1)));
}

pub async fn lists(redis: Redis) {
    let (key, other, none) = (fresh("{l}"), fresh("{l}"), fresh("{l}"));
    let asked = (
        lpop(&none),
        rpop_many(&none, 2),
        lindex(&none, 0),
        lpushx(&none, ["a"]),
    );
    assert_eq!(redis.run(asked).await, Ok((None, None, None, 0)));

    let asked = (
        rpush(&key, ["c", "d"]),
        lpush(&key, ["b", "a"]),
        rpushx(&key, ["e"]),
        lrange(&key, 0, -1),
        llen(&key),
    );
    let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    assert_eq!(redis.run(asked).await, Ok((2, 4, 5, all, 5)));
    let asked = (
        lpop_many(&key, 2),
        rpop(&key),
        rpop_many(&key, 9),
        exists([&key]),
    );
    let (first, last, rest, left) = redis.run(asked).await.unwrap();
    assert_eq!(first, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(
        (last, rest),
        (some("e"), Some(vec!["d".to_owned(), "c".to_owned()]))
    );
    assert_eq!(left, 0);

    let asked = (
        rpush(&key, ["x", "y", "x", "z", "x"]),
        lrem(&key, -2, "x"),
        linsert_before(&key, "z", "w"),
        linsert_after(&key, "z", "v"),
        linsert_after(&key, "none", "v"),
        lset(&key, -1, "u"),
    );
    assert_eq!(redis.run(asked).await, Ok((5, 2, 4, 5, -1, ())));
    let asked = (
        lpos(&key, "z"),
        lpos(&key, "none"),
        lindex(&key, -1),
        lmove(&key, Side::Right, &other, Side::Left),
        lmove(&none, Side::Left, &other, Side::Right),
        ltrim(&key, 1, 2),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((Some(3), None, some("u"), some("u"), None, ()))
    );
    let asked = (lrange(&key, 0, -1), lrange(&other, 0, -1));
    let (left, moved) = redis.run(asked).await.unwrap();
    assert_eq!(
        (left, moved),
        (vec!["y".to_owned(), "w".to_owned()], vec!["u".to_owned()])
    );
    assert_eq!(
        refused(&redis, lset(&key, 9, "x")).await.code(),
        "redis_error"
    );
}

pub async fn sets(redis: Redis) {
    let (a, b, to) = (fresh("{set}"), fresh("{set}"), fresh("{set}"));
    let asked = (
        smembers(&a),
        spop(&a),
        spop_many(&a, 2),
        srandmember(&a),
        scard(&a),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((Vec::new(), None, Vec::new(), None, 0))
    );

    let asked = (
        sadd(&a, ["1", "2", "3", "3"]),
        sadd(&b, &["3".to_owned(), "4".to_owned()]),
        sismember(&a, 1),
        smismember(&a, [4, 3]),
        scard(&a),
        sintercard([&a, &b]),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((3, 2, true, vec![false, true], 3, 1))
    );
    let asked = (
        sinter([&a, &b]),
        sunion([&a, &b]),
        sdiff([&a, &b]),
        smembers(&b),
    );
    let (inter, union, diff, members) = redis.run(asked).await.unwrap();
    assert_eq!(inter, ["3"]);
    assert_eq!(sorted(union), ["1", "2", "3", "4"]);
    assert_eq!(
        (sorted(diff), sorted(members)),
        (
            sorted(vec!["2".into(), "1".into()]),
            vec!["3".into(), "4".into()]
        )
    );
    let asked = (
        sunionstore(&to, [&a, &b]),
        sinterstore(&to, [&a, &b]),
        sdiffstore(&to, [&a, &b]),
        smove(&to, &b, "2"),
        smove(&to, &b, "9"),
        srem(&to, ["1", "9"]),
    );
    assert_eq!(redis.run(asked).await, Ok((4, 1, 2, true, false, 1)));
    let asked = (
        srandmember_many(&a, -9),
        srandmember(&b),
        spop_many(&a, 9),
        spop(&b),
        scard(&a),
    );
    let (drawn, one, taken, popped, left) = redis.run(asked).await.unwrap();
    assert_eq!(
        (drawn.len(), sorted(taken)),
        (9, vec!["1".into(), "2".into(), "3".into()])
    );
    assert!(one.is_some() && popped.is_some() && left == 0);
}

pub async fn sorted_sets(redis: Redis) {
    let (key, none) = (fresh("zset"), fresh("zset"));
    let asked = (
        zscore(&none, "a"),
        zrank(&none, "a"),
        zpopmin(&none, 1),
        zrange(&none, 0, -1),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((None, None, Vec::new(), Vec::new()))
    );

    let asked = (
        zadd(&key, [("a", 1.0), ("b", -2.5), ("c", f64::INFINITY)]),
        zadd(&key, [("a", 9.0), ("d", 4.0)]).nx(),
        zadd(&key, [("a", 2.0), ("e", 4.0)]).ch().xx(),
        zadd(&key, [("a", 1.0), ("d", 5.0)]).ch().gt(),
        zadd(&key, [("a", 1.5), ("d", 6.0)]).ch().lt(),
        zincrby(&key, 0.5, "a"),
    );
    assert_eq!(redis.run(asked).await, Ok((3, 1, 1, 1, 1, 2.0)));
    let scores = owned(&[("b", -2.5), ("a", 2.0), ("d", 5.0), ("c", f64::INFINITY)]);
    let asked = (
        zrange(&key, 0, -1).with_scores(),
        zrevrange(&key, 0, 1),
        zmscore(&key, ["a", "none", "c"]),
        zrank(&key, "d"),
        zrevrank(&key, "d"),
        zcard(&key),
    );
    let highest = vec!["c".to_owned(), "d".to_owned()];
    let some_scores = vec![Some(2.0), None, Some(f64::INFINITY)];
    let found = redis.run(asked).await;
    assert_eq!(
        found,
        Ok((scores, highest, some_scores, Some(2), Some(1), 4))
    );

    let asked = (
        zpopmin(&key, 1),
        zpopmax(&key, 9),
        zadd(&key, [("a", 0.0)]),
        zrandmember(&key, -2).with_scores(),
        zrem(&key, ["a", "none"]),
    );
    let (low, high, added, drawn, removed) = redis.run(asked).await.unwrap();
    assert_eq!(low, owned(&[("b", -2.5)]));
    assert_eq!(high, owned(&[("c", f64::INFINITY), ("d", 5.0), ("a", 2.0)]));
    assert_eq!(
        (added, drawn, removed),
        (1, owned(&[("a", 0.0), ("a", 0.0)]), 1)
    );
    let error = refused(&redis, zadd(&key, [("a", f64::NAN)])).await;
    assert_eq!(
        error.to_string(),
        "invalid_argument: score must be a number, not NaN"
    );
    let error = refused(&redis, zcount(&key, f64::NAN..)).await;
    assert_eq!(error.code(), "invalid_argument");
}

pub async fn ranges_of_sorted_sets(redis: Redis) {
    let (key, names) = (fresh("zset"), fresh("zset"));
    let scores = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0), ("e", 1e300)];
    let asked = (
        zadd(&key, scores),
        zrangebyscore(&key, 2.0..4.0),
        zrangebyscore(&key, ..=2.0),
        zrevrangebyscore(&key, 2.0..).limit(1, 2).with_scores(),
        zcount(&key, ..),
        zcount(&key, 1.0..1.0),
    );
    let (added, between, low, high, all, nothing) = redis.run(asked).await.unwrap();
    assert_eq!(
        (between, low),
        (
            vec!["b".to_owned(), "c".to_owned()],
            vec!["a".to_owned(), "b".to_owned()]
        )
    );
    assert_eq!(
        (added, high, all, nothing),
        (5, owned(&[("d", 4.0), ("c", 3.0)]), 5, 0)
    );

    let alike = ["ada", "bob", "bobby", "[c"].map(|name| (name, 0.0));
    let asked = (
        zadd(&names, alike),
        zrangebylex(&names, "ada".."bobby"),
        zrangebylex(&names, ..).limit(0, 1),
        zlexcount(&names, "b"..),
        zlexcount(&names, ..="bob"),
        zremrangebylex(&names, "[c"..="bob"),
    );
    let (added, between, first, above, up_to, removed) = redis.run(asked).await.unwrap();
    assert_eq!(
        (between, first),
        (
            vec!["ada".to_owned(), "bob".to_owned()],
            vec!["[c".to_owned()]
        )
    );
    assert_eq!((added, above, up_to, removed), (4, 2, 3, 3));
    let asked = (
        zremrangebyrank(&key, 0, 1),
        zremrangebyscore(&key, 1e299..),
        zrange(&key, 0, -1),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((2, 1, vec!["c".to_owned(), "d".to_owned()]))
    );
}

pub async fn sorted_sets_combined(redis: Redis) {
    let (a, b, to) = (fresh("{z}"), fresh("{z}"), fresh("{z}"));
    let keys = || [&a, &b];
    redis
        .run((
            zadd(&a, [("x", 1.0), ("y", 2.0)]),
            zadd(&b, [("y", 3.0), ("z", 4.0)]),
        ))
        .await
        .unwrap();
    let asked = (
        zunion(keys()).with_scores(),
        zinter(keys()),
        zdiff(keys()).with_scores(),
        zdiffstore(&to, keys()),
        zinterstore(&to, keys()).aggregate(Aggregate::Max),
        zrange(&to, 0, -1).with_scores(),
    );
    let (union, inter, diff, one, same, kept) = redis.run(asked).await.unwrap();
    assert_eq!(union, owned(&[("x", 1.0), ("z", 4.0), ("y", 5.0)]));
    assert_eq!((inter, diff), (vec!["y".to_owned()], owned(&[("x", 1.0)])));
    assert_eq!((one, same, kept), (1, 1, owned(&[("y", 3.0)])));
    let weighed = zunionstore(&to, keys()).weights([10.0, -1.0]);
    let asked = (
        weighed.aggregate(Aggregate::Min),
        zrange(&to, 0, -1).with_scores(),
    );
    let weighed = owned(&[("z", -4.0), ("y", -3.0), ("x", 10.0)]);
    assert_eq!(redis.run(asked).await, Ok((3, weighed)));
}

pub async fn streams(redis: Redis) {
    let (key, none) = (fresh("{x}"), fresh("{x}"));
    let asked = (
        xlen(&none),
        xread([(&none, "0")]),
        xadd(&none, [("f", 1)]).nomkstream(),
    );
    assert_eq!(redis.run(asked).await, Ok((0, None, None)));

    let entry = |id: &str, fields: &[(&str, &str)]| StreamEntry {
        id: id.to_owned(),
        fields: fields
            .iter()
            .map(|(f, v)| ((*f).to_owned(), (*v).to_owned()))
            .collect(),
    };
    let asked = (
        xadd_as(&key, "1-1", [("f", "1"), ("f", "2")]),
        xadd_as(&key, "2-0", [("STREAMS", "x")]).nomkstream(),
        xadd_as(&key, "3-0", [("g", "y")]).trim(Trim::MaxLen(9)),
        xrange(&key, "-", "(3-0"),
        xrevrange(&key, "+", "-").count(1),
        xread([(&key, "1-1"), (&none, "0")]).count(1),
    );
    let (first, second, third, early, last, read) = redis.run(asked).await.unwrap();
    assert_eq!(
        (first, second, third),
        ("1-1".to_owned(), some("2-0"), "3-0".to_owned())
    );
    let x = entry("2-0", &[("STREAMS", "x")]);
    assert_eq!(early, [entry("1-1", &[("f", "1"), ("f", "2")]), x.clone()]);
    assert_eq!(last, [entry("3-0", &[("g", "y")])]);
    assert_eq!(read, Some(vec![(key.clone(), vec![x])]));
    assert_eq!(
        refused(&redis, xadd_as(&key, "1-0", [("f", 1)]))
            .await
            .code(),
        "redis_error"
    );

    let asked = (
        xdel(&key, ["1-1", "9-9"]),
        xtrim(&key, Trim::MinId("3")),
        xadd(&key, [("h", "z")]).trim(Trim::MinIdAbout("1")),
        xtrim(&key, Trim::MaxLenAbout(100)),
        xtrim(&key, Trim::MaxLen(1)),
        xlen(&key),
    );
    let (deleted, below, _, about, over, left) = redis.run(asked).await.unwrap();
    assert_eq!((deleted, below, about, over, left), (1, 1, 0, 1, 1));
}

pub async fn groups_of_streams(redis: Redis) {
    let key = fresh("x");
    let asked = (
        xgroup_create(&key, "g", "$"),
        xadd_as(&key, "1-0", [("f", "1")]),
        xadd_as(&key, "2-0", [("f", "2")]),
        xreadgroup("g", "ann", [(&key, ">")]).count(9),
        xreadgroup("g", "ann", [(&key, ">")]),
        xack(&key, "g", ["1-0", "9-0"]),
    );
    let ((), _, _, given, nothing, acknowledged) = redis.run(asked).await.unwrap();
    let ids: Vec<_> = given.unwrap()[0]
        .1
        .iter()
        .map(|entry| entry.id.clone())
        .collect();
    assert_eq!(
        (ids, nothing, acknowledged),
        (vec!["1-0".into(), "2-0".into()], None, 1)
    );
    assert_eq!(
        refused(&redis, xgroup_create(&key, "g", "0")).await.code(),
        "redis_error"
    );

    let pending = redis.run(xpending(&key, "g", "-", "+", 9)).await.unwrap();
    let [one] = pending.as_slice() else {
        panic!("{pending:?}")
    };
    assert_eq!(
        (one.id.as_str(), one.consumer.as_str(), one.deliveries),
        ("2-0", "ann", 1)
    );
    let asked = (
        xclaim(&key, "g", "bob", 3_600_000, ["2-0"]),
        xclaim(&key, "g", "bob", 0, ["2-0"]),
        xautoclaim(&key, "g", "eve", 0, "0-0"),
        xdel(&key, ["2-0"]),
        // Its own history, of which the entry was deleted.
        xreadgroup("g", "eve", [(&key, "0")]),
        xgroup_destroy(&key, "g"),
    );
    let (early, claimed, (next, taken), _, history, destroyed) = redis.run(asked).await.unwrap();
    assert!(early.is_empty() && claimed == taken && taken[0].id == "2-0");
    let [(_, history)] = history.unwrap().try_into().unwrap();
    assert!(history[0].id == "2-0" && history[0].fields.is_empty());
    assert_eq!((next.as_str(), destroyed), ("0-0", true));
}

pub async fn keys_of_every_kind(redis: Redis) {
    let (a, b, none) = (fresh("{k}"), fresh("{k}"), fresh("{k}"));
    let asked = (
        set(&a, "v"),
        type_of(&a),
        type_of(&none),
        copy(&a, &b),
        copy(&a, &b),
        copy(&none, &a),
    );
    assert_eq!(
        redis.run(asked).await,
        Ok((
            (),
            "string".to_owned(),
            "none".to_owned(),
            true,
            false,
            false
        ))
    );
    let asked = (
        renamenx(&a, &b),
        rename(&a, &none),
        exists([&a, &b, &b]),
        touch([&a, &none]),
        unlink([&a, &b]),
        del([&none]),
    );
    assert_eq!(redis.run(asked).await, Ok((false, (), 2, 1, 1, 1)));
    assert_eq!(refused(&redis, rename(&a, &b)).await.code(), "redis_error");
    let asked = (set(&a, 1), dbsize(), randomkey(), ping(), publish(&a, "m"));
    let ((), size, key, pong, received) = redis.run(asked).await.unwrap();
    assert!(size > 0 && key.is_some());
    assert_eq!((pong.as_str(), received), ("PONG", 0));
}

pub async fn bits_counts_and_places(redis: Redis) {
    let (a, b, to) = (fresh("{b}"), fresh("{b}"), fresh("{b}"));
    let asked = (
        setbit(&a, 7, true),
        setbit(&a, 7, true),
        getbit(&a, 7),
        getbit(&a, 99),
        bitcount(&a),
        bitpos(&a, true),
    );
    assert_eq!(redis.run(asked).await, Ok((false, true, true, false, 1, 7)));
    let asked = (
        set(&b, "\u{3}"),
        bitop(BitOp::And, &to, [&a, &b]),
        bitop(BitOp::Or, &to, [&a, &b]),
        bitop(BitOp::Xor, &to, [&a, &b]),
        get(&to),
        bitop_not(&to, &to),
    );
    assert_eq!(redis.run(asked).await, Ok(((), 1, 1, 1, some("\u{2}"), 1)));
    assert_eq!(
        redis
            .run((bitcount(&to), bitpos(&b, true), bitpos("none", true)))
            .await,
        Ok((7, 6, -1))
    );

    let (a, b, to) = (fresh("{pf}"), fresh("{pf}"), fresh("{pf}"));
    let asked = (
        pfadd(&a, ["1", "2"]),
        pfadd(&a, ["1"]),
        pfadd(&b, [3]),
        pfcount([&a, &b]),
        pfmerge(&to, [&a, &b]),
        pfcount([&to]),
    );
    assert_eq!(redis.run(asked).await, Ok((true, false, true, 3, (), 3)));

    let key = fresh("geo");
    let palermo = Position {
        longitude: 13.361389,
        latitude: 38.115556,
    };
    let catania = Position {
        longitude: 15.087269,
        latitude: 37.502669,
    };
    let asked = (
        geoadd(&key, [("Palermo", palermo), ("Catania", catania)]),
        geodist(&key, "Palermo", "Catania", Unit::Kilometres),
        geodist(&key, "Palermo", "none", Unit::Feet),
        geopos(&key, ["Palermo", "none"]),
        geohash(&key, ["Palermo", "none"]),
    );
    let (added, distance, none, positions, hashes) = redis.run(asked).await.unwrap();
    assert_eq!((added, distance, none), (2, Some(166.2742), None));
    assert!((positions[0].unwrap().longitude - palermo.longitude).abs() < 1e-5);
    assert_eq!(
        (positions[1], hashes),
        (None, vec![some("sqc8b49rny0"), None])
    );
    let around = Centre::At(Position {
        longitude: 15.0,
        latitude: 37.0,
    });
    let area = Area::Rectangle {
        width: 400.0,
        height: 400.0,
        unit: Unit::Kilometres,
    };
    let asked = (
        geosearch(&key, around, area).nearest(),
        geosearch(
            &key,
            Centre::Member("Palermo"),
            Area::Radius(200_000.0, Unit::Metres),
        )
        .count(2)
        .with_distances(),
        geosearch(
            &key,
            Centre::Member("Palermo"),
            Area::Radius(1.0, Unit::Miles),
        ),
    );
    let (both, near, one) = redis.run(asked).await.unwrap();
    assert_eq!(
        (both, one),
        (
            vec!["Catania".to_owned(), "Palermo".to_owned()],
            vec!["Palermo".to_owned()]
        )
    );
    assert_eq!(near, owned(&[("Palermo", 0.0), ("Catania", 166_274.151_6)]));
}

pub async fn a_command_on_another_kind_of_key_fails_alone(redis: Redis) {
    let key = fresh("wrong");
    let asked = (
        set(&key, "text"),
        lpush(&key, ["x"]).settled(),
        hgetall(&key).settled(),
        zadd(&key, [("a", 1.0)]).settled(),
        get(&key),
    );
    let ((), list, hash, zset, value) = redis.run(asked).await.unwrap();
    for error in [list.unwrap_err(), hash.unwrap_err(), zset.unwrap_err()] {
        assert_eq!(error.code(), "redis_error");
        assert!(error.message().starts_with("WRONGTYPE"), "{error}");
    }
    assert_eq!(value, some("text"));
    // A number is a text, where it is read as one; no text is a number.
    assert_eq!(
        refused(&redis, get(&key).reading::<i64>()).await.code(),
        "corrupt"
    );
    assert_eq!(
        refused(&redis, strlen(&key).reading::<String>())
            .await
            .code(),
        "corrupt"
    );
}

pub async fn scans_find_everything(redis: Redis) {
    let (unique, hash) = (fresh("scan"), fresh("scanned"));
    let name = |n: usize| format!("{unique}:{n:03}");
    let all: Vec<String> = (0..200).map(name).collect();
    let pairs = all.iter().map(|name| (name, 1));
    // Not by MSET: on a cluster they are in many slots.
    let keys: Vec<_> = all.iter().map(|name| set(name, 1)).collect();
    let scores = all.iter().map(|name| (name, 0.5));
    let (members, zset) = (hash.clone() + "s", hash.clone() + "z");
    redis
        .run((
            keys,
            hset(&hash, pairs),
            sadd(&members, &all),
            zadd(&zset, scores),
        ))
        .await
        .unwrap();

    let once = |mut found: Vec<String>| {
        found.sort();
        found.dedup();
        found
    };
    let pattern = unique.clone() + ":*";
    let keys = redis.scan().matching(&pattern).count(7);
    assert_eq!(once(keys.try_collect().await.unwrap()), all);
    let lists = redis.scan_type("list").matching(&pattern).count(1_000);
    assert_eq!(lists.try_collect::<Vec<_>>().await, Ok(Vec::new()));
    let fields: Vec<_> = redis.hscan(&hash).try_collect().await.unwrap();
    assert!(fields.iter().all(|(_, value)| value == "1"));
    assert_eq!(
        once(fields.into_iter().map(|(field, _)| field).collect()),
        all
    );
    let some = redis.sscan(&members).matching("*:00?");
    assert_eq!(once(some.try_collect().await.unwrap()), all[..10]);
    let scored: Vec<_> = redis.zscan(&zset).count(50).try_collect().await.unwrap();
    assert!(scored.iter().all(|(_, score)| *score == 0.5));
    assert_eq!(
        once(scored.into_iter().map(|(member, _)| member).collect()),
        all
    );
    let none: Vec<_> = redis.hscan("none").try_collect().await.unwrap();
    assert!(none.is_empty());
    let error = redis.zscan(&hash).try_next().await.unwrap_err();
    assert_eq!(error.code(), "redis_error");
}
