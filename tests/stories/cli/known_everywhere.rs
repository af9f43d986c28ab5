//! What one process has learnt of the provider is known to every other, now and after a restart, until
//! the token or the client changes: a dead refresh token, a refused client, a lost answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chrono::TimeDelta;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::{Obtained, Secret, TokenRecord};
use serde_json::Value;

use crate::support::bench::Bench;
use crate::support::file_home::name;
use crate::support::program::eventually;
use crate::support::pty::Terminal;

impl Bench {
    /// The same with a refresh token that the provider has revoked.
    async fn with_a_dead_token() -> Self {
        let bench = Self::new().await;
        bench.manu().revoke(&bench.factory.record.refresh_token.as_ref().unwrap().token);
        bench
    }

    /// The same with a client secret that the provider does not know any more.
    async fn with_another_secret_at_the_provider() -> Self {
        let bench = Self::new().await;
        bench.set_secret_at_the_provider(&Secret::new("another secret"));
        bench
    }

    fn set_secret_at_the_provider(&self, secret: &Secret) {
        let client_id = &self.factory.record.client_id;
        self.manu().register_client(client_id, secret, &["http://127.0.0.1/callback"]);
    }

    /// The one connection in what a command lists.
    fn listed(&self, command: &str, code: i32) -> Value {
        self.json(&[command, "--json"], code)["connections"][0].take()
    }

