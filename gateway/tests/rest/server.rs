//! A real Redis and a gateway in front of it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;
use upstash_gateway::{Config, Gateway};

use crate::http::{Answer, Request};

pub const TOKEN: &str = "standard-token";
pub const READ_ONLY: &str = "read-only-token";

/// A redis-server that ends with this process, however that ends: its keeper reads from a pipe of
/// ours, and the pipe breaks.
pub struct Redis {
    pub port: u16,
    keeper: Child,
}

impl Redis {
    pub fn start() -> Self {
        Self::start_at(free_port())
    }

    pub fn start_at(port: u16) -> Self {
        Self::start_with(port, &["--port", &port.to_string()])
    }

    /// With these settings, ready when `port` is.
    pub fn start_with(port: u16, settings: &[&str]) -> Self {
        // A folder of its own: a replica leaves a dump where it runs, and the next server there loads it.
        let script = "d=$(mktemp -d); redis-server \"$@\" --dir \"$d\" --bind 127.0.0.1 --save '' --appendonly no \
                      >/dev/null & p=$!; read _; kill -9 $p; wait $p; rm -rf \"$d\"";
        let keeper = Command::new("sh")
            .args(["-c", script, "keeper"])
            .args(settings)
            .stdin(Stdio::piped())
            // The shell tells of every child it killed.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self { port, keeper };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "redis-server did not start"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        redis
    }

    /// One for all tests that do no harm to it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A command from outside the gateway.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A folder that is removed with the test.
pub struct Folder(pub std::path::PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("gateway-{}-{}", std::process::id(), key()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A gateway that ends with the test.
pub struct Server {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start() -> Self {
        Self::over(Redis::shared()).await
    }

    pub async fn over(redis: &Redis) -> Self {
        Self::with(Config::new(redis.url(), TOKEN).read_only_token(READ_ONLY)).await
    }

    pub async fn with(config: Config) -> Self {
        let gateway = Gateway::bind("127.0.0.1:0", config).await.unwrap();
        let address = gateway.local_addr();
        let task = tokio::spawn(gateway.run());
        Self { address, task }
    }

    /// A request without a token.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// A POST with the standard token.
    pub fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Request {
        self.request("POST", path).bearer(TOKEN).body(body)
    }

    /// A GET with the standard token.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path).bearer(TOKEN)
    }

    /// One command, and its JSON answer.
    pub async fn command(&self, command: Value) -> Answer {
        self.post("/", command.to_string()).send().await
    }

    /// One command that succeeds, and its result.
    pub async fn result(&self, command: Value) -> Value {
        let answer = self.command(command).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["result"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A key that no other test has.
pub fn key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
