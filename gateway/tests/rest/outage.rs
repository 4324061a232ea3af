use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;
use upstash_gateway::Config;

use crate::server::{Redis, Server, TOKEN, free_port};

#[tokio::test]
async fn while_redis_is_down_every_endpoint_says_so_quickly_and_when_it_is_back_it_works() {
    let port = free_port();
    let redis = Redis::start_at(port);
    let server = Server::over(&redis).await;
    server.result(json!(["PING"])).await;
    server.post("/multi-exec", r#"[["PING"]]"#).send().await;
    drop(redis);
    for (path, body) in [
        ("/", r#"["PING"]"#),
        ("/pipeline", r#"[["PING"]]"#),
        ("/multi-exec", r#"[["PING"]]"#),
        ("/ping", ""),
    ] {
        let start = Instant::now();
        let answer = server
            .post(path, body)
            .header("Upstash-Response-Format", "resp2")
            .send()
            .await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(
            answer.error().starts_with("MASTERDOWN the gateway "),
            "{}",
            answer.error()
        );
        assert!(
            start.elapsed() < Duration::from_secs(4),
            "{path}: {:?}",
            start.elapsed()
        );
    }
    let stats = server.request("GET", "/stats").send().await.json();
    assert_eq!(
        stats["commands"], 2,
        "what never reached Redis is not counted"
    );
    let _redis = Redis::start_at(port);
    // At the very first try: the closed connections were dropped when they closed.
    assert_eq!(server.result(json!(["PING"])).await, "PONG");
    assert_eq!(
        server
            .post("/multi-exec", r#"[["PING"]]"#)
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_idle_connection_that_redis_closed_costs_no_caller_an_error() {
    let redis = Redis::start();
    let server = Server::over(&redis).await;
    for _ in 0..3 {
        server.result(json!(["PING"])).await;
        server.post("/multi-exec", r#"[["PING"]]"#).send().await;
        redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(server.result(json!(["PING"])).await, "PONG");
        assert_eq!(
            server
                .post("/multi-exec", r#"[["PING"]]"#)
                .send()
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_gateway_starts_before_its_redis() {
    let port = free_port();
    let server = Server::with(Config::new(format!("redis://127.0.0.1:{port}"), TOKEN)).await;
    assert_eq!(server.command(json!(["PING"])).await.status, 503);
    let _redis = Redis::start_at(port);
    assert_eq!(server.result(json!(["PING"])).await, "PONG");
}

#[tokio::test]
async fn a_redis_that_accepts_and_never_answers_costs_many_callers_one_time_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://:password@{}", silent.local_addr().unwrap());
    let config = Config::new(url, TOKEN).connect_timeout(Duration::from_millis(500));
    let server = Server::with(config).await;
    let start = Instant::now();
    let asking = (0..20).map(|_| server.command(json!(["PING"])));
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(answer.status, 503);
    }
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_redis_that_stalls_is_a_504_in_time_and_the_next_connection_works() {
    let redis = Redis::start();
    let config = Config::new(redis.url(), TOKEN).response_timeout(Duration::from_millis(300));
    let server = Server::with(config).await;
    server.result(json!(["PING"])).await;
    let stall = json!([
        "EVAL",
        "local t = redis.call('TIME') local e = t[1] * 1000 + t[2] / 1000 + 4000 \
        repeat t = redis.call('TIME') until t[1] * 1000 + t[2] / 1000 > e return 1",
        0
    ]);
    let start = Instant::now();
    let answer = server.command(stall).await;
    assert_eq!(answer.status, 504);
    assert_eq!(
        answer.error(),
        "MASTERDOWN Redis did not answer the gateway in time"
    );
    assert!(
        start.elapsed() < Duration::from_millis(3500),
        "{:?}",
        start.elapsed()
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(server.result(json!(["ECHO", "mine"])).await, "mine");
}

#[tokio::test]
async fn a_login_that_redis_refuses_is_told_without_the_password() {
    let redis = Redis::start();
    redis.cli(&["CONFIG", "SET", "requirepass", "right"]);
    let url = |password| format!("redis://:{password}@127.0.0.1:{}", redis.port);
    let server = Server::with(Config::new(url("wrong-one"), TOKEN)).await;
    let answer = server.command(json!(["PING"])).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error(), "ERR Redis refused the gateway's login");
    let server = Server::with(Config::new(url("right"), TOKEN)).await;
    assert_eq!(server.result(json!(["PING"])).await, "PONG");
}

#[tokio::test]
async fn an_error_that_echoes_bytes_costs_nobody_their_connection() {
    let server = Server::start().await;
    let odd = async || {
        let answer = server
            .get("/xreadgroup/GROUP/%ff/c/STREAMS/%ff%c3/0")
            .send()
            .await;
        assert_eq!(answer.status, 400);
        assert!(
            answer
                .error()
                .starts_with("NOGROUP No such key '\u{fffd}\u{fffd}'"),
            "{}",
            answer.error()
        );
    };
    let usual = async || assert_eq!(server.result(json!(["ECHO", "é"])).await, "é");
    for _ in 0..20 {
        futures_util::future::join3(odd(), usual(), usual()).await;
    }
    let answer = server
        .command(json!([
            "EVAL",
            "return redis.error_reply('MINE é \\255')",
            0
        ]))
        .await;
    assert_eq!(answer.error(), "MINE é \u{fffd}");
}

#[tokio::test]
async fn a_reply_that_is_nested_absurdly_deep_is_cut_and_costs_nobody_their_connection() {
    let server = Server::start().await;
    let script =
        "local t = string.rep('x', 1000) for _ = 1, tonumber(ARGV[1]) do t = {t, 'y'} end return t";
    let nested = async |depth: usize| {
        let answer = server
            .post("/", json!(["EVAL", script, 0, depth]).to_string())
            .send()
            .await;
        assert_eq!(answer.status, 200);
        answer.text().to_owned()
    };
    for depth in [10, 99] {
        let text = nested(depth).await;
        assert_eq!(text.matches('[').count(), depth);
        assert!(text.contains("xxx") && text.ends_with(&format!("{}}}", r#","y"]"#.repeat(depth))));
    }
    for depth in [100, 150] {
        let (text, other) =
            futures_util::future::join(nested(depth), server.result(json!(["ECHO", "a"]))).await;
        assert_eq!(other, "a");
        assert!(text.contains("nested too deep") && !text.contains("xxx"));
        assert!(
            text.ends_with(&format!("{}}}", r#","y"]"#.repeat(99))),
            "{text}"
        );
    }
}
