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
        let (rest, insecure) = match rest.strip_suffix("#insecure") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let tls = scheme
            .starts_with("rediss")
            .then(|| Tls::new(config.redis_ca.as_deref(), insecure))
            .transpose()?;
        let maker = Maker { config, login, tls };
        match scheme {
            "unix" | "redis+unix" => Ok(Self::One(maker.target(&config.redis_url)?)),
            "redis" | "rediss" => {
                let mut targets = maker.targets(rest, 6379)?;
                match (targets.pop(), targets.pop()) {
                    (Some(target), None) => Ok(Self::One(target)),
                    _ => Err(Error::config(
                        "several hosts want redis-cluster:// or redis-sentinel://",
                    )),
                }
            }
            "redis-cluster" | "rediss-cluster" => Ok(Self::Cluster(maker.targets(rest, 6379)?)),
            "redis-sentinel" | "rediss-sentinel" => maker.sentinel(rest),
            _ => Err(Error::config(BAD_URL)),
        }
    }
}

/// Makes targets of parts of a URL.
struct Maker<'a> {
    config: &'a Config,
    login: Option<&'a Login>,
    tls: Option<Tls>,
}

impl Maker<'_> {
    /// `[user:password@]name@a[:1],b[:2][/database]`; what is the master's is not the sentinels'.
    fn sentinel(&self, rest: &str) -> Result<Address, Error> {
        const NAMELESS: &str = "redis-sentinel:// wants a name: redis-sentinel://name@a,b,c";
        let (before, hosts) = rest.rsplit_once('@').ok_or(Error::config(NAMELESS))?;
        let (user_info, name) = before.rsplit_once('@').unwrap_or(("", before));
        let (hosts, database) = hosts.split_once('/').unwrap_or((hosts, ""));
        let master = format!("{}the.master/{database}", with_at(user_info));
        let sentinels = Maker {
            login: None,
            tls: self.tls.clone(),
            ..*self
        };
        Ok(Address::Sentinel {
            name: name.to_owned(),
            sentinels: sentinels.targets(hosts, 26379)?,
            master: self
                .targets(&master, 6379)?
                .pop()
                .ok_or(Error::config(BAD_URL))?,
        })
    }

    /// `[user:password@]a[:1],b[:2][/database]`
    fn targets(&self, rest: &str, default_port: u16) -> Result<Vec<Target>, Error> {
        let (user_info, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        let user_info = with_at(user_info);
        hosts
            .split(',')
            .map(|host| {
                let port = if has_port(host) {
                    String::new()
                } else {
                    format!(":{default_port}")
                };
                self.target(&format!("redis://{user_info}{host}{port}/{database}"))
            })
            .collect()
    }

    fn target(&self, url: &str) -> Result<Target, Error> {
        let info: ConnectionInfo = url
            .into_connection_info()
            .map_err(|_| Error::config(BAD_URL))?;
        let mut settings = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP2)
            // Redis 7.0 has no CLIENT SETINFO, and a trip more at every connection is for nothing.
            .set_skip_set_lib_name();
        if let Some(login) = self.login {
            settings = settings
                .set_username(&login.user)
                .set_password(&login.password);
        }
        Ok(Target {
            address: info.addr().clone(),
            login: settings,
            tls: self.tls.clone(),
            connect_timeout: self.config.connect_timeout,
            response_timeout: self.config.response_timeout,
        })
    }
}

fn with_at(user_info: &str) -> String {
    if user_info.is_empty() {
        String::new()
    } else {
        format!("{user_info}@")
    }
}

/// An IPv6 address stands in brackets.
fn has_port(host: &str) -> bool {
    let after_brackets = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    after_brackets.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<Address, Error> {
        Address::new(&Config::new(url, "t"), None)
    }

    fn shown(targets: &[Target]) -> Vec<String> {
        let shown = targets.iter().map(|target| {
            let user = target.login.username().unwrap_or_default();
            let password = target.login.password().unwrap_or_default();
            format!("{user}:{password}@{}/{}", target.address, target.login.db())
        });
        shown.collect()
    }

    #[test]
    fn one_server() {
        for (url, expected) in [
            ("redis://localhost", ":@localhost:6379/0"),
            ("redis://user:p%40ss@10.0.0.1:7/3", "user:p@ss@10.0.0.1:7/3"),
            ("redis://:pass@[::1]", ":pass@::1:6379/0"),
            ("rediss://h:7#insecure", ":@h:7/0"),
        ] {
            match address(url) {
                Ok(Address::One(target)) => assert_eq!(shown(&[target]), [expected], "{url}"),
                _ => panic!("{url}"),
            }
        }
    }

    #[test]
    fn a_cluster_by_some_of_its_nodes() {
        match address("redis-cluster://user:pass@a,b:7,[::1]:8") {
            Ok(Address::Cluster(seeds)) => assert_eq!(
                shown(&seeds),
                ["user:pass@a:6379/0", "user:pass@b:7/0", "user:pass@::1:8/0"]
            ),
            _ => panic!(),
        }
    }

    #[test]
    fn a_master_by_its_name_among_sentinels_that_never_see_its_password() {
        match address("redis-sentinel://user:pass@main@a,b:7/2") {
            Ok(Address::Sentinel {
                name,
                sentinels,
                master,
            }) => {
                assert_eq!(name, "main");
                assert_eq!(shown(&sentinels), [":@a:26379/0", ":@b:7/0"]);
                assert_eq!(shown(&[master]), ["user:pass@the.master:6379/2"]);
            }
            _ => panic!(),
        }
    }

    #[test]
    fn what_is_no_url_of_redis_is_refused() {
        for url in [
            "",
            "localhost",
            "http://h",
            "redis://a,b",
            "redis://",
            "redis-sentinel://a,b",
            "redis://h:x",
            "redis-cluster://",
        ] {
            assert!(address(url).is_err(), "{url}");
        }
    }
}
