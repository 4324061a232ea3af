//! Answers of a language model. A cache comes along with every call, as the JSON array of its name, its ttl and its timeout,
//! in milliseconds; questions are canonical JSON already, and of a temperature whose answers are kept.

use wasm_bindgen::prelude::wasm_bindgen;

use super::batch::Ask;
use super::cache::place;
use super::json::Json;
use super::{added, text, with};
use crate::client::Task;
use crate::error::EdgeError;
use crate::op::Context;
use crate::prompt_cache::{Look, PromptCache};
use crate::wire::{Commands, Replies, json_texts};

/// Why a prompt cache cannot be made; `undefined` when it can.
#[wasm_bindgen]
pub fn prompts_problem(prompts: &str) -> Option<String> {
    built(prompts).err().map(|error| text(&error))
}

/// Adds a look for an answer; its outcome is `@` and an array: empty, or of the tokens it took, when it was stored, how often
/// it was served, and its place: which answer, from where, to where.
#[wasm_bindgen]
pub fn push_prompt_get(batch: f64, prompts: &str, question: &str, now: f64) -> Option<String> {
    push(prompts, |prompts| {
        let look = Box::new(Looking(prompts.look(question)));
        with(batch, |batch| batch.ask(look, now as u64))
    })
}

/// Adds the store of an answer, as JSON, in the place of an earlier one.
#[wasm_bindgen]
pub fn push_prompt_set(
    batch: f64,
    prompts: &str,
    question: &str,
    data: String,
    tokens: f64,
    now: f64,
) -> Option<String> {
    push(prompts, |prompts| {
        let keep = prompts.keep(Some(question), data, tokens as u64);
        let null = |()| "null".to_owned();
        with(batch, |batch| batch.op(keep, now as u64, null))
    })
}

/// Adds a read of the counts; its outcome is the array of hits, misses and tokens saved.
#[wasm_bindgen]
pub fn push_prompt_stats(batch: f64, prompts: &str, now: f64) -> Option<String> {
    push(prompts, |prompts| {
        with(batch, |batch| {
            batch.op(prompts.stats(), now as u64, |stats| {
                let mut json = Json::default();
                json.number("[", stats.hits);
                json.number(",", stats.misses);
                json.number(",", stats.tokens_saved);
                json.raw("]");
                json.text
            })
        })
    })
}

struct Looking(Look);

impl Ask for Looking {
    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.0.encode(out);
        Ok(())
    }

    fn answer(
        self: Box<Self>,
        _: &Context<'_>,
        replies: &mut Replies<'_>,
        task: &Task,
    ) -> Result<String, EdgeError> {
        let mut json = Json::default();
        json.raw("@[");
        if let Some(found) = self.0.decode(replies) {
            json.number("", found.tokens_used);
            json.number(",", found.cached_at);
            json.number(",", found.hits);
            place(&mut json, task, found.data);
        }
        json.raw("]");
        Ok(json.text)
    }
}

fn push(
    config: &str,
    push: impl FnOnce(PromptCache) -> Option<Result<(), EdgeError>>,
) -> Option<String> {
    match built(config) {
        Ok(prompts) => added(push(prompts)),
        Err(error) => Some(text(&error)),
    }
}

fn built(config: &str) -> Result<PromptCache, EdgeError> {
    let fields = json_texts(config);
    let field = |at: usize| fields.get(at).map_or("", String::as_str);
    let number = |at: usize| field(at).parse::<u64>().unwrap_or(0);
    PromptCache::new()
        .name(field(0))
        .ttl_ms(number(1))?
        .timeout_ms(number(2))
}
