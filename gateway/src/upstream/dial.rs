//! Opening a connection.

use std::io;
use std::time::Duration;

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Failure;
use crate::{Config, Error};

/// A connection's bytes.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// Where a Redis is, how to log in, and how long it may take.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: ConnectionAddr,
    pub(crate) login: RedisConnectionInfo,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

impl Target {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let info: ConnectionInfo = config
            .redis_url
            .as_str()
            .into_connection_info()
            .map_err(|_| Error::config("the URL of Redis is not one we know"))?;
        let login = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP2)
            // Redis 7.0 has no CLIENT SETINFO, and a trip more at every connection is for nothing.
            .set_skip_set_lib_name();
        Ok(Self {
            address: info.addr().clone(),
            login,
            connect_timeout: config.connect_timeout,
            response_timeout: config.response_timeout,
        })
    }

    /// A connection, before any login.
    pub(crate) async fn dial(&self) -> Result<Box<dyn Bytes>, Failure> {
        let open = async {
            Ok::<Box<dyn Bytes>, io::Error>(match &self.address {
                ConnectionAddr::Tcp(host, port) => Box::new(tcp(host, *port).await?),
                ConnectionAddr::Unix(path) => Box::new(UnixStream::connect(path).await?),
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
