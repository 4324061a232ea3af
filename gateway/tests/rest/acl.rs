use serde_json::{Value, json};
use upstash_gateway::{AclToken, Config};

use crate::http::Answer;
use crate::server::{READ_ONLY, Redis, Server, TOKEN};

/// A Redis with a user `app` who may only touch `app:*`.
fn redis() -> Redis {
    let redis = Redis::start();
    redis.cli(&[
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">secret",
        "~app:*",
        "&app:*",
        "+@all",
        "-@dangerous",
    ]);
    redis
}

async fn send(server: &Server, token: &str, path: &str, body: Value) -> Answer {
    server
        .request("POST", path)
        .bearer(token)
        .body(body.to_string())
        .send()
        .await
}

#[tokio::test]
async fn a_token_for_an_acl_user_does_what_redis_lets_that_user_do() {
    let redis = redis();
    let config =
        Config::new(redis.url(), TOKEN).acl_token(AclToken::new("app", "secret", "app-token"));
    let server = Server::with(config).await;
    let answer = send(&server, "app-token", "/", json!(["SET", "app:1", "v"])).await;
    assert_eq!(answer.json(), json!({"result": "OK"}));
    let answer = send(&server, "app-token", "/", json!(["ACL", "WHOAMI"])).await;
    assert_eq!(answer.json(), json!({"result": "app"}));
    let answer = send(&server, "app-token", "/", json!(["GET", "other"])).await;
    assert_eq!(answer.status, 400);
    assert!(answer.error().starts_with("NOPERM "), "{}", answer.error());
    let answer = send(
        &server,
        "app-token",
        "/pipeline",
        json!([["FLUSHALL"], ["GET", "app:1"]]),
    )
    .await;
    assert!(
        answer.json()[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("NOPERM ")
    );
    assert_eq!(answer.json()[1], json!({"result": "v"}));
    let answer = send(
        &server,
        "app-token",
        "/multi-exec",
        json!([["SET", "app:1", "w"], ["SET", "other", "w"]]),
    )
    .await;
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("NOPERM "), "{}", answer.error());
    assert_eq!(server.result(json!(["GET", "app:1"])).await, "v");
    let answer = server
        .request("POST", "/subscribe/other")
        .bearer("app-token")
        .send()
        .await;
    assert!(answer.error().starts_with("NOPERM "), "{}", answer.error());
}

#[tokio::test]
async fn acl_resttoken_gives_a_token_to_who_knows_the_password() {
    let redis = redis();
    let server = Server::over(&redis).await;
    let token = server
        .result(json!(["ACL", "RESTTOKEN", "app", "secret"]))
        .await;
    let token = token.as_str().unwrap().to_owned();
    assert!(token.len() >= 40);
    assert_eq!(
        server
            .result(json!(["acl", "resttoken", "app", "secret"]))
            .await,
        token
    );
    let answer = send(&server, &token, "/", json!(["SET", "app:1", "v"])).await;
    assert_eq!(answer.status, 200);
    assert!(
        send(&server, &token, "/", json!(["SET", "x", "v"]))
            .await
            .error()
            .starts_with("NOPERM ")
    );
    let answer = send(
        &server,
        &token,
        "/",
        json!(["ACL", "RESTTOKEN", "app", "secret"]),
    )
    .await;
    assert!(answer.error().starts_with("NOPERM "));
}

#[tokio::test]
async fn acl_resttoken_refuses_a_wrong_password_and_other_tokens() {
    let redis = redis();
    let server = Server::over(&redis).await;
    for (user, password) in [("app", "wrong"), ("nobody", "secret")] {
        let answer = server
            .command(json!(["ACL", "RESTTOKEN", user, password]))
            .await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.error(),
            format!("ERR Wrong password or user \"{user}\" does not exist")
        );
    }
    assert_eq!(
        server
            .command(json!(["ACL", "RESTTOKEN", "app"]))
            .await
            .status,
        400
    );
    let answer = send(
        &server,
        READ_ONLY,
        "/",
        json!(["ACL", "RESTTOKEN", "app", "secret"]),
    )
    .await;
    assert!(answer.error().starts_with("NOPERM "));
}

#[tokio::test]
async fn a_token_for_a_user_whom_redis_no_longer_knows_is_a_401() {
    let redis = redis();
    let config =
        Config::new(redis.url(), TOKEN).acl_token(AclToken::new("app", "secret", "app-token"));
    let server = Server::with(config).await;
    assert_eq!(
        send(&server, "app-token", "/", json!(["PING"]))
            .await
            .status,
        200
    );
    redis.cli(&["ACL", "DELUSER", "app"]);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let answer = send(&server, "app-token", "/", json!(["PING"])).await;
    assert_eq!(answer.status, 401);
    assert!(answer.error().starts_with("WRONGPASS "));
    assert_eq!(server.result(json!(["PING"])).await, "PONG");
}

#[tokio::test]
async fn other_acl_commands_go_to_redis() {
    let redis = redis();
    let server = Server::over(&redis).await;
    assert_eq!(server.result(json!(["ACL", "WHOAMI"])).await, "default");
}
