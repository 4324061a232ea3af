//! Every order in which the scripts of several actors can reach Redis. Each script is atomic, so that is all that can
//! happen to them: the orders are tried one by one, on a real Redis.
//!
//! The origin holds a version. Who writes or invalidates changes it first; from when that is acknowledged, no older
//! version may be served as fresh. And what nothing came in the way of must be stored.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use upstash_edge::host::LocalFuture;
use upstash_edge::{Cache, EdgeError, Redis};

use super::steps::{Choices, Gate, NEVER_MS, Waits, Wire, advance, at_once};
use crate::server::Server;

const SET_VERSION: u64 = 50;
const PRUNE: &str = include_str!("../../../src/lua/cache_tags.lua");

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actor {
    /// Get-or-fetch, its clock off by so many milliseconds.
    Fetch(i64),
    /// Its origin fails.
    Fails,
    /// Fetches in any case.
    Refresh,
    /// No lease keeps it waiting, and its own keeps nobody waiting.
    Lockless,
    /// It is told that its look-up failed, which is done later all the same; what follows is in the background.
    Loses,
    Set(i64),
    Delete,
    Invalidate,
    Expire,
    /// The lease has held for its time.
    LeaseEnds,
    EvictLease,
    EvictEntry,
    EvictTags,
    /// Other tags take the place of the oldest.
    Prune,
}

impl Actor {
    fn fetches(self) -> bool {
        use Actor::{Fails, Fetch, Lockless, Loses, Refresh};
        matches!(self, Fetch(_) | Fails | Refresh | Lockless | Loses)
    }

    fn writes(self) -> bool {
        use Actor::{Delete, Expire, Invalidate, Set};
        matches!(self, Set(_) | Delete | Invalidate | Expire)
    }

    fn skew_ms(self) -> i64 {
        match self {
            Actor::Fetch(skew_ms) | Actor::Set(skew_ms) => skew_ms,
            _ => 0,
        }
    }
}

/// What an actor may do next.
#[derive(Clone, Copy, Debug)]
enum Action {
    Turn(usize),
    Lose(usize),
    Late(usize),
}

/// The parts that live as long as the test.
struct Stage {
    wire: Rc<RefCell<Wire>>,
    gates: Vec<(Gate, Redis)>,
    probe: Redis,
    rounds: Cell<u64>,
}

impl Stage {
    fn on(server: &Server) -> Self {
        let wire = Rc::new(RefCell::new(Wire::to(server.port())));
        let ready = |seed| {
            let gate = Gate::new(&wire, seed);
            let redis = gate.client();
            at_once(learn(&redis)).expect("the scripts are learnt");
            (gate, redis)
        };
        let gates = (1..=6).map(ready).collect();
        let (_, probe) = ready(7);
        let rounds = Cell::new(0);
        Self {
            wire,
            gates,
            probe,
            rounds,
        }
    }

    fn redis(&self, words: &[&str]) {
        let reply = self.wire.borrow_mut().ask(words);
        assert_ne!(reply.first(), Some(&b'-'), "{words:?}");
    }

    /// Plays all orders; how many there are.
    fn play(&self, actors: &[Actor]) -> u64 {
        let (mut choices, before) = (Choices::default(), self.rounds.get());
        loop {
            self.rounds.set(self.rounds.get() + 1);
            Round::new(self, actors).play(&mut choices);
            if !choices.next() {
                return self.rounds.get() - before;
            }
        }
    }
}

/// A script is known to a client when it was answered.
async fn learn(redis: &Redis) -> Result<(), EdgeError> {
    let cache = patient("learn").tags(&["t"])?;
    redis.run(cache.set("k", &0)?).await?;
    redis.run(cache.get::<u64>("k")).await?;
    redis.run(cache.delete("k")).await?;
    redis.run(cache.invalidate_tags(&["t"])?).await?;
    let failed = cache.get_or_fetch(redis, "k", || async { Err::<u64, _>("down") });
    assert_eq!(failed.await, Err("down"));
    let fetched = cache.get_or_fetch(redis, "k", || async { Ok::<_, &str>(0) });
    assert_eq!(fetched.await, Ok(0));
    Ok(())
}

