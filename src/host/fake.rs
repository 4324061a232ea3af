//! A host for tests: time that is set by hand, randomness that repeats, faults on request.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::{Body, Host, LocalFuture, Opened, Request, Response};
use crate::error::{EdgeError, ErrorKind};

/// What befalls one fetch.
#[derive(Clone)]
pub enum Fault {
    /// It is answered so, whatever was asked.
    Answer(Response),
    /// The connection is lost before the request arrives.
    Lost,
    /// The real server does what it is asked, and its answer is lost.
    LostAnswer,
    /// Nothing ever comes.
    Silence,
    /// An event stream of these chunks, after which it is silent. (One that ends is an `Answer`.)
    Events(Vec<Vec<u8>>),
}

/// A fake of time, randomness and faults; clones share one state.
///
/// A fetch meets the next fault in line. When there is none it goes to the real host behind, if one was given,
/// else the connection is lost. Without a real host sleeping takes no real time: the clock jumps.
#[derive(Clone, Default)]
pub struct Fake(Rc<State>);

#[derive(Default)]
struct State {
    now: Cell<u64>,
    drawn: Cell<u64>,
    faults: RefCell<VecDeque<Fault>>,
    sent: RefCell<Vec<Vec<u8>>>,
    opened: RefCell<Vec<String>>,
    read: Cell<usize>,
    behind: Option<Box<dyn Host>>,
}

impl Fake {
    /// A fake whose clock stands at 1,700,000,000,000 ms.
    #[must_use]
    pub fn new() -> Self {
        let state = State::default();
        state.now.set(1_700_000_000_000);
        Self(Rc::new(state))
    }

    /// The same, with a real host behind the faults.
    #[must_use]
    pub fn before(behind: impl Host + 'static) -> Self {
        let state = State {
            behind: Some(Box::new(behind)),
            ..State::default()
        };
        state.now.set(1_700_000_000_000);
        Self(Rc::new(state))
    }

    /// Moves the clock forward.
    pub fn advance(&self, ms: u64) {
        self.0.now.set(self.0.now.get().saturating_add(ms));
    }

    /// Sets the clock.
    pub fn set_now(&self, now: u64) {
        self.0.now.set(now);
    }

    /// Puts a fault in line for the next fetch.
    pub fn push(&self, fault: Fault) {
        self.0.faults.borrow_mut().push_back(fault);
    }

    /// The bodies sent so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.0.sent.borrow().clone()
    }

    /// The URLs from which streams were asked for so far.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        self.0.opened.borrow().clone()
    }

    /// How many chunks of its own event streams were read so far.
    #[must_use]
    pub fn chunks_read(&self) -> usize {
        self.0.read.get()
    }
}

impl Host for Fake {
    fn now(&self) -> u64 {
        self.0.now.get()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError> {
        for byte in bytes {
            let drawn = self.0.drawn.get().wrapping_add(1);
            self.0.drawn.set(drawn);
            *byte = (drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
        }
        Ok(())
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        let fake = self.clone();
        // Beside a real network a jump of the clock would overtake every answer.
        let real = self.0.behind.as_ref().map(|host| host.sleep(ms));
        Box::pin(async move {
            if let Some(real) = real {
                real.await;
            }
            fake.advance(ms);
        })
    }

    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>> {
        self.0.sent.borrow_mut().push(request.body.clone());
        let fault = self.0.faults.borrow_mut().pop_front();
        match (fault, &self.0.behind) {
            (Some(Fault::Answer(response)), _) => Box::pin(std::future::ready(Ok(response))),
            (Some(Fault::Silence | Fault::Events(_)), _) => Box::pin(std::future::pending()),
            (None, Some(behind)) => behind.fetch(request),
            (Some(Fault::LostAnswer), Some(behind)) => {
                let done = behind.fetch(request);
                Box::pin(async move {
                    done.await?;
                    Err(lost())
                })
            }
            (Some(Fault::Lost | Fault::LostAnswer), _) | (None, None) => {
                Box::pin(std::future::ready(Err(lost())))
            }
        }
    }

    fn open(&self, request: Request) -> LocalFuture<'static, Result<Opened, EdgeError>> {
        self.0.opened.borrow_mut().push(request.url.clone());
        let fault = self.0.faults.borrow_mut().pop_front();
        let (head, chunks, ends) = match (fault, &self.0.behind) {
            (Some(Fault::Answer(mut response)), _) => {
                let body = std::mem::take(&mut response.body);
                (response, vec![body], true)
            }
            (Some(Fault::Events(chunks)), _) => {
                let head = Response {
                    status: 200,
                    content_type: "text/event-stream".to_owned(),
                    ..Response::default()
                };
                (head, chunks, false)
            }
            (Some(Fault::Silence), _) => return Box::pin(std::future::pending()),
            (None, Some(behind)) => return behind.open(request),
            (Some(Fault::Lost | Fault::LostAnswer), _) | (None, None) => {
                return Box::pin(std::future::ready(Err(lost())));
            }
        };
        let body = Box::new(Chunks {
            fake: self.clone(),
            chunks: chunks.into(),
            ends,
        });
        Box::pin(std::future::ready(Ok(Opened { head, body })))
    }
}

/// The chunks of an answer of the fake's own.
struct Chunks {
    fake: Fake,
    chunks: VecDeque<Vec<u8>>,
    ends: bool,
}

impl Body for Chunks {
    fn chunk(&mut self) -> LocalFuture<'_, Result<Option<Vec<u8>>, EdgeError>> {
        let chunk = self.chunks.pop_front();
        if chunk.is_none() && !self.ends {
            return Box::pin(std::future::pending());
        }
        let read = &self.fake.0.read;
        read.set(read.get() + usize::from(chunk.is_some()));
        Box::pin(std::future::ready(Ok(chunk)))
    }
}

fn lost() -> EdgeError {
    EdgeError::new(ErrorKind::Network, "the connection was lost")
}
