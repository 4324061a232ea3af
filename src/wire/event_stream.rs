//! Server-sent events: WHATWG HTML, section 9.2.6, "Interpreting an event stream". Incremental, no I/O.

use crate::error::{EdgeError, ErrorKind};

/// A longer event is refused: what never ends would fill the memory of an isolate, of which there are 128 MB.
pub(crate) const LARGEST_EVENT: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A reader of one stream after another. Chunks go in, the data of events comes out, one at a time.
///
/// Lines are cut before they are decoded, which is the same: no byte of a longer UTF-8 sequence looks like a line's end.
pub(crate) struct EventStream {
    chunk: Vec<u8>,
    /// How much of the chunk is read.
    at: usize,
    /// The line so far.
    line: Vec<u8>,
    /// The event's data so far, a line feed after each of its lines.
    data: Vec<u8>,
    /// The event has a type of its own, so no reader of messages is told of it.
    typed: bool,
    after_cr: bool,
    first_line: bool,
    retry_ms: Option<u64>,
    largest: usize,
}

impl EventStream {
    /// `largest` is how many bytes one event may have.
    pub fn new(largest: usize) -> Self {
        Self {
            chunk: Vec::new(),
            at: 0,
            line: Vec::new(),
            data: Vec::new(),
            typed: false,
            after_cr: false,
            first_line: true,
            retry_ms: None,
            largest,
        }
    }

    /// Another stream of the same server begins: what the last one left unfinished never happened.
    pub fn restart(&mut self) {
        let retry_ms = self.retry_ms;
        *self = Self::new(self.largest);
        self.retry_ms = retry_ms;
    }

    /// How long to wait before a reconnection, by the server's last `retry` field.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// The next chunk, wherever it was cut. The last one is to be read to its end before.
    pub fn push(&mut self, chunk: Vec<u8>) {
        self.chunk = chunk;
        self.at = 0;
    }

    /// The data of the next event of this chunk, lines with a line feed in between; `None` at the chunk's end.
    ///
    /// # Errors
    /// `too_large` when the event is longer than allowed.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, EdgeError> {
        loop {
            let mut rest = self.chunk.get(self.at..).unwrap_or_default();
            if let (true, Some(b'\n')) = (self.after_cr, rest.first()) {
                rest = rest.get(1..).unwrap_or_default();
                self.at += 1;
                self.after_cr = false;
            }
            let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if part.len() + self.line.len() + self.data.len() > self.largest {
                return Err(EdgeError::new(
                    ErrorKind::TooLarge,
                    "an event of the stream is larger than 16 MiB",
                ));
            }
            self.line.extend_from_slice(part);
            if !part.is_empty() {
                self.after_cr = false;
            }
            let Some(end) = end else {
                self.chunk.clear();
                self.at = 0;
                return Ok(None);
            };
            self.after_cr = rest.get(end) == Some(&b'\r');
            self.at += end + 1;
            let mut line = std::mem::take(&mut self.line);
            let event = self.end_of_line(&line);
            line.clear();
            self.line = line;
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn end_of_line(&mut self, mut line: &[u8]) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.first_line) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_of_event();
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // Not `id`: the server keeps no past that it could be asked for.
        match name {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => self.typed = !value.is_empty() && value != b"message",
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let number = std::str::from_utf8(value).unwrap_or_default();
                self.retry_ms = Some(number.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
        None
    }

    fn end_of_event(&mut self) -> Option<Vec<u8>> {
        let mut data = std::mem::take(&mut self.data);
        let typed = std::mem::take(&mut self.typed);
        // None was given, or else it ends with the line feed of its last line.
        data.pop()?;
        (!typed).then_some(data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut stream = EventStream::new(LARGEST_EVENT);
        let mut events = Vec::new();
        for chunk in chunks {
            stream.push(chunk.to_vec());
            while let Some(data) = stream.next().unwrap() {
                events.push(String::from_utf8(data).unwrap());
            }
        }
        events
    }

    /// The same for the reader in JavaScript.
    #[test]
    fn the_grammar_is_read_whole_however_the_stream_is_cut() {
        let vectors = include_str!("../../tests/vectors/event-stream.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        for vector in vectors["streams"].as_array().unwrap() {
            let (text, expected): (String, Vec<String>) =
                serde_json::from_value(vector.clone()).unwrap();
            let bytes = text.as_bytes();
            for cut in 0..=bytes.len() {
                let (first, second) = bytes.split_at(cut);
                assert_eq!(events(&[first, second]), expected, "{text:?} at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(events(&single), expected, "{text:?}");
        }
    }

    #[test]
    fn a_stream_begins_anew_and_keeps_the_pace_it_was_told() {
        let mut stream = EventStream::new(LARGEST_EVENT);
        stream.push(
            b"retry: 1500\nretry: 2s\nretry:\nretry: -1\nevent: x\ndata: unfinished\r".to_vec(),
        );
        assert_eq!(stream.next().unwrap(), None);
        stream.restart();
        stream.push(b"\n\xef\xbb\xbf".to_vec());
        assert_eq!(stream.next().unwrap(), None);
        stream.restart();
        stream.push(b"\xef\xbb\xbfdata: y\n\n".to_vec());
        assert_eq!(stream.next().unwrap().unwrap(), b"y");
        assert_eq!(stream.retry_ms(), Some(1_500));
    }

    #[test]
    fn an_event_may_be_so_long_and_no_longer_however_it_is_cut() {
        let read = |text: &[u8], piece: usize| {
            let mut stream = EventStream::new(10);
            let mut all = Vec::new();
            for chunk in text.chunks(piece) {
                stream.push(chunk.to_vec());
                while let Some(data) = stream.next()? {
                    all.push(data);
                }
            }
            Ok::<_, EdgeError>(all.len())
        };
        for piece in 1..30 {
            assert_eq!(
                read(b"data: 4567\n\ndata: 4567\n\n:234567890\n\n", piece),
                Ok(2)
            );
            for text in [
                &b"data: 45678\n\n"[..],
                b":2345678901",
                b"data:6\ndata:678901\n\n",
            ] {
                assert_eq!(read(text, piece).unwrap_err().kind(), ErrorKind::TooLarge);
            }
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            parts in prop::collection::vec(prop::sample::select(vec![
                "data", "data:", "data: ", ":", "event: x", "event", "id: 1", "retry: 5", "\n", "\n", "\r", "\r\n",
                "\n\n", "a", ",", " ", "é", "😀", "\u{feff}",
            ]), 0..40),
            cuts in prop::collection::vec(0usize..100, 0..20),
        ) {
            let text = parts.concat();
            let whole = events(&[text.as_bytes()]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                chunks.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            prop_assert_eq!(events(&chunks), whole);
        }
    }
}
