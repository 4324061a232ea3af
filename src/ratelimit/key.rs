//! Who is limited, and the keys that stand for it.

use super::Limits;
use crate::error::EdgeError;
use crate::keys;

/// Who is limited: one identifier for all limits, or one for each by the limit's name. Any string is an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The same for every limit.
    One(String),
    /// Pairs of a limit's name and the identifier it counts.
    Each(Vec<(String, String)>),
}

impl Identifier {
    /// Whom the limit `by` refused, escaped: one line of statistics.
    pub(super) fn label(&self, by: &str) -> String {
        match self {
            Self::One(id) => keys::part(id),
            Self::Each(ids) => {
                let id = ids.iter().find(|(name, _)| name == by);
                let mut label = keys::part(by);
                label.push(':');
                label.push_str(&keys::part(id.map_or("", |(_, id)| id)));
                label
            }
        }
    }
}

impl From<&str> for Identifier {
    fn from(id: &str) -> Self {
        Self::One(id.to_owned())
    }
}

impl From<&String> for Identifier {
    fn from(id: &String) -> Self {
        Self::One(id.clone())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Identifier {
    fn from(ids: [(&str, &str); N]) -> Self {
        Self::Each(
            ids.map(|(name, id)| (name.to_owned(), id.to_owned()))
                .into(),
        )
    }
}

/// The keys of one check, and which limit each state belongs to.
#[derive(Default)]
pub(super) struct Keys {
    /// One for all limits, or one for each.
    pub keys: Vec<String>,
    /// The limits' places among those given, in the order of their states.
    pub order: Vec<usize>,
}

impl Keys {
    /// `{name:id}:kind:limit:window`, the last three for each limit: what must be atomic is one value, so a check of
    /// several limits takes no more commands than one of one. A changed window is a new key and starts empty.
    ///
    /// With an identifier for each limit they are keys of one slot, `{name}:kind:limit:window:id`.
    pub fn new(name: &str, limits: &Limits, id: &Identifier) -> Result<Self, EdgeError> {
        let mut key = String::from("{");
        key.push_str(&keys::part(name));
        match id {
            Identifier::One(id) => {
                key.push(':');
                key.push_str(&keys::part(id));
                key.push('}');
                let order = limits.order();
                for limit in order.iter().filter_map(|at| limits.get(*at)) {
                    push_limit(&mut key, limit);
                }
                let keys = vec![key];
                Ok(Self { keys, order })
            }
            Identifier::Each(ids) => {
                key.push('}');
                if ids
                    .iter()
                    .any(|(of, _)| limits.iter().all(|limit| *limit.name != **of))
                {
                    return Err(EdgeError::argument(
                        "id must name limits of this check only: an identifier for each limit's name",
                    ));
                }
                let mut keys = Vec::with_capacity(limits.len());
                for limit in limits.iter() {
                    let mut ids = ids.iter().filter(|(of, _)| **of == *limit.name);
                    let (Some((_, id)), None) = (ids.next(), ids.next()) else {
                        return Err(EdgeError::argument(
                            "id must hold one identifier for each limit's name",
                        ));
                    };
                    let mut key = key.clone();
                    push_limit(&mut key, limit);
                    key.push(':');
                    key.push_str(&keys::part(id));
                    keys.push(key);
                }
                let order = (0..keys.len()).collect();
                Ok(Self { keys, order })
            }
        }
    }
}

fn push_limit(key: &mut String, limit: &super::Limit) {
    key.push(':');
    key.push_str(limit.kind());
    key.push(':');
    key.push_str(&keys::part(&limit.name));
    key.push(':');
    key.push_str(itoa::Buffer::new().format(limit.window_ms));
}
