use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{READ_ONLY, Redis, Server, TOKEN, key};

/// An open stream of events.
struct Events {
    stream: TcpStream,
    text: String,
}

impl Events {
    async fn open(server: &Server, path: &str) -> Self {
        let request = server.post(path, "").header("Accept", "text/event-stream");
        let mut events = Self {
            stream: request.open().await,
            text: String::new(),
        };
        let head = events.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(
            head.to_lowercase()
                .contains("content-type: text/event-stream"),
            "{head}"
        );
        events
    }

    /// The text up to `mark`, chunk sizes left out.
    async fn until(&mut self, mark: &str) -> String {
        let read = async {
            loop {
                if let Some(at) = self.text.find(mark) {
                    return self.text.drain(..at + mark.len()).collect();
                }
                let mut bytes = [0; 65536];
                let count = self.stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "the stream ended: {}", self.text);
                self.text
                    .push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(5), read)
            .await
            .unwrap()
    }

    /// The next event, as it is on the wire.
    async fn next(&mut self) -> String {
        let text = self.until("\n\n").await;
        text[text.find("data:").unwrap()..].to_owned()
    }
}

#[tokio::test]
async fn a_subscriber_is_told_that_it_subscribed_and_then_every_message() {
    let server = Server::start().await;
    let channel = key();
    let mut events = Events::open(&server, &format!("/subscribe/{channel}")).await;
    assert_eq!(
        events.next().await,
        format!("data: subscribe,{channel},1\n\n")
    );
    assert_eq!(server.result(json!(["PUBLISH", channel, "hello"])).await, 1);
    assert_eq!(
        events.next().await,
        format!("data: message,{channel},hello\n\n")
    );
    server
        .get(&format!("/publish/{channel}/a,b%20c"))
        .send()
        .await;
    assert_eq!(
        events.next().await,
        format!("data: message,{channel},a,b c\n\n")
    );
    server
        .result(json!(["PUBLISH", channel, "two\nlines"]))
        .await;
    assert_eq!(
        events.next().await,
        format!("data: message,{channel},two\ndata: lines\n\n")
    );
    server.result(json!(["PUBLISH", channel, ""])).await;
    assert_eq!(events.next().await, format!("data: message,{channel},\n\n"));
}

#[tokio::test]
async fn a_channel_in_a_path_is_percent_decoded() {
    let server = Server::start().await;
    let channel = format!("{}/ü *", key());
    let path = format!(
        "/subscribe/{}",
        channel
            .replace('/', "%2F")
            .replace('ü', "%c3%BC")
            .replace(' ', "%20")
    );
    let mut events = Events::open(&server, &path).await;
    assert_eq!(
        events.next().await,
        format!("data: subscribe,{channel},1\n\n")
    );
    server.result(json!(["PUBLISH", channel, "x"])).await;
    assert_eq!(
        events.next().await,
        format!("data: message,{channel},x\n\n")
    );
}

#[tokio::test]
async fn several_channels_share_one_stream() {
    let server = Server::start().await;
    let (a, b) = (key(), key());
    let mut events = Events::open(&server, &format!("/subscribe/{a}/{b}")).await;
    assert_eq!(events.next().await, format!("data: subscribe,{a},1\n\n"));
    assert_eq!(events.next().await, format!("data: subscribe,{b},2\n\n"));
    server.result(json!(["PUBLISH", b, "x"])).await;
    assert_eq!(events.next().await, format!("data: message,{b},x\n\n"));
}

#[tokio::test]
async fn a_pattern_tells_the_channel_of_each_message() {
    let server = Server::start().await;
    let prefix = key();
    let mut events = Events::open(&server, &format!("/psubscribe/{prefix}%3A%2A")).await;
    assert_eq!(
        events.next().await,
        format!("data: psubscribe,{prefix}:*,1\n\n")
    );
    server
        .result(json!(["PUBLISH", format!("{prefix}:7"), "x,y"]))
        .await;
    assert_eq!(
        events.next().await,
        format!("data: pmessage,{prefix}:*,{prefix}:7,x,y\n\n")
    );
}

