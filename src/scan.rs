//! The SCAN commands as streams: page by page, however many there are.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::client::Redis;
use crate::commands::{Call, FromReply, command};
use crate::error::EdgeError;
use crate::host::LocalFuture;
use crate::wire::Arg;

impl Redis {
    /// All keys of the database.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// use upstash_edge::{EdgeError, Redis};
    /// # async fn users(redis: Redis) -> Result<(), EdgeError> {
    /// let mut keys = redis.scan().matching("user:*").count(100);
    /// while let Some(key) = keys.try_next().await? {
    ///     println!("{key}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn scan(&self) -> Scan<String> {
        Scan::new(self, "SCAN", None)
    }

    /// All keys whose values are of one kind: `string`, `list`, `set`, `zset`, `hash`, `stream`.
    pub fn scan_type(&self, kind: &str) -> Scan<String> {
        self.scan().option("TYPE", kind.to_owned())
    }

    /// All fields of a hash, with their values.
    pub fn hscan(&self, key: &str) -> Scan<(String, String)> {
        Scan::new(self, "HSCAN", Some(key))
    }

    /// All members of a set.
    pub fn sscan(&self, key: &str) -> Scan<String> {
        Scan::new(self, "SSCAN", Some(key))
    }

    /// All members of a sorted set, with their scores.
    pub fn zscan(&self, key: &str) -> Scan<(String, f64)> {
        Scan::new(self, "ZSCAN", Some(key))
    }
}

/// A stream of what a SCAN command finds, one request a page, asked for when the page before is used up.
///
/// What is there from beginning to end is found, at least once: the same may come twice when the server resizes its
/// table meanwhile. What is added or removed meanwhile may be found or not. The first error ends it.
#[must_use = "a stream does nothing until it is polled"]
pub struct Scan<T> {
    redis: Redis,
    name: &'static str,
    key: Option<String>,
    options: Vec<(&'static str, String)>,
    /// A text, for it may be past what an `i64` holds; `None` at the end.
    cursor: Option<String>,
    asked: Option<LocalFuture<'static, Result<Page<T>, EdgeError>>>,
    page: VecDeque<T>,
}

type Page<T> = (String, Vec<T>);

const END: &str = "0";

impl<T> Scan<T> {
    fn new(redis: &Redis, name: &'static str, key: Option<&str>) -> Self {
        Self {
            redis: redis.clone(),
            name,
            key: key.map(str::to_owned),
            options: Vec::new(),
            cursor: Some(END.to_owned()),
            asked: None,
            page: VecDeque::new(),
        }
    }

    fn option(mut self, name: &'static str, value: String) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, value));
        self
    }

    /// Only what matches this glob: `user:*`, `h?llo`, `h[ae]llo`.
    pub fn matching(self, glob: &str) -> Self {
        self.option("MATCH", glob.to_owned())
    }

    /// About how many the server looks at for one page; 10 when nothing is said.
    pub fn count(self, count: u32) -> Self {
        self.option("COUNT", count.to_string())
    }
}

impl<T: FromReply> Scan<T> {
    fn page(&self, cursor: &str) -> Call<Page<T>> {
        let mut args: Vec<Arg<'_>> = self.key.iter().map(Arg::from).collect();
        args.push(cursor.into());
        for (name, value) in &self.options {
            args.extend([Arg::from(*name), Arg::from(value)]);
        }
        command(self.name, &args)
    }
}

/// Nothing in it points into it.
impl<T> Unpin for Scan<T> {}

impl<T: FromReply + 'static> Stream for Scan<T> {
    type Item = Result<T, EdgeError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let scan = &mut *self;
        loop {
            if let Some(item) = scan.page.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(asked) = &mut scan.asked {
                let answer = ready!(asked.as_mut().poll(cx));
                scan.asked = None;
                match answer {
                    // A page may be empty before the last one.
                    Ok((next, page)) => {
                        scan.page = page.into();
                        scan.cursor = (next != END).then_some(next);
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                continue;
            }
            let Some(cursor) = scan.cursor.take() else {
                return Poll::Ready(None);
            };
            let (redis, page) = (scan.redis.clone(), scan.page(&cursor));
            scan.asked = Some(Box::pin(async move { redis.run(page).await }));
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;
    use crate::host::{Fake, Fault, Response};

    fn answers(pages: &[&str]) -> (Redis, Fake) {
        let fake = Fake::new();
        for page in pages {
            fake.push(Fault::Answer(Response {
                status: 200,
                content_type: "application/octet-stream".to_owned(),
                body: page.as_bytes().to_vec(),
                ..Response::default()
            }));
        }
        let redis = Redis::builder("https://example.com", "token").retry(None);
        (redis.build_with(fake.clone()).unwrap(), fake)
    }

    #[tokio::test]
    async fn a_cursor_past_every_integer_is_sent_back_digit_by_digit() {
        let (redis, fake) = answers(&[
            "*2\r\n$20\r\n18446744073709551615\r\n*1\r\n$1\r\na\r\n",
            "*2\r\n$2\r\n17\r\n*0\r\n",
            "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\na\r\n",
        ]);
        let mut scan = redis.sscan("k").count(7).matching("x").matching("*");
        let mut found = Vec::new();
        while let Some(member) = scan.try_next().await.unwrap() {
            found.push(member);
        }
        assert_eq!(found, ["a", "b", "a"]);
        assert_eq!(scan.try_next().await, Ok(None));
        let sent: Vec<_> = fake.sent().into_iter().map(String::from_utf8).collect();
        let page = |cursor| {
            let words = r#"","COUNT","7","MATCH","*"]"#;
            Ok(r#"["SSCAN","k",""#.to_owned() + cursor + words)
        };
        assert_eq!(sent, [page("0"), page("18446744073709551615"), page("17")]);
    }

    #[tokio::test]
    async fn the_first_error_ends_it() {
        let (redis, fake) = answers(&["*2\r\n$1\r\n9\r\n*1\r\n$1\r\na\r\n", ":1\r\n"]);
        let mut scan = redis.scan();
        assert_eq!(scan.try_next().await, Ok(Some("a".to_owned())));
        assert_eq!(scan.try_next().await.unwrap_err().code(), "corrupt");
        assert_eq!(scan.try_next().await, Ok(None));
        assert_eq!(fake.sent().len(), 2);
    }
}
