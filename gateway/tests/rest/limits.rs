use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use upstash_gateway::Config;

use crate::server::{Redis, Server, TOKEN, key};

#[tokio::test]
async fn methods_other_than_get_head_post_and_put_are_a_405() {
    let server = Server::start().await;
    for method in ["DELETE", "PATCH", "TRACE", "FOO"] {
        for path in ["/", "/get/k", "/pipeline"] {
            assert_eq!(
                server
                    .request(method, path)
                    .bearer(TOKEN)
                    .send()
                    .await
                    .status,
                405,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_past_it_is_a_413() {
    let config = Config::new(Redis::shared().url(), TOKEN).max_request_bytes(1000);
    let server = Server::with(config).await;
    let key = key();
    let path = format!("/set/{key}");
    assert_eq!(
        server.post(&path, vec![b'a'; 1000]).send().await.status,
        200
    );
    let answer = server.post(&path, vec![b'b'; 1001]).send().await;
    assert_eq!(answer.status, 413);
    assert!(answer.error().starts_with("ERR max request size exceeded"));
    assert_eq!(server.result(json!(["GETRANGE", key, 0, 0])).await, "a");
}

#[tokio::test]
async fn ten_megabytes_pass_by_default_and_a_client_that_sends_more_still_reads_its_413() {
    let server = Server::start().await;
    let key = key();
    let path = format!("/set/{key}");
    assert_eq!(
        server.post(&path, vec![0; 10_000_000]).send().await.status,
        200
    );
    assert_eq!(server.result(json!(["STRLEN", key])).await, 10_000_000);
    assert_eq!(
        server.post(&path, vec![0; 30_000_000]).send().await.status,
        413
    );
    server.result(json!(["DEL", key])).await;
}

#[tokio::test]
async fn a_client_that_sends_much_without_a_token_still_reads_its_401() {
    let server = Server::start().await;
    let answer = server
        .request("POST", "/set/k")
        .body(vec![0; 30_000_000])
        .send()
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_chunked_body_is_limited_as_well() {
    let config = Config::new(Redis::shared().url(), TOKEN).max_request_bytes(1000);
    let server = Server::with(config).await;
    let head = format!(
        "POST /set/k HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
        transfer-encoding: chunked\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..3 {
        stream
            .write_all(format!("1f4\r\n{}\r\n", "a".repeat(500)).as_bytes())
            .await
            .unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_large_reply_comes_whole() {
    let server = Server::start().await;
    let script = "local t = {} for i = 1, 100000 do t[i] = tostring(i) end return t";
    let answer = server.command(json!(["EVAL", script, 0])).await;
    assert_eq!(answer.json()["result"].as_array().unwrap().len(), 100_000);
}

/// A minute is long enough for every other answer of these tests.
const SOON: Duration = Duration::from_secs(60);

async fn impatient() -> Server {
    let config = Config::new(Redis::shared().url(), TOKEN);
    Server::with(config.request_timeout(Duration::from_millis(300))).await
}

/// Sends this, and then nothing; what comes back until the connection ends.
async fn stalled(server: &Server, sent: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(SOON, read).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn who_sends_a_head_or_a_body_too_slowly_is_let_go() {
    let server = impatient().await;
    for head in ["", "POST / HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let answer = stalled(&server, head).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n");
    for body in [
        "content-length: 20\r\n\r\n[\"PING\"",
        "transfer-encoding: chunked\r\n\r\n8\r\n[\"PING\"",
    ] {
        let answer = stalled(&server, &(head.clone() + body)).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_may_take_longer_than_a_request() {
    let server = impatient().await;
    let channel = key();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET /subscribe/{channel} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let message = key();
    let listeners = server.result(json!(["PUBLISH", channel, message])).await;
    assert_eq!(listeners, 1);
    let heard = async {
        let (mut all, mut piece) = (String::new(), [0; 1024]);
        while !all.contains(&message) {
            let count = stream.read(&mut piece).await.unwrap();
            assert!(count > 0, "{all}");
            all += std::str::from_utf8(&piece[..count]).unwrap();
        }
    };
    tokio::time::timeout(SOON, heard).await.unwrap();
}
