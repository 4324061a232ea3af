//! What happens when Redis, or the way to it, fails.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use upstash_edge::host::{Fake, Fault, Response};
use upstash_edge::{
    Cache, EdgeError, ErrorKind, HealthStatus, Limit, OnFailure, Op, RateLimiter, Redis, Sessions,
    Source, Status, health,
};

use crate::server::Server;

fn limiter(on_failure: OnFailure) -> RateLimiter {
    let limit = Limit::sliding_window(10, Duration::from_secs(10)).unwrap();
    RateLimiter::new(limit).on_failure(on_failure)
}

/// A client whose next request meets `fault`.
fn meeting(fault: Fault) -> (Redis, Fake) {
    let fake = Fake::new();
    fake.push(fault);
    let redis = Redis::builder("http://redis.invalid", "token").build_with(fake.clone());
    (redis.unwrap(), fake)
}

fn answer(status: u16, content_type: &str, body: &[u8]) -> Fault {
    Fault::Answer(Response {
        status,
        content_type: content_type.to_owned(),
        body: body.to_vec(),
        ..Response::default()
    })
}

const RESP: &str = "application/octet-stream";

#[tokio::test]
async fn with_redis_gone_each_part_follows_its_policy_at_once_and_recovers() {
    let mut server = Server::start().await;
    let redis = server.client();
    let sessions = Sessions::new(&["a secret of the tests, 32 bytes long or more"]).unwrap();
    let cache = Cache::new();
    let mut session = redis.run(sessions.load("")).await.unwrap();
    session.set("k", &1).unwrap();
    let told = redis.run(sessions.save(&mut session)).await.unwrap();
    let cookie = told[0].split(';').next().unwrap().to_owned();

    server.kill_redis();
    let started = Instant::now();
    let (allowed, denied, cached, session) = redis
        .run((
            limiter(OnFailure::Allow).check("a"),
            limiter(OnFailure::Deny).check("a"),
            cache.get::<Value>("a"),
            sessions.load(&cookie).settled(),
        ))
        .await
        .unwrap();
    assert!(allowed.allowed && allowed.source == Source::Failure);
    assert!(!denied.allowed && denied.retry_after_ms > 0);
    assert_eq!(cached, None);
    assert!(session.err().unwrap().is_outage());
    let fetched = cache.get_or_fetch(&redis, "a", || async { Ok::<_, EdgeError>(json!(1)) });
    assert_eq!(fetched.await, Ok(json!(1)));
    assert_eq!(health(&redis, 1_000).await.status, HealthStatus::Unhealthy);
    assert!(started.elapsed() < Duration::from_secs(20));

    server.restart_redis();
    let mut healthy = false;
    for _ in 0..100 {
        healthy = health(&redis, 1_000).await.status == HealthStatus::Healthy;
        if healthy {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(healthy, "it did not recover");
    // The scripts went with the old server.
    let decision = redis
        .run(limiter(OnFailure::Allow).check("a"))
        .await
        .unwrap();
    assert_eq!(decision.source, Source::Redis);
    let session = redis.run(sessions.load(&cookie)).await.unwrap();
    assert_eq!(session.status(), Status::Expired);
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_at_each_ops_own_deadline() {
    let (redis, fake) = meeting(Fault::Silence);
    let decision = redis
        .run(limiter(OnFailure::Allow).check("a"))
        .await
        .unwrap();
    assert_eq!(decision.source, Source::Failure);
    assert_eq!(fake.sent().len(), 1);
    fake.push(Fault::Silence);
    let health = health(&redis, 700).await;
    assert_eq!(
        (health.status, health.latency_ms),
        (HealthStatus::Unhealthy, 700)
    );
    assert_eq!(health.error, Some("timeout"));
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_is_nobodys_answer() {
    let whole = b"*2\r\n$2\r\nOK\r\n$1\r\nv\r\n";
    let mut bodies: Vec<Vec<u8>> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
    bodies.push(b"*1\r\n$1\r\nv\r\n".to_vec());
    bodies.push(b"*3\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nv\r\n".to_vec());
    bodies.push([whole.as_slice(), b"+more\r\n"].concat());
    bodies.push(b"*-1\r\n".to_vec());
    bodies.push(b"<html>".to_vec());
    for body in bodies {
        let (redis, _) = meeting(answer(200, RESP, &body));
        let cache = Cache::new();
        let pair = (cache.get::<Value>("a"), cache.get::<Value>("b"));
        assert_eq!(redis.run(pair).await.unwrap(), (None, None));
        let (redis, _) = meeting(answer(200, RESP, &body));
        let sessions = Sessions::new(&["a secret of the tests, 32 bytes long or more"]).unwrap();
        let mut session = redis.run(sessions.load("")).await.unwrap();
        session.set("k", &1).unwrap();
        let error = redis.run(sessions.save(&mut session)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{body:?}");
    }
}

#[tokio::test]
async fn each_refusal_of_the_server_has_its_code() {
    for (status, body, code) in [
        (401, &b"{\"error\":\"Unauthorized\"}"[..], "unauthorized"),
        (403, b"", "forbidden"),
        (413, b"", "too_large"),
        (429, b"", "quota_exceeded"),
        (500, b"", "server_error"),
        (503, b"<html>", "server_error"),
        (
            400,
            b"{\"error\":\"ERR syntax error near 'secret'\"}",
            "redis_error",
        ),
        (
            200,
            b"{\"error\":\"ERR max daily request limit exceeded.\"}",
            "quota_exceeded",
        ),
        (302, b"", "invalid_config"),
        (404, b"<html>", "invalid_config"),
        (408, b"", "server_error"),
    ] {
        let fault = answer(status, "application/json", body);
        let (redis, fake) = meeting(fault.clone());
        // A save may be sent again.
        (0..3).for_each(|_| fake.push(fault.clone()));
        let sessions = Sessions::new(&["a secret of the tests, 32 bytes long or more"]).unwrap();
        let mut session = redis.run(sessions.load("")).await.unwrap();
        session.set("k", "secret").unwrap();
        let error = redis.run(sessions.save(&mut session)).await.unwrap_err();
        assert_eq!(error.code(), code, "{status}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_wrong_token_is_an_error_not_an_open_door() {
    let server = Server::start().await;
    let redis = server.client_with("wrong");
    let error = redis
        .run(limiter(OnFailure::Allow).check("a"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "unauthorized");
}

#[tokio::test]
async fn a_server_that_always_says_noscript_is_not_believed() {
    let (redis, fake) = meeting(Fault::Lost);
    let _ = redis.run(limiter(OnFailure::Allow).check("a")).await;
    for _ in 0..20 {
        fake.push(answer(200, RESP, b"-NOSCRIPT No matching script\r\n"));
    }
    let error = redis
        .run(limiter(OnFailure::Allow).check("a"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "redis_error");
    // A script that is sent whole cannot be missing.
    assert_eq!(fake.sent().len(), 1 + 1);
}

#[tokio::test]
async fn what_is_no_redis_rest_server_is_an_error_not_an_open_door() {
    for (status, content_type) in [
        (404, "text/html"),
        (307, ""),
        (405, "text/plain"),
        (400, "text/html"),
        (200, "text/html"),
    ] {
        let (redis, _) = meeting(answer(status, content_type, b"<html>"));
        let error = redis
            .run(limiter(OnFailure::Allow).check("a"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "invalid_config", "{status}");
    }
}

#[tokio::test]
async fn a_redis_that_says_it_is_away_is_an_outage() {
    for text in [
        "LOADING Redis is loading",
        "READONLY You can't write",
        "CLUSTERDOWN",
        "OOM command not allowed",
    ] {
        let (redis, _) = meeting(answer(200, RESP, format!("*1\r\n-{text}\r\n").as_bytes()));
        let decision = redis
            .run(limiter(OnFailure::Deny).check("a"))
            .await
            .unwrap();
        assert_eq!(
            (decision.allowed, decision.source),
            (false, Source::Failure),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_for_it_would_carry_the_commands_to_another_host() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (to, at) = (elsewhere.local_addr().unwrap(), here.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = here.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4_096]).await.unwrap();
        let answer =
            format!("HTTP/1.1 307 x\r\nLocation: http://{to}/\r\nContent-Length: 0\r\n\r\n");
        socket.write_all(answer.as_bytes()).await.unwrap();
    });
    let redis = Redis::builder(&format!("http://{at}"), "token")
        .build()
        .unwrap();
    let error = redis
        .run(limiter(OnFailure::Allow).check("a"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "invalid_config");
    let visited = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
    assert!(visited.is_err());
}

#[test]
fn a_time_to_wait_that_no_timer_holds_is_refused() {
    for ms in [0, 1 << 31, u64::MAX] {
        let limit = Limit::sliding_window(10, Duration::from_secs(10)).unwrap();
        assert!(RateLimiter::new(limit).timeout_ms(ms).is_err());
        assert!(Cache::new().timeout_ms(ms).is_err());
        assert!(
            Redis::builder("http://redis.invalid", "token")
                .timeout_ms(ms)
                .build()
                .is_err()
        );
    }
}
