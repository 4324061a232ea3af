//! A connection that listens: subscriptions, MONITOR.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Failure;
use super::dial::Target;
use super::lines::Lines;
use crate::command::Command;
use crate::reply::{Reply, reply};

/// A connection that listens.
///
/// It reads only when it is asked to: a caller who is slow is slow for Redis, which ends such a
/// connection when its buffer is full, and nothing piles up here.
pub(crate) struct Listener {
    stream: Lines,
    buffer: Vec<u8>,
}

impl Listener {
    /// Connects, logs in, and says what to listen for; the replies to that are yet to be read.
    pub(crate) async fn open(target: &Target, command: &Command) -> Result<Self, Failure> {
        let mut listener = Self {
            stream: Lines::new(target.dial().await?),
            buffer: Vec::new(),
        };
        let start = async {
            if let Some(login) = login(target) {
                listener.send(&login).await?;
                match listener.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return Err(Failure::Login),
                    None => return Err(Failure::Unreachable),
                }
            }
            listener.send(command).await
        };
        match tokio::time::timeout(target.connect_timeout, start).await {
            Ok(started) => started.map(|()| listener),
            Err(_) => Err(Failure::Unreachable),
        }
    }

    /// What Redis says next; `None` at the end. May be abandoned while it waits: nothing is lost.
    pub(crate) async fn next(&mut self) -> Option<Reply> {
        loop {
            if let Some(length) = frame(&self.buffer) {
                let value = redis::parse_redis_value(self.buffer.get(..length)?);
                self.buffer.drain(..length);
                return value.ok().map(reply);
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn send(&mut self, command: &Command) -> Result<(), Failure> {
        self.stream
            .write_all(&command.packed().get_packed_command())
            .await
            .map_err(|_| Failure::Unreachable)
    }
}

fn login(target: &Target) -> Option<Command> {
    let password = target.login.password()?;
    match target.login.username() {
        Some(user) => Command::of(&["AUTH", user, password]),
        None => Command::of(&["AUTH", password]),
    }
}

/// The length of the first whole reply in a buffer. It jumps over strings: a large one is not read
/// again each time that some more of it arrives.
fn frame(buffer: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut missing: usize = 1;
    while missing > 0 {
        missing -= 1;
        let rest = buffer.get(at..)?;
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let (kind, number) = rest.get(..end)?.split_first()?;
        at += end + 2;
        let number = || {
            let text = std::str::from_utf8(number).ok()?;
            usize::try_from(text.parse::<i64>().ok()?.max(-1) + 1).ok()
        };
        match kind {
            // Of length n: n and the line break; a null has neither.
            b'$' => at += number()?.checked_sub(1).map_or(0, |length| length + 2),
            b'*' => missing = missing.checked_add(number()?.saturating_sub(1))?,
            _ => {}
        }
    }
    (at <= buffer.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_or_not_there() {
        let whole = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\na\r\nb\r\n";
        for cut in 0..whole.len() {
            assert_eq!(frame(&whole[..cut]), None, "{cut}");
        }
        let two = [&whole[..], b"+OK\r\n"].concat();
        assert_eq!(frame(&two), Some(whole.len()));
        assert_eq!(frame(b"$-1\r\n:1\r\n"), Some(5));
        assert_eq!(frame(b"*-1\r\n"), Some(5));
        assert_eq!(frame(b"*0\r\n"), Some(4));
        assert_eq!(frame(b"$0\r\n\r\n"), Some(6));
        assert_eq!(frame(b"*2\r\n*1\r\n:1\r\n-ERR x\r\n"), Some(20));
    }
}
