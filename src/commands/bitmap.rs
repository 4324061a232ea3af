//! Bits of a string, counted from the highest of its first byte.

use super::call::Call;
use crate::wire::Arg;

/// Sets the bit; what it was.
pub fn setbit(key: &str, offset: u64, bit: bool) -> Call<bool> {
    Call::new("SETBIT").arg(key).arg(offset).arg(u32::from(bit))
}

/// The bit; `false` beyond the end.
pub fn getbit(key: &str, offset: u64) -> Call<bool> {
    Call::new("GETBIT").arg(key).arg(offset)
}

/// How many bits are 1.
pub fn bitcount(key: &str) -> Call<u64> {
    Call::new("BITCOUNT").arg(key)
}

/// The offset of the first bit that is so; -1 when there is none. (A value of ones alone has its first 0 behind its end.)
pub fn bitpos(key: &str, bit: bool) -> Call<i64> {
    Call::new("BITPOS").arg(key).arg(u32::from(bit))
}

/// How BITOP combines values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitOp {
    /// 1 where all are 1.
    And,
    /// 1 where one is 1.
    Or,
    /// 1 where an odd number of them is 1.
    Xor,
}

/// Combines the values into `destination`; its length in bytes.
pub fn bitop<'a>(
    how: BitOp,
    destination: &str,
    keys: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<u64> {
    let how = match how {
        BitOp::And => "AND",
        BitOp::Or => "OR",
        BitOp::Xor => "XOR",
    };
    Call::new("BITOP").arg(how).arg(destination).args(keys)
}

/// Inverts the value of `key` into `destination`; its length in bytes.
pub fn bitop_not(destination: &str, key: &str) -> Call<u64> {
    Call::new("BITOP").arg("NOT").arg(destination).arg(key)
}
