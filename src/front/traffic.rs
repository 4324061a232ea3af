//! What the Worker's requests came to, for the console: counted in the isolate by the minute, sent along with what a
//! request asks anyway, every 10 s at most, and only where there is a console to show it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::EdgeError;
use crate::histogram::{Histogram, bucket};
use crate::op::{Context, Op};
use crate::script::{Script, script};
use crate::wire::{Arg, Commands, Repeat, Replies};

static TRAFFIC: Script = script!("../lua/traffic.lua");

const EVERY_MS: u64 = 10_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Two hours are read.
const KEPT_MS: u64 = 3 * HOUR_MS;

/// What the cache was to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    Hit,
    Miss,
    Stale,
}

impl Served {
    /// As `Cache-Status` tells it (RFC 9211), where it does: by what stands last in it for this cache.
    pub fn told(cache_status: &str) -> Option<Self> {
        let (_, own) = cache_status.rsplit_once("upstash-edge; ")?;
        Some(if !own.starts_with("hit") {
            Self::Miss
        } else if own.contains("ttl=-") {
            Self::Stale
        } else {
            Self::Hit
        })
    }
}

/// One request that was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Until the head of the answer, in milliseconds.
    pub ms: u64,
    /// How much of it Redis took, and in how many requests.
    pub redis_ms: u64,
    pub trips: usize,
    pub served: Option<Served>,
    /// What the limiter said, where it was asked.
    pub allowed: Option<bool>,
}

/// What an isolate has counted since it last sent.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    since: u64,
    counts: Vec<(Field, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    /// Since the epoch.
    minute: u64,
    /// What of it: a letter, and the bucket of a time.
    what: u8,
    bucket: Option<u32>,
}

impl Field {
    fn text(self) -> String {
        let mut text = itoa::Buffer::new().format(self.minute).to_owned();
        text.push(':');
        text.push(char::from(self.what));
        if let Some(bucket) = self.bucket {
            text.push_str(itoa::Buffer::new().format(bucket));
        }
        text
    }

    fn read(text: &str) -> Option<Self> {
        let (minute, what) = text.split_once(':')?;
        let (letter, rest) = what.split_at_checked(1)?;
        let bucket = match rest {
            "" => None,
            digits => Some(digits.parse().ok()?),
        };
        Some(Self {
            minute: minute.parse().ok()?,
            what: *letter.as_bytes().first()?,
            bucket,
        })
    }
}

impl Traffic {
    pub fn count(&mut self, seen: &Seen, now: u64) {
        if self.counts.is_empty() {
            self.since = now;
        }
        let minute = now / MINUTE_MS;
        let mut add = |what, bucket, count| {
            let field = Field {
                minute,
                what,
                bucket,
            };
            match self.counts.iter_mut().find(|(other, _)| *other == field) {
                Some((_, held)) => *held += count,
                None => self.counts.push((field, count)),
            }
        };
        add(b'n', None, 1);
        add(b'l', Some(bucket(seen.ms)), 1);
        if seen.trips > 0 {
            add(b't', None, seen.trips as u64);
            add(b'w', Some(bucket(seen.redis_ms)), 1);
        }
        match seen.served {
            Some(Served::Hit) => add(b'h', None, 1),
            Some(Served::Miss) => add(b'm', None, 1),
            Some(Served::Stale) => add(b's', None, 1),
            None => {}
        }
        match seen.allowed {
            Some(true) => add(b'a', None, 1),
            Some(false) => add(b'r', None, 1),
            None => {}
        }
    }

