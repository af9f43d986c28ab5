//! `manutop import`: the real program, from standard input and at a terminal's hidden prompt.

use std::path::Path;

use manutop::demo::DemoFault;

use crate::support::bench::Bench;
use crate::support::factory::Factory;
use crate::support::file_home::{PASSPHRASE, name};
use crate::support::program::Ended;
use crate::support::pty::Terminal;

impl Bench {
    /// Runs `import` with this on standard input; fails unless it ends with this code.
    fn import(&self, arguments: &[&str], input: &str, code: i32) -> Ended {
        self.pipe(&[&["import"], arguments].concat(), input, code)
    }

    /// Nothing that was printed, and no file beside the sealed ones, holds a piece of these.
    fn sweep(&self, printed: &[u8], secrets: &[&str]) {
        let mut places = vec![("the output".to_owned(), printed.to_vec())];
        files(self.dir.path(), &mut places);
        for (place, bytes) in &places {
            for secret in secrets {
                let found = secret.as_bytes().windows(16).any(|piece| bytes.windows(16).any(|window| window == piece));
                assert!(!found, "a secret is readable in {place}");
            }
        }
    }
}

/// It has its client secret, and no tokens.
async fn without_tokens() -> Bench {
    let factory = Factory::new();
    let configuration = factory.alone("");
    let bench = Bench::without_secrets(factory, &configuration);
    bench.vault().await.set_client_secret(&name("factory"), &bench.factory.client_secret).await.unwrap();
    bench
}

