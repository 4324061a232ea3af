//! Leaderboards: members by score, equal scores by who came first.
//!
//! | what | requests | inner commands |
//! |---|---|---|
//! | `add` | 1 EVALSHA | a board: 1 HMGET; 1 HSET and 1 ZADD when the score changes, 1 ZREM when there was another |
//! | `increment` | 1 EVALSHA | the same, and 1 SET |
//! | `remove` | 1 EVALSHA | a board: 1 HGET; 1 HDEL, 1 ZREM and 1 EXISTS when the member is on it, 1 DEL when it was the last |
//! | `top` | 1 ZREVRANGE | |
//! | `around` | 1 EVALSHA | 1 HGET, 1 ZREVRANK, 1 ZREVRANGE |
//! | `rank` | 1 EVALSHA | 1 HGET, 1 ZREVRANK |
//! | `score` | 1 HGET | |
//! | `count` | 1 ZCARD | |
//!
//! A failure of Redis is told, by each of them.

mod read;
mod window;
mod write;

use crate::duration;
use crate::error::EdgeError;
use crate::keys;

use read::Question;
use write::How;

pub use read::{Ranked, ReadBoard};
pub use window::Window;
pub use write::{RemoveMember, WriteScore};

/// The greatest score, and the least with its sign changed: whole numbers up to here are exact in a double.
const GREATEST: f64 = 9_007_199_254_740_991.0;

/// How many characters of a sorted set's member are its token.
const TOKEN: usize = 16;

/// Members by score, the highest first, on one board or on one for each [`Window`]. Building one does nothing.
///
/// Equal scores rank by who came to that score first, in the order in which Redis ran the calls: no clock is asked, and no two
/// come at once. A score that does not change keeps its place. One that changes, down or back to what it once was, comes anew,
/// behind those who stand there.
///
/// Scores are doubles from -(2^53 - 1) to 2^53 - 1, kept as they are; ranks begin at 1. All boards of one name lie in one slot
/// of a cluster, and one call writes them all or none. They are no cache: a database that evicts may take half of one.
///
/// ```
/// use upstash_edge::{Leaderboard, Window};
/// let quiz = Leaderboard::new("quiz")?.windows(&[Window::All, Window::Day])?;
/// let write = quiz.increment("ada", 10.0)?;
/// let (best, today) = (quiz.top(10)?, quiz.top(10)?.window(Window::Day));
/// # Ok::<(), upstash_edge::EdgeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Leaderboard {
    name: String,
    windows: Vec<Window>,
    keep_ms: u64,
}

impl Leaderboard {
    /// One board that never ends.
    ///
    /// # Errors
    /// `invalid_argument` when the name is not 1 to 128 bytes long.
    pub fn new(name: &str) -> Result<Self, EdgeError> {
        if !keys::is_name(name) {
            return Err(EdgeError::argument("name must be 1 to 128 bytes long"));
        }
        Ok(Self {
            name: keys::part(name),
            windows: vec![Window::All],
            keep_ms: 7 * 86_400_000,
        })
    }

    /// Which boards each call writes. The first is the one that is told and read where no other is asked for.
    ///
    /// # Errors
    /// `invalid_config` when there is none, or one twice.
    pub fn windows(mut self, windows: &[Window]) -> Result<Self, EdgeError> {
        let mut rest = windows;
        while let [window, others @ ..] = rest {
            if others.contains(window) {
                return Err(EdgeError::config("windows must hold each window once"));
            }
            rest = others;
        }
        if windows.is_empty() {
            return Err(EdgeError::config("windows must hold at least one"));
        }
        self.windows = windows.to_vec();
        Ok(self)
    }

    /// How long a board is kept beyond the end of its day or week, in milliseconds. Default 7 days. It holds for boards whose
    /// first score is written after it is set.
    ///
    /// # Errors
    /// `invalid_config` when it is 0 or past 10,000 days.
    pub fn keep_ms(mut self, keep_ms: u64) -> Result<Self, EdgeError> {
        self.keep_ms = duration::kept(keep_ms)?;
        Ok(self)
    }

    /// Sets a member's score on each board. Its output is the score that stands then on the first.
    ///
    /// # Errors
    /// `invalid_argument` when the member is not 1 to 128 bytes long, or the score is no number or beyond 2^53 - 1.
    pub fn add(&self, member: &str, score: f64) -> Result<WriteScore, EdgeError> {
        self.write(How::Set, member, score)
    }

