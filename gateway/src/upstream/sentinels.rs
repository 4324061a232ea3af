//! A Sentinel set: it says who the master is, when it is asked and when that changes.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use redis::Value;
use tokio::task::JoinHandle;

use super::Failure;
use super::dial::Target;
use super::link::Link;
use super::listener::Listener;
use crate::command::Command;

/// Before a Sentinel that went away is listened to again.
const PAUSE: Duration = Duration::from_millis(500);

/// A Sentinel set.
pub(crate) struct Sentinels {
    set: Arc<Set>,
    /// A Sentinel demotes the old master only some seconds after the new one is there: who does not
    /// listen would go on writing to it, and all of that is lost.
    watchers: OnceLock<Vec<Watcher>>,
}

struct Set {
    name: String,
    sentinels: Vec<Target>,
    /// How to log in at the master, at whatever address.
    master: Target,
    newest: Mutex<Newest>,
}

/// Who is the master as far as is known, and how often that changed.
#[derive(Clone, Default)]
struct Newest {
    master: Option<(String, u16)>,
    changes: u64,
}

/// What listens to one Sentinel, for as long as there is somebody to tell.
struct Watcher(JoinHandle<()>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sentinels {
    pub(crate) fn new(name: String, sentinels: Vec<Target>, master: Target) -> Self {
        let set = Set {
            name,
            sentinels,
            master,
            newest: Mutex::default(),
        };
        Self {
            set: Arc::new(set),
            watchers: OnceLock::new(),
        }
    }

    /// Connects to the master and logs in.
    pub(crate) async fn open(&self) -> Result<Link, Failure> {
        self.watch();
        let told = self.set.newest();
        let failed = match self.set.connect(&told).await {
            Ok(link) => return Ok(link),
            Err(failure) => failure,
        };
        let asked = self.set.ask().await?;
        if told.master.as_ref() == Some(&asked) {
            return Err(failed);
        }
        self.set.tell(asked);
        self.set.connect(&self.set.newest()).await
    }

    /// Where the master is, now.
    pub(crate) async fn target(&self) -> Result<Target, Failure> {
        let (host, port) = self.set.ask().await?;
        Ok(self.set.master.at(&host, port))
    }

    /// How a master is reached.
    pub(crate) fn master(&self) -> &Target {
        &self.set.master
    }

    /// Whether the master is still the one that this connection goes to.
    pub(crate) fn is_current(&self, link: &Link) -> bool {
        link.changes == self.set.newest().changes
    }

    fn watch(&self) {
        self.watchers.get_or_init(|| {
            let watcher = |sentinel: &Target| {
                let watching = Arc::clone(&self.set).watch(sentinel.clone());
                Watcher(tokio::spawn(watching))
            };
            self.set.sentinels.iter().map(watcher).collect()
        });
    }
}

impl Set {
    fn newest(&self) -> Newest {
        self.newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn tell(&self, master: (String, u16)) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.master.as_ref() != Some(&master) {
            newest.master = Some(master);
            newest.changes += 1;
        }
    }

    async fn connect(&self, newest: &Newest) -> Result<Link, Failure> {
        let (host, port) = newest.master.as_ref().ok_or(Failure::Unreachable)?;
        let mut link = Link::open(&self.master.at(host, *port)).await?;
        // A Sentinel that lags names a master that is one no more.
        if !is_master(&link).await {
            return Err(Failure::Unreachable);
        }
        link.changes = newest.changes;
        Ok(link)
    }

    async fn ask(&self) -> Result<(String, u16), Failure> {
        for sentinel in &self.sentinels {
            if let Some(master) = master_of(sentinel, &self.name).await {
                return Ok(master);
            }
        }
        Err(Failure::Unreachable)
    }

    async fn watch(self: Arc<Self>, sentinel: Target) {
        let Some(command) = Command::of(&["SUBSCRIBE", "+switch-master"]) else {
            return;
        };
        loop {
            if let Ok(mut listener) = Listener::open(&sentinel, &command).await {
                while let Some(reply) = listener.next().await {
                    if let Some(master) = reply.ok().and_then(|event| switched(&event, &self.name))
                    {
                        self.tell(master);
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Of the event `message +switch-master "name old-ip old-port ip port"` the new address.
fn switched(event: &Value, name: &str) -> Option<(String, u16)> {
    let Value::Array(parts) = event else {
        return None;
    };
    let [_, _, Value::BulkString(text)] = parts.as_slice() else {
        return None;
    };
    let words: Vec<&str> = std::str::from_utf8(text).ok()?.split(' ').collect();
    match words.as_slice() {
        [of, _, _, ip, port] if *of == name => Some(((*ip).to_owned(), port.parse().ok()?)),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_of_our_master_is_heard_and_no_other() {
        let event = |text: &str| {
            let part = |text: &str| Value::BulkString(text.into());
            Value::Array(vec![part("message"), part("+switch-master"), part(text)])
        };
        assert_eq!(
            switched(&event("main 10.0.0.1 6379 10.0.0.2 6380"), "main"),
            Some(("10.0.0.2".to_owned(), 6380))
        );
        for other in ["other a 1 b 2", "main a 1 b", "main a 1 b x"] {
            assert_eq!(switched(&event(other), "main"), None, "{other}");
        }
        // That it listens now.
        let count = Value::Array(vec![Value::Okay, Value::Okay, Value::Int(1)]);
        assert_eq!(switched(&count, "main"), None);
    }
}
