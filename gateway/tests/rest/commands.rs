use serde_json::{Value, json};

use crate::server::{Redis, Server, key};

#[tokio::test]
async fn a_command_is_a_json_array_of_strings_numbers_and_booleans() {
    let server = Server::start().await;
    let key = key();
    assert_eq!(
        server.result(json!(["SET", key, "v", "EX", 100])).await,
        "OK"
    );
    assert_eq!(server.result(json!(["get", key])).await, "v");
    assert_eq!(server.result(json!(["TTL", key])).await, 100);
    assert_eq!(server.result(json!(["SET", key, true])).await, "OK");
    assert_eq!(server.result(json!(["GET", key])).await, "true");
    assert_eq!(server.result(json!(["SET", key, 1.5])).await, "OK");
    assert_eq!(server.result(json!(["GET", key])).await, "1.5");
}

#[tokio::test]
async fn a_number_keeps_every_digit_both_ways() {
    let server = Server::start().await;
    let key = key();
    let body = format!(r#"["SET","{key}",9007199254740993]"#);
    assert_eq!(server.post("/", body).send().await.status, 200);
    let answer = server
        .post("/", format!(r#"["INCR","{key}"]"#))
        .send()
        .await;
    assert_eq!(answer.text(), r#"{"result":9007199254740994}"#);
}

#[tokio::test]
async fn nulls_integers_and_nested_arrays_are_json_ones() {
    let server = Server::start().await;
    assert_eq!(server.result(json!(["GET", key()])).await, Value::Null);
    let script = "return {1, 'a', {false, {}}, -5}";
    assert_eq!(
        server.result(json!(["EVAL", script, 0])).await,
        json!([1, "a", [null, []], -5])
    );
}

#[tokio::test]
async fn a_failed_command_is_a_400_with_the_text_of_redis() {
    let server = Server::start().await;
    let key = key();
    server.result(json!(["SET", key, "text"])).await;
    let answer = server.command(json!(["INCR", key])).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.error(),
        "ERR value is not an integer or out of range"
    );
    let answer = server.command(json!(["LPUSH", key, "a"])).await;
    assert_eq!(
        answer.error(),
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    let answer = server.command(json!(["GET"])).await;
    assert_eq!(
        answer.error(),
        "ERR wrong number of arguments for 'get' command"
    );
    let answer = server.command(json!(["EVALSHA", "0".repeat(40), 0])).await;
    assert_eq!(
        answer.error(),
        "NOSCRIPT No matching script. Please use EVAL."
    );
}

#[tokio::test]
async fn a_body_that_is_no_command_is_a_400() {
    let server = Server::start().await;
    for body in [
        "",
        "[]",
        "{}",
        "nonsense",
        r#"["GET",null]"#,
        r#"[["GET","k"]]"#,
        r#"["GET",{}]"#,
    ] {
        let answer = server.post("/", body).send().await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().starts_with("ERR "), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_command_is_refused_in_redis_words_and_harms_nobody() {
    let server = Server::start().await;
    let answer = server.command(json!(["NOSUCH", "a", "b"])).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.error(),
        "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' "
    );
    // Redis would cut this argument in the middle of a character.
    let answer = server.command(json!(["NOSUCH", "aé".repeat(100)])).await;
    assert_eq!(answer.status, 400);
    assert_eq!(server.result(json!(["PING"])).await, "PONG");
}

#[tokio::test]
async fn commands_that_rest_cannot_carry_are_refused_by_name() {
    let server = Server::start().await;
    for name in [
        "BLPOP",
        "brpop",
        "BZPOPMIN",
        "SUBSCRIBE",
        "PSUBSCRIBE",
        "MONITOR",
        "WATCH",
        "MULTI",
        "EXEC",
        "DISCARD",
        "CLIENT",
        "HELLO",
        "AUTH",
        "QUIT",
        "RESET",
        "CLUSTER",
        "SHUTDOWN",
        "PSYNC",
        "WAIT",
    ] {
        let answer = server.command(json!([name, "a", "b"])).await;
        assert_eq!(answer.status, 400, "{name}");
        let expected = format!("ERR Command is not available: '{}'", name.to_uppercase());
        assert!(answer.error().starts_with(&expected), "{}", answer.error());
    }
    let answer = server
        .command(json!(["XREAD", "BLOCK", 0, "STREAMS", "s", "$"]))
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn select_0_is_fine_and_any_other_database_is_refused() {
    let server = Server::start().await;
    assert_eq!(server.result(json!(["SELECT", 0])).await, "OK");
    let answer = server.command(json!(["SELECT", 1])).await;
    assert_eq!(answer.status, 400);
    assert!(answer.error().starts_with("ERR Only 0th database"));
}

/// As Upstash does, where Redis knows no such flag.
#[tokio::test]
async fn a_script_may_ask_for_key_locking_and_keeps_the_name_its_caller_knows() {
    // One of its own, for it is flushed.
    let redis = Redis::start();
    let server = Server::over(&redis).await;
    let script = "#!lua flags=allow-key-locking\nreturn {KEYS[1], ARGV[1]}";
    // `printf '#!lua flags=allow-key-locking\nreturn {KEYS[1], ARGV[1]}' | sha1sum`
    let sha1 = "3bc2a7d31628f8c9b8ebf73e8b84bfcdb9368b6b";
    let asked = json!(["EVALSHA", sha1, 1, "k", "v"]);
    let answer = server.command(asked.clone()).await;
    assert!(answer.error().starts_with("NOSCRIPT"));
    assert_eq!(
        server.result(json!(["EVAL", script, 1, "k", "v"])).await,
        json!(["k", "v"])
    );
    assert_eq!(server.result(asked.clone()).await, json!(["k", "v"]));
    assert_eq!(
        server
            .result(json!(["SCRIPT", "EXISTS", sha1, "none"]))
            .await,
        json!([1, 0])
    );
    server.result(json!(["SCRIPT", "FLUSH"])).await;
    let answer = server.command(asked.clone()).await;
    assert!(answer.error().starts_with("NOSCRIPT"));
    assert_eq!(server.result(json!(["SCRIPT", "LOAD", script])).await, sha1);
    assert_eq!(server.result(asked).await, json!(["k", "v"]));
}

#[tokio::test]
async fn every_answer_to_a_command_has_a_sync_token_and_they_grow() {
    let server = Server::start().await;
    let mut last = String::new();
    for _ in 0..20 {
        let answer = server.command(json!(["PING"])).await;
        let token = answer.header("upstash-sync-token").unwrap().to_owned();
        assert!(token > last, "{token} after {last}");
        last = token;
    }
}
