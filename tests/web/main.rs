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

use upstash_edge::Redis;
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
