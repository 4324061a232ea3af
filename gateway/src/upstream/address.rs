//! The URL of Redis: one server, a Sentinel set or a cluster.

use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::dial::Target;
use super::tls::Tls;
use crate::{Config, Error};

const BAD_URL: &str = "the URL of Redis is not one we know";

/// Where Redis is.
pub(crate) enum Address {
    /// `redis://`, `rediss://`, `unix://`
    One(Target),
    /// `redis-cluster://a,b,c`: any of its nodes tells of the others.
    Cluster(Vec<Target>),
    /// `redis-sentinel://name@a,b,c`: they know where the master is.
    Sentinel {
        name: String,
        sentinels: Vec<Target>,
        /// How to log in at the master; its own address is for the sentinels to say.
        master: Target,
    },
}

/// Instead of the login in the URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Address {
    pub(crate) fn new(config: &Config, login: Option<&Login>) -> Result<Self, Error> {
        let (scheme, rest) = config
            .redis_url
            .split_once("://")
            .ok_or(Error::config(BAD_URL))?;
        let encrypted = scheme.starts_with("rediss");
        let (rest, insecure) = match rest.strip_suffix("#insecure") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let tls = encrypted
            .then(|| Tls::new(config.redis_ca.as_deref(), insecure))
            .transpose()?;
        let targets =
            |rest: &str, default_port| targets(config, rest, default_port, login, tls.as_ref());
        match scheme {
            "redis" | "rediss" | "unix" | "redis+unix" => {
                let rest = if scheme.contains("unix") {
                    return Ok(Self::One(unix(config, login)?));
                } else {
                    rest
                };
                let mut targets = targets(rest, 6379)?;
                match (targets.pop(), targets.pop()) {
                    (Some(target), None) => Ok(Self::One(target)),
                    _ => Err(Error::config(
                        "several hosts want redis-cluster:// or redis-sentinel://",
                    )),
                }
            }
            "redis-cluster" | "rediss-cluster" => Ok(Self::Cluster(targets(rest, 6379)?)),
            "redis-sentinel" | "rediss-sentinel" => {
                let (before, hosts) = rest.rsplit_once('@').ok_or(Error::config(
                    "redis-sentinel:// wants a name: redis-sentinel://name@a,b,c",
                ))?;
                let (user_info, name) = match before.rsplit_once('@') {
                    Some((user_info, name)) => (format!("{user_info}@"), name),
                    None => (String::new(), before),
                };
                let database = hosts.split_once('/').map_or("", |(_, database)| database);
                let mut master = targets(&format!("{user_info}placeholder/{database}"), 6379)?;
                Ok(Self::Sentinel {
                    name: name.to_owned(),
                    // They have logins of their own, or most often none.
                    sentinels: self::targets(
                        config,
                        hosts.split('/').next().unwrap_or_default(),
                        26379,
                        None,
                        tls.as_ref(),
                    )?,
                    master: master.pop().ok_or(Error::config(BAD_URL))?,
                })
            }
            _ => Err(Error::config(BAD_URL)),
        }
    }
}

/// `[user:password@]a[:1],b[:2][/database]`
fn targets(
    config: &Config,
    rest: &str,
    default_port: u16,
    login: Option<&Login>,
    tls: Option<&Tls>,
) -> Result<Vec<Target>, Error> {
    let (user_info, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let at = if user_info.is_empty() { "" } else { "@" };
    hosts
        .split(',')
        .map(|host| {
            let has_port = host.rsplit_once(':').is_some_and(|(before, _)| {
                !before.ends_with(':')
                    && !before.is_empty()
                    && (!host.starts_with('[') || before.ends_with(']'))
            });
            let port = if has_port {
                String::new()
            } else {
                format!(":{default_port}")
            };
            let url = format!("redis://{user_info}{at}{host}{port}/{database}");
            target(config, &url, login, tls)
        })
        .collect()
}

fn unix(config: &Config, login: Option<&Login>) -> Result<Target, Error> {
    target(config, &config.redis_url, login, None)
}

fn target(
    config: &Config,
    url: &str,
    login: Option<&Login>,
    tls: Option<&Tls>,
) -> Result<Target, Error> {
    let info: ConnectionInfo = url
        .into_connection_info()
        .map_err(|_| Error::config(BAD_URL))?;
    let mut settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP2)
        // Redis 7.0 has no CLIENT SETINFO, and a trip more at every connection is for nothing.
        .set_skip_set_lib_name();
    if let Some(login) = login {
        settings = settings
            .set_username(&login.user)
            .set_password(&login.password);
    }
    Ok(Target {
        address: info.addr().clone(),
        login: settings,
        tls: tls.cloned(),
        connect_timeout: config.connect_timeout,
        response_timeout: config.response_timeout,
    })
}
