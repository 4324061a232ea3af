//! HyperLogLogs: how many different elements there were, within about 0.8 %, in 12 KB at most.

use super::call::Call;
use crate::wire::Arg;

/// Adds elements; whether the estimate changed.
pub fn pfadd<'a>(key: &str, elements: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<bool> {
    Call::new("PFADD").arg(key).args(elements)
}

/// About how many different elements the keys have together.
pub fn pfcount<'a>(keys: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Call<u64> {
    Call::new("PFCOUNT").args(keys)
}

/// Adds the elements of the sources to `destination`.
pub fn pfmerge<'a>(
    destination: &str,
    sources: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<()> {
    Call::new("PFMERGE").arg(destination).args(sources)
}