fn patient(name: &str) -> Cache {
    let cache = Cache::new().name(name).metrics(false);
    let cache = cache.timeout_ms(2 * NEVER_MS).expect("a timeout");
    cache.lock_ms(60_000).expect("a lease")
}

struct Round<'s> {
    stage: &'s Stage,
    name: String,
    origin: Rc<Cell<u64>>,
    /// The oldest version that may be served as fresh.
    least: u64,
    players: Vec<Player<'s>>,
    trace: Vec<Action>,
}

struct Player<'s> {
    actor: Actor,
    gate: &'s Gate,
    /// None of what needs no client, and of what is over.
    future: Option<LocalFuture<'s, Option<u64>>>,
    /// Of those that have no future.
    acted: bool,
    lost: Option<Vec<u8>>,
    loses: bool,
    /// How often it was woken before everything else had happened.
    woken: u32,
    /// What the origin held when a refresh was asked for.
    reason: Option<u64>,
    /// The least version when it asked.
    asked_at: Option<u64>,
    /// Whether something has come in the way of its store.
    hindered: bool,
    fetched: Rc<Cell<Option<u64>>>,
}

impl<'s> Round<'s> {
    fn new(stage: &'s Stage, actors: &[Actor]) -> Self {
        let name = stage.rounds.get().to_string();
        let origin = Rc::new(Cell::new(0));
        let players = actors
            .iter()
            .zip(&stage.gates)
            .map(|(actor, (gate, redis))| {
                gate.close(actor.skew_ms());
                let fetched = Rc::new(Cell::new(None));
                let cache = patient(&name).tags(&["t"]).expect("a tag");
                let mut player = Player {
                    actor: *actor,
                    gate,
                    future: future(*actor, cache, gate, redis, &origin, &fetched),
                    acted: false,
                    lost: None,
                    loses: *actor == Actor::Loses,
                    woken: 0,
                    reason: None,
                    asked_at: None,
                    hindered: false,
                    fetched,
                };
                player.advance();
                player
            });
        let players = players.collect();
        Self {
            stage,
            name,
            origin,
            least: 0,
            players,
            trace: Vec::new(),
        }
    }

