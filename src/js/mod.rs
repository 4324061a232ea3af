//! The face of the npm package: synchronous functions over handles. Nothing here waits, and nothing calls the user.
//!
//! A batch is begun, filled with commands, written, and read, until nothing in it waits; then it is ended. In between
//! JavaScript fetches. What is settled comes out as a tape of numbers, which say where in the answer's own bytes each
//! value lies: no value is copied on its way to the caller.

mod batch;
#[cfg(feature = "js-cache")]
mod cache;
mod health;
mod json;
#[cfg(feature = "js-cache")]
mod prompt_cache;
#[cfg(feature = "js-limiter")]
mod ratelimit;
#[cfg(feature = "js-cache")]
mod respond;
mod scripts;
#[cfg(feature = "js-sessions")]
mod session;
mod slots;
mod tape;

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::{Format, Listener, Mode, Retry, Server, Task};
use crate::error::{EdgeError, ErrorKind};
use crate::host::{Response, retry_after_ms};
use crate::wire::{Commands, Repeat};

use batch::Batch;
use slots::Slots;

/// A third of the size of the one that std has, and as good at putting freed neighbours together: an isolate lives long.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(not(feature = "web"))]
#[wasm_bindgen]
extern "C" {
    /// Fills `bytes` from the runtime's cryptographic source; whether it could. A refusal that is no exception: those
    /// would need a table of JavaScript's values.
    pub(crate) fn fill(bytes: &mut [u8]) -> bool;
}

thread_local! {
    static BATCHES: RefCell<Slots<Box<Batch>>> = const { RefCell::new(Slots::new()) };
}

/// Tells this instance how many there were before it, so that no handle of theirs is one of its own.
#[wasm_bindgen]
pub fn number_from(instances: u32) {
    // 32 of them are told apart, and each has four thousand million values in a slot.
    slots::FIRST.set(u64::from(instances % 32) << 32);
}

/// Begins a batch for the server at `url` that is forgotten at `deadline`, should nobody end it; `attempts` 0 does not
/// retry. NaN when too many are under way.
#[wasm_bindgen]
pub fn begin(
    url: &str,
    now: f64,
    deadline: f64,
    atomic: bool,
    attempts: u32,
    base_ms: f64,
    max_ms: f64,
) -> f64 {
    let mode = if atomic {
        Mode::Transaction
    } else {
        Mode::Pipeline
    };
    let retry = (attempts > 0).then_some(Retry {
        attempts,
        base_ms: base_ms as u64,
        max_ms: max_ms as u64,
    });
    let batch = Box::new(Batch::new(Server::at(url), retry, mode));
    BATCHES.with_borrow_mut(|batches| batches.put(batch, now, deadline))
}

/// Adds a command, as the JSON array of its words. The text of an error, `code: message`, when it was not added.
#[wasm_bindgen]
pub fn push(batch: f64, json: &str, vouched: bool) -> Option<String> {
    push_bytes(batch, json, vouched, &[])
}

/// The same, the words at `places` (the name's is 1) being bytes, written as the characters of Latin-1.
#[wasm_bindgen]
pub fn push_bytes(batch: f64, json: &str, vouched: bool, places: &[u32]) -> Option<String> {
    added(with(batch, |batch| {
        batch.command(|out| out.json(json, vouched, places))
    }))
}

/// Adds a call of a script: the JSON array of the count of its keys, its keys, with `bytes` the places among its
/// arguments that are bytes (`"1,3"`), and its arguments.
#[wasm_bindgen]
pub fn push_script(
    batch: f64,
    source: &str,
    bytes: bool,
    json: &str,
    vouched: bool,
) -> Option<String> {
    let script = scripts::of(source, bytes);
    let repeat = if vouched {
        Repeat::Vouched
    } else {
        Repeat::of(&script)
    };
    added(with(batch, |batch| {
        batch.command(|out| {
            out.script_json(&script, json, repeat);
            Ok(())
        })
    }))
}

/// `None`: it was.
fn added(added: Option<Result<(), EdgeError>>) -> Option<String> {
    let error = added.unwrap_or_else(|| Err(gone())).err()?;
    Some(text(&error))
}

fn with<T>(handle: f64, act: impl FnOnce(&mut Batch) -> T) -> Option<T> {
    let mut batch = take(handle)?;
    let told = act(&mut batch);
    back(handle, batch);
    Some(told)
}

// Out of line: every function below holds a copy of `with`.
#[inline(never)]
fn take(handle: f64) -> Option<Box<Batch>> {
    BATCHES.with_borrow_mut(|batches| batches.take(handle))
}

#[inline(never)]
fn back(handle: f64, batch: Box<Batch>) {
    BATCHES.with_borrow_mut(|batches| batches.back(handle, batch));
}

fn with_task<T>(batch: f64, act: impl FnOnce(&mut Task) -> T) -> Option<T> {
    with(batch, |batch| batch.task().map(act)).flatten()
}

/// The body of the next request; `undefined` when nothing waits.
#[wasm_bindgen]
pub fn write(batch: f64) -> Option<Vec<u8>> {
    with(batch, Batch::write).flatten()
}

/// How the last write goes: 0 to `/`, 1 to `/pipeline`, 2 to `/multi-exec`, 3 to a path of its own; 4 more where it asks
/// for base64, and not for RESP2.
#[wasm_bindgen]
pub fn way(batch: f64) -> u32 {
    with_task(batch, |task| {
        let base64 = u32::from(task.format() == Format::Base64);
        let way = match task.path() {
            "/" => 0,
            "/pipeline" => 1,
            "/multi-exec" => 2,
            _ => 3,
        };
        way + 4 * base64
    })
    .unwrap_or_default()
}

