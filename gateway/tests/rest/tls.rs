use std::process::Command;

use serde_json::json;
use upstash_gateway::Config;

use crate::server::{Folder, Redis, Server, TOKEN, free_port};

/// A certificate for 127.0.0.1, signed by itself.
fn certificate(folder: &Folder) -> (String, String) {
    let (key, certificate) = (folder.file("key.pem"), folder.file("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-keyout",
            &key,
            "-out",
            &certificate,
            "-subj",
            "/CN=gateway-test",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (key, certificate)
}

#[tokio::test]
async fn rediss_encrypts_and_trusts_only_what_it_was_told_to() {
    let folder = Folder::new();
    let (key, certificate) = certificate(&folder);
    let port = free_port();
    let _redis = Redis::start_with(
        port,
        &[
            "--port",
            "0",
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-auth-clients",
            "no",
        ],
    );
    let url = format!("rediss://127.0.0.1:{port}");
    let server = Server::with(Config::new(&url, TOKEN).redis_ca(&certificate)).await;
    assert_eq!(server.result(json!(["SET", "k", "v"])).await, "OK");
    assert_eq!(
        server
            .post("/multi-exec", r#"[["GET","k"]]"#)
            .send()
            .await
            .json(),
        json!([{"result": "v"}])
    );
    let server = Server::with(Config::new(&url, TOKEN)).await;
    assert_eq!(server.command(json!(["PING"])).await.status, 503);
    let server = Server::with(Config::new(format!("{url}#insecure"), TOKEN)).await;
    assert_eq!(server.result(json!(["GET", "k"])).await, "v");
    let server = Server::with(Config::new(format!("redis://127.0.0.1:{port}"), TOKEN)).await;
    assert_eq!(server.command(json!(["PING"])).await.status, 503);
}
