//! What a node's refusal says of where a command should have gone.

use super::slots::Address;

/// Why a command was not done, and where it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// The slot has another holder now.
    Moved(Address),
    /// The slot is on its way to another node, and the key is there already.
    Ask(Address),
    /// Not now: the slot is on its way, or has no holder.
    Later,
}

/// `None` for a reply that is no redirect. `asked` is the host of the node that said so.
pub(crate) fn redirect(error: &str, asked: &str) -> Option<Redirect> {
    let mut words = error.split(' ');
    match words.next()? {
        "MOVED" => Some(Redirect::Moved(address(words.nth(1)?, asked)?)),
        "ASK" => Some(Redirect::Ask(address(words.nth(1)?, asked)?)),
        "TRYAGAIN" | "CLUSTERDOWN" => Some(Redirect::Later),
        _ => None,
    }
}

fn address(text: &str, asked: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = if host.is_empty() { asked } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_names_a_node_and_an_empty_name_is_the_one_that_was_asked() {
        let at = |host: &str, port| (host.to_owned(), port);
        assert_eq!(
            redirect("MOVED 1 10.0.0.1:7", "a"),
            Some(Redirect::Moved(at("10.0.0.1", 7)))
        );
        assert_eq!(
            redirect("MOVED 1 ::1:7", "a"),
            Some(Redirect::Moved(at("::1", 7)))
        );
        assert_eq!(redirect("ASK 1 :7", "a"), Some(Redirect::Ask(at("a", 7))));
        assert_eq!(
            redirect("CLUSTERDOWN Hash slot not served", "a"),
            Some(Redirect::Later)
        );
        assert_eq!(redirect("ERR MOVED", "a"), None);
        assert_eq!(redirect("MOVED", "a"), None);
    }
}
