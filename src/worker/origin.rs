//! The request to the origin, and its answer.

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestInit, RequestRedirect, Url, WorkerGlobalScope};
use worker::{EncodeBody, Headers, Request, Response};

use super::input::Target;
use crate::client::first;
use crate::edge::Problem;
use crate::front::headers::{USER, VIA, drops_request, drops_response, forwarded, location};
use crate::host::{Host, Web};

/// An origin, and how to ask it.
pub(super) struct Origin<'a> {
    /// Without a slash at its end.
    pub base: &'a str,
    /// How long the head of an answer may take.
    pub timeout_ms: u64,
}

/// A copy of a message's headers without what `drops` names, by the name and the value of `Connection`.
fn passed(headers: &Headers, drops: impl Fn(&str, &str) -> bool) -> worker::Result<Headers> {
    let passed = headers.clone();
    let connection = passed.get("connection")?.unwrap_or_default();
    let names: Vec<String> = passed.keys().collect();
    for name in names.iter().filter(|name| drops(name, &connection)) {
        passed.delete(name)?;
    }
    // After those of whoever it has passed already.
    passed.append("via", VIA)?;
    Ok(passed)
}

fn refused() -> Problem {
    Problem::new(502, "Bad Gateway").detail("the runtime refused the request or its answer")
}

/// Who asks, as the origin is told.
pub(super) struct Asker<'a> {
    pub address: Option<&'a str>,
    /// Who is logged in, as a header's value.
    pub user: Option<&'a str>,
}

impl Origin<'_> {
    /// Sends `request` on.
    pub async fn ask(
        &self,
        request: &Request,
        target: &Target,
        asker: &Asker<'_>,
    ) -> Result<Response, Problem> {
        let url = self.url(target).ok_or_else(|| {
            Problem::new(400, "Bad Request").detail("the path leads out of the site")
        })?;
        let method = request.inner().method();
        let reads = matches!(method.as_str(), "GET" | "HEAD");
        let body = request.inner().body();
        if reads && body.is_some() {
            // No cache has it in its keys, and what it means is not defined (RFC 9110, section 9.3.1).
            return Err(Problem::new(400, "Bad Request").detail("a GET or HEAD has no body here"));
        }
        let headers = sent(request.headers(), target, asker, reads).map_err(|_| refused())?;
        let init = RequestInit::new();
        init.set_method(&method);
        init.set_headers(headers.as_ref());
        init.set_redirect(RequestRedirect::Manual);
        if let Some(body) = body {
            init.set_body(&body);
        }
        // The bytes as they come: decoded, they would be encoded anew on their way out.
        let _ = Reflect::set(&init, &"encodeResponseBody".into(), &"manual".into());
        let answer = Response::from(self.fetch(&url, &init).await?);
        match answer.status_code() {
            101 => Ok(answer),
            // What no `Response` can be would end the isolate.
            200..=599 => received(answer, self.base, target).map_err(|_| refused()),
            _ => Err(refused()),
        }
    }

    /// Where it goes, `None` where that is not below the origin's URL: of parsers only that of `fetch` itself says
    /// where it would go.
    fn url(&self, target: &Target) -> Option<String> {
        let base = Url::new(self.base).ok()?;
        let url = Url::new(&(self.base.to_owned() + target.path_and_query())).ok()?;
        let folder = base.pathname();
        let folder = folder.trim_end_matches('/');
        let path = url.pathname();
        let below = path.strip_prefix(folder)?.starts_with('/');
        let same =
            url.origin() == base.origin() && url.username().is_empty() && url.password().is_empty();
        (below && same).then(|| url.href())
    }

    async fn fetch(&self, url: &str, init: &RequestInit) -> Result<web_sys::Response, Problem> {
        let abort = AbortController::new().map_err(|_| refused())?;
        init.set_signal(Some(&abort.signal()));
        let runtime: WorkerGlobalScope = js_sys::global().unchecked_into();
        let fetched = JsFuture::from(runtime.fetch_with_str_and_init(url, init));
        match first(fetched, Web.sleep(self.timeout_ms)).await {
            Some(Ok(answer)) => answer.dyn_into().map_err(|_| refused()),
            // What the runtime says of it may hold the origin's address.
            Some(Err(_)) => {
                Err(Problem::new(502, "Bad Gateway").detail("the origin could not be reached"))
            }
            None => {
                abort.abort();
                Err(Problem::new(504, "Gateway Timeout").detail("the origin takes too long"))
            }
        }
    }
}

/// The client's headers as the origin gets them.
fn sent(
    headers: &Headers,
    target: &Target,
    asker: &Asker<'_>,
    reads: bool,
) -> worker::Result<Headers> {
    let sent = passed(headers, |name, connection| {
        drops_request(name, connection, reads)
    })?;
    let upgrade = headers.get("upgrade")?.unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        sent.set("upgrade", "websocket")?;
    }
    let (scheme, host) = target.public();
    sent.set("forwarded", &forwarded(asker.address, host, scheme))?;
    // The same for the many that do not read RFC 7239.
    for (name, value) in [
        ("x-forwarded-for", asker.address),
        ("x-forwarded-host", Some(host)),
        ("x-forwarded-proto", Some(scheme)),
        (USER, asker.user),
    ] {
        if let Some(value) = value {
            sent.set(name, value)?;
        }
    }
    Ok(sent)
}

/// The origin's answer as the client gets it; what is said to the front itself still stands in it.
fn received(answer: Response, base: &str, target: &Target) -> worker::Result<Response> {
    let headers = passed(answer.headers(), drops_response)?;
    if let Some(told) = headers.get("location")?
        && let Some(own) = location(&told, base, target.public_base())
    {
        headers.set("location", &own)?;
    }
    let bodiless = matches!(answer.status_code(), 204 | 205 | 304);
    let (head, body) = answer.into_parts();
    let head = head.with_headers(headers);
    // What came behind a head that has no body would end the isolate too.
    let answer = if bodiless {
        head.empty()
    } else {
        head.body(body)
    };
    Ok(answer.with_encode_body(EncodeBody::Manual))
}
