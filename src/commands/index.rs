//! The table as it is linked: as it is written, its pointers would take more room than its names.
#![allow(clippy::indexing_slicing, reason = "evaluated at compile time")]

use super::table::TABLE;
use super::{Access, Family};

const COUNT: usize = TABLE.len();

/// The names, one behind the other.
static NAMES: [u8; length()] = names();
/// Where each of them ends.
static ENDS: [u16; COUNT] = ends();
static FAMILIES: [Family; COUNT] = families();
/// 0 to 2, then one more for each command that is refused.
static ACCESS: [u8; COUNT] = access();
/// What to use in the place of each of these.
static INSTEAD: [&str; refused()] = instead();

/// The place of the command `name`, of any case.
pub(super) fn find(name: &str) -> Option<usize> {
    let (mut low, mut high) = (0, COUNT);
    while low < high {
        let middle = (low + high) / 2;
        let upper = name.bytes().map(|byte| byte.to_ascii_uppercase());
        match self::name(middle).bytes().cmp(upper) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// Its name, in capitals.
pub(super) fn name(at: usize) -> &'static str {
    let end = |at: usize| ENDS.get(at).copied().map_or(0, usize::from);
    let start = at.checked_sub(1).map_or(0, end);
    let name = NAMES.get(start..end(at)).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default()
}

pub(super) fn family(at: usize) -> Option<Family> {
    FAMILIES.get(at).copied()
}

pub(super) fn access_of(at: usize) -> Option<Access> {
    Some(match ACCESS.get(at)? {
        0 => Access::Read,
        1 => Access::Write,
        2 => Access::Repeatable,
        code => Access::Refused(INSTEAD.get(usize::from(code - 3))?),
    })
}

const fn length() -> usize {
    let (mut length, mut at) = (0, 0);
    while at < COUNT {
        length += TABLE[at].0.len();
        at += 1;
    }
    length
}

const fn names() -> [u8; length()] {
    let mut names = [0; length()];
    let (mut length, mut at) = (0, 0);
    while at < COUNT {
        let name = TABLE[at].0.as_bytes();
        let mut byte = 0;
        while byte < name.len() {
            names[length] = name[byte];
            (length, byte) = (length + 1, byte + 1);
        }
        at += 1;
    }
    names
}

const fn ends() -> [u16; COUNT] {
    let mut ends = [0; COUNT];
    let (mut length, mut at) = (0, 0);
    while at < COUNT {
        length += TABLE[at].0.len();
        ends[at] = length as u16;
        at += 1;
    }
    ends
}

const fn families() -> [Family; COUNT] {
    let mut families = [Family::Server; COUNT];
    let mut at = 0;
    while at < COUNT {
        families[at] = TABLE[at].1;
        at += 1;
    }
    families
}

const fn access() -> [u8; COUNT] {
    let mut codes = [0; COUNT];
    let (mut refused, mut at) = (0, 0);
    while at < COUNT {
        codes[at] = match TABLE[at].2 {
            Access::Read => 0,
            Access::Write => 1,
            Access::Repeatable => 2,
            Access::Refused(_) => {
                refused += 1;
                2 + refused
            }
        };
        at += 1;
    }
    codes
}

const fn refused() -> usize {
    let (mut refused, mut at) = (0, 0);
    while at < COUNT {
        if let Access::Refused(_) = TABLE[at].2 {
            refused += 1;
        }
        at += 1;
    }
    refused
}

const fn instead() -> [&'static str; refused()] {
    let mut texts = [""; refused()];
    let (mut refused, mut at) = (0, 0);
    while at < COUNT {
        if let Access::Refused(instead) = TABLE[at].2 {
            texts[refused] = instead;
            refused += 1;
        }
        at += 1;
    }
    texts
}
