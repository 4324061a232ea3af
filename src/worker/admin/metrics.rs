//! What the Worker has been doing: one look is one round trip.

use serde::Serialize;
use worker::{Request, Response};

use super::super::app::{App, has_demo};
use super::super::failure::Failure;
use super::super::watch;
use super::access::{Access, is_admin};
use crate::cache::CacheStats;
use crate::front::traffic::{Minute, ReadTraffic};
use crate::keys::unescaped;
use crate::ratelimit::Stats;

/// So many minutes are drawn, and so many of them, the last, are summed up.
const MINUTES: u64 = 60;
const RECENT: usize = 5;
/// So many of the refused are told of each limiter.
const MOST_REFUSED: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    at: u64,
    expires_at: u64,
    demo: bool,
    sessions: bool,
    recent_minutes: usize,
    recent: Point,
    minutes: Vec<Point>,
    caches: Vec<Cached>,
    limiters: Vec<Limited>,
}

/// Some time of all isolates.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    at: u64,
    requests: u64,
    trips: u64,
    hits: u64,
    misses: u64,
    stale: u64,
    allowed: u64,
    refused: u64,
    /// Until an answer's head; absent without a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<u64>,
    /// What of it was waiting for Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_p50_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis_p99_ms: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cached {
    name: String,
    hits: u64,
    misses: u64,
    stale: u64,
    hit_rate: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limited {
    name: String,
    allowed: u64,
    refused: u64,
    most_refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    id: String,
    count: u64,
}

impl From<&Minute> for Point {
    fn from(minute: &Minute) -> Self {
        Self {
            at: minute.at,
            requests: minute.requests,
            trips: minute.trips,
            hits: minute.hits,
            misses: minute.misses,
            stale: minute.stale,
            allowed: minute.allowed,
            refused: minute.refused,
            p50_ms: minute.answers.quantile_ms(50),
            p99_ms: minute.answers.quantile_ms(99),
            redis_p50_ms: minute.waits.quantile_ms(50),
            redis_p99_ms: minute.waits.quantile_ms(99),
        }
    }
}

fn cached(name: String, stats: CacheStats) -> Cached {
    Cached {
        name,
        hits: stats.hits,
        misses: stats.misses,
        stale: stats.stale,
        hit_rate: stats.hit_rate(),
    }
}

fn limited(name: String, stats: Stats) -> Limited {
    let most = stats.most_refused.into_iter().take(MOST_REFUSED);
    let refused = most.map(|(id, count)| Refused {
        id: String::from_utf8_lossy(&unescaped(id.as_bytes())).into_owned(),
        count,
    });
    Limited {
        name,
        allowed: stats.allowed,
        refused: stats.refused,
        most_refused: refused.collect(),
    }
}

impl App<'_> {
    /// `GET /api/admin/metrics`
    pub(super) async fn metrics(
        &self,
        access: &Access,
        request: &Request,
    ) -> Result<Response, Failure> {
        access.claims(request)?;
        let demo = has_demo(self.env);
        let watched = watch::watched(self.env, demo)?;
        let traffic = ReadTraffic {
            traffic: watch::traffic(),
            minutes: MINUTES,
        };
        let caches = watched.caches.iter().map(|(_, cache)| cache.stats());
        let limiters = watched.limiters.iter();
        let asked = (
            access.load(request)?,
            traffic,
            caches.collect::<Vec<_>>(),
            limiters.map(|(_, it)| it.stats(0)).collect::<Vec<_>>(),
        );
        let (session, minutes, caches, limiters) = self.redis.run(asked).await?;
        is_admin(&session)?;
        let mut recent = Minute::default();
        for minute in minutes.iter().rev().take(RECENT) {
            recent.join(minute);
        }
        let caches = watched.caches.into_iter().zip(caches);
        let limiters = watched.limiters.into_iter().zip(limiters);
        let metrics = Metrics {
            at: worker::Date::now().as_millis(),
            expires_at: session.expires_at(),
            demo,
            sessions: self.sessions().is_ok(),
            recent_minutes: RECENT,
            recent: Point::from(&recent),
            minutes: minutes.iter().map(Point::from).collect(),
            caches: caches
                .map(|((name, _), stats)| cached(name, stats))
                .collect(),
            limiters: limiters
                .map(|((name, _), stats)| limited(name, stats))
                .collect(),
        };
        self.json(&metrics, 200)
    }
}
