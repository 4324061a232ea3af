//! What `docs/sessions.md` says that each call costs.

use serde_json::Value;
use upstash_edge::host::Fake;
use upstash_edge::{Redis, Session};

use super::{MINUTE, begin, enter, load, save, sessions};
use crate::server::Server;

/// Round trips, commands, and commands inside the scripts.
type Cost = (usize, usize, usize);

struct Meter {
    server: Server,
    redis: Redis,
    fake: Fake,
    sent: usize,
}

impl Meter {
    fn start(&mut self) {
        self.server.raw("CONFIG RESETSTAT");
        self.sent = self.fake.sent().len();
    }

    fn read(&self) -> Cost {
        let sent = self.fake.sent().split_off(self.sent);
        let commands = sent.iter().map(|body| match serde_json::from_slice(body) {
            Ok(Value::Array(words)) if words.iter().all(Value::is_array) => words.len(),
            _ => 1,
        });
        let stats = self.server.raw("INFO commandstats");
        let inner = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            // What is sent, and what this meter asks itself.
            let outer = ["eval", "evalsha", "info", "config|resetstat", "script|load"];
            let calls = rest.split(',').next()?.parse::<usize>().ok()?;
            (!outer.contains(&name)).then_some(calls)
        });
        (sent.len(), commands.sum(), inner.sum())
    }

    async fn load(&mut self, header: &str) -> (Session, Cost) {
        self.start();
        let session = load(&self.redis, header).await;
        (session, self.read())
    }

    async fn save(&mut self, session: &mut Session) -> Cost {
        self.start();
        save(&self.redis, session).await;
        self.read()
    }
}

#[tokio::test]
async fn every_call_costs_what_the_docs_say() {
    // INFO is asked of one node.
    let server = Server::alone().await;
    let (redis, fake) = server.faked();
    let mut meter = Meter {
        server,
        redis,
        fake,
        sent: 0,
    };
    // The first time teaches the client which form of the scripts this server takes.
    for user in ["first", "ada"] {
        let told = all(&mut meter, user).await;
        let expected = [
            ("load, no cookie", (0, 0, 0)),
            ("load, anonymous", (1, 1, 1)),
            ("load, anonymous, a visit noted", (1, 1, 3)),
            ("load, of a user", (1, 2, 2)),
            ("load, of a user, a visit noted", (1, 2, 4)),
            ("save, nothing changed", (0, 0, 0)),
            ("save, a new session", (1, 1, 3)),
            ("save, a change", (1, 1, 3)),
            ("save, a key deleted", (1, 1, 4)),
            ("rotate", (1, 1, 3)),
            ("login, of a new session", (2, 2, 9)),
            ("login, first", (2, 2, 10)),
            ("login, first, in the first minute", (2, 2, 12)),
            ("login, of who is logged in", (2, 3, 12)),
            ("list, none", (1, 1, 2)),
            ("list, two", (2, 3, 4)),
            ("revoke", (1, 2, 4)),
            ("revokeAll, sparing one", (1, 2, 10)),
            ("revokeAll", (1, 1, 4)),
            ("destroy, anonymous", (1, 1, 2)),
            ("destroy, of a user", (1, 2, 4)),
            ("destroy, in the first minute", (1, 1, 4)),
        ];
        if user == "ada" {
            assert_eq!(told, expected);
        }
    }
}

async fn all(meter: &mut Meter, user: &str) -> Vec<(&'static str, Cost)> {
    let redis = meter.redis.clone();
    let mut told = Vec::new();
    told.push(("load, no cookie", meter.load("a=b").await.1));
    let anonymous = begin(&redis, "k", 1).await;
    let owned = enter(&redis, user).await;
    let anonymous_load = meter.load(&anonymous).await.1;
    let owned_load = meter.load(&owned).await.1;
    meter.fake.advance(MINUTE);
    told.push(("load, anonymous", anonymous_load));
    told.push((
        "load, anonymous, a visit noted",
        meter.load(&anonymous).await.1,
    ));
    told.push(("load, of a user", owned_load));
    told.push(("load, of a user, a visit noted", meter.load(&owned).await.1));

    let (mut session, _) = meter.load(&anonymous).await;
    told.push(("save, nothing changed", meter.save(&mut session).await));
    let (mut new, _) = meter.load("").await;
    new.set("k", &1).unwrap();
    told.push(("save, a new session", meter.save(&mut new).await));
    session.set("l", &2).unwrap();
    told.push(("save, a change", meter.save(&mut session).await));
    session.delete("l");
    told.push(("save, a key deleted", meter.save(&mut session).await));
    session.rotate();
    told.push(("rotate", meter.save(&mut session).await));

    let (mut new, _) = meter.load("").await;
    new.login(user).unwrap();
    told.push(("login, of a new session", meter.save(&mut new).await));
    let (mut session, _) = meter.load(&begin(&redis, "k", 1).await).await;
    meter.fake.advance(MINUTE);
    session.login(user).unwrap();
    told.push(("login, first", meter.save(&mut session).await));
    let (mut young, _) = meter.load(&begin(&redis, "k", 1).await).await;
    young.login(user).unwrap();
    told.push((
        "login, first, in the first minute",
        meter.save(&mut young).await,
    ));
    meter.fake.advance(MINUTE);
    session.login(user).unwrap();
    told.push(("login, of who is logged in", meter.save(&mut session).await));
    sessions().revoke_all(&redis, user).await.unwrap();

    let listing = String::from("lists ") + user;
    meter.start();
    sessions().list(&redis, &listing).await.unwrap();
    told.push(("list, none", meter.read()));
    let (one, two) = (enter(&redis, &listing).await, enter(&redis, &listing).await);
    meter.start();
    let listed = sessions().list(&redis, &listing).await.unwrap();
    told.push(("list, two", meter.read()));
    let three = enter(&redis, &listing).await;
    meter.fake.advance(MINUTE);
    meter.start();
    let revoke = sessions().revoke(&listing, &listed[0].handle);
    assert!(redis.run(revoke).await.unwrap());
    told.push(("revoke", meter.read()));
    let (mut except, _) = meter.load(&three).await;
    meter.start();
    let others = sessions();
    let revoked = others.revoke_others(&redis, &listing, &mut except).await;
    assert_eq!(revoked.unwrap(), 1);
    told.push(("revokeAll, sparing one", meter.read()));
    meter.start();
    assert_eq!(sessions().revoke_all(&redis, &listing).await.unwrap(), 1);
    told.push(("revokeAll", meter.read()));
    for ended in [one, two, three] {
        assert!(meter.load(&ended).await.0.is_new());
    }

    let (anonymous, owned) = (begin(&redis, "k", 1).await, enter(&redis, user).await);
    meter.fake.advance(MINUTE);
    let (mut session, _) = meter.load(&anonymous).await;
    session.destroy();
    told.push(("destroy, anonymous", meter.save(&mut session).await));
    let (mut session, _) = meter.load(&owned).await;
    session.destroy();
    told.push(("destroy, of a user", meter.save(&mut session).await));
    let (mut session, _) = meter.load(&begin(&redis, "k", 1).await).await;
    session.destroy();
    told.push((
        "destroy, in the first minute",
        meter.save(&mut session).await,
    ));
    told
}