    /// The doctor's check of the tokens.
    fn doctor(&self) -> (String, String) {
        let ended = self.start(&["doctor", "--json"]).end();
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "factory: tokens").unwrap();
        let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        (text("verdict"), format!("{} -> {}", text("found"), text("advice")))
    }

    /// Health and metrics of a keepalive process that starts now.
    fn keepalive_says(&self, status: &str) -> (Value, String) {
        let mut keepalive = self.start(&["keepalive", "--listen", "127.0.0.1:0"]);
        let said = keepalive.until_stderr("leader: refreshing");
        let address = said.split_once("health and metrics on ").unwrap().1.split(['\n', '"']).next().unwrap();
        let health = || serde_json::from_str::<Value>(&get(address, "/healthz")).unwrap();
        eventually(status, || health()["connections"][0]["status"] == status);
        let reported = (health(), get(address, "/metrics"));
        keepalive.signal("TERM");
        keepalive.end().expect(0);
        reported
    }

    /// Every process that starts now knows of the trouble, hands the access token out while it lives,
    /// and sends nothing.
    fn assert_known(&self, status: &str, code: i32, remedy: &str) {
        let posts = self.posts();
        for _ in 0..2 {
            self.run(&["status"], code);
            assert_eq!(self.listed("status", code)["status"], status);
            assert_eq!(self.listed("list", 0)["status"], status);
        }
        let (verdict, text) = self.doctor();
        assert_eq!(verdict, "fail", "{text}");
        assert!(text.contains(remedy), "{text}");
        let (health, metrics) = self.keepalive_says(status);
        assert_eq!((&health["status"], &health["connections"][0]["needs_person"]), (&"degraded".into(), &true.into()));
        let of_status = format!("manutop_connection_status{{connection=\"factory\",status=\"{status}\"}} 1\n");
        assert!(metrics.contains(&of_status), "{metrics}");
        assert!(metrics.contains("manutop_connection_needs_person{connection=\"factory\"} 1\n"), "{metrics}");
        let token = self.factory.record.access_token.expose();
        let ended = self.run(&["token", "factory"], 0);
        assert_eq!(ended.stdout.trim_end(), token);
        assert!(ended.stderr.contains("warning: factory: ") && ended.stderr.contains("still good"), "{ended:?}");
        let object = self.json(&["token", "factory", "--json"], 0);
        assert_eq!(object["access_token"], token);
        assert!(object["problem"].is_string(), "{object}");
        self.run(&["token", "factory", "--min-ttl", "29m59s"], code);
        let object = self.json(&["token", "factory", "--min-ttl", "29m59s", "--json"], code);
        assert_eq!((&object["error"]["kind"], &object["error"]["exit_code"]), (&status.into(), &code.into()));
        self.run(&["refresh", "factory"], 0); // still fresh
        assert_eq!(self.posts(), posts, "nothing is sent");
    }

    fn assert_live(&self) {
        self.run(&["status"], 0);
        assert_eq!(self.listed("list", 0)["status"], "live");
        assert_eq!(self.doctor().0, "ok");
        assert_eq!(self.run(&["token", "factory"], 0).stderr, "");
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_dead_refresh_token_that_a_command_has_found() {
    let bench = Bench::with_a_dead_token().await;
    bench.run(&["refresh", "factory", "--force"], 3);
    assert_eq!(bench.posts(), 1);
    bench.assert_known("needs_login", 3, "manutop login factory");
    // Not even for one who insists.
    bench.run(&["refresh", "factory", "--force", "--yes"], 3);
    assert_eq!(bench.posts(), 1);
    // A login brings another refresh token, and so does an import.
    let pasted = bench.refresh_token_elsewhere();
    bench.pipe(&["import", "factory", "--yes"], pasted.expose(), 0);
    assert_eq!(bench.posts(), 2);
    bench.assert_live();
}

#[tokio::test]
async fn a_dead_refresh_token_that_a_keepalive_has_found() {
    let bench = Bench::with_a_dead_token().await;
    let record = bench.factory.record.clone();
    // Due, but not yet at its end.
    let obtained_at = record.obtained_at - TimeDelta::minutes(29);
    let due = TokenRecord { generation: 42, obtained_at, expires_at: obtained_at + TimeDelta::minutes(30), ..record };
    bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap().receive(due).await.unwrap();
    bench.keepalive_says("needs_login");
    assert_eq!(bench.posts(), 1);
    bench.keepalive_says("needs_login");
    assert_eq!(bench.listed("status", 3)["status"], "needs_login");
    assert_eq!(bench.posts(), 1, "it is not presented again");
}

#[tokio::test]
async fn a_dead_refresh_token_under_another_name() {
    let bench = Bench::with_a_dead_token().await;
    bench.run(&["refresh", "factory", "--force"], 3);
    bench.run(&["rename", "factory", "plant"], 0);
    assert_eq!(bench.listed("status", 3)["status"], "needs_login");
    bench.run(&["refresh", "plant", "--force", "--yes"], 3);
    assert_eq!(bench.posts(), 1);
}

#[tokio::test]
async fn a_refused_client_until_its_secret_changes() {
    let bench = Bench::with_another_secret_at_the_provider().await;
    bench.run(&["refresh", "factory", "--force"], 4);
    assert_eq!(bench.posts(), 1);
    bench.assert_known("misconfigured", 4, "manutop secret set factory");
    bench.pipe(&["secret", "set", "factory"], "another secret", 0);
    bench.assert_live();
    bench.run(&["refresh", "factory", "--force"], 0);
    assert_eq!(bench.posts(), 2);
}

#[tokio::test]
async fn a_lost_answer_that_recovers() {
    let bench = Bench::new().await;
    bench.manu().push_fault(DemoFault::Instead(Reply::Nothing));
    bench.run(&["refresh", "factory", "--force"], 5);
    let view = bench.listed("status", 5);
    assert_eq!((&view["status"], &view["lost_answer"]["sends"]), (&"answer_lost".into(), &1.into()));
    assert_eq!(view["lost_answer"]["outcome"], "pending");
    assert!(view["lost_answer"]["at"].is_string());
    assert_eq!(bench.doctor().0, "warn");
    let ended = bench.run(&["token", "factory"], 0);
    assert!(ended.stderr.contains("answer lost"), "{ended:?}");
    let (health, metrics) = bench.keepalive_says("answer_lost");
    assert_eq!(health["connections"][0]["needs_person"], false);
    let pending = "manutop_lost_answer_sends{connection=\"factory\",outcome=\"pending\"} 1\n";
    assert!(metrics.contains(pending), "{metrics}");
    assert_eq!(bench.posts(), 1);
    // One who forces has waited long enough.
    bench.run(&["refresh", "factory", "--force"], 0);
    let view = bench.listed("status", 0);
    assert_eq!((&view["status"], &view["lost_answer"]["outcome"]), (&"live".into(), &"recovered".into()));
    let (_, metrics) = bench.keepalive_says("live");
    assert!(
        metrics.contains("manutop_lost_answer_sends{connection=\"factory\",outcome=\"recovered\"} 1\n"),
        "{metrics}"
    );
    let history = bench.vault().await.history(&name("factory")).await.unwrap();
    assert_eq!((history[0].how, history[0].recovered.map(|lost| lost.sends)), (Obtained::Refresh, Some(1)));
    assert_eq!(bench.posts(), 2);
    bench.assert_live();
}

#[tokio::test]
async fn a_lost_answer_whose_token_had_been_replaced() {
    let bench = Bench::new().await;
    bench.manu().push_fault(DemoFault::lost_answer());
    bench.run(&["refresh", "factory", "--force"], 5);
    let ended = bench.run(&["refresh", "factory", "--force"], 3);
    assert!(ended.stderr.contains("already replaced the token"), "{ended:?}");
    let view = bench.listed("status", 3);
    assert_eq!((&view["status"], &view["lost_answer"]["outcome"]), (&"needs_login".into(), &"replaced".into()));
    let (_, metrics) = bench.keepalive_says("needs_login");
    assert!(
        metrics.contains("manutop_lost_answer_sends{connection=\"factory\",outcome=\"replaced\"} 1\n"),
        "{metrics}"
    );
    assert_eq!(bench.posts(), 2);
}

/// A process was killed with its answer out, where the configuration asks for a person.
async fn uncertain() -> Bench {
    let bench = Bench::with_lines("after_lost_answer = \"ask\"\n").await;
    let vault = bench.vault().await;
    vault.lock(&name("factory"), |_| {}).await.unwrap().spending(&bench.factory.record).await.unwrap();
    bench
}

#[tokio::test]
async fn where_a_person_is_asked_a_command_that_forces_sends_nothing_without_a_yes() {
    let bench = uncertain().await;
    for arguments in [&["refresh", "factory", "--force"][..], &["refresh", "--all", "--force"], &["refresh", "factory"]]
    {
        let said = bench.pipe(arguments, "y\n", 7).stderr;
        assert!(said.find("manutop login factory").unwrap() < said.find("--force --yes").unwrap(), "{said}");
        assert!(said.contains("may revoke all tokens"), "{said}");
    }
    assert_eq!(bench.posts(), 0);
    assert_eq!(bench.listed("status", 7)["status"], "uncertain");
    let (verdict, text) = bench.doctor();
    assert_eq!(verdict, "warn");
    assert!(text.find("manutop login factory").unwrap() < text.find("--force").unwrap(), "{text}");
    bench.run(&["refresh", "--all", "--force", "--yes"], 0);
    assert_eq!(bench.posts(), 1);
}

#[tokio::test]
async fn a_yes_on_the_command_line_is_one_sending() {
    let bench = uncertain().await;
    bench.manu().break_down(None, DemoFault::Instead(Reply::Nothing));
    bench.run(&["refresh", "factory", "--force", "--yes"], 7);
    assert_eq!(bench.posts(), 1);
    // Also where there was no doubt when it began.
    let bench = Bench::with_lines("after_lost_answer = \"ask\"\n").await;
    bench.manu().break_down(None, DemoFault::Instead(Reply::Nothing));
    bench.run(&["refresh", "factory", "--force", "--yes"], 7);
    assert_eq!(bench.posts(), 1);
}

#[tokio::test]
async fn at_a_terminal_the_question_decides() {
    let bench = uncertain().await;
    for (key, code, posts) in [("n", 7, 0), ("y", 0, 1)] {
        let command = bench.command_in_terminal(&["refresh", "--all", "--force"]);
        let mut terminal = Terminal::start(command, (120, 30));
        terminal.until_text("Send it again?");
        assert!(terminal.shows("Logging in again is safe: manutop login factory"), "{}", terminal.picture());
        terminal.keys(&format!("{key}\r"));
        assert_eq!(terminal.ended(), code);
        assert_eq!(bench.posts(), posts, "{key}");
    }
}

#[tokio::test]
async fn a_signal_at_the_question_is_a_no() {
    let bench = uncertain().await;
    for (signal, by_key) in [("INT", true), ("INT", false), ("TERM", false), ("HUP", false)] {
        let command = bench.command_in_terminal(&["refresh", "--all", "--force"]);
        let mut terminal = Terminal::start(command, (120, 30));
        terminal.until_text("Send it again?");
        if by_key {
            terminal.keys("\x03");
        } else {
            terminal.signal(signal);
        }
        assert_eq!(terminal.ended(), 7, "{signal}: {}", terminal.picture());
        assert_eq!(bench.posts(), 0, "{signal}");
    }
}

/// The clock has been set back since the tokens came: nothing hands them out, also a keepalive service over its
/// socket.
#[tokio::test]
async fn a_token_from_the_future_is_given_to_no_script() {
    let bench = Bench::new().await;
    let record = bench.factory.record.clone();
    let obtained_at = record.obtained_at + TimeDelta::hours(2);
    let future =
        TokenRecord { generation: 42, obtained_at, expires_at: obtained_at + TimeDelta::minutes(30), ..record };
    bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap().receive(future).await.unwrap();
    let ended = bench.run(&["token", "factory", "--no-refresh"], 5);
    assert!(ended.stdout.is_empty() && ended.stderr.contains("clock was set back"), "{ended:?}");
    assert_eq!(bench.posts(), 0);
    bench.manu().break_down(None, DemoFault::unavailable(30));
    let mut keepalive = bench.start(&["keepalive", "--listen", "127.0.0.1:0"]);
    keepalive.until_stderr("factory: not refreshed");
    assert_eq!(bench.posts(), 1);
    for arguments in
        [&["token", "factory"][..], &["token", "factory", "--min-ttl", "0s"], &["exec", "factory", "--", "true"]]
    {
        let ended = bench.run(arguments, 5);
        assert!(ended.stdout.is_empty() && ended.stderr.contains("503"), "{ended:?}");
    }
    assert_eq!(bench.posts(), 1);
    keepalive.signal("TERM");
    keepalive.end().expect(0);
    bench.manu().clear_faults();
    bench.run(&["refresh", "factory", "--force"], 0);
    bench.assert_live();
    assert_eq!(bench.posts(), 2);
}
