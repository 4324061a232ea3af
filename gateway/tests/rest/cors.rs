use crate::server::Server;

#[tokio::test]
async fn a_preflight_allows_what_the_clients_send_without_a_token() {
    let server = Server::start().await;
    let answer = server
        .request("OPTIONS", "/pipeline")
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type,upstash-something-new,x-other",
        )
        .send()
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let allowed = answer
        .header("access-control-allow-headers")
        .unwrap()
        .to_lowercase();
    for name in [
        "authorization",
        "content-type",
        "upstash-encoding",
        "upstash-response-format",
        "upstash-sync-token",
        "upstash-telemetry-sdk",
        "upstash-something-new",
    ] {
        assert!(
            allowed.split(", ").any(|header| header == name),
            "{name} in {allowed}"
        );
    }
    assert!(!allowed.contains("x-other"));
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST") && methods.contains("PUT") && methods.contains("GET"));
    assert!(answer.header("access-control-max-age").is_some());
}

#[tokio::test]
async fn every_answer_may_be_read_by_a_page_even_a_refusal() {
    let server = Server::start().await;
    for answer in [
        server.post("/", r#"["PING"]"#).send().await,
        server.post("/", "nonsense").send().await,
        server.request("POST", "/").send().await,
        server.request("DELETE", "/").send().await,
        server.request("GET", "/stats").send().await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some("upstash-sync-token")
        );
    }
}
