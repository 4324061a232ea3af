//! Whom a limit counts.

use std::net::{IpAddr, Ipv6Addr};

use crate::session::Sessions;

/// By what requests are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The client's address.
    Address,
    /// The user, or the session of who is not logged in; the address of who has none.
    Session,
    /// A header's value; the address where there is none.
    Header(String),
}

/// What a request tells of who sent it; `header` is the value of the one that [`By::Header`] names.
pub(crate) struct Visitor<'a> {
    pub address: Option<&'a str>,
    pub cookies: &'a str,
    pub header: Option<&'a str>,
}

impl Visitor<'_> {
    /// The identifier of a check; `None` when nothing tells this visitor from others: all of them would be one.
    ///
    /// What stands before the value tells whence it is: a header's value can be no other's address.
    pub fn id(&self, by: &By, sessions: Option<&Sessions>) -> Option<String> {
        let of = |kind: &str, value: &str| String::from(kind) + value;
        let told = match by {
            By::Address => None,
            By::Session => sessions
                .and_then(|sessions| sessions.holder(self.cookies))
                .map(|holder| of("session:", &holder)),
            By::Header(_) => self
                .header
                .filter(|value| !value.is_empty())
                .map(|value| of("header:", value)),
        };
        told.or_else(|| Some(of("address:", &network(self.address?)?)))
    }
}

/// An IPv4 address; of IPv6 the first 64 bits, for one customer has all that begin so (RFC 6177).
fn network(address: &str) -> Option<String> {
    match address.trim().parse().ok()? {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => Some(address.to_string()),
            None => {
                let bits = address.to_bits() >> 64 << 64;
                Some(Ipv6Addr::from_bits(bits).to_string())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor<'a>(address: Option<&'a str>, header: Option<&'a str>) -> Visitor<'a> {
        Visitor {
            address,
            cookies: "",
            header,
        }
    }

    #[test]
    fn who_has_a_network_of_addresses_is_one() {
        let id = |address| visitor(Some(address), None).id(&By::Address, None);
        assert_eq!(id("192.0.2.1").as_deref(), Some("address:192.0.2.1"));
        assert_eq!(id("::ffff:192.0.2.1").as_deref(), Some("address:192.0.2.1"));
        assert_eq!(
            id("2001:db8:1:2:3:4:5:6").as_deref(),
            Some("address:2001:db8:1:2::")
        );
        assert_eq!(id("2001:db8:1:2::9"), id("2001:db8:1:2:3:4:5:6"));
        assert_ne!(id("2001:db8:1:3::9"), id("2001:db8:1:2::9"));
    }

    #[test]
    fn nobody_shares_a_quota_for_want_of_a_name() {
        for by in [By::Address, By::Session, By::Header("x-key".to_owned())] {
            assert_eq!(visitor(None, None).id(&by, None), None);
            assert_eq!(visitor(Some("unknown"), Some("")).id(&by, None), None);
            let fallback = visitor(Some("192.0.2.1"), None).id(&by, None);
            assert_eq!(fallback.as_deref(), Some("address:192.0.2.1"));
        }
    }

    #[test]
    fn a_header_cannot_name_an_address() {
        let by = By::Header("x-key".to_owned());
        let id = visitor(Some("192.0.2.1"), Some("192.0.2.2")).id(&by, None);
        assert_eq!(id.as_deref(), Some("header:192.0.2.2"));
    }
}
