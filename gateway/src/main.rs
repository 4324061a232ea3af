//! The command line.

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use upstash_gateway::{Config, Error, Gateway};

/// A local server that speaks Upstash's Redis REST protocol over any Redis.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where Redis is.
    #[arg(
        long,
        env = "REDIS_URL",
        hide_env_values = true,
        default_value = "redis://127.0.0.1:6379",
        hide_default_value = true
    )]
    redis: String,
    /// The standard token: every command.
    #[arg(long, env = "UPSTASH_REDIS_REST_TOKEN", hide_env_values = true)]
    token: String,
    /// The read-only token: read commands alone.
    #[arg(
        long,
        env = "UPSTASH_REDIS_REST_READONLY_TOKEN",
        hide_env_values = true
    )]
    read_only_token: Option<String>,
    /// Where to listen. Loopback alone, unless another address is given.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8079")]
    listen: String,
    /// The largest request body, in bytes.
    #[arg(long, env = "MAX_REQUEST_BYTES", default_value_t = 10_000_000)]
    max_request_bytes: usize,
}

impl Arguments {
    fn config(self) -> Config {
        let mut config =
            Config::new(self.redis, self.token).max_request_bytes(self.max_request_bytes);
        // An empty variable is one that is not set.
        config.read_only_token = self.read_only_token.filter(|token| !token.is_empty());
        config
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("upstash-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Error> {
    let listen = arguments.listen.clone();
    let gateway = Gateway::bind(listen, arguments.config()).await?;
    println!("upstash-gateway listens on {}", gateway.url());
    gateway.run_until(asked_to_stop()).await;
    Ok(())
}

async fn asked_to_stop() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
