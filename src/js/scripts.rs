//! Callers' scripts by their source: a client holds nothing of them but the text.

use std::cell::RefCell;
use std::rc::Rc;

use crate::script::Script;

/// Past so many, the one unused longest is made anew at its next call.
const MOST: usize = 64;

thread_local! {
    static SCRIPTS: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

struct Known {
    source: String,
    bytes: bool,
    script: Rc<Script>,
}

/// The script of this source, for arguments with or without bytes among them.
pub(super) fn of(source: &str, bytes: bool) -> Rc<Script> {
    SCRIPTS.with_borrow_mut(|known| {
        let same = |other: &Known| other.bytes == bytes && other.source == source;
        let found = match known.iter().position(same) {
            Some(found) => known.remove(found),
            None => Known {
                script: Rc::new(if bytes {
                    Script::taking_bytes(source)
                } else {
                    Script::new(source)
                }),
                source: source.to_owned(),
                bytes,
            },
        };
        if known.len() >= MOST {
            known.remove(0);
        }
        let script = Rc::clone(&found.script);
        known.push(found);
        script
    })
}
