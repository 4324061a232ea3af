//! Random interleavings of many actors, against a model that is as simple as the promise.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use upstash_edge::host::{Fake, Host};
use upstash_edge::{Redis, Session, Sessions, Status};

use super::{MINUTE, sessions};
use crate::server::Server;

/// `SESSION_MODEL_RUNS` wants more.
const RUNS: usize = 300;
const STEPS: usize = 24;
const LANES: usize = 8;
const IDLE: u64 = 30 * MINUTE;
const ABSOLUTE: u64 = 50 * MINUTE;
const GRACE: u64 = 10_000;

/// What a step does, to the request or the cookie that the numbers choose.
#[derive(Clone, Debug)]
enum Step {
    Load(usize),
    Set(usize, u8, bool),
    Delete(usize, u8),
    Clear(usize),
    Rotate(usize),
    Login(usize, u8),
    Destroy(usize),
    Save(usize),
    RevokeAll(u8),
    RevokeOthers(u8, usize),
    Wait(u64),
    /// To the last millisecond of a stored session's life, or the one after; or of its old id's.
    WaitForEnd(usize, bool),
    WaitForGrace(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0usize..64;
    let user = 0u8..2;
    let key = 0u8..3;
    let step = prop_oneof![
        8 => at.clone().prop_map(Step::Load),
        6 => (at.clone(), key.clone(), any::<bool>()).prop_map(|(at, key, over)| Step::Set(at, key, over && key == 0)),
        2 => (at.clone(), key).prop_map(|(at, key)| Step::Delete(at, key)),
        1 => at.clone().prop_map(Step::Clear),
        4 => at.clone().prop_map(Step::Rotate),
        4 => (at.clone(), user.clone()).prop_map(|(at, user)| Step::Login(at, user)),
        1 => at.clone().prop_map(Step::Destroy),
        10 => at.clone().prop_map(Step::Save),
        1 => user.clone().prop_map(Step::RevokeAll),
        1 => (user, at.clone()).prop_map(|(user, at)| Step::RevokeOthers(user, at)),
        2 => prop_oneof![Just(1), Just(59_999), Just(60_000), 1..IDLE].prop_map(Step::Wait),
        2 => (at.clone(), any::<bool>()).prop_map(|(at, over)| Step::WaitForEnd(at, over)),
        2 => (at, any::<bool>()).prop_map(|(at, over)| Step::WaitForGrace(at, over)),
    ];
    // Each run begins with three requests that have the same session in hand.
    let begin = [Step::Load(0), Step::Set(0, 0, false), Step::Save(0)];
    let three = [Step::Load(0), Step::Load(0), Step::Load(0)];
    let rest = proptest::collection::vec(step, STEPS);
    rest.prop_map(move |rest| [&begin[..], &three, &rest].concat())
}

/// A session as it should be in Redis.
struct Stored {
    data: BTreeMap<u8, (u64, u64)>,
    saves: u64,
    cleared: u64,
    user: Option<(u8, u64)>,
    /// Ids are numbers here; the old one opens it until then.
    id: usize,
    old: Option<(usize, u64)>,
    seen: u64,
    ends: u64,
    over: bool,
}

impl Stored {
    /// Whether this id opens it, and whether it is the old one.
    fn opens(&self, id: usize, now: u64) -> Option<bool> {
        let old = self
            .old
            .is_some_and(|(old, until)| old == id && now < until);
        let open = !self.over && (self.id == id || old) && now < self.reach();
        open.then_some(self.id != id)
    }

