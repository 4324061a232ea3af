//! The Worker of the README.
#![cfg(target_arch = "wasm32")]

use std::{error::Error, time::Duration};
use upstash_edge::{Cache, Limit, RateLimiter, Redis};
use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response, Box<dyn Error>> {
    let redis = Redis::from_env(&env)?;
    let limiter = RateLimiter::new(Limit::sliding_window(10, Duration::from_secs(10))?);
    let address = request.headers().get("CF-Connecting-IP")?;
    let check = limiter.check(&address.unwrap_or_default());
    // A tuple is one round trip.
    let (decision, greeting) = redis.run((check, Cache::new().get("greeting"))).await?;
    let status = if decision.allowed { 200 } else { 429 };
    let greeting = greeting.unwrap_or_else(|| "hello".to_owned());
    Ok(Response::ok(greeting)?.with_status(status))
}
