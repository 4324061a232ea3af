//! Answers of a language model: what is found, counted and kept.

use serde_json::{Value, json};
use upstash_edge::commands::command;
use upstash_edge::host::{Fake, Fault, Host};
use upstash_edge::{PromptCache, PromptStats, Redis};

use crate::server::Server;

/// What is found when Redis is slow is another test's.
fn patient() -> PromptCache {
    PromptCache::new().timeout_ms(60_000).unwrap()
}

fn question() -> Value {
    json!({"model": "m-1", "prompt": ["Why is the sky blue?"], "temperature": 0, "max_tokens": 9})
}

#[tokio::test]
async fn an_answer_is_found_by_its_question_and_counted_in_the_same_request() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let prompts = patient();
    let get = || prompts.get::<Value>(&question()).unwrap();
    assert_eq!(redis.run(get()).await.unwrap(), None);
    let answer = json!({"text": "Rayleigh scattering."});
    let set = prompts.set(&question(), &answer, 42).unwrap();
    redis.run(set).await.unwrap();
    let stored_at = fake.now();
    fake.advance(5);
    for hits in 1..=3 {
        let before = fake.sent().len();
        let found = redis.run(get()).await.unwrap().unwrap();
        assert_eq!((&found.data, found.tokens_used), (&answer, 42));
        assert_eq!((found.cached_at, found.hits), (stored_at, hits));
        // The first hit may be sent twice: a node of a cluster learns the script.
        assert!(hits == 1 || fake.sent().len() == before + 1);
    }
    let stats = redis.run(prompts.stats()).await.unwrap();
    let told = PromptStats {
        hits: 3,
        misses: 1,
        tokens_saved: 126,
    };
    assert_eq!((stats, stats.hit_rate()), (told, 0.75));
    // A new answer has not been served yet.
    let set = prompts.set(&question(), "anew", 7).unwrap();
    redis.run(set).await.unwrap();
    let found = redis.run(prompts.get::<String>(&question()).unwrap());
    let found = found.await.unwrap().unwrap();
    assert_eq!(
        (found.data.as_str(), found.tokens_used, found.hits),
        ("anew", 7, 1)
    );
    assert_eq!(PromptStats::default().hit_rate(), 0.0);
}

#[tokio::test]
async fn another_question_is_another_answer_and_the_order_of_its_parts_is_nothing() {
    let server = Server::start().await;
    let redis = server.client();
    let prompts = patient();
    redis
        .run(prompts.set(&question(), &1, 1).unwrap())
        .await
        .unwrap();
    let same = json!({"max_tokens": 9.0, "temperature": -0.0, "prompt": ["Why is the sky blue?"], "model": "m-1"});
    let mut others = [question(), question(), question()];
    others[0]["max_tokens"] = json!(10);
    others[1]["prompt"] = json!(["Why is the sky blue? "]);
    others[2]["seed"] = json!(null);
    for (question, found) in [(&same, true)]
        .into_iter()
        .chain(others.iter().map(|other| (other, false)))
    {
        let get = prompts.get::<i32>(question).unwrap();
        let answer = redis.run(get).await.unwrap();
        assert_eq!(answer.is_some(), found, "{question}");
    }
    let elsewhere = patient().name("other").get::<i32>(&question()).unwrap();
    assert_eq!(redis.run(elsewhere).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_meant_to_vary_is_neither_kept_nor_asked_for() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut hot = question();
    hot["temperature"] = json!(0.7);
    redis
        .run(patient().set(&hot, &1, 1).unwrap())
        .await
        .unwrap();
    let get = patient().get::<i32>(&hot).unwrap();
    assert_eq!(redis.run(get).await.unwrap(), None);
    assert_eq!(fake.sent().len(), 0);
    let warm = patient().max_temperature(0.7).unwrap();
    redis.run(warm.set(&hot, &1, 1).unwrap()).await.unwrap();
    let found = redis.run(warm.get::<i32>(&hot).unwrap()).await.unwrap();
    assert_eq!(found.unwrap().data, 1);
}

async fn keys(redis: &Redis) -> Vec<String> {
    redis.run(command("KEYS", &["*".into()])).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_what_is_none_is_a_miss() {
    let server = Server::alone().await;
    let redis = server.client();
    let prompts = patient().ttl_ms(60_000).unwrap();
    redis
        .run(prompts.set(&question(), &1, 1).unwrap())
        .await
        .unwrap();
    let keys = keys(&redis).await;
    let [key] = keys.as_slice() else {
        panic!("{keys:?}");
    };
    assert!(key.starts_with("{prompts:p}:a:"));
    let pttl = command::<i64>("PTTL", &[key.into()]);
    assert!((50_000..=60_000).contains(&redis.run(pttl).await.unwrap()));
    // Not what was asked for, half an answer, and no answer at all.
    let get = || prompts.get::<String>(&question()).unwrap();
    assert_eq!(redis.run(get()).await.unwrap(), None);
    let half = command::<i64>("HDEL", &[key.into(), "t".into()]);
    redis.run(half).await.unwrap();
    assert_eq!(redis.run(get()).await.unwrap(), None);
    let other = command::<String>("SET", &[key.into(), "text".into()]);
    redis.run(other).await.unwrap();
    assert_eq!(redis.run(get()).await.unwrap(), None);
}

#[tokio::test]
async fn when_redis_fails_there_is_no_answer_and_who_writes_is_told() {
    let fake = Fake::new();
    let builder = Redis::builder("http://redis.invalid", "token").retry(None);
    let redis = builder.build_with(fake.clone()).unwrap();
    let prompts = PromptCache::new();
    fake.push(Fault::Silence);
    let started = fake.now();
    for _ in 0..2 {
        let get = prompts.get::<i32>(&question()).unwrap();
        assert_eq!(redis.run(get).await.unwrap(), None);
    }
    assert_eq!(fake.now() - started, 500);
    let set = prompts.set(&question(), &1, 1).unwrap();
    assert_eq!(redis.run(set).await.unwrap_err().code(), "network");
    let stats = redis.run(prompts.stats()).await;
    assert_eq!(stats.unwrap_err().code(), "network");
}
