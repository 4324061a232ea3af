use serde_json::json;

use crate::server::{Server, key};

#[tokio::test]
async fn resp2_is_what_redis_itself_would_send() {
    let server = Server::start().await;
    let key = key();
    for (command, expected) in [
        (json!(["SET", key, "OK"]), "+OK\r\n"),
        (json!(["GET", key]), "$2\r\nOK\r\n"),
        (json!(["STRLEN", key]), ":2\r\n"),
        (json!(["GET", "missing"]), "$-1\r\n"),
        (json!(["PING"]), "+PONG\r\n"),
        (json!(["MGET", key, "missing"]), "*2\r\n$2\r\nOK\r\n$-1\r\n"),
        (json!(["EVAL", "return {{}, 1}", 0]), "*2\r\n*0\r\n:1\r\n"),
    ] {
        let answer = server
            .post("/", command.to_string())
            .header("Upstash-Response-Format", "resp2")
            .send()
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            Some("application/octet-stream")
        );
        assert_eq!(answer.text(), expected);
    }
}

#[tokio::test]
async fn a_failed_command_in_resp2_is_a_400_with_an_error_line() {
    let server = Server::start().await;
    for (command, expected) in [
        (
            r#"["GET"]"#,
            "-ERR wrong number of arguments for 'get' command\r\n",
        ),
        (
            r#"["NOSUCH"]"#,
            "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
        ),
    ] {
        let answer = server
            .post("/", command)
            .header("Upstash-Response-Format", "resp2")
            .send()
            .await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.header("content-type"),
            Some("application/octet-stream")
        );
        assert_eq!(answer.text(), expected);
    }
}

#[tokio::test]
async fn a_pipeline_in_resp2_is_one_array_with_the_errors_in_their_places() {
    let server = Server::start().await;
    let key = key();
    let body = json!([
        ["SET", key, "a\r\nb"],
        ["GET", key],
        ["INCR", key],
        ["CLIENT"],
        ["NOSUCH", "a\r\nb"],
        ["PING"]
    ]);
    let answer = server
        .post("/pipeline", body.to_string())
        .header("Upstash-Response-Format", "resp2")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        "*6\r\n+OK\r\n$4\r\na\r\nb\r\n-ERR value is not an integer or out of range\r\n\
         -ERR Command is not available: 'CLIENT'. It cannot be used over REST\r\n\
         -ERR unknown command 'NOSUCH', with args beginning with: 'a  b' \r\n+PONG\r\n"
    );
}

#[tokio::test]
async fn base64_covers_every_string_but_the_status_ok() {
    let server = Server::start().await;
    let key = key();
    let body = json!([
        ["SET", key, "OK"],
        ["GET", key],
        ["PING"],
        ["STRLEN", key],
        ["GET", "missing"],
        ["MGET", key],
        ["INCR", key]
    ]);
    let answer = server
        .post("/pipeline", body.to_string())
        .header("Upstash-Encoding", "base64")
        .send()
        .await;
    assert_eq!(
        answer.json(),
        json!([{"result": "OK"}, {"result": "T0s="}, {"result": "UE9ORw=="}, {"result": 2}, {"result": null},
            {"result": ["T0s="]}, {"error": "ERR value is not an integer or out of range"}])
    );
}

#[tokio::test]
async fn bytes_that_are_no_text_become_replacement_characters_in_plain_json() {
    let server = Server::start().await;
    let key = key();
    server
        .post(&format!("/set/{key}"), [b'a', 0xff, b'b'])
        .send()
        .await;
    assert_eq!(server.result(json!(["GET", key])).await, "a\u{fffd}b");
    let answer = server
        .get(&format!("/get/{key}"))
        .header("Upstash-Encoding", "base64")
        .send()
        .await;
    assert_eq!(answer.json(), json!({"result": "Yf9i"}));
}

#[tokio::test]
async fn a_format_that_is_unknown_or_asked_for_twice_over_is_a_400() {
    let server = Server::start().await;
    let ask = |format: &str, encoding: &str| {
        let mut request = server.post("/", r#"["PING"]"#);
        if !format.is_empty() {
            request = request.header("Upstash-Response-Format", format);
        }
        if !encoding.is_empty() {
            request = request.header("Upstash-Encoding", encoding);
        }
        request.send()
    };
    assert_eq!(ask("json", "").await.status, 200);
    assert_eq!(ask("json", "base64").await.status, 200);
    for (format, encoding) in [
        ("resp3", ""),
        ("", "hex"),
        ("resp2", "base64"),
        ("xml", "base64"),
    ] {
        let answer = ask(format, encoding).await;
        assert_eq!(answer.status, 400, "{format} {encoding}");
        assert!(answer.error().starts_with("ERR "));
    }
}
