//! Where a connection comes from: an address, or whoever the Sentinels say is the master.

use std::sync::Arc;

use super::Failure;
use super::dial::Target;
use super::link::Link;
use super::sentinels::Sentinels;

/// Where a connection comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Fixed(Target),
    Sentinel(Arc<Sentinels>),
}

impl Source {
    /// Connects and logs in.
    pub(crate) async fn open(&self) -> Result<Link, Failure> {
        match self {
            Self::Fixed(target) => Link::open(target).await,
            Self::Sentinel(sentinels) => sentinels.open().await,
        }
    }

    /// Whether a connection of this source can still be used.
    pub(crate) fn holds(&self, link: &Link) -> bool {
        !link.is_closed()
            && match self {
                Self::Fixed(_) => true,
                Self::Sentinel(sentinels) => sentinels.is_current(link),
            }
    }

    /// The server to connect to, now.
    pub(crate) async fn target(&self) -> Result<Target, Failure> {
        match self {
            Self::Fixed(target) => Ok(target.clone()),
            Self::Sentinel(sentinels) => sentinels.target().await,
        }
    }

    /// How long one request may take.
    pub(crate) fn response_timeout(&self) -> std::time::Duration {
        match self {
            Self::Fixed(target) => target.response_timeout,
            Self::Sentinel(sentinels) => sentinels.master().response_timeout,
        }
    }
}
