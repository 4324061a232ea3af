use serde_json::json;

use crate::server::{Server, key};

#[tokio::test]
async fn a_path_is_a_command_by_get_head_post_and_put() {
    let server = Server::start().await;
    let key = key();
    for method in ["GET", "POST", "PUT"] {
        let answer = server
            .request(method, &format!("/set/{key}/{method}/EX/100"))
            .bearer("standard-token")
            .send()
            .await;
        assert_eq!(answer.json(), json!({"result": "OK"}));
        let answer = server.get(&format!("/get/{key}")).send().await;
        assert_eq!(answer.json(), json!({"result": method}));
    }
    let answer = server
        .request("HEAD", &format!("/set/{key}/head"))
        .bearer("standard-token")
        .send()
        .await;
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert_eq!(server.result(json!(["GET", key])).await, "head");
}

#[tokio::test]
async fn a_path_segment_is_percent_decoded_to_bytes() {
    let server = Server::start().await;
    let key = key();
    server
        .get(&format!("/set/{key}%2F%20%25/%ff%00+a"))
        .send()
        .await;
    assert_eq!(
        server.result(json!(["EXISTS", format!("{key}/ %")])).await,
        1
    );
    let answer = server
        .get(&format!("/get/{key}%2f%20%25"))
        .header("Upstash-Response-Format", "resp2")
        .send()
        .await;
    assert_eq!(answer.body, b"$4\r\n\xff\x00+a\r\n");
    assert_eq!(server.get("/get/%zz").send().await.status, 400);
}

#[tokio::test]
async fn the_body_is_the_last_argument_byte_for_byte_and_the_query_follows_it() {
    let server = Server::start().await;
    let key = key();
    let every_byte: Vec<u8> = (0..=255).collect();
    let path = format!("/set/{key}?EX=100&NX&GET=");
    let answer = server.post(&path, every_byte.clone()).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(server.result(json!(["TTL", key])).await, 100);
    let answer = server
        .get(&format!("/get/{key}"))
        .header("Upstash-Response-Format", "resp2")
        .send()
        .await;
    assert_eq!(
        answer.body,
        [b"$256\r\n", &every_byte[..], b"\r\n"].concat()
    );
}

#[tokio::test]
async fn a_post_without_a_body_adds_no_argument() {
    let server = Server::start().await;
    assert_eq!(
        server.post("/ping", "").send().await.json(),
        json!({"result": "PONG"})
    );
    assert_eq!(
        server.post("/ping", "hello").send().await.json(),
        json!({"result": "hello"})
    );
}

#[tokio::test]
async fn an_empty_segment_is_an_empty_argument() {
    let server = Server::start().await;
    let key = key();
    server.get(&format!("/set/{key}/")).send().await;
    assert_eq!(server.result(json!(["GET", key])).await, "");
}

#[tokio::test]
async fn commands_that_rest_cannot_carry_are_refused_in_paths_too() {
    let server = Server::start().await;
    assert_eq!(server.get("/client/list").send().await.status, 400);
    assert_eq!(server.get("/blpop/a/0").send().await.status, 400);
}