fn files(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piped_token_is_taken_over_replaced_and_found_nowhere() {
    let bench = without_tokens().await;
    let pasted = bench.refresh_token_elsewhere();
    let ended = bench.import(&["factory"], &format!("{}\n", pasted.expose()), 0);
    let start = "factory: took over the refresh token and replaced it; the copy you pasted no longer works. \
                 Access token valid until ";
    let time = ended.stdout.strip_prefix(start).unwrap_or_else(|| panic!("{ended:?}"));
    assert!(time.len() == "14:32.\n".len() && time.ends_with(".\n"), "{ended:?}");
    assert_eq!(ended.stderr, "");
    let stored = bench.stored().await.record.unwrap().refresh_token.unwrap().token;
    let newest = bench.manu().newest_refresh_token(&bench.factory.record.client_id);
    assert_eq!(newest.as_ref(), Some(&stored));
    assert_ne!(stored, pasted);
    let log = bench.run(&["log", "--json"], 0).stdout;
    assert!(log.contains("/oauth/token"), "{log}");
    let printed = [ended.stdout, log].concat();
    bench.sweep(printed.as_bytes(), &[pasted.expose(), stored.expose(), bench.factory.client_secret.expose()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_from_postman_is_read_and_the_result_is_json() {
    let bench = without_tokens().await;
    let answer = serde_json::json!({
        "access_token": "A", "token_type": "bearer", "expires_in": 1799, "refresh_token": bench.refresh_token_elsewhere().expose(),
    });
    let ended = bench.import(&["factory", "--json"], &format!("{answer:#}\n"), 0);
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&object["version"], &object["connection"], &object["outcome"]),
        (&1.into(), &"factory".into(), &"imported".into())
    );
    assert_eq!((&object["generation"], &object["pasted_token_replaced"]), (&1.into(), &true.into()));
    assert!(object["expires_at"].as_str().unwrap().ends_with('Z'), "{object}");
}

/// Also after a hidden prompt, during which Ctrl-C has another meaning.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_question_ends_it() {
    let bench = Bench::new().await;
    let mut command = bench.command_in_terminal(&["import", "factory"]);
    command.env_remove("MANUTOP_PASSPHRASE");
    let mut terminal = Terminal::start(command, (120, 30));
    terminal.until_text("Passphrase");
    terminal.keys(&format!("{PASSPHRASE}\r"));
    terminal.until_text("Replace them? [n/y]");
    terminal.keys("\x03");
    assert_ne!(terminal.ended(), 0);
    assert_eq!(bench.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_tokens_are_replaced_only_after_a_confirmation() {
    let bench = Bench::new().await;
    let before = bench.stored().await.record;
    let pasted = bench.refresh_token_elsewhere();
    let ended = bench.import(&["factory"], pasted.expose(), 2);
    assert!(ended.stderr.contains("cannot ask for confirmation without a terminal; pass --yes"), "{ended:?}");
    let ended = bench.import(&["factory", "--json"], pasted.expose(), 2);
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["error"]["kind"], "usage");
    assert_eq!((bench.posts(), bench.stored().await.record), (0, before.clone()));

    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Replace them? [n/y]");
    terminal.keys("n\r");
    assert_eq!(terminal.ended(), 1);
    assert_eq!((bench.posts(), bench.stored().await.record), (0, before.clone()));

    bench.import(&["factory", "--yes"], pasted.expose(), 0);
    assert_eq!(bench.stored().await.record.unwrap().generation, before.unwrap().generation + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_typed_at_the_prompt_is_not_shown_and_the_terminal_is_as_before() {
    let bench = Bench::new().await;
    let pasted = bench.refresh_token_elsewhere();
    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Replace them? [n/y]");
    terminal.keys("y\r");
    terminal.until_text("Refresh token for factory:");
    terminal.keys(&format!("{}\r", pasted.expose()));
    assert_eq!(terminal.ended(), 0, "{}", terminal.picture());
    terminal.until_text("the copy you pasted no longer works");
    terminal.assert_given_back();
    bench.sweep(&terminal.everything(), &[pasted.expose()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_many_lines_pasted_at_the_prompt_is_read_to_its_end_and_not_shown() {
    let bench = without_tokens().await;
    let pasted = bench.refresh_token_elsewhere();
    let answer = serde_json::json!({
        "access_token": "x".repeat(9000), "token_type": "bearer", "refresh_token": pasted.expose(), "expires_in": 1799,
    });
    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Refresh token for factory:");
    terminal.keys(&format!("{answer:#}\r").replace('\n', "\r"));
    assert_eq!(terminal.ended(), 0, "{}", terminal.picture());
    terminal.assert_given_back();
    bench.sweep(&terminal.everything(), &[pasted.expose(), &"x".repeat(20)]);
    assert_eq!(bench.stored().await.record.unwrap().generation, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_longer_than_a_terminal_s_buffer_is_not_cut() {
    let bench = without_tokens().await;
    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Refresh token for factory:");
    // Whole it is one byte too long, and any shorter it would be sent.
    terminal.keys(&format!("{}\r", "x".repeat(16 * 1024 + 1)));
    assert_eq!(terminal.ended(), 2, "{}", terminal.picture());
    terminal.until_text("the refresh token is longer than 16 KiB; nothing was sent");
    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Refresh token for factory:");
    terminal.keys(&format!("{}\r", "x".repeat(16 * 1024)));
    assert_eq!(terminal.ended(), 3, "{}", terminal.picture());
    assert_eq!(bench.posts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_prompt_sends_nothing_and_gives_the_terminal_back() {
    let bench = without_tokens().await;
    let mut terminal = bench.terminal(&["import", "factory"], (120, 30));
    terminal.until_text("Refresh token for factory:");
    terminal.keys("half-a-tok\x03");
    assert_ne!(terminal.ended(), 0);
    terminal.assert_given_back();
    assert_eq!(bench.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_refresh_token_ends_with_2_and_is_not_repeated() {
    let bench = without_tokens().await;
    for (input, why) in [
        ("", "is empty"),
        ("hunter2 hunter2-hunter2-hunter2\n", "has white space in it"),
        (r#"{"access_token":"hunter2-hunter2-hunter2"}"#, "is not in this JSON answer"),
        ("https://www.getpostman.com/oauth2/callback?code=hunter2-hunter2-hunter2", "is an address (URL)"),
        (&"x".repeat(20_000), "is longer than 16 KiB"),
    ] {
        let ended = bench.import(&["factory"], input, 2);
        assert!(ended.stderr.contains(&format!("factory: the refresh token {why}")), "{ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    assert_eq!(bench.posts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_exit_code_and_keeps_what_there_was() {
    let bench = Bench::new().await;
    let before = bench.stored().await.record;
    for (fault, code, words) in [
        (None, 3, "the provider does not take this refresh token: 400 invalid_grant"),
        (Some(DemoFault::status(401, r#"{"error":"invalid_client"}"#)), 4, "nothing was taken over"),
        (Some(DemoFault::status(429, "{}")), 5, "nothing was taken over"),
        (Some(DemoFault::lost_answer()), 7, "import it again, and log in if it is refused then"),
    ] {
        if let Some(fault) = fault {
            bench.manu().push_fault(fault);
        }
        let ended = bench.import(&["factory", "--yes"], "never-issued-at-all", code);
        assert!(ended.stderr.contains(words) && ended.stdout.is_empty(), "{ended:?}");
        assert!(!ended.stderr.contains("--force"), "forcing is no remedy here: {ended:?}");
        assert_eq!(bench.stored().await.record, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_said_before_a_token_is_asked_for() {
    let bench = without_tokens().await;
    bench.vault().await.remove_client_secret(&name("factory")).await.unwrap();
    let ended = bench.import(&["factory"], "never-read", 4);
    assert!(ended.stderr.contains("no client secret; set one with: manutop secret set factory"), "{ended:?}");
    let ended = bench.import(&["nowhere"], "never-read", 2);
    assert!(ended.stderr.contains("there is no connection nowhere"), "{ended:?}");
    let manus = "[[connections]]\nname = \"users\"\nprovider = \"manus\"\nclient_id = \"tm_1\"\n";
    std::fs::write(bench.config(), format!("store = \"file\"\n{manus}")).unwrap();
    let ended = bench.import(&["users"], "never-read", 2);
    assert!(ended.stderr.contains("users: not supported for Manus: it has no refresh tokens"), "{ended:?}");
    assert_eq!(bench.posts(), 0);
}
