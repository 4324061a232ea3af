//! What becomes of the cache's lease: the handler's answer is stored, or is not to be, or nobody asks the handler.

use worker::{Context, EncodeBody, Request, Response};

use super::answer::is_public;
use super::http::{head, is_small, response, twice, whole};
use super::{Edge, Visit};
use crate::cache::{Keep, Looked};
use crate::client::Redis;
use crate::session::Session;

/// Gives the lease back, behind the answer: the handler will not be asked.
pub(super) fn release(looked: Option<Looked>, redis: &Redis, context: &Context) {
    // Who holds none has nothing to say.
    if let Some(mut looked) = looked.filter(Looked::wants_handler) {
        let redis = redis.clone();
        context.wait_until(async move { looked.release(&redis).await });
    }
}

impl Edge {
    /// What the client gets of what the handler answered; it is stored behind that, if it may be.
    pub(super) fn keep(
        &self,
        redis: &Redis,
        mut looked: Looked,
        answer: Response,
        is_shared: bool,
        context: &Context,
    ) -> worker::Result<Response> {
        let (keep, answer) = judged(redis, &mut looked, answer, is_shared)?;
        let Keep {
            stored,
            answer: given,
            renewed,
            cache_status,
            invalidates,
        } = keep;
        let fails = given.is_some() && !stored;
        let (client, body) = match given {
            Some(given) => (response(given)?, answer),
            None => {
                answer.headers().append("Cache-Status", &cache_status)?;
                if stored {
                    twice(answer)
                } else {
                    (answer, Response::empty()?)
                }
            }
        };
        let (redis, cache) = (redis.clone(), self.cache.clone());
        context.wait_until(async move {
            let keys: Vec<&str> = invalidates.iter().map(String::as_str).collect();
            if let Some(cache) = cache.filter(|_| !keys.is_empty()) {
                // Where Redis is gone nothing is served that could be stale.
                let _ = redis.run(cache.delete_many(&keys)).await;
            }
            if stored {
                store(&redis, looked, renewed, body).await;
            } else if fails {
                looked.fail(&redis).await;
            } else {
                looked.forget(&redis).await;
            }
        });
        Ok(client)
    }

    /// Asks the handler behind a stale answer, for a visitor of whom nothing is known: what it answers is for all.
    pub(super) async fn refresh<E>(
        &self,
        redis: &Redis,
        mut looked: Looked,
        request: Request,
        handler: impl AsyncFnOnce(Request, &mut Visit) -> Result<Response, E>,
    ) {
        let nobody = self.sessions.as_ref();
        let mut visit = Visit {
            decision: None,
            looked: None,
            session: nobody.map(|_| Session::anonymous(redis.now())),
            session_error: None,
            is_touched: false,
        };
        let Ok(answer) = handler(request, &mut visit).await else {
            looked.fail(redis).await;
            return;
        };
        let told = answer.headers().get("Cache-Control").ok().flatten();
        let is_shared = !visit.is_touched || is_public(told.as_deref());
        match judged(redis, &mut looked, answer, is_shared) {
            Ok((keep, answer)) if keep.stored => store(redis, looked, keep.renewed, answer).await,
            Ok((keep, _)) if keep.answer.is_none() => looked.forget(redis).await,
            _ => {
                looked.fail(redis).await;
            }
        }
    }
}

/// What to do with what the handler answered; and that, its headers such as can be changed.
fn judged(
    redis: &Redis,
    looked: &mut Looked,
    answer: Response,
    is_shared: bool,
) -> worker::Result<(Keep, Response)> {
    let headers = answer.headers().clone();
    let may_store = is_shared && is_small(&headers)?;
    let keep = looked.keep(redis, answer.status_code(), &head(&headers), may_store);
    Ok((keep, answer.with_headers(headers)))
}

async fn store(redis: &Redis, mut looked: Looked, renewed: Option<Vec<u8>>, answer: Response) {
    let encoded = answer.headers().has("Content-Encoding").unwrap_or(false);
    // What the runtime is to encode on its way out it has not encoded yet.
    let decoded = encoded && matches!(answer.encode_body(), EncodeBody::Automatic);
    let body = match renewed {
        Some(body) => Ok(Some(body)),
        None => whole(answer).await,
    };
    match body {
        Ok(Some(body)) => looked.store(redis, &body, decoded).await,
        Ok(None) => looked.forget(redis).await,
        // It broke off.
        Err(_) => {
            looked.fail(redis).await;
        }
    }
}