    fn reach(&self) -> u64 {
        self.ends.min(self.seen + IDLE)
    }
}

/// A request under way: the session it has in hand, and what the model knows of that.
struct Actor {
    session: Session,
    /// Which stored session, and by which id.
    of: Option<(usize, usize)>,
    late: bool,
    known: BTreeMap<u8, (u64, u64)>,
    saves: u64,
    changes: BTreeMap<u8, (Option<u64>, bool)>,
    clears: bool,
    rotates: bool,
    login: Option<u8>,
    destroyed: bool,
    generation: u64,
}

struct World {
    redis: Redis,
    clock: Fake,
    sessions: Sessions,
    run: usize,
    stored: Vec<Stored>,
    /// Every cookie that was ever set, the stored session and the id it stands for.
    cookies: Vec<(String, usize, usize)>,
    actors: Vec<Actor>,
    generations: BTreeMap<u8, u64>,
    ids: usize,
    drawn: u64,
    met: Rc<Met>,
}

/// How often a load came to what the runs are for: a model that never meets it proves nothing.
#[derive(Default)]
struct Met {
    loads: Cell<usize>,
    valid: Cell<usize>,
    last_ms: Cell<usize>,
    first_ms_after: Cell<usize>,
    idle: Cell<usize>,
    absolute: Cell<usize>,
    late: Cell<usize>,
    grace_over: Cell<usize>,
    revoked: Cell<usize>,
}

impl Met {
    fn load(&self, stored: &Stored, id: usize, now: u64, valid: bool) {
        let count = |cell: &Cell<usize>, is: bool| cell.set(cell.get() + usize::from(is));
        let current = stored.id == id && !stored.over;
        let old_until = stored.old.filter(|(old, _)| *old == id).map(|it| it.1);
        count(&self.loads, true);
        count(&self.valid, valid);
        count(&self.last_ms, valid && now == stored.reach() - 1);
        count(&self.first_ms_after, current && now == stored.reach());
        count(
            &self.idle,
            current && now >= stored.seen + IDLE && now < stored.ends,
        );
        count(
            &self.absolute,
            current && now >= stored.ends && now < stored.seen + IDLE,
        );
        count(&self.late, valid && old_until.is_some());
        count(
            &self.grace_over,
            !valid && old_until.is_some_and(|until| now == until),
        );
        count(&self.revoked, !valid && current && now < stored.reach());
    }

    fn all(&self) -> [(&'static str, usize); 9] {
        [
            ("loads", self.loads.get()),
            ("valid", self.valid.get()),
            ("in the last millisecond", self.last_ms.get()),
            ("in the first after it", self.first_ms_after.get()),
            ("idle", self.idle.get()),
            ("past the absolute end", self.absolute.get()),
            ("by the old id", self.late.get()),
            (
                "in the first millisecond after the grace",
                self.grace_over.get(),
            ),
            ("revoked", self.revoked.get()),
        ]
    }
}

fn key(key: u8) -> String {
    format!("key-{key}")
}

impl World {
    fn user(&self, user: u8) -> String {
        format!("user-{user} of run {}", self.run)
    }

