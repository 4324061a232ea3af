//! The host of web runtimes: `fetch`, timers and `crypto` of the global scope.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{
    Body, Host, LARGEST_ANSWER, LocalFuture, Opened, Request, Response, SYNC_TOKEN, entropy,
    oversize, retry_after_ms,
};
use crate::duration::LONGEST_TIMEOUT_MS;
use crate::error::{EdgeError, ErrorKind};

/// Cloudflare Workers, browsers and everything else with a global `fetch`.
#[derive(Clone, Copy, Default)]
pub struct Web;

impl Host for Web {
    fn now(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError> {
        entropy(bytes)
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        Box::pin(Sleep::start(ms))
    }

    fn preflights(&self) -> bool {
        // Only where a page or its worker has an origin of its own.
        get(&js_sys::global(), "location").is_ok_and(|location| location.is_object())
    }

    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>> {
        Box::pin(async move { fetch(request).await.map_err(lost)?.ok_or_else(oversize) })
    }

    fn open(&self, request: Request) -> LocalFuture<'static, Result<Opened, EdgeError>> {
        Box::pin(async move { open(request).await.map_err(lost) })
    }
}

/// What the runtime says of a failed fetch may hold the URL, so it is not repeated.
fn lost(_: JsValue) -> EdgeError {
    EdgeError::new(ErrorKind::Network, "no answer from the Redis REST server")
}

/// `None`: the answer is too large.
async fn fetch(request: Request) -> Result<Option<Response>, JsValue> {
    let (answer, abort) = send(request).await?;
    let Some(body) = whole(&answer).await? else {
        return Ok(None);
    };
    let response = Response {
        body,
        ..head(&answer)?
    };
    abort.disarm();
    Ok(Some(response))
}

async fn open(request: Request) -> Result<Opened, JsValue> {
    let (answer, abort) = send(request).await?;
    let stream = get(&answer, "body")?;
    // The answers to some statuses have none.
    let reader = if stream.is_object() {
        Some(call(&stream, "getReader", &[])?)
    } else {
        None
    };
    Ok(Opened {
        head: head(&answer)?,
        body: Box::new(Chunks {
            reader,
            _abort: abort,
        }),
    })
}

/// Sends it; the answer, and what ends it.
async fn send(request: Request) -> Result<(JsValue, Abort), JsValue> {
    let headers = Object::new();
    for (name, value) in &request.headers {
        set(&headers, name, &value.as_str().into())?;
    }
    let abort = Abort::new()?;
    let init = Object::new();
    set(&init, "method", &"POST".into())?;
    set(&init, "headers", &headers)?;
    // A redirect would carry keys and values to another host.
    set(&init, "redirect", &"manual".into())?;
    set(&init, "body", &Uint8Array::from(request.body.as_slice()))?;
    set(&init, "signal", &get(&abort.controller, "signal")?)?;
    let answer = call(
        &js_sys::global(),
        "fetch",
        &[request.url.into(), init.into()],
    )?;
    let answer = JsFuture::from(answer.dyn_into::<Promise>()?).await?;
    Ok((answer, abort))
}

/// The body, if it is not too large: at once where its length is told, else part by part.
async fn whole(answer: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let headers = get(answer, "headers")?;
    // Of a compressed body it says how long that is, and not what comes out of it.
    let plain = header(&headers, "content-encoding")?.is_none();
    let told = header(&headers, "content-length")?.filter(|_| plain);
    let told = told.and_then(|length| length.parse::<usize>().ok());
    if told.is_some_and(|length| length > LARGEST_ANSWER) {
        return Ok(None);
    }
    let stream = get(answer, "body")?;
    if told.is_some() || !stream.is_object() {
        let body = call(answer, "arrayBuffer", &[])?.dyn_into::<Promise>()?;
        return Ok(Some(Uint8Array::new(&JsFuture::from(body).await?).to_vec()));
    }
    let reader = call(&stream, "getReader", &[])?;
    let mut body = Vec::new();
    while let Some(part) = chunk(&reader).await? {
        if body.len() + part.len() > LARGEST_ANSWER {
            return Ok(None);
        }
        body.extend_from_slice(&part);
    }
    Ok(Some(body))
}

fn head(answer: &JsValue) -> Result<Response, JsValue> {
    let headers = get(answer, "headers")?;
    Ok(Response {
        status: get(answer, "status")?.as_f64().unwrap_or_default() as u16,
        content_type: header(&headers, "content-type")?.unwrap_or_default(),
        sync_token: header(&headers, SYNC_TOKEN)?,
        retry_after_ms: retry_after_ms(header(&headers, "retry-after")?),
        body: Vec::new(),
    })
}

/// A body that is read chunk by chunk; the fetch is aborted when it is dropped.
struct Chunks {
    reader: Option<JsValue>,
    _abort: Abort,
}

impl Body for Chunks {
    fn chunk(&mut self) -> LocalFuture<'_, Result<Option<Vec<u8>>, EdgeError>> {
        Box::pin(async {
            match &self.reader {
                Some(reader) => chunk(reader).await.map_err(lost),
                None => Ok(None),
            }
        })
    }
}

async fn chunk(reader: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let read = call(reader, "read", &[])?.dyn_into::<Promise>()?;
    let value = get(&JsFuture::from(read).await?, "value")?;
    Ok(value.is_object().then(|| Uint8Array::new(&value).to_vec()))
}

/// Aborts the fetch when its future is dropped before the end: nobody waits for it any more.
struct Abort {
    controller: JsValue,
    armed: std::cell::Cell<bool>,
}

impl Abort {
    fn new() -> Result<Self, JsValue> {
        let class = get(&js_sys::global(), "AbortController")?.dyn_into::<Function>()?;
        Ok(Self {
            controller: Reflect::construct(&class, &Array::new())?,
            armed: true.into(),
        })
    }

    fn disarm(&self) {
        self.armed.set(false);
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if self.armed.get() {
            let _ = call(&self.controller, "abort", &[]);
        }
    }
}

/// A timer, cleared when dropped: a forgotten one would keep the request of a Worker alive.
struct Sleep {
    timer: JsValue,
    promise: JsFuture,
}

impl Sleep {
    fn start(ms: u64) -> Self {
        let mut timer = JsValue::UNDEFINED;
        let promise = Promise::new(&mut |resolve, _| {
            let args = [
                resolve.into(),
                JsValue::from_f64(ms.min(LONGEST_TIMEOUT_MS) as f64),
            ];
            timer = call(&js_sys::global(), "setTimeout", &args).unwrap_or_default();
        });
        Self {
            timer,
            promise: promise.into(),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.promise).poll(cx).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let _ = call(
            &js_sys::global(),
            "clearTimeout",
            std::slice::from_ref(&self.timer),
        );
    }
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(object, &name.into())
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), value).map(|_| ())
}

fn call(object: &JsValue, name: &str, args: &[JsValue]) -> Result<JsValue, JsValue> {
    let args: Array = args.iter().collect();
    get(object, name)?
        .dyn_into::<Function>()?
        .apply(object, &args)
}

fn header(headers: &JsValue, name: &str) -> Result<Option<String>, JsValue> {
    Ok(call(headers, "get", &[name.into()])?.as_string())
}
