//! From a path and a query to what is asked.

use hyper::Uri;

use crate::command::Command;

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/`: one command, as JSON in the body.
    Command,
    /// `/pipeline`: several, as JSON in the body.
    Pipeline,
    /// `/multi-exec`: several at once or none.
    MultiExec,
    /// `/subscribe/{channel}`, `/psubscribe/{pattern}`, `/monitor`: the command to listen with.
    Listen(Command),
    /// `/set/k/v`: one command, a path segment an argument.
    Path(Vec<Vec<u8>>),
}

/// The parts of a query that mean something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// `_token`
    pub(crate) token: Option<Vec<u8>>,
    /// The others, as arguments: `?EX=100&NX` is `EX 100 NX`.
    pub(crate) arguments: Vec<Vec<u8>>,
}

/// `None` when the path is not well encoded.
pub(crate) fn endpoint(uri: &Uri) -> Option<Endpoint> {
    let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
    Some(match path {
        "" => Endpoint::Command,
        "pipeline" => Endpoint::Pipeline,
        "multi-exec" => Endpoint::MultiExec,
        path => {
            let segments: Vec<Vec<u8>> = path
                .split('/')
                .map(|segment| percent_decode(segment.as_bytes(), false))
                .collect::<Option<_>>()?;
            let listens = match segments.as_slice() {
                [name] => name == b"monitor",
                [name, ..] => name == b"subscribe" || name == b"psubscribe",
                [] => false,
            };
            if listens {
                Endpoint::Listen(Command::new(segments)?)
            } else {
                Endpoint::Path(segments)
            }
        }
    })
}

/// `None` when the query is not well encoded.
pub(crate) fn query(uri: &Uri) -> Option<Query> {
    let mut query = Query::default();
    let pairs = uri.query().unwrap_or_default().split('&');
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode(name.as_bytes(), true)?;
        let value = percent_decode(value.as_bytes(), true)?;
        if name == b"_token" {
            query.token = Some(value);
            continue;
        }
        query.arguments.push(name);
        // A flag: form encoders write `NX=` for one without a value.
        if !value.is_empty() {
            query.arguments.push(value);
        }
    }
    Some(query)
}

/// To bytes, not to text: an argument may be anything.
fn percent_decode(text: &[u8], plus_is_space: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> (Option<Endpoint>, Option<Query>) {
        let uri: Uri = uri.parse().unwrap();
        (endpoint(&uri), query(&uri))
    }

    #[test]
    fn a_segment_is_decoded_to_bytes_and_a_slash_in_it_stays_in_it() {
        let path = Endpoint::Path(vec![
            b"get".into(),
            b"a/b".into(),
            vec![0xff, 0],
            b"+".into(),
        ]);
        assert_eq!(parse("/get/a%2Fb/%ff%00/+").0, Some(path));
    }

    #[test]
    fn query_parameters_become_arguments_but_the_token_does_not() {
        let query = parse("/set/k?EX=100&_token=t%2B&NX&XX=&a+b=%20").1.unwrap();
        assert_eq!(query.token.as_deref(), Some(&b"t+"[..]));
        let arguments: [&[u8]; 6] = [b"EX", b"100", b"NX", b"XX", b"a b", b" "];
        assert_eq!(query.arguments, arguments);
    }

    #[test]
    fn a_broken_escape_is_refused_not_guessed() {
        assert_eq!(parse("/get/%zz").0, None);
        assert_eq!(parse("/get/%4").0, None);
        assert_eq!(parse("/get/k?a=%").1, None);
    }
}
