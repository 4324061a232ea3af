use serde_json::{Value, json};

use crate::http::Answer;
use crate::server::{READ_ONLY, Server, key};

async fn send(server: &Server, path: &str, body: Value) -> Answer {
    server
        .request("POST", path)
        .bearer(READ_ONLY)
        .body(body.to_string())
        .send()
        .await
}

#[tokio::test]
async fn the_read_only_token_reads() {
    let server = Server::start().await;
    let key = key();
    server.result(json!(["SET", key, "v"])).await;
    for command in [
        json!(["GET", key]),
        json!(["MGET", key]),
        json!(["EXISTS", key]),
        json!(["TTL", key]),
        json!(["PING"]),
        json!(["HGETALL", "h"]),
        json!(["ZRANGE", "z", 0, -1]),
        json!(["OBJECT", "ENCODING", key]),
        json!(["TYPE", key]),
        json!(["EVAL_RO", "return redis.call('GET', KEYS[1])", 1, key]),
        json!(["ECHO", "a"]),
        json!(["TIME"]),
        json!(["SSCAN", "s", 0]),
        json!(["XRANGE", "x", "-", "+"]),
        json!(["GETRANGE", key, 0, 1]),
    ] {
        let answer = send(&server, "/", command.clone()).await;
        assert_eq!(answer.status, 200, "{command} {answer:?}");
    }
}

#[tokio::test]
async fn the_read_only_token_changes_nothing() {
    let server = Server::start().await;
    let key = key();
    server.result(json!(["SET", key, "v"])).await;
    for command in [
        json!(["SET", key, "w"]),
        json!(["Del", key]),
        json!(["GETDEL", key]),
        json!(["GETEX", key, "EX", 1]),
        json!(["EVAL", "return 1", 0]),
        json!(["EVALSHA", "a", 0]),
        json!(["PUBLISH", "c", "m"]),
        json!(["FLUSHALL"]),
        json!(["SCRIPT", "LOAD", "return 1"]),
        json!(["SCRIPT", "FLUSH"]),
        json!(["CONFIG", "SET", "maxmemory", "1"]),
        json!(["KEYS", "*"]),
        json!(["SCAN", 0]),
        json!(["SORT", key, "STORE", "k"]),
        json!(["ACL", "WHOAMI"]),
        json!(["FUNCTION", "FLUSH"]),
        json!(["FCALL", "f", 0]),
        json!(["SWAPDB", 0, 1]),
        json!(["INFO"]),
        json!(["XGROUP", "CREATE", key, "g", "$"]),
        json!(["OBJECT|ENCODING", key]),
    ] {
        let name = command[0].as_str().unwrap().to_lowercase();
        let answer = send(&server, "/", command.clone()).await;
        assert_eq!(answer.status, 400, "{command}");
        if !name.contains('|') {
            assert_eq!(
                answer.error(),
                format!("NOPERM this user has no permissions to run the '{name}' command")
            );
        }
    }
    assert_eq!(server.result(json!(["GET", key])).await, "v");
}

#[tokio::test]
async fn a_write_in_a_read_only_pipeline_fails_alone_and_in_a_transaction_discards_all() {
    let server = Server::start().await;
    let key = key();
    let body = json!([["SET", key, "v"], ["GET", key]]);
    let noperm = "NOPERM this user has no permissions to run the 'set' command";
    let answer = send(&server, "/pipeline", body.clone()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!([{"error": noperm}, {"result": null}]));
    let answer = send(&server, "/multi-exec", body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.error().ends_with(noperm));
    let path = format!("/set/{key}/v");
    assert_eq!(
        server
            .request("GET", &path)
            .bearer(READ_ONLY)
            .send()
            .await
            .status,
        400
    );
    assert_eq!(server.result(json!(["EXISTS", key])).await, 0);
}

#[tokio::test]
async fn a_script_that_is_sworn_to_read_cannot_write() {
    let server = Server::start().await;
    let answer = send(
        &server,
        "/",
        json!(["EVAL_RO", "return redis.call('SET', KEYS[1], 1)", 1, key()]),
    )
    .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.error().contains("Write commands are not allowed"),
        "{}",
        answer.error()
    );
}
