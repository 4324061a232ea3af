//! What a get-or-fetch sends, and what a lookup brings.

use super::super::entry;
use super::super::exchange::{Exchange, Place};
use super::super::freshness::Freshness;
use super::super::payload::{Codec, Kind};
use super::super::write::jittered;
use super::{Found, GetOrFetch, Taking};
use crate::error::EdgeError;
use crate::op::Context;
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static LOOKUP: Script = script!(
    "../../lua/cache_entry.lua",
    "../../lua/cache_epoch.lua",
    "../../lua/cache_lookup.lua"
);
static STORE: Script = script!("../../lua/cache_current.lua", "../../lua/cache_store.lua");
static STORE_BYTES: Script = script!(
    "../../lua/bytes.lua",
    "../../lua/cache_current.lua",
    "../../lua/cache_store.lua"
);
static RELEASE: Script = script!("../../lua/cache_release.lua");

#[derive(Clone, Copy)]
pub(super) enum Sending {
    Lookup,
    Store,
    Release,
    /// An answer is not to be stored: nobody is to wait for another.
    Pass,
}

impl GetOrFetch {
    /// What is to be sent: first, and after each `Next::Send`. It may be nothing.
    pub fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        if self.nonce.is_empty() {
            self.start(cx);
        }
        if self.instead.is_some() {
            return Ok(());
        }
        let (hash, entry, lease) = (&self.hash, &self.keys.entry, &self.keys.lease);
        let place = Place {
            hash,
            keys: &self.keys,
            nonce: &self.nonce,
            seen: &self.seen,
            tags: &self.tags,
        };
        // Sent again: a lookup finds its own lease by the nonce; a store finds none, for the first one gave it back; of a
        // release nobody reads the reply.
        let repeat = Repeat::Harmless;
        match self.sending {
            Sending::Lookup => {
                self.asked = cx.now();
                let taking = match self.taking {
                    Taking::WhenNotFresh => 0,
                    Taking::EvenIfFresh => 1,
                    Taking::FromAnybody => 2,
                    Taking::Never => 3,
                };
                if let Some(exchange) = &self.exchange {
                    let times = [self.asked, self.started, self.patience.lock_ms];
                    exchange.lookup(place, times, [taking, self.early], out);
                    return self.watch.send(&self.space, cx.now(), out);
                }
                let args = [
                    cx.now().into(),
                    (&self.nonce).into(),
                    self.patience.lock_ms.into(),
                    taking.into(),
                    self.early.into(),
                ];
                out.script(&LOOKUP, &[hash, entry, lease], &args, repeat);
            }
            Sending::Store => {
                let Some(payload) = &self.payload else {
                    return Ok(());
                };
                let times = jittered(self.times, cx);
                if let Some(exchange) = &self.exchange {
                    exchange.store(place, times, self.cost_ms, payload, out);
                    return self.watch.send(&self.space, cx.now(), out);
                }
                let instants = times.from(cx.now());
                let head = entry::head(&instants, payload.codec, self.cost_ms, &self.tags);
                let mut args = vec![
                    (&self.nonce).into(),
                    times.kept_ms().into(),
                    (&self.seen.0).into(),
                    self.seen.1.into(),
                    (&head).into(),
                ];
                args.extend(self.tags.iter().map(Arg::from));
                args.push(payload.arg());
                let script = if payload.arg().is_bytes() {
                    &STORE_BYTES
                } else {
                    &STORE
                };
                out.script(script, &[hash, entry, lease], &args, repeat);
            }
            Sending::Pass => Exchange::pass(place, out),
            Sending::Release => out.script(&RELEASE, &[lease], &[(&self.nonce).into()], repeat),
        }
        self.watch.send(&self.space, cx.now(), out)
    }

    pub(super) fn looked_up<'a>(
        &mut self,
        now: u64,
        replies: &mut Replies<'a>,
    ) -> Result<Option<(Codec, &'a [u8])>, EdgeError> {
        let mut reply = replies.take()?.array()?;
        let bytes = reply.entry()?.bytes()?;
        let expired = reply.entry()?.int()? == 1;
        let may = reply.entry()?.int()?;
        (self.leased, self.passing) = (may == 1, may == 2);
        let others = self.exchange.is_some() && reply.entry()?.int()? == 1;
        if may > 0 {
            self.seen.0 = reply.entry()?.text()?.to_owned();
            self.seen.1 = reply.entry()?.text()?.parse().unwrap_or(0);
            if self.passing {
                self.nonce = reply.entry()?.text()?.to_owned();
            }
        } else {
            self.holds = u64::try_from(reply.entry()?.int()?).unwrap_or(0);
        }
        self.usable = false;
        self.found = None;
        let entry = bytes.and_then(|bytes| entry::decode(bytes, Kind::Json));
        let entry = entry.map(|entry| (entry, entry.instants.freshness(now, expired)));
        if let Some(exchange) = &mut self.exchange {
            let good_for = exchange.found(entry.as_ref(), others, [now, self.started]);
            exchange.collapsed = self.polls > 0;
            return Ok(entry
                .zip(good_for)
                .map(|((entry, _), (freshness, usable))| {
                    self.usable = usable;
                    self.found = Some(Found {
                        instants: entry.instants,
                        freshness,
                    });
                    (entry.codec, entry.payload)
                }));
        }
        let Some((entry, freshness)) = entry.filter(|(_, freshness)| *freshness != Freshness::Gone)
        else {
            return Ok(None);
        };
        self.found = Some(Found {
            instants: entry.instants,
            freshness,
        });
        // Bytes and answers are nothing that could be served.
        Ok((entry.codec.kind == Kind::Json).then_some((entry.codec, entry.payload)))
    }
}
