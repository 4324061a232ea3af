use serde_json::{Value, json};

use crate::server::{Server, TOKEN};

async fn figures(server: &Server) -> Value {
    let answer = server.request("GET", "/stats").send().await;
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn requests_and_commands_are_counted_from_the_start() {
    let server = Server::start().await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 0, "commands": 0})
    );
    server.command(json!(["PING"])).await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 1, "commands": 1})
    );
    server
        .post("/pipeline", r#"[["PING"],["GET"],["ECHO","a"]]"#)
        .send()
        .await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 2, "commands": 4})
    );
    server
        .post("/multi-exec", r#"[["PING"],["PING"]]"#)
        .send()
        .await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 3, "commands": 6})
    );
    server.get("/ping").send().await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 4, "commands": 7})
    );
}

#[tokio::test]
async fn a_refused_request_counts_as_one_and_what_never_reached_redis_as_no_command() {
    let server = Server::start().await;
    server.request("POST", "/").body(r#"["PING"]"#).send().await;
    server.post("/", "nonsense").send().await;
    server.post("/", r#"["CLIENT","LIST"]"#).send().await;
    server.request("DELETE", "/").send().await;
    server.request("OPTIONS", "/").send().await;
    assert_eq!(
        figures(&server).await,
        json!({"requests": 4, "commands": 0})
    );
}

#[tokio::test]
async fn only_this_machine_may_ask_and_only_by_its_own_name() {
    let server = Server::start().await;
    for (name, value, status) in [
        ("Host", "127.0.0.1:8079", 200),
        ("Host", "localhost:1234", 200),
        ("Host", "[::1]:80", 200),
        ("Host", "evil.example", 403),
        ("Host", "127.0.0.1.evil.example", 403),
        ("Origin", "http://localhost:3000", 200),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
    ] {
        let answer = server
            .request("GET", "/stats")
            .header(name, value)
            .send()
            .await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    assert_eq!(
        server
            .request("POST", "/stats")
            .bearer(TOKEN)
            .send()
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn another_machine_is_refused() {
    use upstash_gateway::{Config, Gateway};
    // Any address of this machine but loopback stands for another one: the peer's address is that one.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let _ = probe.connect("192.0.2.1:9");
    let Ok(address) = probe.local_addr() else {
        return;
    };
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        return;
    }
    let gateway = Gateway::bind((address.ip(), 0), Config::new("redis://127.0.0.1", TOKEN))
        .await
        .unwrap();
    let address = gateway.local_addr();
    let task = tokio::spawn(gateway.run());
    let answer = crate::http::Request::new(address, "GET", "/stats")
        .send()
        .await;
    assert_eq!(answer.status, 403);
    task.abort();
}