    fn play(mut self, choices: &mut Choices) {
        loop {
            let actions = self.actions();
            if actions.is_empty() {
                break;
            }
            let chosen = choices.choose(actions.len());
            self.act(actions[chosen]);
        }
        for player in &self.players {
            assert!(player.future.is_none(), "{:?} never ends", self.told());
        }
    }

    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut sleeping = Vec::new();
        for (at, player) in self.players.iter().enumerate() {
            if player.lost.is_some() {
                actions.push(Action::Late(at));
            }
            if player.future.is_none() {
                if !player.acted && !player.actor.fetches() && !player.actor.writes() {
                    actions.push(Action::Turn(at));
                }
                continue;
            }
            match player.gate.waits() {
                Some(Waits::Request) if player.loses => actions.push(Action::Lose(at)),
                Some(Waits::Sleep) if player.woken > 0 => sleeping.push(Action::Turn(at)),
                Some(_) => actions.push(Action::Turn(at)),
                None => {}
            }
        }
        // Who was woken once waits for the others, or there would be no end of orders.
        if actions.is_empty() {
            sleeping
        } else {
            actions
        }
    }

    fn told(&self) -> (Vec<Actor>, &[Action]) {
        let actors = self.players.iter().map(|player| player.actor);
        (actors.collect(), &self.trace)
    }

    fn act(&mut self, action: Action) {
        self.trace.push(action);
        let (Action::Turn(at) | Action::Lose(at) | Action::Late(at)) = action;
        let player = &mut self.players[at];
        let asks_redis = match action {
            Action::Turn(_) => {
                let asks_redis = matches!(player.gate.waits(), Some(Waits::Request) | None);
                self.turn(at);
                asks_redis
            }
            Action::Lose(_) => {
                player.loses = false;
                player.lost = Some(player.gate.lose());
                false
            }
            Action::Late(_) => {
                let body = player.lost.take().expect("what was lost");
                player.gate.late(&body);
                true
            }
        };
        let player = &mut self.players[at];
        player.advance();
        if player.future.is_none() {
            self.least = self.least.max(player.reason.unwrap_or(0));
        }
        if asks_redis {
            let held = self.held();
            let right = held.is_none_or(|held| held >= self.least);
            assert!(right, "{held:?} is served: {:?}", self.told());
        }
    }

    /// What is served as fresh.
    fn held(&self) -> Option<u64> {
        let held = patient(&self.name).get::<u64>("k");
        at_once(self.stage.probe.run(held)).expect("the probe is answered")
    }

    fn turn(&mut self, at: usize) {
        let actor = self.players[at].actor;
        let waits = self.players[at].gate.waits();
        let mut hinders = false;
        if actor.fetches() {
            let player = &mut self.players[at];
            player.asked_at.get_or_insert(self.least);
            let stores = waits == Some(Waits::Request) && player.fetched.get().is_some();
            if waits == Some(Waits::Request) && !stores {
                // A look-up: what it sees is what counts.
                player.hindered = false;
                if actor == Actor::Refresh && player.reason.is_none() {
                    // There is a reason to refresh: what others fetched before it must not outlive this.
                    self.origin.set(self.origin.get() + 1);
                    player.reason = Some(self.origin.get());
                    hinders = true;
                }
            }
            if waits == Some(Waits::Sleep) {
                player.woken += 1;
            }
            player.gate.turn();
            if stores {
                hinders = true;
                self.stored(at);
            }
        } else if actor.writes() {
            let version = match actor {
                Actor::Set(_) => SET_VERSION,
                _ => self.origin.get() + 1,
            };
            self.origin.set(self.origin.get().max(version));
            self.players[at].gate.turn();
            self.least = self.origin.get();
            hinders = true;
        } else {
            self.players[at].acted = true;
            self.befall(actor);
            hinders = actor != Actor::LeaseEnds;
        }
        if hinders {
            for (other, player) in self.players.iter_mut().enumerate() {
                player.hindered |= other != at;
            }
        }
    }

    /// What nothing came in the way of stands there.
    fn stored(&self, at: usize) {
        let player = &self.players[at];
        if player.hindered || !matches!(player.actor, Actor::Fetch(_) | Actor::Lockless) {
            return;
        }
        let fetched = player.fetched.get();
        assert_eq!(self.held(), fetched, "not stored: {:?}", self.told());
    }

    fn befall(&self, actor: Actor) {
        let slot = format!("{{{}:0}}:", self.name);
        let key = |end: &str| slot.clone() + end;
        let lease_and_more = "300000";
        match actor {
            Actor::LeaseEnds => {
                self.stage.redis(&["PEXPIRE", &key("l:k"), lease_and_more]);
            }
            Actor::EvictLease => self.stage.redis(&["DEL", &key("l:k")]),
            Actor::EvictEntry => self.stage.redis(&["DEL", &key("e:k")]),
            Actor::EvictTags => self.stage.redis(&["DEL", &key("t")]),
            _ => {
                let prune = ["EVAL", PRUNE, "1", &key("t"), "g", "epoch", "1", "x", "y"];
                self.stage.redis(&prune);
            }
        }
    }
}

impl Player<'_> {
    fn advance(&mut self) {
        let Some(future) = &mut self.future else {
            return;
        };
        let Some(answer) = advance(future) else {
            return;
        };
        self.future = None;
        let (Some(answer), Some(least)) = (answer, self.asked_at) else {
            return;
        };
        assert!(answer >= least, "{answer} is answered, asked at {least}");
    }
}

