//! Random calls against a list that is as simple as the promise.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use upstash_edge::host::Fault;
use upstash_edge::{Leaderboard, Ranked, Redis};

use crate::server::Server;

const RUNS: usize = 100;
const STEPS: usize = 40;
const GREATEST: f64 = 9_007_199_254_740_991.0;

#[derive(Clone, Debug)]
enum Step {
    Add(usize, f64),
    Best(usize, f64),
    Increment(usize, f64),
    Remove(usize),
}

/// A few members and mostly a few scores, so that many are equal.
fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let member = 0usize..6;
    let score = prop_oneof![
        6 => (-2i32..3).prop_map(f64::from),
        2 => Just(0.1),
        1 => -GREATEST..GREATEST,
        1 => prop_oneof![Just(GREATEST), Just(-GREATEST), Just(-0.0), Just(5e-324)],
    ];
    let step = prop_oneof![
        4 => (member.clone(), score.clone()).prop_map(|(m, s)| Step::Add(m, s)),
        2 => (member.clone(), score.clone()).prop_map(|(m, s)| Step::Best(m, s)),
        4 => (member.clone(), score).prop_map(|(m, s)| Step::Increment(m, s)),
        1 => member.prop_map(Step::Remove),
    ];
    proptest::collection::vec((step, prop::bool::weighted(0.1)), STEPS)
}

/// Members by when they came to their scores.
#[derive(Default)]
struct Model(Vec<(usize, f64)>);

impl Model {
    fn score(&self, member: usize) -> Option<f64> {
        let own = self.0.iter().find(|(one, _)| *one == member);
        own.map(|(_, score)| *score)
    }

    /// The score that stands then; `None` when it is refused.
    fn write(&mut self, step: &Step) -> Option<f64> {
        let (member, score) = match *step {
            Step::Add(member, score) => (member, score),
            Step::Best(member, score) => (
                member,
                self.score(member).map_or(score, |own| own.max(score)),
            ),
            Step::Increment(member, by) => (member, self.score(member).unwrap_or(0.0) + by),
            Step::Remove(member) => {
                self.0.retain(|(one, _)| *one != member);
                return Some(0.0);
            }
        };
        if score.abs() > GREATEST {
            return None;
        }
        if self.score(member) != Some(score) {
            self.0.retain(|(one, _)| *one != member);
            self.0.push((member, score));
        }
        Some(score)
    }

    fn order(&self) -> Vec<Ranked> {
        let mut members = self.0.clone();
        // Stable: who came first stays first.
        members.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap());
        let ranked = (1..).zip(members);
        ranked
            .map(|(rank, (member, score))| Ranked {
                member: name(member),
                score,
                rank,
            })
            .collect()
    }
}

/// Members of which one begins another, and of which one looks like a token.
fn name(member: usize) -> String {
    [
        "a",
        "aa",
        "\u{e9}: {}",
        "9007199254740991",
        "9007199254740990a",
        " ",
    ][member]
        .to_owned()
}

async fn play(
    redis: &Redis,
    fake: &upstash_edge::host::Fake,
    board: &Leaderboard,
    steps: &[(Step, bool)],
) {
    let mut model = Model::default();
    for (at, (step, is_lost)) in steps.iter().enumerate() {
        if *is_lost {
            fake.push(Fault::LostAnswer);
        }
        let expected = model.write(step);
        let written = match step {
            Step::Add(member, score) => redis.run(board.add(&name(*member), *score).unwrap()).await,
            Step::Best(member, score) => {
                redis
                    .run(board.add_best(&name(*member), *score).unwrap())
                    .await
            }
            Step::Increment(member, by) => {
                redis
                    .run(board.increment(&name(*member), *by).unwrap())
                    .await
            }
            Step::Remove(member) => {
                let removed = redis.run(board.remove(&name(*member)).unwrap()).await;
                removed.map(|()| 0.0)
            }
        };
        match expected {
            Some(score) => assert_eq!(written.unwrap(), score, "step {at} of {steps:?}"),
            None => assert_eq!(written.unwrap_err().code(), "invalid_argument"),
        }
        let (Step::Add(member, _)
        | Step::Best(member, _)
        | Step::Increment(member, _)
        | Step::Remove(member)) = step;
        let reads = (
            board.top(10).unwrap(),
            board.count(),
            board.score(&name(*member)).unwrap(),
            board.rank(&name(*member)).unwrap(),
            board.around(&name(*member), 1).unwrap(),
        );
        let (top, count, score, rank, around) = redis.run(reads).await.unwrap();
        let order = model.order();
        assert_eq!(top, order, "step {at} of {steps:?}");
        let own = order.iter().find(|one| one.member == name(*member));
        assert_eq!(
            (count, score),
            (order.len() as u64, own.map(|one| one.score))
        );
        assert_eq!(rank, own.map(|one| one.rank));
        let near = order
            .iter()
            .filter(|one| rank.is_some_and(|rank| one.rank.abs_diff(rank) <= 1));
        assert_eq!(around, near.cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_board_is_what_the_model_is() {
    let server = Server::start().await;
    let (redis, fake) = server.faked();
    let mut runner = TestRunner::deterministic();
    for run in 0..RUNS {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let board = Leaderboard::new(&format!("model-{run}")).unwrap();
        play(&redis, &fake, &board, &steps).await;
    }
}
