use serde_json::json;
use upstash_gateway::Config;

use crate::http::Request;
use crate::server::{Redis, Server, TOKEN, key};

async fn start() -> Server {
    Server::with(Config::new(Redis::shared().url(), TOKEN).json_only(true)).await
}

fn post(server: &Server, path: &str, body: &str) -> Request {
    server
        .post(path, body)
        .header("Content-Type", "application/json")
}

#[tokio::test]
async fn a_json_only_server_speaks_json_whatever_format_is_asked_for() {
    let server = start().await;
    for format in ["resp2", "json", "anything"] {
        for (path, body, expected) in [
            ("/", r#"["PING"]"#, r#"{"result":"PONG"}"#),
            ("/pipeline", r#"[["PING"]]"#, r#"[{"result":"PONG"}]"#),
            ("/multi-exec", r#"[["PING"]]"#, r#"[{"result":"PONG"}]"#),
        ] {
            let answer = post(&server, path, body)
                .header("Upstash-Response-Format", format)
                .send()
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.text(), expected);
            assert_eq!(answer.header("upstash-sync-token"), None);
        }
    }
}

#[tokio::test]
async fn a_json_only_server_encodes_ok_in_base64_too() {
    let server = start().await;
    let key = key();
    let body = json!([
        ["SET", key, "OK"],
        ["GET", key],
        ["INCR", key],
        ["GET", "missing"]
    ]);
    let answer = post(&server, "/pipeline", &body.to_string())
        .header("Upstash-Encoding", "base64")
        .header("Upstash-Response-Format", "resp2")
        .send()
        .await;
    assert_eq!(
        answer.json(),
        json!([{"result": "T0s="}, {"result": "T0s="}, {"error": "ERR value is not an integer or out of range"},
            {"result": null}])
    );
}

#[tokio::test]
async fn a_json_only_server_has_no_paths_no_events_and_no_token_in_the_query() {
    let server = start().await;
    for path in ["/get/k", "/ping", "/subscribe/c", "/monitor"] {
        assert_eq!(post(&server, path, "").send().await.status, 404, "{path}");
    }
    let path = format!("/?_token={TOKEN}");
    let answer = server
        .request("POST", &path)
        .header("Content-Type", "application/json")
        .body(r#"["PING"]"#)
        .send()
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_json_only_server_wants_exactly_application_json() {
    let server = start().await;
    for content_type in ["text/plain", "application/json; charset=utf-8", ""] {
        let answer = server
            .post("/", r#"["PING"]"#)
            .header("Content-Type", content_type)
            .send()
            .await;
        assert_eq!(answer.status, 400, "{content_type}");
    }
    assert_eq!(server.post("/", r#"["PING"]"#).send().await.status, 400);
}

#[tokio::test]
async fn a_json_only_server_still_tells_its_figures() {
    let server = start().await;
    post(&server, "/", r#"["PING"]"#).send().await;
    let answer = server.request("GET", "/stats").send().await;
    assert_eq!(answer.json(), json!({"requests": 1, "commands": 1}));
}

/// As proxies in front of a Redis do: whoever wants to run there learns to do without.
#[tokio::test]
async fn a_json_only_server_refuses_the_flag_of_key_locking() {
    let server = start().await;
    let body = r##"["EVAL","#!lua flags=allow-key-locking\nreturn 1",0]"##;
    let answer = post(&server, "/", body).send().await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .error()
            .starts_with("ERR Unexpected flag in script shebang")
    );
}
