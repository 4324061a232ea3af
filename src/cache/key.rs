//! Which keys of Redis a key of the cache is, and what its tags are called there.

use crate::error::EdgeError;
use crate::keys;

/// The names of an entry and of the lease to fetch it.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub entry: String,
    pub lease: String,
}

/// What lies in one shard: one slot of a cluster, so one script can touch it all.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    /// The hash of its tags.
    pub tags: String,
    pub keys: Vec<Keys>,
    /// The places of `keys` among those that were asked for.
    pub places: Vec<usize>,
}

/// The name of a cache, and over how many shards it is spread.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub name: std::rc::Rc<str>,
    pub shards: u32,
}

impl Space {
    /// `keys` by the shards they lie in; of one shard so many in a part as a script can take.
    pub fn shards<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Shard> {
        let mut shards: Vec<Shard> = Vec::new();
        for (place, key) in keys.enumerate() {
            let (tags, keys) = self.one(key);
            let fits = |shard: &&mut Shard| shard.tags == tags && shard.keys.len() < MOST_KEYS;
            match shards.iter_mut().find(fits) {
                Some(shard) => {
                    shard.keys.push(keys);
                    shard.places.push(place);
                }
                None => shards.push(Shard {
                    tags,
                    keys: vec![keys],
                    places: vec![place],
                }),
            }
        }
        shards
    }

    /// The hash of tags beside `key`, and its own names.
    pub fn one(&self, key: &str) -> (String, Keys) {
        let slot = self.slot(fnv(key) % self.shards.max(1));
        let key = keys::part(key);
        let entry = slot.clone() + "e:" + &key;
        let lease = slot.clone() + "l:" + &key;
        (slot + "t", Keys { entry, lease })
    }

    /// The hashes of tags of all shards.
    pub fn all_tags(&self) -> impl Iterator<Item = String> {
        (0..self.shards.max(1)).map(|shard| self.slot(shard) + "t")
    }

    /// Where hits and misses are counted.
    pub fn counts(&self) -> String {
        self.slot(0) + "n"
    }

    /// The glob of all entries' keys.
    pub fn pattern(&self) -> String {
        let mut pattern = String::from("{");
        keys::glob_into(&mut pattern, &keys::part(&self.name));
        pattern + ":*}:e:*"
    }

    fn slot(&self, shard: u32) -> String {
        let mut slot = String::from("{");
        slot += &keys::part(&self.name);
        slot.push(':');
        slot += itoa::Buffer::new().format(shard);
        slot += "}:";
        slot
    }
}

/// FNV-1a, 32 bits: the same on every client.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Lua takes some 8,000 values at once.
const MOST_KEYS: usize = 1_000;

/// So many tags an entry may carry: each is read with it.
pub(super) const MOST_TAGS: usize = 64;

/// Tags as entries carry them: ASCII, without separators.
///
/// # Errors
/// `invalid_argument` when one is empty, or when they are more than 64.
pub(crate) fn tags<T: AsRef<str>>(tags: &[T]) -> Result<Vec<String>, EdgeError> {
    if tags.len() > MOST_TAGS {
        return Err(EdgeError::argument("tags must be 64 at most"));
    }
    let mut words: Vec<String> = Vec::with_capacity(tags.len());
    for word in any_tags(tags)? {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

/// The same of however many tags.
///
/// # Errors
/// `invalid_argument` when one is empty.
pub(super) fn any_tags<T: AsRef<str>>(tags: &[T]) -> Result<Vec<String>, EdgeError> {
    let word = |tag: &T| match tag.as_ref() {
        "" => Err(EdgeError::argument("a tag must not be empty")),
        tag => Ok(keys::word(tag)),
    };
    tags.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_lease_share_the_slot_of_its_shard() {
        let space = Space {
            name: "a{b".into(),
            shards: 1,
        };
        let shards = space.shards(["k:1", "x"].into_iter());
        assert_eq!(shards.len(), 1);
        assert_eq!(shards[0].tags, "{a%7Bb:0}:t");
        assert_eq!(shards[0].keys[0].entry, "{a%7Bb:0}:e:k%3A1");
        assert_eq!(shards[0].keys[0].lease, "{a%7Bb:0}:l:k%3A1");
    }

    #[test]
    fn keys_are_spread_over_all_shards_and_find_their_places() {
        let space = Space {
            name: "c".into(),
            shards: 4,
        };
        let keys: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let shards = space.shards(keys.iter().map(String::as_str));
        assert_eq!(shards.len(), 4);
        let mut places: Vec<usize> = shards.iter().flat_map(|s| s.places.clone()).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..100));
        assert_eq!(space.all_tags().count(), 4);
        let many = space.shards(std::iter::repeat_n("k", 2_500));
        let sizes: Vec<usize> = many.iter().map(|shard| shard.keys.len()).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
    }

    #[test]
    fn tags_are_words_each_once() {
        assert_eq!(tags(&["a;b", "a,b", "a;b"]).unwrap(), ["a%3Bb", "a%2Cb"]);
        assert_eq!(tags(&[""]).unwrap_err().code(), "invalid_argument");
        assert_eq!(tags(&["t"; 65]).unwrap_err().code(), "invalid_argument");
    }
}
