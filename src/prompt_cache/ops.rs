//! Asking for an answer, keeping one, and what was counted, as ops.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies, Reply};

static GET: Script = script!("../lua/prompt_get.lua");
static SET: Script = script!("../lua/prompt_set.lua");

/// An answer that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptAnswer<T> {
    /// What was stored.
    pub data: T,
    /// How many tokens it took.
    pub tokens_used: u64,
    /// When it was stored, in epoch milliseconds.
    pub cached_at: u64,
    /// How often it was served, this time included.
    pub hits: u64,
}

/// How often answers were asked for, since the name was first used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptStats {
    /// Found.
    pub hits: u64,
    /// Not found.
    pub misses: u64,
    /// How many tokens the answers that were found had taken, each time.
    pub tokens_saved: u64,
}

impl PromptStats {
    /// The share that was found: 0 to 1, 0 when nothing was asked.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        self.hits as f64 / (self.hits + self.misses).max(1) as f64
    }
}

/// Looks for an answer.
pub(crate) struct Look {
    pub(super) key: String,
    pub(super) counts: String,
    pub(super) timeout_ms: u64,
}

impl Look {
    pub fn encode(&self, out: &mut Commands) {
        // Sent again it is counted once more, which is cheaper than to ask the model.
        out.script(&GET, &[&self.key, &self.counts], &[], Repeat::Harmless);
    }

    /// The answer, as JSON. Whatever is wrong, with the wire or with what stands there, is a miss.
    pub fn decode<'a>(&self, replies: &mut Replies<'a>) -> Option<PromptAnswer<&'a [u8]>> {
        let mut found = match replies.take().ok()? {
            Reply::Nil => return None,
            found => found.array().ok()?,
        };
        let mut next = || found.entry().ok();
        let data = next()?.bytes().ok()??;
        let mut number = || next()?.text().ok()?.parse().ok();
        let (tokens_used, cached_at) = (number()?, number()?);
        let hits = next()?.count().ok()?;
        Some(PromptAnswer {
            data,
            tokens_used,
            cached_at,
            hits,
        })
    }

    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms
    }
}

/// Looks for an answer: see [`PromptCache::get`](crate::PromptCache::get).
#[must_use = "an op does nothing until it is run"]
pub struct GetPrompt<T> {
    pub(super) look: Option<Look>,
    pub(super) data: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Op for GetPrompt<T> {
    type Output = Option<PromptAnswer<T>>;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if let Some(look) = &self.look {
            look.encode(out);
        }
        Ok(())
    }

    fn decode(
        self,
        _: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Option<PromptAnswer<T>>, EdgeError> {
        let found = self.look.and_then(|look| look.decode(replies));
        Ok(found.and_then(|found| {
            Some(PromptAnswer {
                data: serde_json::from_slice(found.data).ok()?,
                tokens_used: found.tokens_used,
                cached_at: found.cached_at,
                hits: found.hits,
            })
        }))
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.look.as_ref().map_or(0, Look::timeout_ms))
    }
}

/// Keeps an answer: see [`PromptCache::set`](crate::PromptCache::set).
#[must_use = "an op does nothing until it is run"]
pub struct SetPrompt {
    /// `None`: it is not kept.
    pub(super) key: Option<String>,
    pub(super) json: String,
    pub(super) tokens_used: u64,
    pub(super) ttl_ms: u64,
    pub(super) timeout_ms: u64,
}

impl Op for SetPrompt {
    type Output = ();

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if let Some(key) = &self.key {
            let args = [
                self.ttl_ms.into(),
                self.tokens_used.into(),
                cx.now().into(),
                Arg::Text(&self.json),
            ];
            // Sent again it sets the same once more.
            out.script(&SET, &[key], &args, Repeat::Harmless);
        }
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<(), EdgeError> {
        if self.key.is_some() {
            replies.take()?;
        }
        Ok(())
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}

/// Reads the counts: see [`PromptCache::stats`](crate::PromptCache::stats).
#[must_use = "an op does nothing until it is run"]
pub struct ReadPromptStats {
    pub(super) key: String,
    pub(super) timeout_ms: u64,
}

impl Op for ReadPromptStats {
    type Output = PromptStats;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let fields = ["h", "m", "t"].map(Arg::Text);
        let [hits, misses, tokens] = fields;
        out.command("HMGET", &[Arg::Text(&self.key), hits, misses, tokens])
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<PromptStats, EdgeError> {
        let mut counts = replies.take()?.array()?;
        let mut count = || match counts.entry()? {
            Reply::Nil => Ok(0),
            counted => Ok(counted.text()?.parse().unwrap_or(0)),
        };
        Ok(PromptStats {
            hits: count()?,
            misses: count()?,
            tokens_saved: count()?,
        })
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.timeout_ms)
    }
}