    /// Appends what was counted, when it is time: a clock that went back does not hold it up.
    fn send(&mut self, now: u64, out: &mut Commands) {
        if !(self.since..self.since + EVERY_MS).contains(&now) {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut Commands) {
        let counts = std::mem::take(&mut self.counts);
        if counts.is_empty() {
            return;
        }
        let fields: Vec<String> = counts.iter().map(|(field, _)| field.text()).collect();
        let mut args = vec![KEPT_MS.into()];
        for (field, (_, count)) in fields.iter().zip(&counts) {
            args.extend([Arg::from(field), (*count).into()]);
        }
        out.script(
            &TRAFFIC,
            &[&key(self.since / HOUR_MS)],
            &args,
            Repeat::Never,
        );
    }
}

fn key(hour: u64) -> String {
    String::from("{upstash-edge}:traffic:") + itoa::Buffer::new().format(hour)
}

/// An op that takes along what was counted, when it is time and it sends something itself: no request is made for it.
pub(crate) struct Carrying<O> {
    pub op: O,
    /// `None` where nobody looks at it.
    pub traffic: Option<Rc<RefCell<Traffic>>>,
}

impl<O: Op> Op for Carrying<O> {
    type Output = O::Output;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let before = out.len();
        out.scope(|out| self.op.encode(cx, out))?;
        if let Some(traffic) = self.traffic.as_ref().filter(|_| out.len() > before) {
            traffic.borrow_mut().send(cx.now(), out);
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<O::Output, EdgeError> {
        // What became of the counts is nobody's concern.
        replies.scope(|replies| self.op.decode(cx, replies))
    }

    fn timeout_ms(&self) -> Option<u64> {
        self.op.timeout_ms()
    }
}

/// One minute of all isolates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Minute {
    /// When it began, in epoch milliseconds.
    pub at: u64,
    pub requests: u64,
    pub trips: u64,
    pub hits: u64,
    pub misses: u64,
    pub stale: u64,
    pub allowed: u64,
    pub refused: u64,
    /// Until an answer's head.
    pub answers: Histogram,
    /// How long requests waited for Redis, of those that asked it.
    pub waits: Histogram,
}

impl Minute {
    fn add(&mut self, field: Field, count: u64) {
        let place = match (field.what, field.bucket) {
            (b'l', Some(bucket)) => return self.answers.add(bucket, count),
            (b'w', Some(bucket)) => return self.waits.add(bucket, count),
            (b'n', None) => &mut self.requests,
            (b't', None) => &mut self.trips,
            (b'h', None) => &mut self.hits,
            (b'm', None) => &mut self.misses,
            (b's', None) => &mut self.stale,
            (b'a', None) => &mut self.allowed,
            (b'r', None) => &mut self.refused,
            _ => return,
        };
        *place = place.saturating_add(count);
    }

    /// Both together.
    pub fn join(&mut self, other: &Self) {
        self.requests += other.requests;
        self.trips += other.trips;
        self.hits += other.hits;
        self.misses += other.misses;
        self.stale += other.stale;
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.answers.join(&other.answers);
        self.waits.join(&other.waits);
    }
}

/// The last `minutes` minutes, the oldest first, those without a request too: 60 at most. Sends what this isolate has
/// counted, then 2 HGETALLs.
pub(crate) struct ReadTraffic {
    pub traffic: Rc<RefCell<Traffic>>,
    pub minutes: u64,
}

impl Op for ReadTraffic {
    type Output = Vec<Minute>;

    fn encode(&mut self, cx: &Context<'_>, out: &mut Commands) -> Result<(), EdgeError> {
        let hour = cx.now() / HOUR_MS;
        for hour in [hour.saturating_sub(1), hour] {
            out.command("HGETALL", &[Arg::from(&key(hour))])?;
        }
        Ok(())
    }

