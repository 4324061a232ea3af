//! Subscriptions: over the real gateway, and over streams that misbehave on purpose.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use upstash_edge::commands::command;
use upstash_edge::host::{Fake, Fault, Response};
use upstash_edge::{ErrorKind, Message, Redis, Subscription};

use crate::server::Server;

async fn next(stream: &mut Subscription) -> Message {
    told(stream).await.expect("the stream goes on").unwrap()
}

async fn told(stream: &mut Subscription) -> Option<Result<Message, upstash_edge::EdgeError>> {
    let told = tokio::time::timeout(Duration::from_secs(20), stream.next());
    told.await.expect("it says something in time")
}

/// The kind of the error that ends it.
async fn end(stream: &mut Subscription) -> ErrorKind {
    let error = told(stream)
        .await
        .expect("it ends by an error")
        .unwrap_err();
    assert!(stream.next().await.is_none(), "an error is the end");
    error.kind()
}

fn subscribed(channel: &str) -> Message {
    Message::Subscribed {
        channel: channel.to_owned(),
        pattern: None,
    }
}

fn reconnected(channel: &str) -> Message {
    Message::Reconnected {
        channel: channel.to_owned(),
        pattern: None,
    }
}

fn published(channel: &str, message: &str) -> Message {
    Message::Published {
        channel: channel.to_owned(),
        pattern: None,
        message: message.to_owned(),
    }
}

async fn publish(redis: &Redis, channel: &str, message: &str) {
    let publish = command::<i64>("PUBLISH", &[channel.into(), message.into()]);
    // How many heard it, a cluster's nodes tell each for itself.
    assert!(redis.run(publish).await.is_ok(), "{channel}");
}

/// A client whose requests meet these faults, one after the other.
fn meeting(faults: impl IntoIterator<Item = Fault>) -> (Redis, Fake) {
    let fake = Fake::new();
    for fault in faults {
        fake.push(fault);
    }
    let redis = Redis::builder("http://redis.invalid", "token").build_with(fake.clone());
    (redis.unwrap(), fake)
}

/// A stream of these lines, one chunk each, and then silence.
fn events(lines: &[&str]) -> Fault {
    let chunk = |line: &&str| format!("data: {line}\n\n").into_bytes();
    Fault::Events(lines.iter().map(chunk).collect())
}

fn answer(status: u16, content_type: &str, body: &str) -> Fault {
    Fault::Answer(Response {
        status,
        content_type: content_type.to_owned(),
        body: body.as_bytes().to_vec(),
        ..Response::default()
    })
}

/// A stream that ends after this text.
fn ending(text: &str) -> Fault {
    answer(200, "text/event-stream", text)
}

#[tokio::test]
async fn messages_come_whole_from_every_channel() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let channels = ["chat", "a/b ?é😀", "with,a comma", "two\nlines", "chat"];
    let mut stream = redis.subscribe(&channels).unwrap();
    assert_eq!(
        fake.opened().len(),
        0,
        "nothing is sent before it is polled"
    );
    for _ in 0..4 {
        let Message::Subscribed { channel, pattern } = next(&mut stream).await else {
            panic!("a message before the subscription");
        };
        assert!(channels.contains(&&*channel) && pattern.is_none());
    }
    assert_eq!(
        fake.opened().len(),
        2,
        "one for the comma, one for the rest"
    );
    let publisher = server.client();
    for message in [
        "hello",
        "",
        "a,b,,c",
        "é😀",
        "{\"a\": 1}",
        "two\n\nlines\n",
        "data: x",
    ] {
        for channel in &channels[..4] {
            publish(&publisher, channel, message).await;
            assert_eq!(next(&mut stream).await, published(channel, message));
        }
    }
    publish(&publisher, "chat", "a\r\nb\rc").await;
    assert_eq!(next(&mut stream).await, published("chat", "a\nb\nc"));
}

