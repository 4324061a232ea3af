//! Ops: commands out, a typed reply in. Ops compose; what composes travels together.

use crate::error::EdgeError;
use crate::host::{Host, entropy};
use crate::wire::{Commands, Replies};

/// What an op may know of the world while it encodes or decodes: the time and fresh randomness, nothing else.
pub struct Context<'a> {
    /// Without one, randomness is the runtime's.
    host: Option<&'a dyn Host>,
    now: u64,
}

impl<'a> Context<'a> {
    pub(crate) fn new(host: &'a dyn Host) -> Self {
        Self {
            now: host.now(),
            host: Some(host),
        }
    }

    /// For a face that is told the time.
    #[cfg(all(feature = "js-client", target_arch = "wasm32"))]
    pub(crate) fn at(now: u64) -> Context<'static> {
        Context { now, host: None }
    }

    /// Now, in epoch milliseconds, the same throughout one encode or decode.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// `N` bytes of the runtime's cryptographic randomness.
    ///
    /// # Errors
    /// `unsupported` when the runtime has none.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], EdgeError> {
        let mut bytes = [0; N];
        match self.host {
            Some(host) => host.random(&mut bytes)?,
            None => entropy(&mut bytes)?,
        }
        Ok(bytes)
    }
}

/// Commands out, a typed reply in.
///
/// An op never sends anything: [`Redis::run`](crate::Redis::run) sends the commands of one op as one request.
/// Tuples and vectors of ops are ops, so what is run together is one round trip.
/// When no answer came, `decode` is called all the same, with the error in place of each reply:
/// an op with a failure policy answers by it.
pub trait Op: Sized {
    /// The typed reply.
    type Output;

    /// Appends this op's commands, any number of them, none included.
    ///
    /// # Errors
    /// A bad argument; then nothing of this op is sent.
    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError>;

    /// Reads the replies to exactly those commands.
    ///
    /// # Errors
    /// A reply's error, or `corrupt` when a reply is not what the command gives.
    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>)
    -> Result<Self::Output, EdgeError>;

    /// How long the caller is ready to wait for this op, in milliseconds; `None` leaves it to the client.
    /// Asked after `encode`. Ops that travel together wait as long as the most patient of them.
    fn timeout_ms(&self) -> Option<u64> {
        None
    }

    /// Hands this op's failure to the caller as a value, where a plain tuple would fail as a whole.
    fn settled(self) -> Settled<Self> {
        Settled {
            op: self,
            refused: None,
        }
    }
}

/// An op whose failure is part of its output: see [`Op::settled`].
pub struct Settled<O> {
    op: O,
    refused: Option<EdgeError>,
}

impl<O: Op> Op for Settled<O> {
    type Output = Result<O::Output, EdgeError>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        self.refused = out.scope(|out| self.op.encode(cx, out)).err();
        Ok(())
    }

    fn decode(
        self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Self::Output, EdgeError> {
        Ok(replies.scope(|replies| match self.refused {
            Some(error) => Err(error),
            None => self.op.decode(cx, replies),
        }))
    }

    fn timeout_ms(&self) -> Option<u64> {
        self.op.timeout_ms()
    }
}

/// The batch waits for the most patient; one without an opinion leaves the whole to the client.
fn patience(all: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    let mut longest = Some(0);
    for one in all {
        longest = longest.zip(one).map(|(a, b)| a.max(b));
    }
    longest
}

impl<O: Op> Op for Vec<O> {
    type Output = Vec<O::Output>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        for op in self {
            out.scope(|out| op.encode(cx, out))?;
        }
        Ok(())
    }

    fn decode(
        self,
        cx: &Context<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<Self::Output, EdgeError> {
        let decoded: Vec<_> = self
            .into_iter()
            .map(|op| replies.scope(|replies| op.decode(cx, replies)))
            .collect();
        decoded.into_iter().collect()
    }

    fn timeout_ms(&self) -> Option<u64> {
        patience(self.iter().map(Op::timeout_ms))
    }
}

macro_rules! tuple {
    ($($op:ident $at:tt),+) => {
        impl<$($op: Op),+> Op for ($($op,)+) {
            type Output = ($($op::Output,)+);

            fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
                $(out.scope(|out| self.$at.encode(cx, out))?;)+
                Ok(())
            }

            fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Self::Output, EdgeError> {
                // Every member reads its own replies before the first failure is told.
                let decoded = ($(replies.scope(|replies| self.$at.decode(cx, replies)),)+);
                Ok(($(decoded.$at?,)+))
            }

            fn timeout_ms(&self) -> Option<u64> {
                patience([$(self.$at.timeout_ms()),+])
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Fake;
    use crate::wire::Reply;

    /// Sends `commands` GETs, reads only the first reply.
    struct Lazy {
        commands: usize,
        refuses: bool,
    }

    impl Op for Lazy {
        type Output = i64;

        fn encode(&mut self, _: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
            for _ in 0..self.commands {
                out.command("GET", &["k".into()])?;
            }
            if self.refuses {
                return Err(EdgeError::argument("refused"));
            }
            Ok(())
        }

        fn decode(self, _: &Context<'_>, replies: &mut Replies<'_>) -> Result<i64, EdgeError> {
            replies.take()?.int()
        }
    }

    fn lazy(commands: usize) -> Lazy {
        Lazy {
            commands,
            refuses: false,
        }
    }

    #[test]
    fn an_op_that_reads_too_little_or_too_much_cannot_shift_its_neighbours() {
        let host = Fake::new();
        let cx = Context::new(&host);
        let mut op = (
            (lazy(3), lazy(0).settled()),
            vec![lazy(2), lazy(1)],
            lazy(1),
        );
        let mut out = Commands::default();
        op.encode(&cx, &mut out).unwrap();
        assert_eq!(out.len(), 7);
        let slots: Vec<_> = (0..7).map(|n| Ok(Reply::Int(n))).collect();
        let mut replies = Replies::new(&slots, out.scopes());
        let ((first, nothing), pair, last) = op.decode(&cx, &mut replies).unwrap();
        assert_eq!((first, pair, last), (0, vec![3, 5], 6));
        assert_eq!(nothing.unwrap_err().code(), "corrupt");
    }

    #[test]
    fn a_refused_member_is_taken_back_and_told_in_its_place() {
        let host = Fake::new();
        let cx = Context::new(&host);
        let refusing = Lazy {
            commands: 2,
            refuses: true,
        };
        let mut op = (lazy(1), refusing.settled(), lazy(1));
        let mut out = Commands::default();
        op.encode(&cx, &mut out).unwrap();
        assert_eq!(out.len(), 2);
        let slots = [Ok(Reply::Int(7)), Ok(Reply::Int(8))];
        let (first, second, third) = op
            .decode(&cx, &mut Replies::new(&slots, out.scopes()))
            .unwrap();
        assert_eq!((first, third), (7, 8));
        assert_eq!(second.unwrap_err().code(), "invalid_argument");
    }
}
