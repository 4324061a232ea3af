//! How deep a reply is nested.
//!
//! The client library takes an array of more than a hundred levels for the end of the connection,
//! which others share; a script can return one.

/// The deepest array that is passed on.
const DEEPEST: usize = 99;

/// What to do with a value of which the first line is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pass,
    /// It is an array too deep: something else stands for it.
    Replace,
    /// It is inside one.
    Drop,
}

/// Where in a reply we are.
#[derive(Default)]
pub(super) struct Depth {
    /// Of every open array, how many of its elements are yet to come.
    open: Vec<usize>,
    /// How many values are yet to be dropped.
    dropping: usize,
}

impl Depth {
    /// A value begins with this line.
    pub(super) fn value(&mut self, line: &[u8]) -> Fate {
        let elements = elements(line);
        if self.dropping > 0 {
            self.dropping = self.dropping.saturating_add(elements) - 1;
            if self.dropping == 0 {
                self.ended();
            }
            return Fate::Drop;
        }
        if elements == 0 {
            self.ended();
            return Fate::Pass;
        }
        if self.open.len() < DEEPEST {
            self.open.push(elements);
            return Fate::Pass;
        }
        self.dropping = elements;
        Fate::Replace
    }

    /// A value ended, and with it the arrays whose last element it was.
    fn ended(&mut self) {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            self.open.pop();
        }
    }
}

fn elements(line: &[u8]) -> usize {
    line.strip_prefix(b"*")
        .and_then(|number| std::str::from_utf8(number).ok()?.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_array_too_deep_is_passed_on_again() {
        let mut depth = Depth::default();
        for _ in 0..DEEPEST {
            assert_eq!(depth.value(b"*2"), Fate::Pass);
        }
        assert_eq!(depth.value(b"*2"), Fate::Replace);
        for line in [&b"*2"[..], b":1", b"*0", b"$-1"] {
            assert_eq!(depth.value(line), Fate::Drop);
        }
        for _ in 0..DEEPEST {
            assert!(!depth.open.is_empty());
            assert_eq!(depth.value(b"$1"), Fate::Pass);
        }
        assert!(depth.open.is_empty());
        assert_eq!(depth.value(b"*1"), Fate::Pass);
    }
}
