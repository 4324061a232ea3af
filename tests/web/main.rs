//! The same core tests in a browser, against the server that `UPSTASH_TEST_URL` named when this was built.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../core/mod.rs"]
mod core;

use futures_util::StreamExt;
use upstash_edge::commands::command;
use upstash_edge::{Message, Redis};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn client() -> Redis {
    let url = option_env!("UPSTASH_TEST_URL").expect("UPSTASH_TEST_URL is set for the build");
    let token = option_env!("UPSTASH_TEST_TOKEN").expect("UPSTASH_TEST_TOKEN is set for the build");
    Redis::new(url, token).unwrap()
}

macro_rules! run {
    ($($name:ident)*) => {$(
        #[wasm_bindgen_test]
        async fn $name() {
            core::$name(client()).await;
        }
    )*};
}

core::core_tests!(run);

/// Over a reader of the web's streams, which no other runtime of these tests has.
#[wasm_bindgen_test]
async fn a_subscription_hears_what_is_published() {
    let redis = client();
    let mut stream = redis.subscribe(&["web/é", "web,comma"]).unwrap();
    for _ in 0..2 {
        let told = stream.next().await.unwrap();
        assert!(matches!(told, Ok(Message::Subscribed { .. })), "{told:?}");
    }
    for channel in ["web/é", "web,comma"] {
        for text in ["hello", "", "a,b", "two\nlines é😀"] {
            let publish = command::<i64>("PUBLISH", &[channel.into(), text.into()]);
            assert_eq!(redis.run(publish).await, Ok(1));
            let Ok(Message::Published { message, .. }) = stream.next().await.unwrap() else {
                panic!("something else");
            };
            assert_eq!(message, text);
        }
    }
    drop(stream);
    // Dropped, it is aborted.
    for _ in 0..500 {
        let publish = command::<i64>("PUBLISH", &["web/é".into(), "x".into()]);
        if redis.run(publish).await == Ok(0) {
            return;
        }
    }
    panic!("still subscribed");
}
