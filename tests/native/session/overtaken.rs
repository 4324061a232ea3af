//! A revocation that comes between the two trips of a login, or between the second and its repetition.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use upstash_edge::host::{Fake, Fault, Host, LocalFuture, Native, Opened, Request, Response};
use upstash_edge::{EdgeError, Redis, Status};

use super::{begin, cookie, enter, load, sessions, status};
use crate::server::{Server, TOKEN};

/// What befalls a request.
enum Fate {
    Passes,
    LosesItsAnswer,
    /// This is done before it is sent.
    Waits(LocalFuture<'static, ()>),
}

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

#[tokio::test]
async fn no_login_survives_a_revocation_between_its_two_trips() {
    let server = Server::start().await;
    let gate = Gate {
        host: Fake::before(Native::default()),
        fates: Rc::default(),
    };
    let gated = Redis::builder(&server.url, TOKEN).build_with(gate.clone());
    let gated = gated.unwrap();
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
