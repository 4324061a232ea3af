use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Request;
use crate::server::{Redis, free_port};

/// The program, which ends with the test.
struct Program(Child);

impl Program {
    fn start(configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upstash-gateway"));
        for variable in [
            "REDIS_URL",
            "LISTEN",
            "UPSTASH_REDIS_REST_TOKEN",
            "UPSTASH_REDIS_REST_READONLY_TOKEN",
        ] {
            command.env_remove(variable);
        }
        configure(&mut command);
        Self(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        line
    }

    fn wait(&mut self) -> (bool, String) {
        let mut errors = String::new();
        let status = self.0.wait().unwrap();
        self.0
            .stderr
            .as_mut()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        (status.success(), errors)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn flags_configure_it_and_one_line_says_where_it_listens_but_no_token() {
    let listen = format!("127.0.0.1:{}", free_port());
    let mut program = Program::start(|command| {
        command.args([
            "--redis",
            &Redis::shared().url(),
            "--token",
            "secret-1",
            "--read-only-token",
            "secret-2",
        ]);
        command.args(["--listen", &listen, "--max-request-bytes", "100"]);
    });
    assert_eq!(
        program.first_line(),
        format!("upstash-gateway listens on http://{listen}\n")
    );
    let address = listen.parse().unwrap();
    let ping = |token| {
        Request::new(address, "POST", "/")
            .bearer(token)
            .body(r#"["PING"]"#)
            .send()
    };
    assert_eq!(ping("secret-1").await.status, 200);
    assert_eq!(ping("secret-2").await.status, 200);
    assert_eq!(ping("secret-3").await.status, 401);
    let large = Request::new(address, "POST", "/")
        .bearer("secret-1")
        .body(vec![b' '; 101])
        .send()
        .await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn the_environment_configures_it_as_well_and_sigterm_ends_it_at_once() {
    let listen = format!("127.0.0.1:{}", free_port());
    let mut program = Program::start(|command| {
        command.env("REDIS_URL", Redis::shared().url());
        command.env("UPSTASH_REDIS_REST_TOKEN", "secret-1");
        command.env("UPSTASH_REDIS_REST_READONLY_TOKEN", "");
        command.env("LISTEN", &listen);
    });
    program.first_line();
    let address = listen.parse().unwrap();
    // A stream that is open must not keep it alive.
    let stream = Request::new(address, "POST", "/subscribe/c")
        .bearer("secret-1")
        .open()
        .await;
    let answer = Request::new(address, "POST", "/")
        .bearer("secret-1")
        .body(r#"["PING"]"#)
        .send()
        .await;
    assert_eq!(answer.status, 200);
    let start = Instant::now();
    Command::new("kill")
        .arg(program.0.id().to_string())
        .status()
        .unwrap();
    assert!(program.wait().0);
    assert!(start.elapsed() < Duration::from_secs(8));
    drop(stream);
}

#[tokio::test]
async fn json_only_and_acl_tokens_can_be_set_both_ways() {
    let redis = Redis::start();
    redis.cli(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all"]);
    let flags: fn(&mut Command) = |command| {
        command.args([
            "--json-only",
            "--acl-token",
            "app:a-token:secret",
            "--acl-token",
            "app:secret",
        ]);
    };
    let variables: fn(&mut Command) = |command| {
        command
            .env("JSON_ONLY", "1")
            .env("ACL_TOKENS", "app:a-token:secret,app:secret");
    };
    for configure in [flags, variables] {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut program = Program::start(|command| {
            command.args(["--redis", &redis.url(), "--token", "t", "--listen", &listen]);
            configure(command);
        });
        program.first_line();
        for token in ["a-token", "secret"] {
            let request = Request::new(listen.parse().unwrap(), "POST", "/").bearer(token);
            let request = request.header("content-type", "application/json");
            let answer = request
                .header("upstash-response-format", "resp2")
                .body(r#"["ACL","WHOAMI"]"#)
                .send()
                .await;
            assert_eq!(answer.text(), r#"{"result":"app"}"#);
        }
    }
}

#[test]
fn what_makes_no_sense_is_told_without_the_token() {
    for (flags, told) in [
        (
            &["--token", "t0psecret", "--redis", "ftp://x"][..],
            "the URL of Redis is not one we know",
        ),
        (
            &["--token", "t0psecret", "--read-only-token", "t0psecret"],
            "two tokens may not be the same",
        ),
        (
            &["--token", "t0psecret", "--listen", "192.0.2.1:1"],
            "cannot listen",
        ),
        (&["--token", "t", "--acl-token", "t0psecret"], "user:token"),
        (&[], "--token"),
    ] {
        let (success, errors) = Program::start(|command| {
            command.args(flags);
        })
        .wait();
        assert!(!success);
        assert!(errors.contains(told), "{errors}");
        assert!(
            !errors.contains("t0psecret") || told == "user:token",
            "{errors}"
        );
    }
}
