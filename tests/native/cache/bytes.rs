//! Bytes as payloads of entries, and what JavaScript deflated.

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use upstash_edge::commands::{Bytes, command};
use upstash_edge::{Arg, Redis};

use super::{Fetched, patient};
use crate::server::Server;

async fn bytes(redis: &Redis) -> Option<Vec<u8>> {
    redis.run(patient().get_bytes("k")).await.unwrap()
}

fn every() -> Vec<u8> {
    (0..=255).collect()
}

#[tokio::test]
async fn bytes_come_back_as_they_were_alone_and_in_company() {
    for json_only in [false, true] {
        let server = Server::start_with(|config| config.json_only = json_only).await;
        let (redis, fake) = server.faked();
        for value in [
            every(),
            Vec::new(),
            b"ue1;j;".to_vec(),
            "ü€".into(),
            vec![0xff; 100_000],
        ] {
            let set = || patient().set_bytes("k", &value);
            // The second time the server knows the script.
            for _ in 0..2 {
                redis.run(set()).await.unwrap();
                assert_eq!(bytes(&redis).await.as_ref(), Some(&value));
            }
            if !json_only && std::str::from_utf8(&value).is_err() {
                redis.run(set()).await.unwrap();
                assert_eq!(fake.sent().last(), Some(&value), "nothing encoded");
                // Nor is anything lost with the script.
                let flush = command::<String>("SCRIPT", &["FLUSH".into()]);
                redis.run((flush, patient().delete("k"))).await.unwrap();
                redis.run(set()).await.unwrap();
                assert_eq!(bytes(&redis).await.as_ref(), Some(&value));
            }
            redis.run(patient().delete("k")).await.unwrap();
            let tagged = patient().tags(&["a.b", "c%"]).unwrap();
            let company = (tagged.set_bytes("k", &value), patient().get_bytes("k"));
            assert_eq!(redis.run(company).await.unwrap().1.as_ref(), Some(&value));
            redis.run(tagged.set_bytes("k", &value)).await.unwrap();
            assert_eq!(bytes(&redis).await.as_ref(), Some(&value));
            redis
                .run(tagged.invalidate_tags(&["c%"]).unwrap())
                .await
                .unwrap();
            assert_eq!(bytes(&redis).await, None);
        }
    }
}

#[tokio::test]
async fn bytes_are_no_value_and_a_value_is_no_bytes() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let cache = patient();
    redis.run(cache.set("k", &7).unwrap()).await.unwrap();
    assert_eq!(bytes(&redis).await, None);
    redis.run(cache.set_bytes("k", b"7")).await.unwrap();
    assert_eq!(bytes(&redis).await.as_deref(), Some(&b"7"[..]));
    assert_eq!(redis.run(cache.get::<i32>("k")).await.unwrap(), None);
    assert!(redis.run(cache.has("k")).await.unwrap());
    // Each is counted as what it was to who asked.
    fake.advance(10_000);
    let (_, stats) = (cache.get::<i32>("k"), cache.stats());
    let stats = redis.run(stats).await.unwrap();
    assert_eq!((stats.hits, stats.misses), (0, 1));
    // What is fetched takes its place.
    let fetched = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(8)) });
    assert_eq!(fetched.await, Ok(json!(8)));
    assert_eq!(redis.run(cache.get("k")).await.unwrap(), Some(8));
    // And does not stand in for a fetch that fails.
    redis.run(cache.set_bytes("k", b"9")).await.unwrap();
    let failed = cache.get_or_fetch(&redis, "k", || async { Fetched::Err("down") });
    assert_eq!(failed.await, Err("down"));
}

#[tokio::test]
async fn what_another_client_wrote_is_bytes_to_who_asks_for_bytes() {
    let server = Server::start().await;
    let redis = server.client();
    for value in [every(), b"[1]".to_vec()] {
        let args = ["{cache:0}:e:k".into(), Arg::Bytes(&value)];
        redis.run(command::<String>("SET", &args)).await.unwrap();
        assert_eq!(bytes(&redis).await, Some(value));
    }
    let value = redis.run(patient().get::<Value>("k")).await.unwrap();
    assert_eq!(value, Some(json!([1])));
}

/// Puts what `value` is when it is deflated, cut short by `cut`, in place of the entry's own payload.
async fn deflate(redis: &Redis, codec: u8, value: &[u8], cut: usize) {
    let key = || Arg::Text("{cache:0}:e:k");
    let Bytes(entry) = redis.run(command("GET", &[key()])).await.unwrap();
    let header = entry.iter().enumerate().filter(|(_, byte)| **byte == b';');
    let end = header.map(|(at, _)| at + 1).nth(9).unwrap();
    let mut deflated = entry[..end].to_vec();
    deflated[4] = codec;
    deflated.extend(compress_to_vec_zlib(value, 6));
    deflated.truncate(deflated.len() - cut);
    let set = command::<String>("SET", &[key(), Arg::Bytes(&deflated)]);
    redis.run(set).await.unwrap();
}

#[tokio::test]
async fn what_is_deflated_is_read_and_what_is_broken_a_miss() {
    let server = Server::start().await;
    let redis = server.client();
    let cache = patient();
    redis.run(cache.set_bytes("k", &[])).await.unwrap();
    let long = "long ".repeat(1_000);
    deflate(&redis, b'B', long.as_bytes(), 0).await;
    assert_eq!(bytes(&redis).await.as_deref(), Some(long.as_bytes()));
    deflate(&redis, b'B', long.as_bytes(), 1).await;
    assert_eq!(bytes(&redis).await, None);

    deflate(&redis, b'J', json!(long).to_string().as_bytes(), 0).await;
    let value = redis.run((cache.get("k"), cache.get_many(&["k"]))).await;
    assert_eq!(
        value.unwrap(),
        (Some(long.clone()), vec![Some(long.clone())])
    );
    let found = cache.get_or_fetch(&redis, "k", || async { Fetched::Err("called") });
    assert_eq!(found.await, Ok(json!(long)));
    deflate(&redis, b'J', json!(long).to_string().as_bytes(), 1).await;
    let fetched = cache.get_or_fetch(&redis, "k", || async { Fetched::Ok(json!(2)) });
    assert_eq!(fetched.await, Ok(json!(2)));
    assert_eq!(redis.run(cache.get("k")).await.unwrap(), Some(2));
}
