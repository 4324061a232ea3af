//! What the network delivers late: a revocation that comes between the two trips of a login, or between the second and its
//! repetition; and the save that began a session, a second time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use upstash_edge::host::{Fake, Fault, Host, LocalFuture, Native, Opened, Request, Response};
use upstash_edge::{EdgeError, Redis, Status};

use super::{begin, cookie, enter, load, save, sessions, status, unsaved};
use crate::server::{Server, TOKEN};

/// What befalls a request.
enum Fate {
    Passes,
    LosesItsAnswer,
    /// A copy of it stays.
    IsKept(Kept),
    /// This is done before it is sent.
    Waits(LocalFuture<'static, ()>),
}

type Kept = Rc<RefCell<Option<Request>>>;

/// A host that holds requests back.
#[derive(Clone)]
struct Gate {
    host: Fake,
    fates: Rc<RefCell<VecDeque<Fate>>>,
}

impl Host for Gate {
    fn now(&self) -> u64 {
        self.host.now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), EdgeError> {
        Native::default().random(bytes)
    }

    fn sleep(&self, ms: u64) -> LocalFuture<'static, ()> {
        self.host.sleep(ms)
    }

    fn fetch(&self, request: Request) -> LocalFuture<'static, Result<Response, EdgeError>> {
        let fate = self.fates.borrow_mut().pop_front();
        let host = self.host.clone();
        Box::pin(async move {
            match fate {
                Some(Fate::LosesItsAnswer) => host.push(Fault::LostAnswer),
                Some(Fate::IsKept(kept)) => *kept.borrow_mut() = Some(request.clone()),
                Some(Fate::Waits(act)) => act.await,
                Some(Fate::Passes) | None => {}
            }
            host.fetch(request).await
        })
    }

    fn open(&self, request: Request) -> LocalFuture<'static, Result<Opened, EdgeError>> {
        self.host.open(request)
    }
}

impl Gate {
    fn new() -> Self {
        Self {
            host: Fake::before(Native::default()),
            fates: Rc::default(),
        }
    }

    fn client(&self, server: &Server) -> Redis {
        let client = Redis::builder(&server.url, TOKEN).build_with(self.clone());
        client.unwrap()
    }

    /// The next request goes its way, and is held here once more.
    fn keep(&self) -> Kept {
        let kept = Kept::default();
        let fate = Fate::IsKept(Rc::clone(&kept));
        self.fates.borrow_mut().push_back(fate);
        kept
    }

