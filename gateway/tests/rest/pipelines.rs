use serde_json::json;

use crate::server::{Server, key};

#[tokio::test]
async fn a_pipeline_answers_each_command_in_its_place() {
    let server = Server::start().await;
    let key = key();
    let body = json!([
        ["SET", key, "a"],
        ["INCR", key],
        ["CLIENT", "LIST"],
        ["NOSUCH"],
        ["GET", key],
        ["SELECT", 0]
    ]);
    let answer = server.post("/pipeline", body.to_string()).send().await;
    assert_eq!(answer.status, 200);
    let entries = answer.json();
    assert_eq!(entries[0], json!({"result": "OK"}));
    assert_eq!(
        entries[1],
        json!({"error": "ERR value is not an integer or out of range"})
    );
    assert!(entries[2]["error"].as_str().unwrap().contains("'CLIENT'"));
    assert!(
        entries[3]["error"]
            .as_str()
            .unwrap()
            .contains("unknown command 'NOSUCH'")
    );
    assert_eq!(entries[4], json!({"result": "a"}));
    assert_eq!(entries[5], json!({"result": "OK"}));
    assert_eq!(entries.as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_pipeline_of_one_is_an_array_of_one() {
    let server = Server::start().await;
    let answer = server.post("/pipeline", r#"[["PING"]]"#).send().await;
    assert_eq!(answer.text(), r#"[{"result":"PONG"}]"#);
}

#[tokio::test]
async fn a_thousand_commands_run_in_order() {
    let server = Server::start().await;
    let key = key();
    let body = json!(vec![["INCR", &key]; 1000]);
    let answer = server.post("/pipeline", body.to_string()).send().await;
    let expected: Vec<_> = (1..=1000).map(|n| json!({"result": n})).collect();
    assert_eq!(answer.json(), json!(expected));
}

#[tokio::test]
async fn concurrent_pipelines_get_their_own_replies() {
    let server = Server::start().await;
    let ask = async |who: usize| {
        let body = json!(vec![["ECHO".to_owned(), who.to_string()]; 50]);
        let answer = server.post("/pipeline", body.to_string()).send().await;
        assert_eq!(
            answer.json(),
            json!(vec![json!({"result": who.to_string()}); 50])
        );
    };
    let mut asking = Vec::new();
    for who in 0..40 {
        asking.push(ask(who));
    }
    futures_util::future::join_all(asking).await;
}

#[tokio::test]
async fn a_pipeline_that_is_empty_or_malformed_is_a_400_and_runs_nothing() {
    let server = Server::start().await;
    let key = key();
    for body in [
        "[]",
        "[[]]",
        "{}",
        "",
        "[1]",
        &format!(r#"[["SET","{key}","v"],[null]]"#),
    ] {
        let answer = server.post("/pipeline", body).send().await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().starts_with("ERR "), "{body}");
    }
    assert_eq!(server.result(json!(["EXISTS", key])).await, 0);
}
