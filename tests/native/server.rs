//! A redis-server and a gateway on free loopback ports, ended with the test however it ends.
//!
//! Or, where `UPSTASH_TEST_REDIS` names one (`redis-cluster://..`), a gateway over that: what does not end its Redis
//! runs there too, one test at a time (`scripts/topology.mjs` starts such).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use upstash_edge::Redis;
use upstash_edge::commands::command;
use upstash_edge::host::{Fake, Native};
use upstash_gateway::{Config, Gateway};

pub const TOKEN: &str = "token-of-the-tests";

pub struct Server {
    /// This test's own.
    redis: Option<(u16, Child)>,
    pub url: String,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a gateway that is told more.
    pub async fn start_with(tell: impl FnOnce(&mut Config)) -> Self {
        Self::start_over(std::env::var("UPSTASH_TEST_REDIS").ok(), tell).await
    }

    /// With a Redis of this test's own in any case, to be asked by [`Self::raw`].
    pub async fn alone() -> Self {
        Self::start_over(None, |_| {}).await
    }

    async fn start_over(given: Option<String>, tell: impl FnOnce(&mut Config)) -> Self {
        let own = free_port();
        let redis = given.is_none().then(|| (own, redis_server(own)));
        let shared = given.is_some();
        let redis_url = given.unwrap_or_else(|| format!("redis://127.0.0.1:{own}"));
        let mut config = Config::new(redis_url, TOKEN);
        tell(&mut config);
        let gateway = Gateway::bind("127.0.0.1:0", config)
            .await
            .expect("the gateway starts");
        let url = gateway.url();
        tokio::spawn(gateway.run());
        let server = Self { redis, url };
        if shared {
            let flush = command::<String>("FLUSHALL", &[]);
            let flushed = server.client().run(flush).await;
            assert_eq!(flushed.expect("it is emptied"), "OK");
        }
        server
    }

    pub fn client(&self) -> Redis {
        self.client_with(TOKEN)
    }

    pub fn client_with(&self, token: &str) -> Redis {
        Redis::builder(&self.url, token)
            .build()
            .expect("the client is built")
    }

    /// A client whose clock and faults the test sets, with the real server behind.
    pub fn faked(&self) -> (Redis, Fake) {
        self.faked_with(Some(upstash_edge::Retry::default()))
    }

    /// The same, retrying otherwise.
    pub fn faked_with(&self, retry: Option<upstash_edge::Retry>) -> (Redis, Fake) {
        let fake = Fake::before(Native::default());
        let builder = Redis::builder(&self.url, TOKEN).retry(retry);
        let client = builder.build_with(fake.clone());
        (client.expect("the client is built"), fake)
    }

    /// Asks redis-server itself, and gives the text of what it says.
    pub fn raw(&self, command: &str) -> String {
        let port = self.port().to_string();
        let words = command.split(' ');
        let answer = Command::new("redis-cli")
            .args(["-p", &port])
            .args(words)
            .output();
        let answer = answer.expect("redis-cli is installed");
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// What it was called with since the last `CONFIG RESETSTAT`, inside scripts too, by command.
    pub fn calls(&self) -> Vec<(String, u32)> {
        let stats = self.raw("INFO commandstats");
        let lines = stats
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_"));
        let mut calls: Vec<_> = lines
            .filter_map(|line| {
                let (name, rest) = line.split_once(":calls=")?;
                let (calls, _) = rest.split_once(',')?;
                Some((name.to_owned(), calls.parse().ok()?))
            })
            .filter(|(name, _)| !["config|resetstat", "info", "eval"].contains(&name.as_str()))
            .collect();
        calls.sort();
        calls
    }

    /// The port of redis-server itself.
    pub fn port(&self) -> u16 {
        let (port, _) = self.redis.as_ref().expect("a Redis of this test's own");
        *port
    }

    /// Ends redis-server; the gateway stays.
    pub fn kill_redis(&mut self) {
        let (_, redis) = self.own();
        drop(redis.stdin.take());
        redis.wait().expect("redis-server ends");
    }

    /// Starts it again where it was.
    pub fn restart_redis(&mut self) {
        let (port, redis) = self.own();
        *redis = redis_server(*port);
    }

    fn own(&mut self) -> &mut (u16, Child) {
        self.redis.as_mut().expect("a Redis of this test's own")
    }
}

/// Below those that a system gives to connections, one of which would have it before the server does.
fn free_port() -> u16 {
    loop {
        let drawn = RandomState::new().build_hasher().finish();
        let port = 10_000 + (drawn % 22_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The shell waits for its standard input to close, which it does when this process ends, even by a kill.
fn redis_server(port: u16) -> Child {
    let script = format!(
        "redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no --daemonize no >/dev/null & \
         pid=$!; read -r _; kill -9 $pid; wait $pid 2>/dev/null"
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sh and redis-server are installed");
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "redis-server did not start"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}