    async fn deliver(&self, kept: &Kept) {
        let request = kept.borrow_mut().take().unwrap();
        assert_eq!(self.host.fetch(request).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_save_that_began_a_session_and_arrives_again_changes_nothing() {
    let server = Server::start().await;
    let gate = Gate::new();
    let redis = gate.client(&server);
    // The first use teaches the client which form of the scripts this server takes.
    begin(&redis, "k", 0).await;
    for what in ["nothing", "saved", "rotated", "destroyed", "moved"] {
        let kept = gate.keep();
        let first = begin(&redis, "k", 1).await;
        let mut session = load(&redis, &first).await;
        let mut current = first.clone();
        match what {
            "saved" => session.set("k", &2).unwrap(),
            "rotated" => session.rotate(),
            "destroyed" => session.destroy(),
            "moved" => session.login("ada").unwrap(),
            _ => {}
        }
        let told = sessions().commit(&redis, &mut session).await.unwrap();
        if what == "rotated" || what == "moved" {
            current = cookie(&told);
        }
        gate.deliver(&kept).await;
        let found = load(&redis, &current).await;
        let value = found.get::<i32>("k");
        let expected = match what {
            "saved" => Some(2),
            "destroyed" => None,
            _ => Some(1),
        };
        assert_eq!(value, expected, "{what}");
        let by_first = match what {
            "destroyed" | "moved" => Status::Expired,
            _ => Status::Valid,
        };
        assert_eq!(status(&redis, &first).await, by_first, "{what}");
        // It lives on as one that nothing happened to.
        if value.is_some() {
            let mut found = found;
            found.set("k", &3).unwrap();
            save(&redis, &mut found).await;
            assert_eq!(load(&redis, &current).await.get("k"), Some(3), "{what}");
        }
    }
    let kept = gate.keep();
    let user = enter(&redis, "grace").await;
    // What was kept is the first of its two trips: that begins nothing.
    gate.deliver(&kept).await;
    let listed = sessions().list(&redis, "grace").await.unwrap();
    assert!(
        redis
            .run(sessions().revoke("grace", &listed[0].handle))
            .await
            .unwrap()
    );
    assert_eq!(status(&redis, &user).await, Status::Expired);
}

#[tokio::test]
async fn who_failed_to_begin_a_session_begins_it_as_it_is_now() {
    let server = Server::start().await;
    let gate = Gate::new();
    let redis = Redis::builder(&server.url, TOKEN).retry(None);
    let redis = redis.build_with(gate.clone()).unwrap();
    begin(&redis, "k", 0).await;
    let mut session = load(&redis, "").await;
    session.set("k", &1).unwrap();
    session.set("gone", &1).unwrap();
    // Done, but its caller is told that it failed.
    let kept = gate.keep();
    gate.host.push(Fault::LostAnswer);
    assert_eq!(unsaved(&redis, &mut session).await, "network");
    session.set("k", &2).unwrap();
    session.delete("gone");
    let cookie = cookie(&save(&redis, &mut session).await);
    gate.deliver(&kept).await;
    let found = load(&redis, &cookie).await;
    assert_eq!((found.get("k"), found.get::<i32>("gone")), (Some(2), None));
    session.set("k", &3).unwrap();
    save(&redis, &mut session).await;
    assert_eq!(load(&redis, &cookie).await.get("k"), Some(3));
}

#[tokio::test]
async fn no_login_survives_a_revocation_between_its_two_trips() {
    let server = Server::start().await;
    let gate = Gate::new();
    let gated = gate.client(&server);
    // Its clock is the gate's.
    let (redis, _) = server.faked();
    // The first use teaches the client which form of the scripts this server takes.
    enter(&gated, "somebody else").await;
    for who in ["new", "anonymous", "ada", "grace"] {
        for (repeated, sparing) in [(false, false), (false, true), (true, false), (true, true)] {
            let spared = enter(&redis, "ada").await;
            let before = match who {
                "new" => String::new(),
                "anonymous" => begin(&redis, "k", 1).await,
                user => enter(&redis, user).await,
            };
            let mut session = load(&redis, &before).await;
            let (revoking, kept) = (redis.clone(), spared.clone());
            let revocation = async move {
                let sessions = sessions();
                let revoked = if sparing {
                    let mut except = load(&revoking, &kept).await;
                    let revoked = sessions.revoke_others(&revoking, "ada", &mut except);
                    revoked.await
                } else {
                    sessions.revoke_all(&revoking, "ada").await
                };
                assert!(revoked.unwrap() > 0);
            };
            let revocation = Fate::Waits(Box::pin(revocation));
            let mut fates = VecDeque::from([Fate::Passes]);
            if repeated {
                fates.push_back(Fate::LosesItsAnswer);
            }
            fates.push_back(revocation);
            *gate.fates.borrow_mut() = fates;
            session.login("ada").unwrap();
            let told = sessions().commit(&gated, &mut session).await;
            assert!(gate.fates.borrow().is_empty(), "the revocation was made");
            for ended in told.iter().map(|told| cookie(told)).chain([before]) {
                let case = format!("{who}, {repeated}, {sparing}");
                assert_ne!(status(&redis, &ended).await, Status::Valid, "{case}");
            }
            let spared = status(&redis, &spared).await;
            assert_eq!(spared == Status::Valid, sparing);
            let listed = sessions().list(&redis, "ada").await.unwrap();
            assert_eq!(listed.len(), usize::from(sparing));
        }
    }
}
