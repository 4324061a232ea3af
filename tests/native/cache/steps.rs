//! A world in which nothing happens but step by step: what the actors of a test send waits until it is their turn, so
//! that every order of what they send can be tried. Redis is asked by one plain connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use upstash_edge::host::{Host, LocalFuture, Opened, Request, Response};
use upstash_edge::{EdgeError, Redis};

/// What waits that long waits for a deadline, which is another test's.
pub const NEVER_MS: u64 = 3_600_000;

/// A connection to Redis; replies stay as they came.
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    pub fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Redis listens");
        stream.set_nodelay(true).expect("an option of every socket");
        Self(BufReader::new(stream))
    }

    pub fn ask(&mut self, words: &[&str]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
        }
        self.0.get_mut().write_all(&bytes).expect("Redis reads");
        let mut reply = Vec::new();
        self.reply(&mut reply);
        reply
    }

    fn reply(&mut self, reply: &mut Vec<u8>) {
        let start = reply.len();
        self.0.read_until(b'\n', reply).expect("Redis answers");
        let line = std::str::from_utf8(&reply[start + 1..]).unwrap_or_default();
        let count: i64 = line.trim_end().parse().unwrap_or(-1);
        match (reply[start], usize::try_from(count)) {
            (b'*', Ok(count)) => (0..count).for_each(|_| self.reply(reply)),
            (b'$', Ok(length)) => {
                let mut text = vec![0; length + 2];
                self.0.read_exact(&mut text).expect("the whole reply");
                reply.extend(text);
            }
            _ => {}
        }
    }

    /// Does what the body of a request says.
    fn execute(&mut self, body: &[u8]) -> Response {
        let json: Value = serde_json::from_slice(body).expect("a body of commands");
        let entries = json.as_array().expect("commands are arrays");
        let pipeline = entries.iter().all(Value::is_array);
        let mut reply = Vec::new();
        if pipeline {
            reply.extend(format!("*{}\r\n", entries.len()).into_bytes());
        }
        for command in if pipeline {
            entries.as_slice()
        } else {
            std::slice::from_ref(&json)
        } {
            let words = command.as_array().expect("a command").iter();
            let words: Vec<String> = words.map(word).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            reply.extend(self.ask(&words));
        }
        Response {
            status: 200,
            content_type: "application/octet-stream".to_owned(),
            body: reply,
            ..Response::default()
        }
    }
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What an actor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For what it sent to be done.
    Request,
    /// For a while to pass.
    Sleep,
    /// For its origin.
    Origin,
}

struct Turn {
    waits: Waits,
    body: Vec<u8>,
    told: Rc<RefCell<Option<Result<Response, EdgeError>>>>,
}

/// The host of one actor.
#[derive(Clone)]
pub struct Gate(Rc<State>);

struct State {
    wire: Rc<RefCell<Wire>>,
    turns: RefCell<VecDeque<Turn>>,
    open: Cell<bool>,
    drawn: Cell<u64>,
    skew_ms: Cell<i64>,
}

impl Gate {
    /// Open at first: what is sent is done at once.
    pub fn new(wire: &Rc<RefCell<Wire>>, seed: u64) -> Self {
        Self(Rc::new(State {
            wire: wire.clone(),
            turns: RefCell::default(),
            open: Cell::new(true),
            drawn: Cell::new(seed << 32),
            skew_ms: Cell::new(0),
        }))
    }

    pub fn client(&self) -> Redis {
        let builder = Redis::builder("http://redis.invalid", "token").retry(None);
        builder
            .build_with(self.clone())
            .expect("the client is built")
    }

    /// From now on nothing happens but by [`Self::turn`]; its clock is off by so much.
    pub fn close(&self, skew_ms: i64) {
        self.0.open.set(false);
        self.0.skew_ms.set(skew_ms);
        self.0.turns.borrow_mut().clear();
    }

