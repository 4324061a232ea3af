//! Which node holds which keys (`CLUSTER SLOTS`).

use redis::Value;

/// A node's host and port.
pub(crate) type Address = (String, u16);

const SLOTS: u16 = 16384;

/// The slot of a key: CRC-16/XMODEM of the key, or of what stands between its first `{` and the
/// next `}` if that is something, modulo 16384. From the Redis Cluster specification.
pub(crate) fn slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|&byte| byte == b'{')?;
    let inside = key.get(open + 1..)?;
    let close = inside.iter().position(|&byte| byte == b'}')?;
    inside.get(..close).filter(|tag| !tag.is_empty())
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

/// Which primary holds which slots.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    ranges: Vec<(u16, u16, Address)>,
}

impl Map {
    /// Reads the reply to `CLUSTER SLOTS` of the node at `asked`; `None` when it holds nothing.
    pub(crate) fn new(reply: &Value, asked: &str) -> Option<Self> {
        let Value::Array(entries) = reply else {
            return None;
        };
        let mut ranges: Vec<_> = entries
            .iter()
            .filter_map(|entry| range(entry, asked))
            .collect();
        ranges.sort();
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    /// The primary that holds this slot.
    pub(crate) fn owner(&self, slot: u16) -> Option<&Address> {
        self.ranges
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&slot))
            .map(|(_, _, address)| address)
    }

    /// Every primary once, in the order of its first slot.
    pub(crate) fn primaries(&self) -> Vec<&Address> {
        let mut primaries = Vec::new();
        for (_, _, address) in &self.ranges {
            if !primaries.contains(&address) {
                primaries.push(address);
            }
        }
        primaries
    }
}

fn range(entry: &Value, asked: &str) -> Option<(u16, u16, Address)> {
    let Value::Array(parts) = entry else {
        return None;
    };
    match parts.as_slice() {
        [
            Value::Int(first),
            Value::Int(last),
            Value::Array(primary),
            ..,
        ] => {
            let (host, port) = match primary.as_slice() {
                [Value::BulkString(host), Value::Int(port), ..] => {
                    (String::from_utf8(host.clone()).ok()?, port)
                }
                // It does not know its own name: then it is the one that we know it by.
                [Value::Nil, Value::Int(port), ..] => (String::new(), port),
                _ => return None,
            };
            let host = if host.is_empty() {
                asked.to_owned()
            } else {
                host
            };
            let address = (host, u16::try_from(*port).ok()?);
            Some((
                u16::try_from(*first).ok()?,
                u16::try_from(*last).ok()?,
                address,
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"user1000"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
    }
}
