//! A client from variables of the environment.

use super::{Builder, Redis};
use crate::error::EdgeError;

impl Redis {
    /// A client of the database that the process's environment names: `UPSTASH_REDIS_REST_URL` and
    /// `UPSTASH_REDIS_REST_TOKEN`, else `KV_REST_API_URL` and `KV_REST_API_TOKEN`.
    ///
    /// # Errors
    /// `invalid_config`, with their names when neither pair is set, or when URL or token cannot be right.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub fn from_env() -> Result<Self, EdgeError> {
        Self::builder_from(|name| std::env::var(name).ok())?.build()
    }

    /// A client of the database that a Worker's environment names (`worker::Env`): `UPSTASH_REDIS_REST_URL` and
    /// `UPSTASH_REDIS_REST_TOKEN`, else `KV_REST_API_URL` and `KV_REST_API_TOKEN`.
    ///
    /// # Errors
    /// `invalid_config`, with their names when neither pair is set, or when URL or token cannot be right.
    #[cfg(all(feature = "web", target_arch = "wasm32"))]
    pub fn from_env(env: &wasm_bindgen::JsValue) -> Result<Self, EdgeError> {
        let get = |name: &str| js_sys::Reflect::get(env, &name.into()).ok()?.as_string();
        Self::builder_from(get)?.build()
    }

    /// The same, from variables that are kept elsewhere, as a [`Builder`] that can be told more.
    ///
    /// ```
    /// use upstash_edge::Redis;
    /// let settings = [("KV_REST_API_URL", "https://a.upstash.io"), ("KV_REST_API_TOKEN", "t")];
    /// let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    /// let builder = Redis::builder_from(get)?.timeout_ms(800);
    /// # Ok::<(), upstash_edge::EdgeError>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_config` with the variables' names, when neither pair is set.
    pub fn builder_from(get: impl Fn(&str) -> Option<String>) -> Result<Builder, EdgeError> {
        // URL and token of one database: a token is never sent to another.
        for [url, token] in PAIRS {
            let set = |name| get(name).filter(|value| !value.is_empty());
            if let (Some(url), Some(token)) = (set(url), set(token)) {
                return Ok(Self::builder(&url, &token));
            }
        }
        Err(EdgeError::config(
            "neither UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN nor KV_REST_API_URL and KV_REST_API_TOKEN are set",
        ))
    }
}

const PAIRS: [[&str; 2]; 2] = [
    ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"],
    ["KV_REST_API_URL", "KV_REST_API_TOKEN"],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Fake;

    const UPSTASH: &str = "https://upstash.example";
    const KV: &str = "https://kv.example";

    /// Where a client with these variables would send to.
    fn url(settings: &[(&str, &str)]) -> Result<String, EdgeError> {
        let get = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let redis = Redis::builder_from(get)?.build_with(Fake::new())?;
        Ok(redis.shared.config.url.clone())
    }

    #[test]
    fn the_first_whole_pair_counts_and_none_is_mixed() {
        let upstash = [
            ("UPSTASH_REDIS_REST_URL", UPSTASH),
            ("UPSTASH_REDIS_REST_TOKEN", "a"),
        ];
        let kv = [("KV_REST_API_URL", KV), ("KV_REST_API_TOKEN", "b")];
        assert_eq!(url(&[upstash, kv].concat()).as_deref(), Ok(UPSTASH));
        assert_eq!(url(&kv).as_deref(), Ok(KV));
        assert_eq!(url(&[&upstash[..1], &kv].concat()).as_deref(), Ok(KV));
        let empty = [upstash[0], ("UPSTASH_REDIS_REST_TOKEN", "")];
        assert_eq!(url(&[empty, kv].concat()).as_deref(), Ok(KV));
        for settings in [&[][..], &[upstash[0], kv[1]], &[upstash[1], kv[0]]] {
            let error = url(settings).unwrap_err();
            assert_eq!(error.code(), "invalid_config");
            for name in PAIRS.as_flattened() {
                assert!(error.message().contains(name), "{name}");
            }
        }
    }
}