#[tokio::test]
async fn patterns_tell_the_channel_of_each_message() {
    let server = Server::start().await;
    let publisher = server.client();
    let mut stream = publisher.psubscribe(&["news:*", "a,?"]).unwrap();
    for _ in 0..2 {
        let Message::Subscribed { channel, pattern } = next(&mut stream).await else {
            panic!("a message before the subscription");
        };
        assert_eq!(Some(channel), pattern);
    }
    for (pattern, channel) in [("news:*", "news:é"), ("a,?", "a,b"), ("news:*", "news:")] {
        publish(&publisher, channel, "x,y").await;
        let expected = Message::Published {
            channel: channel.to_owned(),
            pattern: Some(pattern.to_owned()),
            message: "x,y".to_owned(),
        };
        assert_eq!(next(&mut stream).await, expected);
    }
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_told() {
    let mut server = Server::alone().await;
    let publisher = server.client();
    let mut stream = server.client().subscribe(&["a", "b"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(next(&mut stream).await, subscribed("b"));
    server.kill_redis();
    // Several attempts fail before it is back.
    let early = tokio::time::timeout(Duration::from_millis(700), stream.next()).await;
    assert!(early.is_err(), "{early:?}");
    server.restart_redis();
    assert_eq!(next(&mut stream).await, reconnected("a"));
    assert_eq!(next(&mut stream).await, reconnected("b"));
    publish(&publisher, "b", "again").await;
    assert_eq!(next(&mut stream).await, published("b", "again"));
}

#[tokio::test]
async fn a_dropped_stream_ends_its_subscription() {
    let server = Server::start().await;
    let redis = server.client();
    let mut stream = redis.subscribe(&["left"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("left"));
    publish(&redis, "left", "unread").await;
    drop(stream);
    for _ in 0..500 {
        let publish = command::<i64>("PUBLISH", &["left".into(), "x".into()]);
        if redis.run(publish).await == Ok(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still subscribed");
}

#[tokio::test]
async fn what_can_never_heal_is_the_end_and_not_asked_twice() {
    let server = Server::start().await;
    let wrong = server.client_with("wrong-token");
    let mut stream = wrong.subscribe(&["a"]).unwrap();
    assert_eq!(end(&mut stream).await, ErrorKind::Unauthorized);
    let large = format!("data: {}", "x".repeat(17 << 20));
    for (fault, kind) in [
        (answer(403, "", ""), ErrorKind::Forbidden),
        (answer(404, "text/html", "<html>"), ErrorKind::InvalidConfig),
        (answer(302, "", ""), ErrorKind::InvalidConfig),
        (answer(200, "text/html", "<html>"), ErrorKind::InvalidConfig),
        (
            answer(200, "application/json", "{\"result\":1}"),
            ErrorKind::Unsupported,
        ),
        (
            answer(400, "application/json", "{\"error\":\"NOPERM no\"}"),
            ErrorKind::Forbidden,
        ),
        (
            answer(400, "application/json", "{\"error\":\"ERR no\"}"),
            ErrorKind::RedisError,
        ),
        (events(&["subscribe,other,1"]), ErrorKind::Corrupt),
        (ending(&large), ErrorKind::TooLarge),
    ] {
        let (redis, fake) = meeting([fault]);
        let mut stream = redis.subscribe(&["a"]).unwrap();
        assert_eq!(end(&mut stream).await, kind);
        assert_eq!(fake.opened(), ["http://redis.invalid/subscribe/a"]);
    }
}

#[tokio::test]
async fn the_first_subscription_has_the_clients_timeout_and_no_more() {
    for (faults, kind, most) in [
        (vec![Fault::Silence], ErrorKind::Timeout, 1),
        (vec![events(&[])], ErrorKind::Timeout, 1),
        (vec![], ErrorKind::Network, 50),
        (vec![ending(""); 50], ErrorKind::Network, 50),
        (vec![answer(503, "", ""); 50], ErrorKind::ServerError, 50),
    ] {
        let (redis, fake) = meeting(faults);
        let started = 1_700_000_000_000;
        let mut stream = redis.subscribe(&["a"]).unwrap();
        assert_eq!(end(&mut stream).await, kind);
        let (asked, passed) = (
            fake.opened().len(),
            upstash_edge::host::Host::now(&fake) - started,
        );
        assert!(
            asked <= most && passed <= 5_000,
            "{asked} times in {passed} ms"
        );
    }
    let (redis, fake) = meeting([Fault::Lost, answer(503, "", ""), events(&["subscribe,a,1"])]);
    let mut stream = redis.subscribe(&["a"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(fake.opened().len(), 3);
}

#[tokio::test]
async fn once_subscribed_it_is_asked_again_however_long_the_outage() {
    let mut faults = vec![ending(
        "data: subscribe,a,1\n\ndata: message,a,1\n\ndata: message,a,cut",
    )];
    faults.extend(vec![Fault::Lost; 100]);
    faults.push(events(&["subscribe,a,1", "message,a,2"]));
    let (redis, fake) = meeting(faults);
    let mut stream = redis.subscribe(&["a"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(next(&mut stream).await, published("a", "1"));
    assert_eq!(next(&mut stream).await, reconnected("a"));
    assert_eq!(next(&mut stream).await, published("a", "2"));
    assert_eq!(fake.opened().len(), 102);
    // Silence is no failure.
    assert!(stream.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_stream_that_shall_not_be_made_anew_ends_with_the_connection() {
    let (redis, fake) = meeting([ending("data: subscribe,a,1\n\n")]);
    let mut stream = redis.subscribe(&["a"]).unwrap().reconnect(false);
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(end(&mut stream).await, ErrorKind::Network);
    assert_eq!(fake.opened().len(), 1);
}

#[tokio::test]
async fn a_server_that_says_when_is_not_asked_before() {
    let later = Fault::Answer(Response {
        status: 429,
        retry_after_ms: Some(3_600_000),
        ..Response::default()
    });
    let (redis, fake) = meeting([
        ending("data: subscribe,a,1\n\n"),
        later,
        events(&["subscribe,a,1"]),
    ]);
    let mut stream = redis.subscribe(&["a"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(next(&mut stream).await, reconnected("a"));
    let passed = upstash_edge::host::Host::now(&fake) - 1_700_000_000_000;
    assert!(passed >= 3_600_000, "{passed} ms");
}

#[tokio::test]
async fn a_server_that_takes_one_channel_a_request_is_served_so() {
    for (fault, partial) in [
        (answer(404, "text/html", "<html>"), false),
        (
            answer(400, "application/json", "{\"error\":\"ERR no\"}"),
            false,
        ),
        // It takes the path for one name, or takes the first name.
        (events(&["subscribe,a/b,1"]), false),
        (events(&["subscribe,a,1"]), true),
    ] {
        let (redis, fake) = meeting([
            fault,
            events(&["subscribe,b,1", "message,b,1", "message,b,2"]),
            events(&["subscribe,a,1", "message,a,1", "message,a,2"]),
        ]);
        let mut stream = redis.subscribe(&["a", "b"]).unwrap();
        if partial {
            assert_eq!(next(&mut stream).await, subscribed("a"));
        }
        assert_eq!(next(&mut stream).await, subscribed("b"));
        // Between its two requests messages may have been missed.
        let again = if partial { reconnected } else { subscribed };
        assert_eq!(next(&mut stream).await, again("a"));
        // Each in its turn.
        for (channel, message) in [("b", "1"), ("a", "1"), ("b", "2"), ("a", "2")] {
            assert_eq!(next(&mut stream).await, published(channel, message));
        }
        let opened = fake.opened();
        assert!(opened[0].ends_with("/subscribe/a/b"), "{opened:?}");
        assert!(opened[1].ends_with("/subscribe/b") && opened[2].ends_with("/subscribe/a"));
    }
}

#[tokio::test]
async fn nothing_is_read_faster_than_the_stream_is_polled() {
    let mut lines = vec!["subscribe,a,1"];
    lines.extend(vec!["message,a,x"; 100]);
    let (redis, fake) = meeting([events(&lines)]);
    let mut stream = redis.subscribe(&["a"]).unwrap();
    for polled in 1..=101 {
        next(&mut stream).await;
        assert_eq!(fake.chunks_read(), polled);
    }
}

#[tokio::test]
async fn a_request_is_told_when_it_has_ended() {
    let (redis, _) = meeting([ending("data: subscribe,a,1\n\n"), answer(401, "", "")]);
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let events = std::rc::Rc::clone(&told);
    let redis = redis.observed(move |event| {
        let kind = event.error.as_ref().map(upstash_edge::EdgeError::kind);
        events
            .borrow_mut()
            .push((event.commands.clone(), event.attempt, event.bytes_in, kind));
    });
    let mut stream = redis.subscribe(&["a"]).unwrap();
    assert_eq!(next(&mut stream).await, subscribed("a"));
    assert_eq!(end(&mut stream).await, ErrorKind::Unauthorized);
    let expected = [
        (vec!["SUBSCRIBE"], 1, 21, Some(ErrorKind::Network)),
        (vec!["SUBSCRIBE"], 2, 0, Some(ErrorKind::Unauthorized)),
    ];
    assert_eq!(*told.borrow(), expected);
}

#[test]
fn channels_that_cannot_be_asked_for_are_refused_at_once() {
    let (redis, _) = meeting([]);
    for channels in [&[][..], &[""], &["a", "."], &[".."], &["a\rb"]] {
        for refused in [redis.subscribe(channels), redis.psubscribe(channels)] {
            let error = refused.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{channels:?}");
            assert!(error.message().starts_with("channels"), "{error}");
        }
    }
}
