//! Replies as numbers: where each lies in the bytes of an answer.
//!
//! For each settled command: its index, then `FAILED`, or the number of the answer and a value. A value is one of
//! `NIL`; `TEXT start end`; `INTEGER low high` (32 bits each, two's complement); `ERROR start end`; `ARRAY length` and its values.

use crate::client::Task;
use crate::wire::Reply;

const NIL: u32 = 0;
const TEXT: u32 = 1;
const INTEGER: u32 = 2;
const ERROR: u32 = 3;
const ARRAY: u32 = 4;
const FAILED: u32 = u32::MAX;

/// The commands that are settled and not in `told` yet.
pub(super) fn settled(task: &Task, told: &mut Vec<bool>) -> Vec<u32> {
    let mut tape = Vec::new();
    told.resize(task.len(), false);
    for (index, told) in told.iter_mut().enumerate() {
        if *told || task.waits(index) {
            continue;
        }
        *told = true;
        tape.push(index as u32);
        match (task.slot(index), task.answer(index)) {
            (Ok(reply), Some((answer, bytes))) => {
                tape.push(answer as u32);
                value(reply, bytes, &mut tape);
            }
            _ => tape.push(FAILED),
        }
    }
    tape
}

fn value(reply: Reply<'_>, bytes: &[u8], tape: &mut Vec<u32>) {
    match reply {
        Reply::Nil => tape.push(NIL),
        Reply::Bytes(text) | Reply::Status(text) => place(TEXT, text, bytes, tape),
        Reply::Error(text) => place(ERROR, text, bytes, tape),
        Reply::Int(number) => tape.extend([INTEGER, number as u32, (number >> 32) as u32]),
        Reply::Array(array) => {
            tape.push(ARRAY);
            tape.push(array.size_hint().0 as u32);
            for entry in array {
                value(entry, bytes, tape);
            }
        }
    }
}

/// Both are parts of one answer, so the difference of their addresses is where the part lies.
fn place(kind: u32, part: &[u8], bytes: &[u8], tape: &mut Vec<u32>) {
    let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    tape.push(kind);
    tape.push(start as u32);
    tape.push((start + part.len()) as u32);
}