#[tokio::test]
async fn monitor_shows_the_commands() {
    let redis = Redis::start();
    let server = Server::over(&redis).await;
    let mut events = Events::open(&server, "/monitor").await;
    assert_eq!(events.next().await, "data: \"OK\"\n\n");
    let key = key();
    server.result(json!(["SET", key, "a\"b"])).await;
    let line = loop {
        let line = events.next().await;
        if line.contains("\"SET\"") {
            break line;
        }
    };
    assert!(line.starts_with("data: "), "{line}");
    assert!(
        line.ends_with(&format!("] \"SET\" \"{key}\" \"a\\\"b\"\n\n")),
        "{line}"
    );
}

#[tokio::test]
async fn a_large_message_comes_whole() {
    let server = Server::start().await;
    let channel = key();
    let mut events = Events::open(&server, &format!("/subscribe/{channel}")).await;
    events.next().await;
    let payload = "x".repeat(300_000);
    server.result(json!(["PUBLISH", channel, payload])).await;
    let text = events.until("x\n\n").await;
    assert_eq!(text.matches('x').count(), payload.len());
}

#[tokio::test]
async fn a_subscription_ends_at_redis_when_its_reader_goes_away() {
    let server = Server::start().await;
    let channel = key();
    let mut events = Events::open(&server, &format!("/subscribe/{channel}")).await;
    events.next().await;
    drop(events);
    for _ in 0..1_000 {
        if server.result(json!(["PUBSUB", "NUMSUB", channel])).await == json!([channel, 0]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("still subscribed");
}

#[tokio::test]
async fn a_stream_ends_when_redis_goes_away_and_another_can_be_had_when_it_is_back() {
    let redis = Redis::start();
    let server = Server::over(&redis).await;
    let mut events = Events::open(&server, "/subscribe/c").await;
    events.next().await;
    let port = redis.port;
    drop(redis);
    let mut rest = Vec::new();
    let end = events.stream.read_to_end(&mut rest);
    tokio::time::timeout(Duration::from_secs(2), end)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(server.post("/subscribe/c", "").send().await.status, 503);
    let _redis = Redis::start_at(port);
    let mut events = Events::open(&server, "/subscribe/c").await;
    assert_eq!(events.next().await, "data: subscribe,c,1\n\n");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_by_redis_and_fills_no_memory_here() {
    let redis = Redis::start();
    redis.cli(&[
        "CONFIG",
        "SET",
        "client-output-buffer-limit",
        "pubsub 2mb 1mb 1",
    ]);
    let server = Server::over(&redis).await;
    let mut events = Events::open(&server, "/subscribe/c").await;
    events.next().await;
    // Nobody reads: kernel buffers fill, then Redis's own, and it closes the connection.
    let payload = "x".repeat(1_000_000);
    for _ in 0..60 {
        if server.result(json!(["PUBLISH", "c", payload])).await == 0 {
            return;
        }
    }
    panic!("the gateway swallowed 60 MB that nobody read");
}

#[tokio::test]
async fn the_read_only_token_listens_to_nothing_and_no_token_is_a_401() {
    let server = Server::start().await;
    for path in ["/subscribe/c", "/psubscribe/*", "/monitor"] {
        let answer = server.request("POST", path).bearer(READ_ONLY).send().await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.error().starts_with("NOPERM "), "{path}");
        assert_eq!(
            server.request("POST", path).send().await.status,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_event_source_can_only_get_and_carry_its_token_in_the_query() {
    let server = Server::start().await;
    let channel = key();
    let mut stream = server
        .request("GET", &format!("/subscribe/{channel}?_token={TOKEN}"))
        .open()
        .await;
    let mut bytes = [0; 4096];
    let mut text = String::new();
    while !text.contains("data: subscribe,") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    stream.shutdown().await.unwrap();
}