/// That path of its own.
#[wasm_bindgen]
pub fn path(batch: f64) -> Option<String> {
    with_task(batch, |task| task.path().to_owned())
}

/// The names of the commands of the last write, a space between them.
#[wasm_bindgen]
pub fn names(batch: f64) -> Option<String> {
    with_task(batch, |task| {
        let mut names = String::new();
        for name in task.names() {
            if !names.is_empty() {
                names.push(' ');
            }
            names += name;
        }
        names
    })
}

/// The sync token to send along.
#[wasm_bindgen]
pub fn sync_token(batch: f64) -> Option<String> {
    with(batch, |batch| {
        let server = batch.server();
        server.sync_token().map(str::to_owned)
    })
    .flatten()
}

/// Takes the answer to the last write; what it settled, as [`settled`] tells it. `left_ms` is how long anybody still
/// waits; `drawn` is random, 0 to 1. A header that is absent is empty.
#[wasm_bindgen]
#[expect(
    clippy::too_many_arguments,
    reason = "one crossing is cheaper than several"
)]
pub fn read(
    batch: f64,
    status: u16,
    content_type: String,
    sync_token: String,
    retry_after: String,
    body: Vec<u8>,
    left_ms: f64,
    drawn: f64,
) -> Vec<u32> {
    let response = Response {
        status,
        content_type,
        sync_token: Some(sync_token).filter(|token| !token.is_empty()),
        retry_after_ms: retry_after_ms(Some(retry_after)),
        body,
    };
    ended(batch, Ok(response), left_ms, drawn)
}

/// No answer came to the last write; as [`read`]. `preflights`: a browser may have held it back.
#[wasm_bindgen]
pub fn lost(batch: f64, preflights: bool, left_ms: f64, drawn: f64) -> Vec<u32> {
    if preflights {
        with(batch, |batch| {
            if let Some(asked) = batch.task().map(|task| task.format()) {
                batch.server().blocked(asked);
            }
        });
    }
    let error = EdgeError::new(ErrorKind::Network, "no answer from the Redis REST server");
    ended(batch, Err(error), left_ms, drawn)
}

/// An answer came that is larger than any reply of Redis; as [`read`].
#[wasm_bindgen]
pub fn oversize(batch: f64, left_ms: f64, drawn: f64) -> Vec<u32> {
    ended(batch, Err(crate::host::oversize()), left_ms, drawn)
}

fn ended(batch: f64, answer: Result<Response, EdgeError>, left_ms: f64, drawn: f64) -> Vec<u32> {
    let drawn = (drawn * 9e15) as u64;
    told(batch, |batch| batch.read(answer, left_ms as u64, drawn))
}

/// What was settled since the last call, behind what `act` says of how long to wait.
fn told(batch: f64, act: impl FnOnce(&mut Batch) -> u64) -> Vec<u32> {
    with(batch, |batch| {
        let wait_ms = act(batch);
        batch.settled(wait_ms)
    })
    .unwrap_or_else(|| vec![0, 0])
}

/// Nobody waits for member `index` any more: it is not sent again.
#[wasm_bindgen]
pub fn leave(batch: f64, index: usize) {
    with(batch, |batch| batch.leave(index));
}

/// How long to wait before the next write, in milliseconds; how many answers there are to point into (one that could
/// not be believed is none); and what was settled since the last call: see [`tape`].
#[wasm_bindgen]
pub fn settled(batch: f64) -> Vec<u32> {
    told(batch, |_| 0)
}

/// What op `index` makes of its replies, as JSON, or of their absence when it has waited long enough; an error is a `!`
/// and its text, `code: message`. `now` in epoch milliseconds.
#[wasm_bindgen]
pub fn outcome(batch: f64, index: usize, now: f64) -> String {
    let outcome = with(batch, |batch| batch.outcome(index, now as u64)).flatten();
    match outcome.unwrap_or_else(|| Err(gone())) {
        Ok(json) => json,
        Err(error) => "!".to_owned() + &text(&error),
    }
}

/// The bytes of the last answer, where they are not those that arrived: a JSON server's.
#[wasm_bindgen]
pub fn answer(batch: f64) -> Option<Vec<u8>> {
    with_task(batch, |task| task.last_answer().map(<[u8]>::to_vec)).flatten()
}

/// The text of the error of member `index`, a command: `code: message`.
#[wasm_bindgen]
pub fn failure(batch: f64, index: usize) -> String {
    let error = with(batch, |batch| batch.failure(index)).flatten();
    text(&error.unwrap_or_else(gone))
}

/// What an answer means that was to be an event stream and is none, `code: message`.
#[wasm_bindgen]
pub fn no_stream(status: u16, content_type: String, body: Vec<u8>) -> String {
    let response = Response {
        status,
        content_type,
        body,
        ..Response::default()
    };
    text(&Listener::refusal(response))
}

/// What an error text of Redis means, `code: message`, cut before what it echoes.
#[wasm_bindgen]
pub fn describe(reply: &[u8]) -> String {
    text(&EdgeError::from_redis(reply))
}

/// Why a command, as [`push_bytes`] takes it, cannot be sent; `undefined` when it can.
#[wasm_bindgen]
pub fn refusal(json: &str, places: &[u32]) -> Option<String> {
    let refused = Commands::default().json(json, false, places).err();
    refused.map(|error| text(&error))
}

/// Forgets the batch.
#[wasm_bindgen]
pub fn end(batch: f64) {
    BATCHES.with_borrow_mut(|batches| batches.remove(batch));
}

/// As JavaScript reads it.
fn text(error: &EdgeError) -> String {
    let mut text = error.code().to_owned();
    text += ": ";
    text += error.message();
    text
}

fn gone() -> EdgeError {
    EdgeError::new(ErrorKind::Aborted, "the batch is over")
}
