//! The server: where it listens, and running it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::serve::ListenerExt;
use tokio::net::{TcpListener, ToSocketAddrs};

use crate::app::App;
use crate::{Config, Error};

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
            app: Arc::new(App::new(&config)?),
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

    /// Answers callers until the task is dropped.
    ///
    /// # Errors
    /// When it can no longer accept connections.
    pub async fn run(self) -> Result<(), Error> {
        self.run_until(std::future::pending()).await
    }

    /// Answers callers until `shutdown` is ready.
    ///
    /// # Errors
    /// When it can no longer accept connections.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let app = self.app;
        let router = Router::new().fallback(
            async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                app.handle(peer, request).await
            },
        );
        let listener = self.listener.tap_io(|stream| {
            // Without it small answers wait for the client's acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::select! {
            ended = async { axum::serve(listener, service).await } =>
                ended.map_err(|error| Error::io("cannot accept connections", error)),
            () = shutdown => Ok(()),
        }
    }
}
