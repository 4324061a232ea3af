//! What each call costs: as `docs/leaderboard.md` says.

use upstash_edge::Window;

use super::{board, now};
use crate::meter::Meter;

#[tokio::test]
async fn every_call_costs_what_the_docs_say() {
    let meter = Meter::start().await;
    let at = now();
    let board = board();
    // The first time teaches the client which form of the scripts this server takes.
    meter.run(board.increment("x", 1.0).unwrap()).await;
    meter.run(board.rank("x").unwrap()).await;
    meter.run(board.remove("x").unwrap()).await;
    meter.run(board.add("x", 1.0).unwrap()).await;

    let add = |score| board.add("a", score).unwrap();
    let (_, requests, first) = meter.cost(add(1.0)).await;
    assert_eq!(
        (requests, first.as_str()),
        (1, "evalsha 1, hmget 1, hset 1, zadd 1")
    );
    let (_, _, changed) = meter.cost(add(2.0)).await;
    assert_eq!(changed, "evalsha 1, hmget 1, hset 1, zadd 1, zrem 1");
    let (_, _, unchanged) = meter.cost(add(2.0)).await;
    assert_eq!(unchanged, "evalsha 1, hmget 1");
    let (_, _, added) = meter.cost(board.increment("a", 1.0).unwrap()).await;
    assert_eq!(added, "evalsha 1, hmget 1, hset 1, set 1, zadd 1, zrem 1");

    let reads = (
        board.top(10).unwrap(),
        board.score("a").unwrap(),
        board.count(),
    );
    let (_, requests, plain) = meter.cost(reads).await;
    assert_eq!(
        (requests, plain.as_str()),
        (1, "hget 1, zcard 1, zrevrange 1")
    );
    let (_, _, rank) = meter.cost(board.rank("a").unwrap()).await;
    assert_eq!(rank, "evalsha 1, hget 1, zrevrank 1");
    let (_, _, around) = meter.cost(board.around("a", 5).unwrap()).await;
    assert_eq!(around, "evalsha 1, hget 1, zrevrange 1, zrevrank 1");
    let (_, _, removed) = meter.cost(board.remove("a").unwrap()).await;
    assert_eq!(removed, "evalsha 1, exists 1, hdel 1, hget 1, zrem 1");
    let (_, _, last) = meter.cost(board.remove("x").unwrap()).await;
    assert_eq!(last, "del 1, evalsha 1, exists 1, hdel 1, hget 1, zrem 1");

    // All boards in one request, of one script.
    let windows = [Window::All, Window::Day, Window::Week];
    let board = board.windows(&windows).unwrap();
    let add = |member, score| board.add(member, score).unwrap().at(at);
    let (_, requests, first) = meter.cost(add("a", 1.0)).await;
    let begun = "evalsha 1, hmget 3, hset 3, pexpireat 4, zadd 3";
    assert_eq!((requests, first.as_str()), (1, begun));
    let (_, _, next) = meter.cost(add("b", 1.0)).await;
    assert_eq!(next, "evalsha 1, hmget 3, hset 3, zadd 3");
}