    fn fresh(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    async fn step(&mut self, step: Step) {
        let count = self.actors.len();
        let actor = |at: usize| at % count.max(1);
        match step {
            Step::Wait(ms) => self.clock.advance(ms),
            Step::WaitForEnd(at, over) => self.wait_until(at, over, |it| Some(it.reach())),
            Step::WaitForGrace(at, over) => self.wait_until(at, over, |it| Some(it.old?.1)),
            Step::Load(at) => self.load(at).await,
            Step::RevokeAll(user) => self.revoke(user, None).await,
            Step::RevokeOthers(user, at) if count > 0 => self.revoke(user, Some(actor(at))).await,
            Step::Save(at) if count > 0 => self.save(actor(at)).await,
            Step::Set(at, name, overwrites) if count > 0 => {
                let value = self.fresh();
                let actor = &mut self.actors[actor(at)];
                if overwrites {
                    actor.session.overwrite(&key(name), &value).unwrap();
                } else {
                    actor.session.set(&key(name), &value).unwrap();
                }
                actor.changes.insert(name, (Some(value), overwrites));
            }
            Step::Delete(at, name) if count > 0 => {
                let actor = &mut self.actors[actor(at)];
                actor.session.delete(&key(name));
                if actor.known.contains_key(&name) && !actor.clears {
                    actor.changes.insert(name, (None, false));
                } else {
                    actor.changes.remove(&name);
                }
            }
            Step::Clear(at) if count > 0 => {
                let actor = &mut self.actors[actor(at)];
                actor.session.clear();
                actor.changes.clear();
                actor.clears = actor.of.is_some();
            }
            Step::Rotate(at) if count > 0 => {
                let actor = &mut self.actors[actor(at)];
                actor.session.rotate();
                actor.rotates = !actor.late;
            }
            Step::Login(at, user) if count > 0 => {
                let name = self.user(user);
                let actor = &mut self.actors[actor(at)];
                actor.session.login(name.as_str()).unwrap();
                actor.login = Some(user);
            }
            Step::Destroy(at) if count > 0 => {
                let actor = &mut self.actors[actor(at)];
                actor.session.destroy();
                actor.destroyed = true;
            }
            _ => {}
        }
    }

    /// To one of the ends that are to come: that instant, when all is over, or the last before it.
    fn wait_until(&self, at: usize, over: bool, end: impl Fn(&Stored) -> Option<u64>) {
        let now = self.clock.now();
        let ends = self.stored.iter().filter_map(end);
        let ends: Vec<u64> = ends.filter(|end| *end > now).collect();
        if let Some(end) = ends.get(at % ends.len().max(1)) {
            self.clock.set_now(end - u64::from(!over));
        }
    }

    async fn load(&mut self, at: usize) {
        let now = self.clock.now();
        // One more than there are: a visitor without a cookie.
        let chosen = self.cookies.get(at % (self.cookies.len() + 1)).cloned();
        let header = chosen.as_ref().map_or("", |(cookie, ..)| cookie);
        let session = self.redis.run(self.sessions.load(header)).await.unwrap();
        let mut actor = Actor {
            of: None,
            late: false,
            known: BTreeMap::new(),
            saves: 0,
            changes: BTreeMap::new(),
            clears: false,
            rotates: false,
            login: None,
            destroyed: false,
            generation: 0,
            session,
        };
        let Some((_, of, id)) = chosen else {
            assert_eq!(actor.session.status(), Status::New);
            return self.actors.push(actor);
        };
        let stored = &mut self.stored[of];
        let opens = stored.opens(id, now);
        // Revoked is refused from the very next load.
        let valid = opens.filter(|_| match stored.user {
            Some((user, generation)) => self.generations.get(&user) == Some(&generation),
            None => true,
        });
        self.met.load(stored, id, now, valid.is_some());
        if opens.is_some() && now - stored.seen >= MINUTE {
            stored.seen = now;
        }
        if let Some(late) = valid {
            let session = &actor.session;
            assert_eq!(session.status(), Status::Valid);
            let data: BTreeMap<_, _> = (0..3)
                .filter_map(|name| Some((name, session.get::<u64>(&key(name))?)))
                .collect();
            let expected = stored.data.iter().map(|(name, (value, _))| (*name, *value));
            assert_eq!(data, expected.collect());
            assert_eq!(session.expires_at(), stored.reach());
            actor.of = Some((of, id));
            actor.late = late;
            actor.known = stored.data.clone();
            actor.saves = stored.saves;
            actor.generation = stored.user.map_or(0, |(_, generation)| generation);
            let user = stored.user.map(|(user, _)| self.user(user));
            assert_eq!(actor.session.user_id(), user.as_deref());
        } else {
            assert_eq!(actor.session.status(), Status::Expired);
            assert!(actor.session.entries().count() == 0 && actor.session.user_id().is_none());
        }
        self.actors.push(actor);
    }

    async fn revoke(&mut self, user: u8, except: Option<usize>) {
        let name = self.user(user);
        let before = self.generations.get(&user).copied();
        let generation = self.fresh();
        match except {
            None => {
                self.sessions.revoke_all(&self.redis, &name).await.unwrap();
            }
            Some(at) => {
                let actor = &mut self.actors[at];
                let revoked = self
                    .sessions
                    .revoke_others(&self.redis, &name, &mut actor.session);
                revoked.await.unwrap();
                if let Some((of, _)) = actor.of
                    && let Some((owner, held)) = &mut self.stored[of].user
                    && *owner == user
                {
                    let expected = actor.generation;
                    // Spared only if nobody revoked it before.
                    if *held == expected {
                        let spared = before == Some(expected);
                        *held = if spared { generation } else { 0 };
                    }
                    actor.generation = *held;
                }
            }
        }
        if before.is_some() {
            self.generations.insert(user, generation);
        }
    }

    /// Whether the save should hold, and what it then leaves.
    async fn save(&mut self, at: usize) {
        let now = self.clock.now();
        let saved = {
            let actor = &mut self.actors[at];
            let commit = self.sessions.commit(&self.redis, &mut actor.session);
            commit.await
        };
        let mut actor = self.actors.swap_remove(at);
        if actor.destroyed {
            let removal = saved.unwrap();
            assert!(removal[0].ends_with("Max-Age=0"));
            if let Some((of, id)) = actor.of {
                let stored = &mut self.stored[of];
                let holds = stored.id == id
                    || stored
                        .old
                        .is_some_and(|(old, until)| old == id && now < until);
                stored.over |= holds;
            }
            return;
        }
        // The first trip of a login makes the user's record, whatever becomes of the second.
        if let Some(user) = actor.login {
            let generation = self.fresh();
            self.generations.entry(user).or_insert(generation);
        }
        let writes = !actor.changes.is_empty() || actor.clears || actor.login.is_some();
        if !(writes || actor.rotates && actor.of.is_some()) {
            assert!(saved.unwrap().is_empty());
            return self.actors.push(actor);
        }
        let Some((of, id)) = actor.of else {
            return self.begun(actor, saved.unwrap());
        };
        let old = self.stored[of].opens(id, now);
        let refused = match old {
            None => true,
            Some(old) => (old && actor.login.is_some()) || clashes(&self.stored[of], &actor),
        };
        if refused {
            let error = saved.unwrap_err();
            assert_eq!(error.code(), "conflict");
            // Whoever is told so begins again.
            return;
        }
        let told = saved.unwrap();
        let stored = &mut self.stored[of];
        stored.saves += 1;
        // Where others saved in between, their keys are not known to it, and a later clear must not pass over them.
        if actor.clears || stored.saves == actor.saves + 1 {
            actor.saves = stored.saves;
        }
        if std::mem::take(&mut actor.clears) {
            actor.known.clear();
            stored.data.clear();
            stored.cleared = stored.saves;
        }
        for (name, (value, _)) in std::mem::take(&mut actor.changes) {
            match value {
                Some(value) => {
                    stored.data.insert(name, (value, stored.saves));
                    actor.known.insert(name, (value, stored.saves));
                }
                None => {
                    stored.data.remove(&name);
                    actor.known.remove(&name);
                }
            }
        }
        stored.seen = now;
        let rotates = std::mem::take(&mut actor.rotates) && old == Some(false);
        let replaced = actor.login.is_some() || rotates;
        assert_eq!(
            told.len(),
            usize::from(replaced),
            "the old id never gets the new cookie"
        );
        if replaced {
            let next = self.ids;
            self.ids += 1;
            stored.old = match actor.login {
                Some(_) => None,
                None => Some((id, now + GRACE)),
            };
            actor.of = Some((of, next));
            if let Some(user) = actor.login.take() {
                actor.generation = self.generations[&user];
                stored.user = Some((user, self.generations[&user]));
                stored.ends = now + ABSOLUTE;
            }
            stored.id = next;
            let cookie = told[0].split(';').next().unwrap().to_owned();
            self.cookies.push((cookie, of, next));
        }
        assert_eq!(actor.session.expires_at(), stored.reach());
        self.actors.push(actor);
    }

    fn begun(&mut self, actor: Actor, told: Vec<String>) {
        let now = self.clock.now();
        let set = actor.changes.iter();
        let data = set.filter_map(|(name, (value, _))| Some((*name, ((*value)?, 1))));
        let (of, id) = (self.stored.len(), self.ids);
        self.ids += 1;
        self.stored.push(Stored {
            data: data.collect(),
            saves: 1,
            cleared: 0,
            user: actor.login.map(|user| (user, self.generations[&user])),
            id,
            old: None,
            seen: now,
            ends: now + ABSOLUTE,
            over: false,
        });
        let cookie = told[0].split(';').next().unwrap().to_owned();
        self.cookies.push((cookie, of, id));
    }
}

/// Whether somebody else changed what this one would change.
fn clashes(stored: &Stored, actor: &Actor) -> bool {
    let version =
        |data: &BTreeMap<u8, (u64, u64)>, name| data.get(name).map(|(_, version)| *version);
    let changed = actor.changes.iter().any(|(name, (value, overwrites))| {
        let (held, known) = (version(&stored.data, name), version(&actor.known, name));
        let deleted_already = value.is_none() && held.is_none();
        let cleared = value.is_some() && actor.saves < stored.cleared;
        !overwrites && !deleted_already && (held != known || cleared)
    });
    let unseen = |(name, (_, version)): (&u8, &(u64, u64))| {
        !actor.changes.contains_key(name) && *version > actor.saves
    };
    changed || (actor.clears && stored.data.iter().any(unseen))
}

#[tokio::test]
async fn whatever_many_actors_do_the_sessions_are_what_the_model_says() {
    let server = Server::start().await;
    let config = ProptestConfig::default();
    let mut runner = TestRunner::new(config);
    let strategy = steps();
    let wanted = std::env::var("SESSION_MODEL_RUNS").ok();
    let runs = wanted.map_or(RUNS, |runs| runs.parse().unwrap());
    let plans: Vec<Vec<Step>> = (0..runs)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let met = Rc::new(Met::default());
    let lanes = (0..LANES).map(|lane| {
        let (plans, server, met) = (&plans, &server, &met);
        async move {
            for run in (lane..runs).step_by(LANES) {
                let (redis, clock) = server.faked();
                let sessions = sessions().lifetime_ms(IDLE, ABSOLUTE).unwrap();
                let mut world = World {
                    redis,
                    clock,
                    sessions: sessions.grace_ms(GRACE),
                    run,
                    stored: Vec::new(),
                    cookies: Vec::new(),
                    actors: Vec::new(),
                    generations: BTreeMap::new(),
                    ids: 0,
                    drawn: 0,
                    met: Rc::clone(met),
                };
                let mut told = Told {
                    run,
                    plan: &plans[run],
                    at: 0,
                };
                for step in &plans[run] {
                    world.step(step.clone()).await;
                    told.at += 1;
                }
                // Each id ever set is what it should be in the end, at a moment that matters.
                match run % 4 {
                    0 => world.wait_until(run, true, |it| Some(it.old?.1)),
                    1 => world.wait_until(run, false, |it| Some(it.old?.1)),
                    2 => world.wait_until(run, false, |it| Some(it.reach())),
                    _ => {}
                }
                for at in 0..world.cookies.len() {
                    world.load(at).await;
                }
                told.at = usize::MAX;
            }
        }
    });
    join_all(lanes).await;
    eprintln!("{runs} runs: {:?}", met.all());
    for (what, times) in met.all() {
        assert!(times > 0, "no load was {what}");
    }
}

/// Says what was done up to a failed assertion.
struct Told<'p> {
    run: usize,
    plan: &'p [Step],
    at: usize,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if let Some(done) = self.plan.get(..=self.at) {
            eprintln!("run {}: {done:?}", self.run);
        }
    }
}
