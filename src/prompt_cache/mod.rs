//! Answers of a language model, found again by exactly the same question.
//!
//! | what | commands sent | commands inside | when Redis fails |
//! |---|---|---|---|
//! | `get` | 1 EVALSHA | 1 HMGET; 1 HINCRBY for a miss, 3 for a hit | a miss |
//! | `set` | 1 EVALSHA | 1 HSET, 1 PEXPIRE | told |
//! | `stats` | 1 HMGET | | told |

mod ops;

use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base64;
use crate::duration;
use crate::error::EdgeError;
use crate::keys;

pub(crate) use ops::Look;
pub use ops::{GetPrompt, PromptAnswer, PromptStats, ReadPromptStats, SetPrompt};

/// Answers by the whole of their questions: what differs in anything, a parameter or a space, is another question.
/// Building one does nothing. All answers of one name lie in one slot of a cluster.
///
/// A question is anything that serialises to a JSON object with `model` (a text), `prompt` and, if it has one,
/// `temperature`; a question without one counts as one of temperature 0. It is known by the SHA-256 of its canonical JSON
/// (RFC 8785), the same in JavaScript; what is no number in it is null, as everywhere in `serde_json`.
///
/// ```
/// use serde_json::json;
/// use upstash_edge::PromptCache;
/// let prompts = PromptCache::new();
/// let question = json!({"model": "m-1", "prompt": "Why is the sky blue?", "temperature": 0});
/// let found = prompts.get::<String>(&question)?;
/// let kept = prompts.set(&question, "Rayleigh scattering.", 42)?;
/// # Ok::<(), upstash_edge::EdgeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PromptCache {
    name: String,
    ttl_ms: u64,
    max_temperature: f64,
    timeout_ms: u64,
}

impl Default for PromptCache {
    fn default() -> Self {
        Self {
            name: "prompts".into(),
            ttl_ms: 86_400_000,
            max_temperature: 0.0,
            timeout_ms: 500,
        }
    }
}