    fn decode(self, cx: &Context<'_>, replies: &mut Replies<'_>) -> Result<Vec<Minute>, EdgeError> {
        let now = cx.now() / MINUTE_MS;
        let first = (now + 1).saturating_sub(self.minutes.min(60));
        let mut minutes: Vec<Minute> = (first..=now)
            .map(|minute| Minute {
                at: minute * MINUTE_MS,
                ..Minute::default()
            })
            .collect();
        let mut add = |field: Field, count| {
            let place = field.minute.checked_sub(first);
            let place = place.and_then(|at| minutes.get_mut(usize::try_from(at).ok()?));
            if let Some(minute) = place {
                minute.add(field, count);
            }
        };
        for _ in 0..2 {
            let mut fields = replies.take()?.array()?;
            while let Some(name) = fields.next() {
                let count = fields.entry()?.text()?.parse();
                if let (Some(field), Ok(count)) = (Field::read(name.text()?), count) {
                    add(field, count);
                }
            }
        }
        // What this isolate has not sent yet is told from here: no write for a look.
        for (field, count) in &self.traffic.borrow().counts {
            add(*field, *count);
        }
        Ok(minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Call, command};
    use crate::host::Fake;
    use crate::wire::Reply;

    const SEEN: Seen = Seen {
        ms: 12,
        redis_ms: 3,
        trips: 1,
        served: Some(Served::Hit),
        allowed: Some(true),
    };

    fn get() -> Call<()> {
        command("GET", &["k".into()])
    }

    /// How many commands `op` and what it carries are.
    fn sent(traffic: &Rc<RefCell<Traffic>>, op: impl Op, host: &Fake) -> usize {
        let mut out = Commands::default();
        let traffic = Some(Rc::clone(traffic));
        let mut op = Carrying { op, traffic };
        op.encode(&Context::new(host), &mut out).unwrap();
        out.len()
    }

    #[test]
    fn it_travels_with_what_is_sent_anyway_and_every_ten_seconds_at_most() {
        let host = Fake::new();
        let traffic = Rc::new(RefCell::new(Traffic::default()));
        assert_eq!(sent(&traffic, get(), &host), 1);
        let now = Context::new(&host).now();
        traffic.borrow_mut().count(&SEEN, now);
        host.advance(9_999);
        assert_eq!(sent(&traffic, get(), &host), 1);
        host.advance(1);
        assert_eq!(sent(&traffic, Vec::<Call<()>>::new(), &host), 0);
        assert_eq!(sent(&traffic, get(), &host), 2);
        assert_eq!(sent(&traffic, get(), &host), 1);
    }

    #[test]
    fn minutes_are_read_back_as_they_were_counted_and_what_is_not_sent_yet_with_them() {
        let host = Fake::new();
        let cx = Context::new(&host);
        let traffic = Rc::new(RefCell::new(Traffic::default()));
        traffic.borrow_mut().count(&SEEN, cx.now());
        let minute = cx.now() / MINUTE_MS;
        let name = |minute: u64, what: &str| format!("{minute}:{what}");
        let mut raw = Vec::new();
        for (name, count) in [
            (name(minute, "n"), "4"),
            (name(minute, "t"), "5"),
            (name(minute, "l10"), "2"),
            (name(minute - 1, "r"), "7"),
            (name(minute - 60, "n"), "9"),
            (name(minute + 1, "n"), "9"),
            ("junk".to_owned(), "1"),
            (name(minute, "x"), "1"),
        ] {
            for text in [name.as_str(), count] {
                raw.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
            }
        }
        let raw = [b"*16\r\n", raw.as_slice()].concat();
        let (reply, _) = crate::wire::frame(&raw).unwrap();
        let (empty, _) = crate::wire::frame(b"*0\r\n").unwrap();
        let slots: [Result<Reply<'_>, EdgeError>; 2] = [Ok(empty), Ok(reply)];
        let op = ReadTraffic {
            traffic,
            minutes: 60,
        };
        let minutes = op.decode(&cx, &mut Replies::new(&slots, &[])).unwrap();
        assert_eq!(minutes.len(), 60);
        let (before, last) = (&minutes[58], &minutes[59]);
        assert_eq!((before.refused, before.requests), (7, 0));
        assert_eq!((last.requests, last.trips, last.hits), (5, 6, 1));
        assert_eq!(last.at, minute * MINUTE_MS);
        assert_eq!(last.answers.quantile_ms(99), Some(13));
        let all: u64 = minutes.iter().map(|minute| minute.requests).sum();
        assert_eq!(all, 5);
    }

    #[test]
    fn cache_status_is_read_as_this_cache_writes_it() {
        for (told, served) in [
            ("upstash-edge; hit; ttl=59", Some(Served::Hit)),
            ("upstash-edge; hit", Some(Served::Hit)),
            ("upstash-edge; hit; ttl=-2", Some(Served::Stale)),
            ("upstash-edge; fwd=uri-miss; stored", Some(Served::Miss)),
            ("other; hit, upstash-edge; fwd=stale", Some(Served::Miss)),
            ("other; hit", None),
            ("", None),
        ] {
            assert_eq!(Served::told(told), served, "{told}");
        }
    }
}
