//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::FalseyValueParser;
use tokio::signal::unix::{SignalKind, signal};
use upstash_gateway::{AclToken, Config, Error, Gateway};

/// A local server that speaks Upstash's Redis REST protocol over any Redis.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where Redis is: redis://, rediss://, redis-cluster://a,b,c or redis-sentinel://name@a,b,c.
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
    /// A token for a user of Redis's ACL: user:token, where the token is the user's password too, or
    /// user:token:password. May be given several times.
    #[arg(
        long = "acl-token",
        env = "ACL_TOKENS",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "USER:TOKEN[:PASSWORD]"
    )]
    acl_tokens: Vec<AclToken>,
    /// Speak only JSON on /, /pipeline and /multi-exec, as simpler servers of this protocol do.
    #[arg(long, env = "JSON_ONLY", value_parser = FalseyValueParser::new())]
    json_only: bool,
    /// A PEM file of the certificates that rediss:// trusts, instead of those of the system.
    #[arg(long, env = "REDIS_CA")]
    redis_ca: Option<PathBuf>,
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
        config.acl_tokens = self.acl_tokens;
        config.json_only = self.json_only;
        config.redis_ca = self.redis_ca;
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
