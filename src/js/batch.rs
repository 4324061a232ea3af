//! What travels together: commands, each settled by its own reply, and ops, each settled by all of its replies.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use crate::client::{Mode, Retry, Server, Task};
use crate::error::{EdgeError, ErrorKind};
use crate::host::Response;
use crate::op::{Context, Op};
use crate::wire::{Commands, Replies, Slot};

use super::tape::Tape;

pub(super) struct Batch {
    server: Rc<RefCell<Server>>,
    retry: Option<Retry>,
    commands: Commands,
    mode: Mode,
    task: Option<Task>,
    members: Vec<Member>,
}

struct Member {
    first: usize,
    end: usize,
    op: Option<Pending>,
    told: bool,
}

struct Pending {
    scope: usize,
    ask: Box<dyn Ask>,
}

/// What JavaScript is told of some replies, which lie in the answers of `task`.
pub(super) trait Ask {
    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError>;

    fn answer(
        self: Box<Self>,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
        task: &Task,
    ) -> Result<String, EdgeError>;
}

/// An op, and how JavaScript is told its output.
struct Asked<O, W> {
    op: O,
    write: W,
}

impl<O: Op, W: FnOnce(O::Output) -> String> Ask for Asked<O, W> {
    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.op.encode(cx, out)
    }

    fn answer(
        self: Box<Self>,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
        _: &Task,
    ) -> Result<String, EdgeError> {
        self.op.decode(cx, replies).map(self.write)
    }
}

impl Batch {
    pub fn new(server: Rc<RefCell<Server>>, retry: Option<Retry>, mode: Mode) -> Self {
        Self {
            server,
            retry,
            commands: Commands::default(),
            mode,
            task: None,
            members: Vec::new(),
        }
    }

    /// Adds the one command that `add` appends.
    pub fn command(
        &mut self,
        add: impl FnOnce(&mut Commands) -> Result<(), EdgeError>,
    ) -> Result<(), EdgeError> {
        let first = self.commands.len();
        add(&mut self.commands)?;
        self.member(first, None);
        Ok(())
    }

    /// Adds an op; `write` tells JavaScript its output, as JSON.
    pub fn op<O: Op + 'static>(
        &mut self,
        op: O,
        now: u64,
        write: impl FnOnce(O::Output) -> String + 'static,
    ) -> Result<(), EdgeError> {
        self.ask(Box::new(Asked { op, write }), now)
    }

    /// Adds what asks: the same for all, so that it is there once.
    pub fn ask(&mut self, mut ask: Box<dyn Ask>, now: u64) -> Result<(), EdgeError> {
        let (first, scope) = (self.commands.len(), self.commands.scopes().len());
        self.commands
            .scope(|out| ask.encode(&Context::at(now), out))?;
        self.member(first, Some(Pending { scope, ask }));
        Ok(())
    }

    fn member(&mut self, first: usize, op: Option<Pending>) {
        let end = self.commands.len();
        self.members.push(Member {
            first,
            end,
            op,
            told: false,
        });
    }

    fn begun(&mut self) -> &mut Task {
        let (commands, mode) = (&mut self.commands, self.mode);
        self.task
            .get_or_insert_with(|| Task::new(std::mem::take(commands), mode))
    }

    /// What was learnt of the server it goes to.
    pub fn server(&self) -> RefMut<'_, Server> {
        self.server.borrow_mut()
    }

    pub fn write(&mut self) -> Option<Vec<u8>> {
        let server = Rc::clone(&self.server);
        self.begun().write(&server.borrow())
    }

    /// How long to wait before the next write, in milliseconds.
    pub fn read(&mut self, answer: Result<Response, EdgeError>, left_ms: u64, drawn: u64) -> u64 {
        let mut server = self.server.borrow_mut();
        self.task.as_mut().map_or(0, |task| {
            task.read(answer, &mut server, self.retry, left_ms, drawn)
                .wait_ms
        })
    }

    pub fn task(&mut self) -> Option<&mut Task> {
        self.task.as_mut()
    }

    /// Nobody waits for this member any more: what is left of it is not sent again.
    pub fn leave(&mut self, index: usize) {
        self.give_up(
            index,
            &EdgeError::new(ErrorKind::Aborted, "nobody waited for it"),
        );
    }

    fn give_up(&mut self, index: usize, error: &EdgeError) {
        if let Some(&Member { first, end, .. }) = self.members.get(index) {
            let task = self.begun();
            for command in first..end {
                task.give_up(command, error);
            }
        }
    }

    /// The members that were settled since the last call, behind how long to wait and how many answers there are.
    pub fn settled(&mut self, wait_ms: u64) -> Vec<u32> {
        let answers = self.task.as_ref().map_or(0, Task::answers);
        let mut tape = Tape::new(wait_ms, answers);
        let Some(task) = &self.task else {
            return tape.numbers;
        };
        for (index, member) in self.members.iter_mut().enumerate() {
            if member.told || (member.first..member.end).any(|command| task.waits(command)) {
                continue;
            }
            member.told = true;
            match member.op {
                Some(_) => tape.op(index),
                None => tape.command(index, task, member.first),
            }
        }
        tape.numbers
    }

    /// Why a member that is one command failed.
    pub fn failure(&self, index: usize) -> Option<EdgeError> {
        let command = self.members.get(index)?.first;
        self.task.as_ref()?.slot(command).err()
    }

    /// What an op makes of its replies; of those that have not come by now it is told that they are too late.
    pub fn outcome(&mut self, index: usize, now: u64) -> Option<Result<String, EdgeError>> {
        self.give_up(
            index,
            &EdgeError::new(ErrorKind::Timeout, "no answer within the time allowed"),
        );
        let member = self.members.get_mut(index)?;
        let Pending { scope, ask } = member.op.take()?;
        member.told = true;
        let task = self.task.as_ref()?;
        let slots: Vec<Slot<'_>> = (member.first..member.end)
            .map(|command| task.slot(command))
            .collect();
        let mut replies = task.replies_of_scope(&slots, member.first, scope);
        Some(replies.scope(|replies| ask.answer(&Context::at(now), replies, task)))
    }
}
