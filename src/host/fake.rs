//! A host for tests: time that is set by hand, randomness that repeats, faults on request.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::{Host, LocalFuture, Request, Response};
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
            (Some(Fault::Silence), _) => Box::pin(std::future::pending()),
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
}

fn lost() -> EdgeError {
    EdgeError::new(ErrorKind::Network, "the connection was lost")
}
