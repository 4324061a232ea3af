//! Where a connection comes from: an address, or whoever the sentinels say is the master.

use redis::Value;

use super::Failure;
use super::dial::Target;
use super::link::Link;
use crate::command::Command;

/// Where a connection comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Fixed(Target),
    Sentinel {
        name: String,
        sentinels: Vec<Target>,
        master: Target,
    },
}

impl Source {
    /// Connects and logs in.
    pub(crate) async fn open(&self) -> Result<Link, Failure> {
        match self {
            Self::Fixed(target) => Link::open(target).await,
            Self::Sentinel { .. } => {
                let link = Link::open(&self.target().await?).await?;
                // A sentinel that lags names a master that is one no more.
                if is_master(&link).await {
                    Ok(link)
                } else {
                    Err(Failure::Unreachable)
                }
            }
        }
    }

    /// The server to connect to, now.
    pub(crate) async fn target(&self) -> Result<Target, Failure> {
        match self {
            Self::Fixed(target) => Ok(target.clone()),
            Self::Sentinel {
                name,
                sentinels,
                master,
            } => {
                for sentinel in sentinels {
                    if let Some((host, port)) = master_of(sentinel, name).await {
                        return Ok(master.at(&host, port));
                    }
                }
                Err(Failure::Unreachable)
            }
        }
    }

    /// How long one request may take.
    pub(crate) fn response_timeout(&self) -> std::time::Duration {
        match self {
            Self::Fixed(target) | Self::Sentinel { master: target, .. } => target.response_timeout,
        }
    }
}

async fn master_of(sentinel: &Target, name: &str) -> Option<(String, u16)> {
    let link = Link::open(sentinel).await.ok()?;
    let ask = Command::of(&["SENTINEL", "get-master-addr-by-name", name])?;
    let mut connection = link.connection.clone();
    let Ok(Value::Array(parts)) = connection.send_packed_command(&ask.packed()).await else {
        return None;
    };
    match parts.as_slice() {
        [Value::BulkString(host), Value::BulkString(port)] => Some((
            String::from_utf8(host.clone()).ok()?,
            std::str::from_utf8(port).ok()?.parse().ok()?,
        )),
        _ => None,
    }
}

async fn is_master(link: &Link) -> bool {
    let Some(ask) = Command::of(&["ROLE"]) else {
        return false;
    };
    let mut connection = link.connection.clone();
    match connection.send_packed_command(&ask.packed()).await {
        Ok(Value::Array(parts)) => {
            matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master")
        }
        // A user who may not ask.
        Ok(Value::ServerError(_)) => true,
        _ => false,
    }
}
