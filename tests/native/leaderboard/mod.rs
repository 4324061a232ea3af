//! Leaderboards: who stands where, and what it costs to know.

mod costs;
mod model;

use std::time::{SystemTime, UNIX_EPOCH};

use upstash_edge::host::Fault;
use upstash_edge::{EdgeError, Leaderboard, Ranked, Redis, Window};

use crate::server::Server;

const DAY: u64 = 86_400_000;

/// Real time, for a board ends by Redis's clock.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_millis().try_into().unwrap()
}

fn board() -> Leaderboard {
    Leaderboard::new("quiz: {1}").unwrap()
}

fn refused<T>(result: Result<T, EdgeError>) {
    assert_eq!(result.err().unwrap().code(), "invalid_argument");
}

async fn add(redis: &Redis, board: &Leaderboard, member: &str, score: f64) -> f64 {
    redis.run(board.add(member, score).unwrap()).await.unwrap()
}

async fn increment(redis: &Redis, board: &Leaderboard, member: &str, by: f64) -> f64 {
    let op = board.increment(member, by).unwrap();
    redis.run(op).await.unwrap()
}

/// The members from the highest down.
async fn order(redis: &Redis, board: &Leaderboard) -> String {
    let top = redis.run(board.top(1_000).unwrap()).await.unwrap();
    let ranks: Vec<u64> = top.iter().map(|one| one.rank).collect();
    assert_eq!(ranks, (1..=top.len() as u64).collect::<Vec<_>>());
    let members: Vec<String> = top.into_iter().map(|one| one.member).collect();
    members.join(" ")
}

#[tokio::test]
async fn equal_scores_rank_by_who_came_to_them_first() {
    let server = Server::start().await;
    let redis = server.client();
    let board = board();
    for member in ["b", "c", "a"] {
        add(&redis, &board, member, 5.0).await;
    }
    assert_eq!(order(&redis, &board).await, "b c a");
    // Unchanged, it keeps its place.
    add(&redis, &board, "b", 5.0).await;
    increment(&redis, &board, "b", 0.0).await;
    let kept = redis.run(board.add_best("b", 4.0).unwrap()).await.unwrap();
    assert_eq!((kept, order(&redis, &board).await.as_str()), (5.0, "b c a"));
    // Down and up again, it comes anew.
    assert_eq!(increment(&redis, &board, "b", -1.0).await, 4.0);
    assert_eq!(order(&redis, &board).await, "c a b");
    assert_eq!(increment(&redis, &board, "b", 1.0).await, 5.0);
    assert_eq!(order(&redis, &board).await, "c a b");
    // Behind those who were there when it comes down to them.
    add(&redis, &board, "d", 4.0).await;
    add(&redis, &board, "c", 4.0).await;
    assert_eq!(order(&redis, &board).await, "a b d c");
    let best = redis.run(board.add_best("c", 6.0).unwrap()).await.unwrap();
    assert_eq!(
        (best, order(&redis, &board).await.as_str()),
        (6.0, "c a b d")
    );
}

#[tokio::test]
async fn ranks_begin_at_one_and_who_is_not_there_has_none() {
    let server = Server::start().await;
    let redis = server.client();
    let board = board();
    for (at, member) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        add(&redis, &board, member, 5.0 - at as f64).await;
    }
    let (rank, score, count, top, around) = redis
        .run((
            board.rank("c").unwrap(),
            board.score("c").unwrap(),
            board.count(),
            board.top(1).unwrap(),
            board.around("b", 2).unwrap(),
        ))
        .await
        .unwrap();
    assert_eq!((rank, score, count), (Some(3), Some(3.0), 5));
    let first = Ranked {
        member: "a".into(),
        score: 5.0,
        rank: 1,
    };
    assert_eq!(top, [first]);
    let around: Vec<_> = around
        .iter()
        .map(|one| (one.member.as_str(), one.rank))
        .collect();
    assert_eq!(around, [("a", 1), ("b", 2), ("c", 3), ("d", 4)]);
    redis.run(board.remove("c").unwrap()).await.unwrap();
    redis.run(board.remove("nobody").unwrap()).await.unwrap();
    let (rank, score, around) = redis
        .run((
            board.rank("c").unwrap(),
            board.score("c").unwrap(),
            board.around("c", 3).unwrap(),
        ))
        .await
        .unwrap();
    assert_eq!((rank, score, around), (None, None, vec![]));
    assert_eq!(order(&redis, &board).await, "a b d e");
}