impl PromptCache {
    /// One with the defaults: name `prompts`, answers kept for 24 h, of temperature 0 alone, 500 ms of patience with Redis.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The namespace of its keys.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// How long an answer is kept, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn ttl_ms(mut self, ttl_ms: u64) -> Result<Self, EdgeError> {
        self.ttl_ms = duration::kept(ttl_ms)?;
        Ok(self)
    }

    /// Up to which temperature answers are kept. Above it they are meant to vary: [`Self::get`] finds none, and
    /// [`Self::set`] stores none.
    ///
    /// # Errors
    /// `invalid_config` when it is below 0 or no number.
    pub fn max_temperature(mut self, temperature: f64) -> Result<Self, EdgeError> {
        if temperature.is_nan() || temperature < 0.0 {
            return Err(EdgeError::config("max_temperature must be 0 or more"));
        }
        self.max_temperature = temperature;
        Ok(self)
    }

    /// How long it waits for Redis, after which a read is a miss, in milliseconds.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 2,147,483,647.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Result<Self, EdgeError> {
        self.timeout_ms = duration::timeout(timeout_ms)?;
        Ok(self)
    }

    /// The answer to this question. `None` also when Redis does not answer.
    ///
    /// # Errors
    /// `invalid_argument` when it is no question.
    pub fn get<T: DeserializeOwned>(
        &self,
        question: &(impl Serialize + ?Sized),
    ) -> Result<GetPrompt<T>, EdgeError> {
        let question = self.question(question)?;
        Ok(GetPrompt {
            look: question.map(|canonical| self.look(&canonical)),
            data: PhantomData,
        })
    }

    /// Keeps an answer, in the place of an earlier one, and how many tokens it took.
    ///
    /// # Errors
    /// `invalid_argument` when it is no question, or the answer cannot be written as JSON.
    pub fn set(
        &self,
        question: &(impl Serialize + ?Sized),
        data: &(impl Serialize + ?Sized),
        tokens_used: u64,
    ) -> Result<SetPrompt, EdgeError> {
        let json = serde_json::to_string(data)
            .map_err(|_| EdgeError::argument("data must be something that JSON can hold"))?;
        let question = self.question(question)?;
        Ok(self.keep(question.as_deref(), json, tokens_used))
    }

    /// What was asked for and found, by all isolates. One round trip.
    pub fn stats(&self) -> ReadPromptStats {
        ReadPromptStats {
            key: self.slot() + "n",
            timeout_ms: self.timeout_ms,
        }
    }

    /// A question as canonical JSON, if its answers are kept.
    fn question(&self, question: &(impl Serialize + ?Sized)) -> Result<Option<String>, EdgeError> {
        let wrong = || {
            EdgeError::argument(
                "a question must be an object of JSON with a model, a prompt and, if it has one, a temperature of 0 or more",
            )
        };
        let canonical = serde_json_canonicalizer::to_string(&question).map_err(|_| wrong())?;
        let asked: Asked = serde_json::from_str(&canonical).map_err(|_| wrong())?;
        let temperature = asked.temperature.unwrap_or(0.0);
        if asked.model.is_empty() || temperature < 0.0 {
            return Err(wrong());
        }
        Ok((temperature <= self.max_temperature).then_some(canonical))
    }

    /// Looks for the answer to a question of canonical JSON.
    pub(crate) fn look(&self, question: &str) -> Look {
        Look {
            key: self.key(question),
            counts: self.slot() + "n",
            timeout_ms: self.timeout_ms,
        }
    }

    pub(crate) fn keep(&self, question: Option<&str>, json: String, tokens: u64) -> SetPrompt {
        SetPrompt {
            key: question.map(|question| self.key(question)),
            json,
            tokens_used: tokens,
            ttl_ms: self.ttl_ms,
            timeout_ms: self.timeout_ms,
        }
    }

    fn key(&self, question: &str) -> String {
        let hash = Sha256::digest(question.as_bytes());
        self.slot() + "a:" + &base64::url(&hash)
    }

    /// The shards of a cache of the same name are numbers.
    fn slot(&self) -> String {
        let mut slot = String::from("{");
        slot += &keys::part(&self.name);
        slot += ":p}:";
        slot
    }
}

/// What a question has to have.
#[derive(Deserialize)]
struct Asked {
    model: String,
    #[serde(rename = "prompt")]
    _prompt: IgnoredAny,
    temperature: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[derive(Deserialize)]
    struct Vector {
        question: Value,
        canonical: String,
        sha256: String,
    }

    /// `tests/unit/canonical.test.mjs` holds JavaScript to the same.
    #[test]
    fn a_question_is_hashed_as_in_javascript() {
        let vectors = include_str!("../../tests/vectors/questions.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 5);
        for vector in vectors {
            let canonical = PromptCache::new().question(&vector.question);
            let canonical = canonical.unwrap().unwrap();
            assert_eq!(canonical, vector.canonical);
            let key = PromptCache::new().name("a b").key(&canonical);
            assert_eq!(key, "{a%20b:p}:a:".to_owned() + &vector.sha256);
        }
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for question in [
            json!("a text"),
            json!({"prompt": "p"}),
            json!({"model": "", "prompt": "p"}),
            json!({"model": 5, "prompt": "p"}),
            json!({"model": "m"}),
            json!({"model": "m", "prompt": "p", "temperature": "0"}),
            json!({"model": "m", "prompt": "p", "temperature": -1}),
        ] {
            let refused = PromptCache::new().get::<Value>(&question).err().unwrap();
            assert_eq!(refused.code(), "invalid_argument", "{question}");
        }
    }

    #[test]
    fn hotter_than_allowed_is_not_kept() {
        let prompts = PromptCache::new().max_temperature(0.5).unwrap();
        for (temperature, kept) in [
            (json!(null), true),
            (json!(0.5), true),
            (json!(0.51), false),
        ] {
            let question = json!({"model": "m", "prompt": "p", "temperature": temperature});
            assert_eq!(prompts.question(&question).unwrap().is_some(), kept);
        }
        assert!(PromptCache::new().max_temperature(f64::NAN).is_err());
    }
}
