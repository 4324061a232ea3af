//! Connections that one caller has alone.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Failure;
use super::link::Link;
use super::source::Source;

/// As many transactions run at once.
const SIZE: usize = 32;

/// Connections that one caller has alone, kept for the next one.
pub(crate) struct Pool {
    source: Source,
    places: Semaphore,
    idle: Mutex<Vec<Link>>,
}

/// A connection on loan. Dropped without `put`, it is closed: what is still under way on it, when a
/// caller goes away, must not be read by the next one.
pub(crate) struct Loan<'a> {
    pub(crate) link: Link,
    _place: SemaphorePermit<'a>,
}

impl Pool {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            places: Semaphore::new(SIZE),
            idle: Mutex::default(),
        }
    }

    /// An idle connection, or a new one.
    pub(crate) async fn take(&self) -> Result<Loan<'_>, Failure> {
        let wait = tokio::time::timeout(self.source.response_timeout(), self.places.acquire());
        let place = match wait.await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => return Err(Failure::Unreachable),
        };
        let link = match self.idle() {
            Some(link) => link,
            None => self.source.open().await?,
        };
        Ok(Loan {
            link,
            _place: place,
        })
    }

    /// Gives back a connection on which nothing is under way.
    pub(crate) fn put(&self, loan: Loan<'_>) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(loan.link);
    }

    fn idle(&self) -> Option<Link> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|link| self.source.holds(link));
        idle.pop()
    }
}