#[tokio::test]
async fn scores_are_kept_to_the_last_bit_and_what_is_none_is_refused() {
    let server = Server::start().await;
    let redis = server.client();
    let board = board();
    let greatest = 9_007_199_254_740_991.0;
    let scores = [
        greatest,
        greatest - 1.0,
        0.1 + 0.2,
        0.3,
        5e-324,
        0.0,
        -1.5e-7,
        -greatest,
    ];
    for (at, score) in scores.into_iter().enumerate().rev() {
        assert_eq!(add(&redis, &board, &format!("m{at}"), score).await, score);
    }
    let top = redis.run(board.top(10).unwrap()).await.unwrap();
    assert_eq!(top.iter().map(|one| one.score).collect::<Vec<_>>(), scores);
    // Minus zero is zero.
    add(&redis, &board, "m5", -0.0).await;
    let zero = redis
        .run(board.score("m5").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(zero.is_sign_positive());
    // A sum that is no longer exact is refused, and nothing of it done.
    let over = redis.run(board.increment("m0", 1.0).unwrap()).await;
    assert_eq!(over.unwrap_err().code(), "invalid_argument");
    let stays = redis.run(board.score("m0").unwrap()).await.unwrap();
    assert_eq!(stays, Some(greatest));
    for score in [
        f64::NAN,
        f64::INFINITY,
        -f64::INFINITY,
        greatest + 1.0,
        f64::MAX,
    ] {
        refused(board.add("a", score));
        refused(board.increment("a", score));
    }
    for name in ["", &"x".repeat(129)] {
        refused(Leaderboard::new(name));
        refused(board.add(name, 1.0));
        refused(board.remove(name));
        refused(board.rank(name));
    }
    refused(board.top(0));
    refused(board.top(1_001));
    refused(board.around("a", 1_001));
    for windows in [&[][..], &[Window::Day, Window::All, Window::Day]] {
        let wrong = board.clone().windows(windows).err().unwrap();
        assert_eq!(wrong.code(), "invalid_config");
    }
    refused(redis.run(board.count().window(Window::Day)).await);
}

#[tokio::test]
async fn what_was_added_is_not_added_again_when_its_answer_was_lost() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let board = board();
    increment(&redis, &board, "a", 5.0).await;
    fake.push(Fault::LostAnswer);
    let before = fake.sent().len();
    assert_eq!(increment(&redis, &board, "a", 5.0).await, 10.0);
    assert_eq!(fake.sent().len(), before + 2);
    fake.push(Fault::LostAnswer);
    assert_eq!(increment(&redis, &board, "new", 3.0).await, 3.0);
    assert_eq!(order(&redis, &board).await, "a new");
}

#[tokio::test]
async fn a_day_and_a_week_have_boards_of_their_own_that_live_as_long_as_is_said() {
    let server = Server::alone().await;
    let redis = server.client();
    let windows = [Window::All, Window::Day, Window::Week];
    let board = board().windows(&windows).unwrap();
    let board = board.keep_ms(14 * DAY).unwrap();
    // A Sunday's last millisecond, of this week or the last; the next is of another day and another week.
    let sunday = (now() / DAY + 3) / 7 * 7 * DAY - 3 * DAY - 1;
    for (by, at) in [(1.0, sunday - DAY), (2.0, sunday), (4.0, sunday + 1)] {
        let op = board.increment("a", by).unwrap().at(at);
        redis.run(op).await.unwrap();
    }
    let mut scores = Vec::new();
    for at in [sunday - DAY, sunday, sunday + 1] {
        for window in windows {
            let op = board.score("a").unwrap().window(window).at(at);
            scores.push(redis.run(op).await.unwrap().unwrap());
        }
    }
    assert_eq!(scores, [7.0, 1.0, 3.0, 7.0, 2.0, 3.0, 7.0, 4.0, 4.0]);
    let keys = server.raw("KEYS *");
    let ends = |name: &str| -> Vec<String> {
        let keys = keys.lines().filter(|key| key.contains(name));
        keys.map(|key| server.raw(&format!("PEXPIRETIME {key}")).trim().to_owned())
            .collect()
    };
    assert_eq!(keys.lines().filter(|key| !key.contains(":n:")).count(), 12);
    assert_eq!(ends("b}:all"), ["-1", "-1"]);
    let day = |at: u64| format!("b}}:day{}:", at / DAY);
    for (name, end) in [
        (day(sunday - DAY), sunday - DAY + 1),
        (day(sunday), sunday + 1),
        (day(sunday + 1), sunday + 1 + DAY),
        (format!("b}}:week{}:", (sunday / DAY + 3) / 7), sunday + 1),
    ] {
        let kept = (end + 14 * DAY).to_string();
        assert_eq!(ends(&name), [kept.clone(), kept], "{name}");
    }
    // The end outlives a board's only score, replaced, and comes again with the first after the last.
    for op in [board.add("a", 9.0), board.add("a", 8.0)] {
        redis.run(op.unwrap().at(sunday)).await.unwrap();
    }
    redis
        .run(board.remove("a").unwrap().at(sunday))
        .await
        .unwrap();
    assert_eq!(server.raw(&format!("KEYS *{}*", day(sunday))).trim(), "");
    redis
        .run(board.add("b", 1.0).unwrap().at(sunday))
        .await
        .unwrap();
    let kept = (sunday + 1 + 14 * DAY).to_string();
    assert_eq!(ends(&day(sunday)), [kept.clone(), kept]);
    // What is over when it comes in is not kept.
    let late = board.add("late", 1.0).unwrap().at(sunday - 30 * DAY);
    assert_eq!(redis.run(late).await.unwrap(), 1.0);
    let old = board.count().window(Window::Week).at(sunday - 30 * DAY);
    assert_eq!(redis.run(old).await.unwrap(), 0);
}

#[tokio::test]
async fn when_redis_fails_it_is_told() {
    let redis = Redis::builder("http://redis.invalid", "token")
        .retry(None)
        .build_with(upstash_edge::host::Fake::new())
        .unwrap();
    let written = redis.run(board().add("a", 1.0).unwrap()).await;
    assert_eq!(written.unwrap_err().code(), "network");
    let read = redis.run(board().top(1).unwrap()).await;
    assert_eq!(read.unwrap_err().code(), "network");
}
