//! What is asked again: what an answer was lost to, where that is harmless, and a script that must be sent otherwise.

use super::{Mode, Outcome, Task, Written};
use crate::client::server::Server;
use crate::error::EdgeError;
use crate::script::Form;
use crate::wire::{Commands, Head, Repeat};

impl Task {
    /// `error` is the outcome of what was written last, but for what is harmless to ask `again`. Whether some of that
    /// still waits.
    pub(super) fn end(&mut self, error: &EdgeError, again: bool) -> bool {
        let harmless: Vec<bool> = (0..self.written.len())
            .map(|at| again && self.is_harmless(at))
            .collect();
        // All of a transaction or nothing.
        let again = self.mode == Mode::Pipeline || harmless.iter().all(|harmless| *harmless);
        let mut waits = false;
        for (written, harmless) in self.written.iter().zip(harmless) {
            let Some(outcome) = self.outcomes.get_mut(written.command) else {
                continue;
            };
            if again && harmless {
                waits |= outcome.waits();
            } else {
                outcome.settle(|| Outcome::Failed(error.clone()));
            }
        }
        waits
    }

    /// Whether the command at this place of the last write may be asked again: what was sent behind it may have been
    /// done already, and must neither change its reply nor be undone by it.
    pub(super) fn is_harmless(&self, at: usize) -> bool {
        let Some(Written { command, .. }) = self.written.get(at) else {
            return false;
        };
        let repeat = self.commands.repeat(*command);
        let conflicts = |other: &Written| {
            let behind = self.commands.repeat(other.command);
            let changes = match repeat {
                Repeat::Write => behind == Repeat::Never,
                _ => behind != Repeat::Read,
            };
            changes && self.commands.may_meet(*command, other.command)
        };
        match repeat {
            Repeat::Never => false,
            Repeat::Vouched => true,
            _ => !self.written.iter().skip(at + 1).any(conflicts),
        }
    }
}

/// Whether this error only says that the script must be sent otherwise.
pub(super) fn otherwise(
    commands: &Commands,
    written: &Written,
    text: &[u8],
    server: &mut Server,
) -> bool {
    let Some((Head::Script { script, .. }, _)) = commands.get(written.command) else {
        return false;
    };
    let Some((_, form)) = written.loads else {
        // A script may say so itself: believed is only what a SHA1 was answered with.
        let lost = text.starts_with(b"NOSCRIPT");
        if lost {
            server.lost(script);
        }
        return lost;
    };
    if !script.has_forms() {
        return false;
    }
    // A Redis before 7 knows no such line at all; nor does it compile a script with an error in it, whatever its form.
    let compiles = !text.starts_with(b"ERR Error compiling script");
    if !compiles && form == Form::Plain {
        server.doubts_form();
        return false;
    }
    let refused = text.starts_with(b"ERR Unexpected flag in script shebang")
        || (!compiles && !server.knows_form());
    if refused && form == Form::Locking {
        server.refuses_locking(compiles);
        return true;
    }
    false
}
