use serde_json::json;

use crate::server::{Server, key};

#[tokio::test]
async fn a_transaction_answers_each_command_and_goes_on_past_one_that_fails() {
    let server = Server::start().await;
    let key = key();
    let body = json!([
        ["SET", key, "a"],
        ["INCR", key],
        ["EVALSHA", "0".repeat(40), 0],
        ["GET", key]
    ]);
    let answer = server.post("/multi-exec", body.to_string()).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!([
            {"result": "OK"},
            {"error": "ERR value is not an integer or out of range"},
            {"error": "NOSCRIPT No matching script. Please use EVAL."},
            {"result": "a"}
        ])
    );
}

#[tokio::test]
async fn a_transaction_that_is_discarded_is_one_error_and_does_nothing() {
    let server = Server::start().await;
    let key = key();
    for bad in [
        json!(["GET"]),
        json!(["CLIENT", "LIST"]),
        json!(["NOSUCH"]),
        json!(["WATCH", "k"]),
        json!(["EXEC"]),
    ] {
        let body = json!([["SET", key, "v"], bad]);
        let answer = server.post("/multi-exec", body.to_string()).send().await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(
            answer.error().starts_with("EXECABORT "),
            "{}",
            answer.error()
        );
    }
    assert_eq!(server.post("/multi-exec", "[]").send().await.status, 400);
    assert_eq!(server.result(json!(["EXISTS", key])).await, 0);
}

#[tokio::test]
async fn concurrent_transactions_never_interleave() {
    let server = Server::start().await;
    let key = key();
    // Each writes its mark, works a little, and reads it back.
    let run = async |who: usize| {
        let mark = who.to_string();
        let mut body = vec![json!(["SET", key, mark])];
        body.extend(vec![json!(["APPEND", key, "."]); 20]);
        body.push(json!(["GET", key]));
        let answer = server
            .post("/multi-exec", json!(body).to_string())
            .send()
            .await;
        assert_eq!(
            answer.json()[21]["result"],
            format!("{mark}{}", ".".repeat(20))
        );
    };
    for _ in 0..5 {
        let mut running = Vec::new();
        for who in 0..60 {
            running.push(run(who));
        }
        futures_util::future::join_all(running).await;
    }
}

#[tokio::test]
async fn a_transaction_answers_in_json_even_when_resp2_is_asked_for() {
    let server = Server::start().await;
    let answer = server
        .post("/multi-exec", r#"[["PING"]]"#)
        .header("Upstash-Response-Format", "resp2")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!([{"result": "PONG"}]));
}

#[tokio::test]
async fn binary_replies_of_a_transaction_come_in_base64() {
    let server = Server::start().await;
    let key = key();
    server
        .post(&format!("/set/{key}"), [0xff, 0x00])
        .send()
        .await;
    let body = json!([["GET", key], ["SET", key, "OK"], ["GET", key]]);
    let answer = server
        .post("/multi-exec", body.to_string())
        .header("Upstash-Encoding", "base64")
        .send()
        .await;
    assert_eq!(
        answer.json(),
        json!([{"result": "/wA="}, {"result": "OK"}, {"result": "T0s="}])
    );
}
