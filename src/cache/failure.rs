//! What a cache keeps from its callers: that Redis failed it.

use std::fmt;
use std::rc::Rc;

use crate::error::EdgeError;

/// One thing that a cache could not do and whose caller is not told of it: for a reader it is a miss. Never a key or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFailure {
    /// What failed.
    pub operation: CacheOperation,
    /// The [`code`](EdgeError::code) of its error; `skipped` where Redis was not asked, for it had failed repeatedly.
    pub code: &'static str,
}

/// What a cache asks of Redis behind its caller's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOperation {
    /// A read of one key or of several.
    Read,
    /// The look-up of a get-or-fetch: the value was fetched.
    Lookup,
    /// The store of what was fetched, or giving back the lease when there was nothing to store.
    Store,
}

impl CacheFailure {
    pub(super) fn new(operation: CacheOperation, error: &EdgeError) -> Self {
        let code = error.code();
        Self { operation, code }
    }

    pub(super) fn skipped(operation: CacheOperation) -> Self {
        let code = "skipped";
        Self { operation, code }
    }
}

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Rc<dyn Fn(CacheFailure)>>);

impl Listener {
    pub fn new(listener: impl Fn(CacheFailure) + 'static) -> Self {
        Self(Some(Rc::new(listener)))
    }

    pub fn tell(&self, failure: Option<CacheFailure>) {
        if let (Some(listener), Some(failure)) = (&self.0, failure) {
            listener(failure);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Listener")
    }
}
