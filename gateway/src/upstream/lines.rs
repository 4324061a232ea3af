//! What Redis says, as the client library can bear it: lines are text, and nothing is nested too deep.
//!
//! An error line may echo any bytes (`NOGROUP No such key '\xff'`, a script's own errors), and the
//! client library takes a line that is not UTF-8 for the end of the connection: one caller's odd
//! key would cost every other caller their replies. So lines pass through here; strings, which are
//! binary and may be large, pass untouched.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::depth::{Depth, Fate};
use super::dial::Bytes;

const CHUNK: usize = 64 * 1024;

/// In place of an array that is nested too deep.
const TOO_DEEP: &[u8] = b"-ERR nested too deep for the gateway\r\n";

/// A connection that is fit for the client library.
pub(crate) struct Lines {
    stream: Box<dyn Bytes>,
    /// Read, and not yet looked at.
    raw: BytesMut,
    /// A line to be passed on.
    line: BytesMut,
    /// How much of what is read next belongs to a string.
    string: usize,
    /// Whether that string is to be left out.
    unheard: bool,
    depth: Depth,
}

impl Lines {
    pub(crate) fn new(stream: Box<dyn Bytes>) -> Self {
        Self {
            stream,
            raw: BytesMut::with_capacity(CHUNK),
            line: BytesMut::new(),
            string: 0,
            unheard: false,
            depth: Depth::default(),
        }
    }

    /// Passes on as much as is there and fits; `false` when more must be read first.
    fn pass(&mut self, to: &mut ReadBuf<'_>) -> bool {
        let before = to.filled().len();
        while to.remaining() > 0 {
            if !self.line.is_empty() {
                let length = self.line.len();
                give(&mut self.line, length, to);
            } else if self.string > 0 && !self.raw.is_empty() {
                self.string -= if self.unheard {
                    let length = self.string.min(self.raw.len());
                    self.raw.advance(length);
                    length
                } else {
                    give(&mut self.raw, self.string, to)
                };
            } else if !self.take_line() {
                break;
            }
        }
        to.filled().len() > before
    }

    fn take_line(&mut self) -> bool {
        let Some(end) = self.raw.windows(2).position(|two| two == b"\r\n") else {
            return false;
        };
        let line = self.raw.split_to(end + 2);
        let content = line.get(..end).unwrap_or_default();
        let fate = self.depth.value(content);
        if let Some(length) = string_length(content) {
            self.string = length + 2;
            self.unheard = fate == Fate::Drop;
        }
        self.line = match fate {
            Fate::Drop => BytesMut::new(),
            Fate::Replace => BytesMut::from(TOO_DEEP),
            Fate::Pass if std::str::from_utf8(&line).is_err() => {
                BytesMut::from(String::from_utf8_lossy(&line).as_bytes())
            }
            Fate::Pass => line,
        };
        true
    }
}

/// Of `$5`; a null (`$-1`) has none.
fn string_length(line: &[u8]) -> Option<usize> {
    let number = line.strip_prefix(b"$")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn give(from: &mut BytesMut, at_most: usize, to: &mut ReadBuf<'_>) -> usize {
    let length = at_most.min(from.len()).min(to.remaining());
    to.put_slice(from.get(..length).unwrap_or_default());
    from.advance(length);
    length
}

impl AsyncRead for Lines {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.pass(to) || to.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let Self { stream, raw, .. } = &mut *self;
            raw.reserve(CHUNK);
            if ready!(read_buf(Pin::new(stream), cx, raw))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

fn read_buf(
    stream: Pin<&mut Box<dyn Bytes>>,
    cx: &mut Context<'_>,
    raw: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    tokio_util::io::poll_read_buf(stream, cx, raw)
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn lines_become_text_and_strings_stay_bytes_however_they_are_cut() {
        let from = b"+OK\r\n-ERR '\xff\xc3' \xc3\xa9\r\n$4\r\n\xff\r\n\xfe\r\n*2\r\n$-1\r\n$0\r\n\r\n:7\r\n+\xe2\x82\r\n";
        let expected = "+OK\r\n-ERR '\u{fffd}\u{fffd}' é\r\n"
            .to_owned()
            .into_bytes();
        let expected = [
            &expected[..],
            b"$4\r\n\xff\r\n\xfe\r\n*2\r\n$-1\r\n$0\r\n\r\n:7\r\n",
            "+\u{fffd}\r\n".as_bytes(),
        ]
        .concat();
        for piece in 1..from.len() {
            let (ours, mut theirs) = tokio::io::duplex(piece);
            let write = tokio::spawn(async move {
                for part in from.chunks(piece) {
                    theirs.write_all(part).await.unwrap();
                }
            });
            let mut got = Vec::new();
            Lines::new(Box::new(ours))
                .read_to_end(&mut got)
                .await
                .unwrap();
            write.await.unwrap();
            assert_eq!(got, expected, "in pieces of {piece}");
        }
    }
}
