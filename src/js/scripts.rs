//! Callers' scripts by their source: a client holds nothing of them but the text.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use crate::recent::Recent;
use crate::script::Script;

/// Past so many, the one unused longest is made anew at its next call.
const MOST: usize = 64;

thread_local! {
    static TEXT: RefCell<Recent<Rc<Script>>> = const { RefCell::new(Recent::new(MOST)) };
    static BYTES: RefCell<Recent<Rc<Script>>> = const { RefCell::new(Recent::new(MOST)) };
}

/// The script of this source, for arguments with or without bytes among them.
pub(super) fn of(source: &str, bytes: bool) -> Rc<Script> {
    let (scripts, make): (_, fn(&str) -> Script) = if bytes {
        (&BYTES, Script::taking_bytes)
    } else {
        (&TEXT, Script::new)
    };
    let Ok(script) = scripts
        .with_borrow_mut(|known| known.get(source, || Ok::<_, Infallible>(Rc::new(make(source)))));
    script
}