    /// What it waits for.
    pub fn waits(&self) -> Option<Waits> {
        let mut turns = self.0.turns.borrow_mut();
        // Who stopped waiting needs no turn.
        turns.retain(|turn| Rc::strong_count(&turn.told) > 1);
        turns.front().map(|turn| turn.waits)
    }

    /// Lets that happen.
    pub fn turn(&self) {
        let turn = self.0.turns.borrow_mut().pop_front().expect("a turn");
        let response = match turn.waits {
            Waits::Request => self.0.wire.borrow_mut().execute(&turn.body),
            Waits::Sleep | Waits::Origin => Response::default(),
        };
        *turn.told.borrow_mut() = Some(Ok(response));
    }

    /// Its sender is told that no answer came; what was sent is given, for it may be done later.
    pub fn lose(&self) -> Vec<u8> {
        let turn = self.0.turns.borrow_mut().pop_front().expect("a turn");
        // No error of the crate can be made outside of it, but every answer can be one.
        let broken = Response {
            status: 503,
            ..Response::default()
        };
        *turn.told.borrow_mut() = Some(Ok(broken));
        turn.body
    }

    /// Does what was lost.
    pub fn late(&self, body: &[u8]) {
        self.0.wire.borrow_mut().execute(body);
    }

    /// Waits for its turn.
    pub fn origin(&self) -> impl Future<Output = ()> + use<> {
        let told = self.queue(Waits::Origin, Vec::new());
        async move {
            let _ = told.await;
        }
    }

    fn queue(
        &self,
        waits: Waits,
        body: Vec<u8>,
    ) -> LocalFuture<'static, Result<Response, EdgeError>> {
        let told = Rc::new(RefCell::new(None));
        if self.0.open.get() {
            *told.borrow_mut() = Some(Ok(match waits {
                Waits::Request => self.0.wire.borrow_mut().execute(&body),
                Waits::Sleep | Waits::Origin => Response::default(),
            }));
        } else {
            self.0.turns.borrow_mut().push_back(Turn {
                waits,
                body,
                told: told.clone(),
            });
        }
        Box::pin(poll_fn(move |_| {
            told.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)
        }))
    }
}

impl Host for Gate {
    fn now(&self) -> u64 {
        1_700_000_000_000_u64.saturating_add_signed(self.0.skew_ms.get())
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError> {
        for byte in bytes {
            // SplitMix64: no two nonces are alike, and every run draws the same.
            let drawn = self.0.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.0.drawn.set(drawn);
            let mixed = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8;
        }
        Ok(())
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        if ms >= NEVER_MS {
            return Box::pin(std::future::pending());
        }
        let told = self.queue(Waits::Sleep, Vec::new());
        Box::pin(async move {
            let _ = told.await;
        })
    }

    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>> {
        self.queue(Waits::Request, request.body)
    }

    fn open(&self, _: Request) -> LocalFuture<'static, Result<Opened, EdgeError>> {
        unreachable!("nobody subscribes")
    }
}

/// Polls a future once; whether it is done.
pub fn advance<T>(future: &mut LocalFuture<'_, T>) -> Option<T> {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What needs no turn.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    advance(&mut (Box::pin(future) as LocalFuture<'_, T>)).expect("nothing to wait for")
}

/// All ways to choose, one after the other.
#[derive(Default)]
pub struct Choices {
    /// What was chosen, out of how many.
    made: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    /// One of `0..count`.
    pub fn choose(&mut self, count: usize) -> usize {
        if self.at == self.made.len() {
            self.made.push((0, count));
        }
        let (chosen, width) = self.made[self.at];
        assert_eq!(width, count, "the same choices lead to the same place");
        self.at += 1;
        chosen
    }

    /// Goes on to the next way, if there is one.
    pub fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, count)) = self.made.pop() {
            if chosen + 1 < count {
                self.made.push((chosen + 1, count));
                return true;
            }
        }
        false
    }
}
