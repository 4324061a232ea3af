//! The server: where it listens, and running it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::JoinSet;

use crate::app::App;
use crate::{Config, Error};

/// How long to wait when the machine is out of sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A gateway that listens.
///
/// Callers may connect from now on; they are answered once [`run`](Self::run) is under way.
/// Redis need not be there yet, and may come and go.
#[must_use = "it answers nobody until it runs"]
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

impl Gateway {
    /// Listens on `address`; with port 0, on a free port.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the configuration makes no sense.
    pub async fn bind(address: impl ToSocketAddrs, config: Config) -> Result<Self, Error> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Error::io("cannot listen", error))?;
        Self::from_listener(listener, config)
    }

    /// Takes a listener that is bound already.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn from_listener(listener: TcpListener, config: Config) -> Result<Self, Error> {
        let address = listener
            .local_addr()
            .map_err(|error| Error::io("cannot listen", error))?;
        Ok(Self {
            listener,
            address,
            app: Arc::new(App::new(config)?),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients: `http://127.0.0.1:8079`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers callers. When this future is dropped, every connection ends with it.
    pub async fn run(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connection(Arc::clone(&self.app), stream, peer));
                    }
                    // A connection that ended before it was accepted, or no more file descriptors.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Answers callers until `shutdown` is ready; then every connection ends.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = self.run() => {}
            () = shutdown => {}
        }
    }
}

async fn connection(app: Arc<App>, stream: TcpStream, peer: SocketAddr) {
    // Without it a small answer waits for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let head_timeout = app.config.request_timeout;
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(app.handle(peer, request).await) }
    });
    // It ends in an error when the client breaks off, or sends nothing for long, which is the client's affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