/// What an actor does, up to its end; it gives what it was answered.
fn future<'s>(
    actor: Actor,
    cache: Cache,
    gate: &Gate,
    redis: &'s Redis,
    origin: &Rc<Cell<u64>>,
    fetched: &Rc<Cell<Option<u64>>>,
) -> Option<LocalFuture<'s, Option<u64>>> {
    let (gate, origin, fetched) = (gate.clone(), origin.clone(), fetched.clone());
    let fetcher = move || {
        let (origin, fetched, turn) = (origin.clone(), fetched.clone(), gate.origin());
        async move {
            turn.await;
            if actor == Actor::Fails {
                return Err("down");
            }
            fetched.set(Some(origin.get()));
            Ok(origin.get())
        }
    };
    Some(match actor {
        Actor::Fetch(_) | Actor::Fails => {
            Box::pin(async move { cache.get_or_fetch(redis, "k", fetcher).await.ok() })
        }
        Actor::Lockless => Box::pin(async move {
            let cache = cache.lock_ms(0).expect("no lease");
            cache.get_or_fetch(redis, "k", fetcher).await.ok()
        }),
        Actor::Refresh => Box::pin(async move { cache.refresh(redis, "k", fetcher).await.ok() }),
        Actor::Loses => Box::pin(async move {
            let rest = RefCell::new(None);
            let keep = |future| *rest.borrow_mut() = Some(future);
            let answer = cache.get_or_fetch_in(redis, "k", fetcher, keep).await.ok();
            if let Some(rest) = rest.take() {
                rest.await;
            }
            answer
        }),
        Actor::Set(_) => Box::pin(async move {
            let set = cache.set("k", &SET_VERSION).expect("a number");
            redis.run(set).await.expect("it is set");
            None
        }),
        Actor::Delete => Box::pin(async move {
            redis.run(cache.delete("k")).await.expect("it is deleted");
            None
        }),
        Actor::Invalidate | Actor::Expire => Box::pin(async move {
            let tags = ["t"];
            let op = match actor {
                Actor::Expire => cache.expire_tags(&tags),
                _ => cache.invalidate_tags(&tags),
            };
            redis.run(op.expect("a tag")).await.expect("it is done");
            None
        }),
        _ => return None,
    })
}

#[tokio::test]
async fn no_order_of_scripts_serves_what_was_written_over_or_invalidated() {
    use Actor::*;
    let server = Server::alone().await;
    let stage = Stage::on(&server);
    let mut orders = 0;
    for actors in [
        &[Fetch(0), Fetch(0), Delete, LeaseEnds][..],
        &[Fetch(0), Fails, Delete, LeaseEnds],
        &[Fetch(0), Delete, EvictLease, EvictEntry],
        &[Fetch(5_000), Set(-5_000), LeaseEnds, EvictEntry],
        &[Fetch(0), Fetch(5_000), Set(-5_000), LeaseEnds],
        &[Fetch(0), Fetch(0), Invalidate, LeaseEnds],
        &[Fetch(0), Fetch(0), Invalidate, EvictTags],
        &[Fetch(0), Invalidate, EvictTags, EvictLease, EvictEntry],
        &[Fetch(0), Invalidate, Prune, Prune, LeaseEnds],
        &[Fetch(0), Set(0), Invalidate, Prune, EvictTags],
        &[Fetch(0), Expire, Expire, Set(0), EvictTags],
        &[Fetch(0), Refresh, Delete, LeaseEnds],
        &[Fetch(0), Refresh, Invalidate],
        &[Lockless, Lockless, Delete],
        &[Lockless, Fetch(0), Set(-5_000)],
        &[Loses, Delete, Fetch(0)],
        &[Loses, Set(0), LeaseEnds],
        &[Loses, Invalidate, LeaseEnds],
    ] {
        let played = stage.play(actors);
        println!("{played} orders of {actors:?}");
        orders += played;
    }
    println!("{orders} orders");
}
