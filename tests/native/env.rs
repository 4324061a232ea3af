//! A process that finds its database in its environment.

use std::process::Stdio;

use upstash_edge::Redis;
use upstash_edge::commands::ping;

use super::server::{Server, TOKEN};

const CHILD: &str = "UPSTASH_EDGE_TEST_CHILD";

#[tokio::test]
async fn a_client_of_the_environment_reaches_its_database() {
    // The environment of a test's own process is every test's: this one runs itself in another.
    if std::env::var_os(CHILD).is_some() {
        let redis = Redis::from_env().unwrap();
        assert_eq!(redis.run(ping()).await.as_deref(), Ok("PONG"));
        return;
    }
    let server = Server::start().await;
    let name = "env::a_client_of_the_environment_reaches_its_database";
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, "1")
        .env_remove("UPSTASH_REDIS_REST_URL")
        .env("UPSTASH_REDIS_REST_TOKEN", "of another database")
        .env("KV_REST_API_URL", &server.url)
        .env("KV_REST_API_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .output();
    let output = String::from_utf8(child.await.unwrap().stdout).unwrap();
    assert!(output.contains("1 passed; 0 failed"), "{output}");
}
