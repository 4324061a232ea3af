//! What was settled, as numbers: where each reply lies in the bytes of an answer.
//!
//! How long to wait before the next request, in milliseconds; how many answers there are. Then for each member of a batch
//! that was settled: its index, then `FAILED`; or `OP`, whose outcome is to be asked for; or the number of
//! the answer and a value. A value is one of `NIL`; `TEXT start end`; `INTEGER low high` (32 bits each, two's
//! complement); `ERROR start end`; `ARRAY length` and its values.

use crate::client::Task;
use crate::wire::Reply;

const NIL: u32 = 0;
const TEXT: u32 = 1;
const INTEGER: u32 = 2;
const ERROR: u32 = 3;
const ARRAY: u32 = 4;
const FAILED: u32 = u32::MAX;
const OP: u32 = u32::MAX - 1;

pub(super) struct Tape {
    pub numbers: Vec<u32>,
}

impl Tape {
    pub fn new(wait_ms: u64, answers: usize) -> Self {
        let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        Self {
            numbers: vec![wait_ms, answers as u32],
        }
    }

    /// The member is an op.
    pub fn op(&mut self, index: usize) {
        self.numbers.extend([index as u32, OP]);
    }

    /// The member is this command.
    pub fn command(&mut self, index: usize, task: &Task, command: usize) {
        self.numbers.push(index as u32);
        match (task.slot(command), task.answer(command)) {
            (Ok(reply), Some((answer, bytes))) => {
                self.numbers.push(answer as u32);
                self.value(reply, bytes);
            }
            _ => self.numbers.push(FAILED),
        }
    }

    fn value(&mut self, reply: Reply<'_>, bytes: &[u8]) {
        match reply {
            Reply::Nil => self.numbers.push(NIL),
            Reply::Bytes(text) | Reply::Status(text) => self.place(TEXT, text, bytes),
            Reply::Error(text) => self.place(ERROR, text, bytes),
            Reply::Int(number) => {
                self.numbers
                    .extend([INTEGER, number as u32, (number >> 32) as u32]);
            }
            Reply::Array(array) => {
                self.numbers.extend([ARRAY, array.size_hint().0 as u32]);
                for entry in array {
                    self.value(entry, bytes);
                }
            }
        }
    }

    /// Both are parts of one answer, so the difference of their addresses is where the part lies.
    fn place(&mut self, kind: u32, part: &[u8], bytes: &[u8]) {
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        self.numbers
            .extend([kind, start as u32, (start + part.len()) as u32]);
    }
}
