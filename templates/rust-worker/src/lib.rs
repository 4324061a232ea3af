//! {{project-name}}: limit, session and stored page of a request are one request to Redis.
#![cfg(target_arch = "wasm32")]

use std::{error::Error, time::Duration};
use upstash_edge::{Cache, Edge, Limit, RateLimiter, Redis, Sessions, Visit};
use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response, Box<dyn Error>> {
    let redis = Redis::from_env(&env)?;
    // Whom the limiter counts: Cloudflare writes this header, whatever a client sends.
    let address = request.headers().get("CF-Connecting-IP")?;
    let id = address.as_deref().map(Into::into);
    edge(&env)?
        .handle(&redis, request, id, &context, respond)
        .await
}

fn edge(env: &Env) -> Result<Edge, Box<dyn Error>> {
    let limit = Limit::sliding_window(100, Duration::from_secs(60))?;
    let secrets = env.secret("SESSION_SECRETS")?.to_string();
    let secrets: Vec<&str> = secrets.split(',').collect();
    Ok(Edge::new()
        .limiter(RateLimiter::new(limit))
        .sessions(Sessions::new(&secrets)?)
        .cache(Cache::new().name("pages")))
}

/// What was neither refused nor stored.
async fn respond(request: Request, visit: &mut Visit) -> Result<Response, Box<dyn Error>> {
    if request.path() == "/visits"
        && let Some(session) = visit.session()
    {
        let visits = session.get("visits").unwrap_or(0) + 1;
        session.set("visits", &visits)?;
        return Ok(Response::ok(format!("visit {visits}\n"))?);
    }
    let page = Response::ok("the same for all\n")?;
    // So it is stored, and served without this.
    page.headers().set("Cache-Control", "max-age=60")?;
    Ok(page)
}
