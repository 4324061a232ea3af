use std::time::{Duration, Instant};

use serde_json::json;
use upstash_gateway::Config;

use crate::server::{Folder, Redis, Server, TOKEN, free_port};

fn sentinel(folder: &Folder, master: u16) -> Redis {
    let port = free_port();
    let config = folder.file(&format!("sentinel-{port}.conf"));
    let text = format!(
        "port {port}\nsentinel monitor main 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 5000\n"
    );
    std::fs::write(&config, text).unwrap();
    Redis::start_with(port, &[&config, "--sentinel"])
}

fn until(what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn the_sentinels_say_where_the_master_is_and_a_failover_is_followed() {
    let folder = Folder::new();
    let master = Redis::start();
    let replica_port = free_port();
    let master_port = master.port.to_string();
    let replica = Redis::start_with(
        replica_port,
        &[
            "--port",
            &replica_port.to_string(),
            "--replicaof",
            "127.0.0.1",
            &master_port,
        ],
    );
    let sentinels: Vec<Redis> = (0..3).map(|_| sentinel(&folder, master.port)).collect();
    for one in &sentinels {
        until("the sentinels know each other and the replica", || {
            let known = one.cli(&["SENTINEL", "MASTER", "main"]);
            let lines: Vec<&str> = known.lines().collect();
            let value = |name| {
                lines
                    .iter()
                    .position(|line| *line == name)
                    .map(|at| lines[at + 1])
            };
            value("num-slaves") == Some("1") && value("num-other-sentinels") == Some("2")
        });
    }
    let hosts: Vec<String> = sentinels
        .iter()
        .map(|one| format!("127.0.0.1:{}", one.port))
        .collect();
    // The first is not there.
    let url = format!(
        "redis-sentinel://main@127.0.0.1:{},{}",
        free_port(),
        hosts.join(",")
    );
    let server = Server::with(Config::new(url, TOKEN)).await;
    assert_eq!(server.result(json!(["SET", "k", "v"])).await, "OK");
    assert_eq!(
        server
            .post("/multi-exec", r#"[["INCR","n"]]"#)
            .send()
            .await
            .status,
        200
    );
    assert_eq!(master.cli(&["GET", "k"]), "v");
    until("replicated", || replica.cli(&["GET", "n"]) == "1");

    drop(master);
    let start = Instant::now();
    loop {
        let asked = Instant::now();
        let answer = server.command(json!(["SET", "k", "w"])).await;
        assert!(asked.elapsed() < Duration::from_secs(15));
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "nobody took over"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(replica.cli(&["GET", "k"]), "w");
    let answer = server.post("/multi-exec", r#"[["INCR","n"]]"#).send().await;
    assert_eq!(answer.json(), json!([{"result": 2}]));
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_a_503() {
    let folder = Folder::new();
    let master = Redis::start();
    let one = sentinel(&folder, master.port);
    let url = format!("redis-sentinel://other@127.0.0.1:{}", one.port);
    let server = Server::with(Config::new(url, TOKEN)).await;
    assert_eq!(server.command(json!(["PING"])).await.status, 503);
}
