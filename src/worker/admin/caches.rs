//! The cache explorer.

use serde::Deserialize;
use serde_json::json;
use worker::Response;

use super::super::app::App;
use super::super::failure::{Failure, asked};
use super::super::input::{Query, whole};
use crate::cache::Cache;

/// How many entries a page has, about.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 500;

/// Which entries: `name`, `match`, `cursor` and `count` of the query.
pub(in crate::worker) struct Explore {
    cache: String,
    part: String,
    cursor: String,
    count: u32,
}

impl Explore {
    pub fn of(query: &Query) -> Result<Self, Failure> {
        let text = |name, fallback: &str| query.get(name).unwrap_or(fallback).to_owned();
        Ok(Self {
            cache: text("name", "cache"),
            part: text("match", ""),
            cursor: text("cursor", "0"),
            count: query.number("count", PAGE)?.clamp(1, LARGEST_PAGE),
        })
    }
}

/// An entry, by the `id` that a page told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::worker) struct Show {
    name: String,
    id: String,
}

/// The same, to be removed.
pub(in crate::worker) type Delete = Show;

/// Tags whose entries are to be gone, or stale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::worker) struct Invalidate {
    name: String,
    tags: Vec<String>,
    /// Over how many shards the cache is spread.
    #[serde(default = "one", deserialize_with = "whole")]
    shards: u32,
    /// Stale in place of gone.
    #[serde(default)]
    expire: bool,
}

fn one() -> u32 {
    1
}

/// One of the name that was asked for; of it nothing is counted. The console waits longer than a page would.
fn cache(name: &str) -> Result<Cache, Failure> {
    Cache::new().name(name).timeout_ms(5_000).map_err(asked)
}

impl App<'_> {
    /// `GET /api/admin/cache?name=front&match=&cursor=0&count=50`
    pub(super) async fn cache_explore(&self, explore: &Explore) -> Result<Response, Failure> {
        let cache = cache(&explore.cache)?;
        let (part, count) = (&explore.part, explore.count as usize);
        let page = cache
            .explore(&self.redis, &explore.cursor, part, count)
            .await?;
        let body = json!({ "now": worker::Date::now().as_millis(), "cursor": page.cursor, "entries": page.entries });
        self.json(&body, 200)
    }

    /// `POST /api/admin/cache/value` `{"name": "front", "id": ".."}`
    pub(super) async fn cache_show(&self, show: &Show) -> Result<Response, Failure> {
        let values = cache(&show.name)?.shown(&self.redis, &show.id).await?;
        if values.is_empty() {
            return Err(Failure::not_found());
        }
        self.json(&json!({ "values": values }), 200)
    }

    /// `POST /api/admin/cache/delete` `{"name": "front", "id": ".."}`
    pub(super) async fn cache_remove(&self, delete: &Delete) -> Result<Response, Failure> {
        let deleted = cache(&delete.name)?.remove(&self.redis, &delete.id).await?;
        self.json(&json!({ "deleted": deleted }), 200)
    }

    /// `POST /api/admin/cache/invalidate` `{"name": "front", "tags": [".."], "shards": 1, "expire": false}`
    pub(super) async fn cache_invalidate(&self, asks: &Invalidate) -> Result<Response, Failure> {
        if asks.tags.is_empty() {
            return Err(Failure::bad("tags must hold one at least"));
        }
        let cache = cache(&asks.name)?.shards(asks.shards).map_err(asked)?;
        let op = match asks.expire {
            true => cache.expire_tags(&asks.tags)?,
            false => cache.invalidate_tags(&asks.tags)?,
        };
        self.redis.run(op).await?;
        self.json(&json!({ "invalidated": asks.tags.len() }), 200)
    }
}
