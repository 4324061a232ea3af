//! Opening a connection.

use std::io;
use std::time::Duration;

use redis::{ConnectionAddr, RedisConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Failure;
use super::tls::Tls;

/// A connection's bytes.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Where a Redis is, how to log in, and how long it may take.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: ConnectionAddr,
    pub(crate) login: RedisConnectionInfo,
    pub(crate) tls: Option<Tls>,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

impl Target {
    /// The same, at another address.
    pub(crate) fn at(&self, host: &str, port: u16) -> Self {
        Self {
            address: ConnectionAddr::Tcp(host.to_owned(), port),
            ..self.clone()
        }
    }

    /// Its host: what a cluster's node calls itself by an empty name.
    pub(crate) fn host(&self) -> &str {
        match &self.address {
            ConnectionAddr::Tcp(host, _) => host,
            _ => "",
        }
    }

    /// A connection, before any login.
    pub(crate) async fn dial(&self) -> Result<Box<dyn Bytes>, Failure> {
        let open = async {
            Ok::<Box<dyn Bytes>, io::Error>(match (&self.address, &self.tls) {
                (ConnectionAddr::Tcp(host, port), None) => Box::new(tcp(host, *port).await?),
                (ConnectionAddr::Tcp(host, port), Some(tls)) => {
                    Box::new(tls.wrap(host, tcp(host, *port).await?).await?)
                }
                (ConnectionAddr::Unix(path), _) => Box::new(UnixStream::connect(path).await?),
                _ => return Err(io::ErrorKind::Unsupported.into()),
            })
        };
        match tokio::time::timeout(self.connect_timeout, open).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) | Err(_) => Err(Failure::Unreachable),
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
