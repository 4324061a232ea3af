use serde_json::json;

use crate::server::{Server, TOKEN};

#[tokio::test]
async fn a_missing_or_wrong_token_is_a_401() {
    let server = Server::start().await;
    let send = |authorization: &str| {
        server
            .request("POST", "/")
            .header("Authorization", authorization)
            .body(r#"["PING"]"#)
            .send()
    };
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic standard-token",
        "standard-token",
        "Bearer standard-token2",
        "Bearer standard-toke",
    ] {
        let answer = send(wrong).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.json(), json!({"error": "Unauthorized"}));
    }
    for path in [
        "/",
        "/pipeline",
        "/multi-exec",
        "/get/k",
        "/?_token=",
        "/?_token=wrong",
    ] {
        assert_eq!(
            server.request("POST", path).body("[]").send().await.status,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_token_comes_in_the_header_whatever_the_case_of_its_scheme() {
    let server = Server::start().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = server
            .request("POST", "/")
            .header("authorization", &format!("{scheme} {TOKEN}"))
            .body(r#"["PING"]"#)
            .send()
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn the_token_may_come_in_the_query_and_is_no_argument_then() {
    let server = Server::start().await;
    let answer = server
        .request("GET", &format!("/echo/a?_token={TOKEN}"))
        .send()
        .await;
    assert_eq!(answer.json(), json!({"result": "a"}));
    let answer = server
        .request("POST", &format!("/?_token={TOKEN}"))
        .body(r#"["PING"]"#)
        .send()
        .await;
    assert_eq!(answer.json(), json!({"result": "PONG"}));
}

#[tokio::test]
async fn a_gateway_without_a_token_does_not_start() {
    use upstash_gateway::{Config, Gateway};
    for config in [
        Config::new("redis://127.0.0.1", ""),
        Config::new("redis://127.0.0.1", "t").read_only_token(""),
        Config::new("redis://127.0.0.1", "t").read_only_token("t"),
        Config::new("http://127.0.0.1", "t"),
    ] {
        assert!(Gateway::bind("127.0.0.1:0", config).await.is_err());
    }
}
