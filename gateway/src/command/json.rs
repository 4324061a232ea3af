//! Commands as JSON: `["SET","k","v","EX",100]`, and arrays of those.

use serde_json::value::RawValue;

use super::Command;

const BAD_COMMAND: &str = "ERR failed to parse command";
const BAD_PIPELINE: &str = "ERR failed to parse pipeline request";

/// The body of `/`.
pub(crate) fn one(body: &[u8]) -> Result<Command, &'static str> {
    let raw: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| BAD_COMMAND)?;
    command(&raw)
}

/// The body of `/pipeline` and `/multi-exec`.
pub(crate) fn several(body: &[u8]) -> Result<Vec<Command>, &'static str> {
    let raw: Vec<Vec<&RawValue>> = serde_json::from_slice(body).map_err(|_| BAD_PIPELINE)?;
    if raw.is_empty() {
        return Err("ERR empty pipeline request");
    }
    raw.iter().map(|raw| command(raw)).collect()
}

fn command(raw: &[&RawValue]) -> Result<Command, &'static str> {
    let arguments = raw
        .iter()
        .map(|value| argument(value.get()))
        .collect::<Result<_, _>>()?;
    Command::new(arguments).ok_or("ERR empty command")
}

/// A number travels as it was written: through a float, 9007199254740993 would become another.
fn argument(text: &str) -> Result<Vec<u8>, &'static str> {
    match text.as_bytes() {
        [b'"', ..] => serde_json::from_str::<String>(text)
            .map(String::into_bytes)
            .map_err(|_| BAD_COMMAND),
        [b'-' | b'0'..=b'9', ..] | b"true" | b"false" => Ok(text.as_bytes().to_vec()),
        _ => Err("ERR a command holds strings, numbers and booleans only"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(body: &str) -> Result<Vec<String>, &'static str> {
        let command = one(body.as_bytes())?;
        Ok((0..)
            .map_while(|index| command.argument(index))
            .map(|argument| String::from_utf8(argument.to_vec()).unwrap())
            .collect())
    }

    #[test]
    fn numbers_keep_every_digit_and_booleans_their_name() {
        assert_eq!(
            arguments(
                r#" ["SET", "k", 9007199254740993, -1.50, 1e400, true, false, "é\u0000\n"] "#
            )
            .unwrap(),
            [
                "SET",
                "k",
                "9007199254740993",
                "-1.50",
                "1e400",
                "true",
                "false",
                "é\0\n"
            ]
        );
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for body in [
            "",
            "{}",
            "\"GET\"",
            "[]",
            "[\"\"]",
            "[null]",
            "[\"GET\",null]",
            "[\"GET\",[]]",
            "[\"GET\",{}]",
            "[\"GET\"",
            "[\"GET\",\"\\ud800\"]",
            "[\"GET\"] x",
            "[[\"GET\",\"k\"]]",
        ] {
            assert!(one(body.as_bytes()).is_err(), "{body}");
        }
        assert!(one(b"[\"GET\",\"\xff\"]").is_err());
        for body in ["[]", "[[]]", "[\"GET\"]", "[[\"GET\",null]]", "{}", ""] {
            assert!(several(body.as_bytes()).is_err(), "{body}");
        }
    }
}
