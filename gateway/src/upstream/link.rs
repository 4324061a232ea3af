//! One open connection to Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind};
use tokio::task::JoinHandle;

use super::Failure;
use super::dial::Target;
use super::lines::Lines;

/// One open connection: requests of several callers may be under way on it at once.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) connection: MultiplexedConnection,
    driver: Arc<Driver>,
    /// Which of the masters that its source had so far it goes to.
    pub(crate) changes: u64,
}

/// What moves the bytes. It ends when Redis closes the connection, or with the last user of it:
/// otherwise a connection whose peer fell silent would be kept for ever.
struct Driver {
    closed: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Connects and logs in.
    pub(crate) async fn open(target: &Target) -> Result<Self, Failure> {
        let stream = Lines::new(target.dial().await?);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(target.response_timeout));
        let login = MultiplexedConnection::new_with_config(&target.login, stream, config);
        let (connection, driver) = match tokio::time::timeout(target.connect_timeout, login).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) if refused(&error) => return Err(Failure::Login),
            Ok(Err(_)) | Err(_) => return Err(Failure::Unreachable),
        };
        let closed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&closed);
        let task = tokio::spawn(async move {
            driver.await;
            flag.store(true, Ordering::Release);
        });
        Ok(Self {
            connection,
            driver: Arc::new(Driver { closed, task }),
            changes: 0,
        })
    }

    /// Whether Redis has closed it: an idle connection is then replaced before anything is sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.driver.closed.load(Ordering::Acquire)
    }

    /// Whether both are the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.driver, &other.driver)
    }
}

fn refused(error: &redis::RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AuthenticationFailed | ErrorKind::Server(_) | ErrorKind::Extension
    )
}