    /// The same, where a member's own score is not greater: each board keeps the best of its time.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_best(&self, member: &str, score: f64) -> Result<WriteScore, EdgeError> {
        self.write(How::Best, member, score)
    }

    /// Adds to a member's score on each board, from 0 on. Its output is the sum on the first; a sum beyond 2^53 - 1 is refused
    /// with `invalid_argument`, and nothing is written. Sent again after a lost answer it is not added twice.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn increment(&self, member: &str, by: f64) -> Result<WriteScore, EdgeError> {
        self.write(How::By, member, by)
    }

    fn write(&self, how: How, member: &str, number: f64) -> Result<WriteScore, EdgeError> {
        if number.is_nan() || number.abs() > GREATEST {
            return Err(EdgeError::argument(
                "a score must be a number between -(2^53 - 1) and 2^53 - 1",
            ));
        }
        Ok(WriteScore {
            board: self.clone(),
            how,
            member: known(member)?,
            number,
            at: None,
        })
    }

    /// Takes a member off each board.
    ///
    /// # Errors
    /// `invalid_argument` when the member is not 1 to 128 bytes long.
    pub fn remove(&self, member: &str) -> Result<RemoveMember, EdgeError> {
        Ok(RemoveMember {
            board: self.clone(),
            member: known(member)?,
            at: None,
        })
    }

    /// The best `n`, 1 to 1000.
    ///
    /// # Errors
    /// `invalid_argument` when `n` is another number.
    pub fn top(&self, n: u32) -> Result<ReadBoard<Vec<Ranked>>, EdgeError> {
        if n == 0 || n > 1_000 {
            return Err(EdgeError::argument("n must be 1 to 1000"));
        }
        Ok(self.read(Question::Top(n), read::top))
    }

    /// A member and up to `n`, 0 to 1000, to each side of it; nobody when it is not on the board.
    ///
    /// # Errors
    /// `invalid_argument` when `n` is another number, or the member is not 1 to 128 bytes long.
    pub fn around(&self, member: &str, n: u32) -> Result<ReadBoard<Vec<Ranked>>, EdgeError> {
        if n > 1_000 {
            return Err(EdgeError::argument("n must be 0 to 1000"));
        }
        Ok(self.read(Question::Around(known(member)?, n), read::around))
    }

    /// A member's rank, from 1; `None` when it is not on the board.
    ///
    /// # Errors
    /// `invalid_argument` when the member is not 1 to 128 bytes long.
    pub fn rank(&self, member: &str) -> Result<ReadBoard<Option<u64>>, EdgeError> {
        Ok(self.read(Question::Rank(known(member)?), read::rank))
    }

    /// A member's score; `None` when it is not on the board.
    ///
    /// # Errors
    /// `invalid_argument` when the member is not 1 to 128 bytes long.
    pub fn score(&self, member: &str) -> Result<ReadBoard<Option<f64>>, EdgeError> {
        Ok(self.read(Question::Score(known(member)?), read::score))
    }

    /// How many members the board has.
    #[must_use = "an op does nothing until it is run"]
    pub fn count(&self) -> ReadBoard<u64> {
        self.read(Question::Count, |reply| reply.count())
    }

    fn read<T>(&self, question: Question, decode: read::Decode<T>) -> ReadBoard<T> {
        ReadBoard {
            board: self.clone(),
            question,
            decode,
            window: None,
            at: None,
        }
    }

    /// A board's hash and its sorted set.
    fn keys(&self, window: Window, at: u64) -> [String; 2] {
        let mut board = self.slot();
        window.name_into(&mut board, at);
        [board.clone() + ":h", board + ":z"]
    }

    /// Those of all boards.
    fn all_keys(&self, at: u64) -> Vec<String> {
        let boards = self.windows.iter();
        boards.flat_map(|window| self.keys(*window, at)).collect()
    }

    fn slot(&self) -> String {
        let mut slot = String::from("{");
        slot += &self.name;
        slot += ":b}:";
        slot
    }
}

fn known(member: &str) -> Result<String, EdgeError> {
    if !keys::is_name(member) {
        return Err(EdgeError::argument("member must be 1 to 128 bytes long"));
    }
    Ok(member.to_owned())
}
