//! A queue that a cron trigger drains: a request enqueues, each minute what is ready is done.
#![cfg(target_arch = "wasm32")]

use serde::{Deserialize, Serialize};
use std::error::Error;
use upstash_edge::{Drain, EdgeError, Job, NewJob, Queue, Redis};
use worker::{
    Context, Date, Env, Request, Response, ScheduleContext, ScheduledEvent, console_log, event,
};

#[derive(Deserialize, Serialize)]
struct Mail {
    to: String,
}

fn mail() -> Result<Queue, EdgeError> {
    Queue::new("mail")?.lease_ms(60_000)
}

/// Where a mail would leave. A job may come twice: what must not happen twice is kept by its id.
async fn send(job: Job) -> Result<(), Box<dyn Error>> {
    let Mail { to } = job.payload()?;
    if !to.contains('@') {
        return Err("no such address".into());
    }
    Ok(())
}

#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _: Context) -> Result<Response, Box<dyn Error>> {
    let message: Mail = request.json().await?;
    // One mail a day to each.
    let job = NewJob::new(&message)?.key(&message.to)?;
    Redis::from_env(&env)?.run(mail()?.enqueue([job])?).await?;
    Ok(Response::empty()?.with_status(202))
}

#[event(scheduled)]
async fn scheduled(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    let until = Date::now().as_millis() + 45_000;
    let drained = async {
        let bounds = Drain::new().limit(1_000).until(until);
        mail()?.drain(&Redis::from_env(&env)?, bounds, send).await
    };
    match drained.await {
        Ok(drained) => console_log!("{} done, {} dead", drained.done, drained.dead),
        Err(error) => console_log!("{}", error.code()),
    }
}
