//! `manutop rescue`: the answer that could not be read when it came.

use std::path::Path;
use std::process::Output;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{Obtained, Secret};

use crate::support::bench::Bench;
use crate::support::file_home::name;

/// What no version reads: the tokens have other names, and bytes that are no text stand beside them.
const STRANGE: &[u8] = b"{\"tok\": \"s3cret-token-of-an-answer\"}\r\n\x1b[2J\xff\x00 end";

impl Bench {
    /// The same where this answer came and could not be read.
    async fn with_answer(body: &[u8]) -> Self {
        let bench = Self::new().await;
        let mut locked = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        locked.spending(&bench.factory.record).await.unwrap();
        locked.answer_lost(&"unreadable".into(), Some(&Secret::new(BASE64_STANDARD.encode(body)))).await.unwrap();
        bench
    }

    /// Runs a command that must end with this code; gives what it said.
    fn output_of(&self, arguments: &[&str], code: i32) -> (Vec<u8>, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{said}");
        (stdout, said)
    }

    /// Whether a text can be read in any file of the home.
    fn is_on_disk(&self, text: &str) -> bool {
        fn holds(dir: &Path, text: &[u8]) -> bool {
            std::fs::read_dir(dir).unwrap().flatten().any(|entry| match entry.file_type().unwrap() {
                kind if kind.is_dir() => holds(&entry.path(), text),
                kind if kind.is_file() => {
                    std::fs::read(entry.path()).unwrap().windows(text.len()).any(|part| part == text)
                }
                _ => false,
            })
        }
        holds(self.dir.path(), text.as_bytes())
    }
}

#[tokio::test]
async fn where_nothing_is_kept_it_says_so() {
    let bench = Bench::new().await;
    for arguments in [&["rescue", "factory"][..], &["rescue", "factory", "--show"]] {
        let (printed, said) = bench.output_of(arguments, 1);
        assert!(printed.is_empty());
        assert_eq!(said, "manutop: factory: no answer is kept that could not be read\n");
    }
    // A lost answer of which nothing came is none either.
    let mut locked = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
    locked.spending(&bench.factory.record).await.unwrap();
    drop(locked);
    let (_, said) = bench.output_of(&["rescue", "factory"], 1);
    assert!(said.contains("no answer is kept"), "{said}");
    let (_, said) = bench.output_of(&["rescue", "missing"], 2);
    assert!(said.contains("there is no connection missing"), "{said}");
    assert_eq!(bench.posts(), 0);
}

#[tokio::test]
async fn an_answer_that_this_version_cannot_read_is_kept_and_the_ways_out_are_named() {
    let bench = Bench::with_answer(STRANGE).await;
    for _ in 0..2 {
        let (printed, said) = bench.output_of(&["rescue", "factory"], 1);
        assert!(printed.is_empty() && !said.contains("s3cret"), "{said}");
        assert!(said.contains("manutop rescue factory --show"), "{said}");
        assert!(said.contains("manutop import factory"), "{said}");
    }
    assert_eq!(bench.stored().await.record, Some(bench.factory.record.clone()));
    assert_eq!(bench.posts(), 0);
}

#[tokio::test]
async fn show_prints_the_answer_byte_by_byte_to_a_pipe_and_nothing_else_holds_it() {
    let bench = Bench::with_answer(STRANGE).await;
    let (printed, said) = bench.output_of(&["rescue", "factory", "--show"], 0);
    assert_eq!((&*printed, &*said), (STRANGE, ""));
    assert!(!bench.is_on_disk("s3cret-token"));
    for command in [&["status"][..], &["list", "--json"], &["log", "--json"], &["doctor"]] {
        let Output { stdout, stderr, .. } = bench.command(command).output().unwrap();
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        assert!(!said.contains("s3cret"), "{command:?}: {said}");
    }
    assert_eq!(bench.posts(), 0);
}

#[tokio::test]
async fn show_draws_nothing_on_a_terminal() {
    let bench = Bench::with_answer(STRANGE).await;
    let mut terminal = bench.terminal(&["rescue", "factory", "--show"], (100, 20));
    terminal.until_text("s3cret-token-of-an-answer");
    assert_eq!(terminal.ended(), 0);
    let everything = terminal.everything();
    assert!(!everything.windows(4).any(|part| part == b"\x1b[2J"), "{}", String::from_utf8_lossy(&everything));
}

#[tokio::test]
async fn an_answer_that_a_server_really_gave_is_kept_to_the_byte() {
    let bench = Bench::new().await;
    let body = r#"{"odd_token":"s3cret","nothing":"known"}"#;
    bench.manu().push_fault(DemoFault::Instead(Reply::Body(body.into())));
    bench.output_of(&["refresh", "factory", "--force"], 5);
    assert_eq!(bench.output_of(&["rescue", "factory", "--show"], 0).0, body.as_bytes());
    assert!(!bench.is_on_disk("s3cret"));
}

#[tokio::test]
async fn an_answer_that_this_version_can_read_is_saved_and_nothing_is_sent() {
    for is_ask in [false, true] {
        let body = r#"{"access_token":"the new one","expires_in":1800,"refresh_token":"and its refresh token"}"#;
        let bench = Bench::with_answer(body.as_bytes()).await;
        if is_ask {
            let text = format!("{}after_lost_answer = \"ask\"\n", bench.text());
            std::fs::write(bench.config(), text).unwrap();
        }
        let (printed, said) = bench.output_of(&["rescue", "factory"], 0);
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!((&*printed, &*said), ("factory: the refresh token in the kept answer is saved\n", ""));
        let standing = bench.stored().await;
        assert_eq!(standing.hazard, None);
        let record = standing.record.unwrap();
        assert_eq!(record.refresh_token.unwrap().token, Secret::new("and its refresh token"));
        assert_eq!((record.generation, record.access_token), (42, Secret::new("the new one")));
        let history = bench.vault().await.history(&name("factory")).await.unwrap();
        assert_eq!(history[0].how, Obtained::Recovered);
        assert_eq!(bench.output_of(&["token", "factory"], 0).0, b"the new one\n");
        assert!(bench.output_of(&["rescue", "factory"], 1).1.contains("no answer is kept"));
        assert_eq!(bench.posts(), 0);
    }
}

/// What is found is saved although it is due, and cannot be refreshed at this moment.
#[tokio::test]
async fn an_old_answer_is_saved_even_where_its_token_has_ended() {
    let body = r#"{"access_token":"short","expires_in":1,"refresh_token":"and its refresh token"}"#;
    let bench = Bench::with_answer(body.as_bytes()).await;
    bench.manu().break_down(None, DemoFault::unavailable(30));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let output = bench.command(&["rescue", "factory"]).output().unwrap();
    let record = bench.stored().await.record.unwrap();
    assert_eq!(record.refresh_token.unwrap().token, Secret::new("and its refresh token"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.starts_with(b"factory: the refresh token in the kept answer is saved"), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("manutop: warning: factory: 503"), "{said}");
}
