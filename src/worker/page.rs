//! The demonstration of the idea: a limit, a session and a cached page in one round trip.

use serde_json::{Value, json};
use worker::Response;

use super::app::App;
use super::failure::Failure;
use super::watch::demo;
use crate::cache::Cache;
use crate::op::Op;

const KEY: &str = "page";

impl App<'_> {
    /// `GET /api/page`
    pub async fn page(&self, address: &str, cookies: &str) -> Result<Response, Failure> {
        let demo = demo(self.env)?;
        let asked = (
            demo.page_limiter.check(address),
            // Without Redis the page is served all the same, to an anonymous visitor.
            self.sessions()?.load(cookies).settled(),
            demo.pages.get::<Value>(KEY),
        );
        let (decision, session, cached) = self.run(asked).await?;
        if !decision.allowed {
            return self.decided(&decision, &decision);
        }
        let hit = cached.is_some();
        let page = match cached {
            Some(page) => page,
            None => self.make(&demo.pages)?,
        };
        let user_id = session.ok().and_then(|s| s.user_id().map(str::to_owned));
        let body = json!({ "page": page, "userId": user_id, "remaining": decision.remaining });
        let response = self.decided(&decision, &body)?;
        let status = if hit {
            "upstash-edge; hit"
        } else {
            "upstash-edge; fwd=miss"
        };
        response.headers().set("Cache-Status", status)?;
        Ok(response)
    }

    /// Makes the page; the store travels in the background.
    fn make(&self, pages: &Cache) -> Result<Value, Failure> {
        let page = json!({
            "title": "One round trip",
            "madeAt": worker::Date::now().as_millis(),
        });
        let store = pages.clone().ttl_ms(60_000)?.set(KEY, &page)?;
        let redis = self.redis.clone();
        self.context.wait_until(async move {
            // The page is already on its way: a store that fails is a miss next time.
            let _ = redis.run(store).await;
        });
        Ok(page)
    }
}
