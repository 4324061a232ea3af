//! A caller's own Lua script, as ops.

use std::marker::PhantomData;
use std::rc::Rc;

use super::call::Owned;
use super::reply::FromReply;
use crate::error::EdgeError;
use crate::op::{Context, Op};
use crate::script;
use crate::wire::{Arg, Commands, Repeat, Replies};

/// A Lua script: sent whole at its first use, by its SHA1 after that, and whole again when the server has lost it.
///
/// All keys it touches must be in KEYS, and in one slot of a cluster. A first line `#!lua flags=allow-key-locking` makes
/// Upstash lock those keys alone, in place of the database; it is left out for servers that refuse it.
///
/// ```
/// use upstash_edge::commands::{Script, ScriptCall};
/// let add = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
/// let total: ScriptCall<i64> = add.call(&["visits"], &[5u32.into()]);
/// ```
#[derive(Clone)]
pub struct Script {
    script: Rc<script::Script>,
    taking_bytes: Rc<script::Script>,
}

impl Script {
    /// A script of this source.
    #[must_use]
    pub fn new(source: &str) -> Self {
        Self {
            script: Rc::new(script::Script::new(source)),
            taking_bytes: Rc::new(script::Script::taking_bytes(source)),
        }
    }

    /// One call with its KEYS and ARGV; `T` says what its reply is. Bytes arrive as they are.
    ///
    /// After a lost answer it is sent again only if its first line is `#!lua flags=no-writes`.
    #[must_use]
    pub fn call<T: FromReply>(&self, keys: &[&str], args: &[Arg<'_>]) -> ScriptCall<T> {
        let bytes = args.iter().any(Arg::is_bytes);
        ScriptCall {
            script: Rc::clone(if bytes {
                &self.taking_bytes
            } else {
                &self.script
            }),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            args: args.iter().copied().map(Owned::from).collect(),
            reply: PhantomData,
        }
    }
}

/// One call of a script on its way: see [`Script::call`].
pub struct ScriptCall<T> {
    script: Rc<script::Script>,
    keys: Vec<String>,
    args: Vec<Owned>,
    reply: PhantomData<fn() -> T>,
}

impl<T: FromReply> Op for ScriptCall<T> {
    type Output = T;

    fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let args: Vec<Arg<'_>> = self.args.iter().map(Owned::arg).collect();
        out.script(&self.script, &keys, &args, Repeat::of(&self.script));
        Ok(())
    }

    fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<T, EdgeError> {
        T::from_reply(replies.take()?)
    }
}
