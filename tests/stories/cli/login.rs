//! `manutop login` and `manutop logout` as people and scripts use them: the real program, with the
//! encrypted file store, against the demo's server, on real terminals and without one.

use std::process::Command;

use manutop::demo::{DemoOptions, Servers};
use manutop::domain::{ConnectionName, Secret, TokenRecord};

use crate::support::file_home::FileHome;
use crate::support::login::{FOREIGN, LOOPBACK, Person};
use crate::support::program::Program;
use crate::support::pty::{Terminal, shows};
use crate::support::subjects::{ada, bob, jwt};

/// A home with one connection to the demo's server.
struct Setup {
    servers: Servers,
    home: FileHome,
    runtime: tokio::runtime::Runtime,
}

impl Setup {
    fn new(redirect_uri: &str) -> Self {
        let servers = Servers::start(DemoOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let home = runtime.block_on(FileHome::before_login(servers.manu(), redirect_uri));
        Self { servers, home, runtime }
    }

    /// The tokens that are held.
    fn record(&self) -> Option<TokenRecord> {
        self.runtime.block_on(async { self.home.vault().await.read(&factory()).await.unwrap().record })
    }

    /// Logs in as Ada.
    fn hold_adas(&self) {
        self.servers.manu().push_fault(ada());
        let mut login = Program::start(&mut self.home.command(&["login", "factory", "--no-browser"]));
        let url = url_in(&login.until_stderr("Ctrl-C cancels"));
        let answer = self.answer(&url);
        login.send(&format!("{answer}\n"));
        let ended = login.end().expect(0);
        assert_eq!(ended.stdout, "factory: logged in as ada@example.com, generation 1\n");
    }

    /// What a person who allows it ends on.
    fn answer(&self, url: &str) -> String {
        self.runtime.block_on(async { Person::new().shown(url).await.to_string() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.home.command(arguments)
    }
}

fn factory() -> ConnectionName {
    ConnectionName::new("factory").unwrap()
}

/// The URL that a login says, on standard error or on a screen wide enough for it.
fn url_in(said: &str) -> String {
    let (_, rest) = said.split_once("http://").expect("a URL");
    format!("http://{}", rest.split_whitespace().next().unwrap())
}

/// The URL on the screen is a link (OSC 8), so that it can be clicked.
fn assert_linked(terminal: &mut Terminal) {
    let link = format!("\x1b]8;id=manutop;{}\x1b\\", url_in(&terminal.picture()));
    let written = terminal.everything();
    assert!(written.windows(link.len()).any(|bytes| bytes == link.as_bytes()), "no link to {link:?}");
}

/// The answer with a code that is so much longer: the server refuses it, and says that of no other.
fn lengthened(answer: &str, length: usize) -> String {
    let long = format!("code=Aa1{}", "x".repeat(length));
    answer.replacen("code=", &long, 1)
}

#[test]
fn a_terminal_takes_answers_of_any_length_wrapped_and_quoted() {
    let setup = Setup::new(FOREIGN);
    let mut terminal =
        Terminal::start(setup.home.command_in_terminal(&["login", "factory", "--no-browser"]), (400, 30));
    terminal.until_text("Ctrl-C cancels");
    assert_linked(&mut terminal);
    let answer = setup.answer(&url_in(&terminal.picture()));
    for (at, length) in [4_600, 15_000].into_iter().enumerate() {
        let long = lengthened(&answer, length);
        // Whole, as a terminal without bracketed paste types it: a cut one would be of another state.
        terminal.keys(&format!("{long}\r"));
        terminal.until_text(&format!("({} characters)", long.len()));
        let posts = || setup.servers.manu().stats().token_posts.authorization_code;
        terminal.until("the provider's answer", |screen| {
            shows(screen, "the provider refused this code") && posts() == at as u64 + 1
        });
        assert!(!terminal.everything().windows(8).any(|window| window == b"xxxxxxxx"), "nothing of it is shown");
    }
    terminal.keys("yes\r");
    terminal.until_text("it is neither a URL nor a code");
    let (first, second) = answer.split_at(answer.len() / 2);
    terminal.paste(&format!("\u{201c}{first}\r\n  {second}\u{201d}\r"));
    terminal.keys("\r");
    terminal.until_text("factory: logged in, generation 1");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
}

#[test]
fn the_dashboard_takes_answers_of_any_length_wrapped_and_quoted() {
    let setup = Setup::new(FOREIGN);
    let mut terminal = Terminal::start(setup.home.command_in_terminal(&[]), (400, 30));
    terminal.until_text("never logged in");
    terminal.keys("l");
    terminal.until_text("Paste that address, whole");
    assert_linked(&mut terminal);
    let answer = setup.answer(&url_in(&terminal.picture()));
    for text in ["Log in to Manu Online", "ok", "ada@example.com"] {
        terminal.paste(text);
        terminal.keys("\r");
        terminal.until_text("this does not look like the final URL: it is neither a URL nor a code");
        assert_eq!(setup.servers.manu().stats().token_posts.total(), 0, "{text}");
    }
    let long = lengthened(&answer, 15_000);
    terminal.paste(&long);
    terminal.until_text(&format!("({} characters)", long.len()));
    terminal.keys("\r");
    terminal.until_text("the provider refused this code");
    let (first, second) = answer.split_at(answer.len() / 2);
    terminal.paste(&format!("<{first}\r\n  {second}>\r"));
    terminal.keys("\r");
    terminal.until_text("logged in, generation 1");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_terminal_is_given_back_when_a_login_is_given_up() {
    let setup = Setup::new(FOREIGN);
    let mut terminal = Terminal::start(setup.home.command_in_terminal(&["login", "factory"]), (400, 30));
    terminal.until_text("Ctrl-C cancels");
    terminal.keys("https://www.getpost");
    terminal.keys("\x03");
    terminal.until_text("login cancelled");
    assert_eq!(terminal.ended(), 1);
    terminal.assert_given_back();
}

#[test]
fn on_a_terminal_a_person_decides_whose_tokens_are_kept() {
    for (key, code, kept) in [("n", 1, "ada@example.com"), ("y", 0, "bob@example.com")] {
        let setup = Setup::new(FOREIGN);
        setup.hold_adas();
        let mut terminal =
            Terminal::start(setup.home.command_in_terminal(&["login", "factory", "--no-browser"]), (400, 30));
        terminal.until_text("Ctrl-C cancels");
        let answer = setup.answer(&url_in(&terminal.picture()));
        setup.servers.manu().push_fault(bob());
        terminal.paste(&answer);
        terminal.keys("\r");
        terminal.until_text(
            "factory holds the tokens of ada@example.com; you logged in as bob@example.com. Replace them? [n/y]",
        );
        terminal.keys("what\r");
        terminal.keys(&format!("{key}\r"));
        let end = if code == 0 { "factory: logged in as bob@example.com, generation 2" } else { "were kept" };
        terminal.until_text(end);
        assert_eq!(terminal.ended(), code);
        assert_eq!(setup.record().unwrap().subject.unwrap().email.as_deref(), Some(kept));
        assert_eq!(setup.servers.manu().stats().families_revoked, u64::from(code), "new tokens go back");
    }
}

#[test]
fn without_a_terminal_another_subject_is_refused_but_for_yes() {
    let setup = Setup::new(FOREIGN);
    setup.hold_adas();
    let log_in = |arguments: &[&str]| {
        let mut login = Program::start(&mut setup.command(arguments));
        let answer = setup.answer(&url_in(&login.until_stderr("Ctrl-C cancels")));
        setup.servers.manu().push_fault(bob());
        login.send(&format!("{answer}\n"));
        login.end()
    };
    let refused = log_in(&["login", "factory", "--no-browser"]).expect(1);
    let words = "cannot ask for confirmation without a terminal; pass --yes";
    assert!(refused.stderr.contains(words) && refused.stderr.contains("the new tokens were revoked"), "{refused:?}");
    assert_eq!(setup.record().unwrap().generation, 1);
    let replaced = log_in(&["login", "factory", "--no-browser", "--yes", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&replaced.stdout).unwrap();
    assert_eq!((&json["outcome"], &json["subject"]["email"]), (&"logged_in".into(), &"bob@example.com".into()));
    let status = Program::start(&mut setup.command(&["status", "factory"]));
    assert!(status.end().expect(0).stdout.contains("subject        bob@example.com · sub 9"));
}

#[test]
fn an_answer_from_a_pipe_may_be_wrapped_and_a_refused_one_ends_with_the_input() {
    let setup = Setup::new(FOREIGN);
    let mut login = Program::start(&mut setup.command(&["login", "factory", "--no-browser"]));
    let answer = setup.answer(&url_in(&login.until_stderr("Ctrl-C cancels")));
    let wrapped: Vec<_> = answer.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).unwrap()).collect();
    login.send(&format!("<{}>\n", wrapped.join("\n ")));
    login.end().expect(0);
    let mut login = Program::start(&mut setup.command(&["login", "factory", "--no-browser"]));
    login.until_stderr("Ctrl-C cancels");
    login.send("https://www.getpostman.com/oauth2/callback");
    let ended = login.end().expect(1);
    assert!(ended.stderr.contains("this does not look like the final URL"), "{ended:?}");
    assert!(ended.stderr.contains("there is no more input"), "{ended:?}");
}

#[test]
fn a_logout_says_what_became_of_the_refresh_token() {
    let setup = Setup::new(FOREIGN);
    setup.hold_adas();
    let run = |arguments: &[&str]| {
        let program = Program::start(&mut setup.command(arguments));
        program.end()
    };
    let ended = run(&["logout", "factory"]).expect(0);
    assert_eq!(ended.stdout, "factory: logged out; the provider revoked the refresh token\n");
    assert_eq!((setup.record(), setup.servers.manu().stats().families_revoked), (None, 1));
    let ended = run(&["logout", "factory", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(json["revoked"].is_null() && json["revoke_error"].is_null(), "nothing was held: {json}");
    setup.hold_again();
    let text = setup.home.text().replace("/oauth/revoke", "/oauth/nothing");
    std::fs::write(setup.home.config(), text).unwrap();
    let ended = run(&["logout", "factory", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&json["outcome"], &json["revoked"]), (&"logged_out".into(), &false.into()));
    assert!(json["revoke_error"].as_str().unwrap().contains("404"), "{json}");
    assert_eq!(setup.record(), None);
}

#[test]
fn a_removal_revokes_too() {
    let setup = Setup::new(FOREIGN);
    setup.hold_adas();
    let program = Program::start(&mut setup.command(&["remove", "factory", "--yes"]));
    let ended = program.end().expect(0);
    let words = "removed, with its tokens and client secret; the provider revoked the refresh token";
    assert!(ended.stdout.contains(words), "{ended:?}");
}

#[test]
fn a_loopback_login_ends_while_its_browser_reads_the_page() {
    let setup = Setup::new(LOOPBACK);
    let mut login = Program::start(&mut setup.command(&["login", "factory", "--no-browser"]));
    let url = url_in(&login.until_stderr("Ctrl-C cancels"));
    let (status, page) = setup.runtime.block_on(async {
        let person = Person::new();
        let back = person.sent_to(&url, "allow").await;
        let (first, second) = tokio::join!(person.visit(&back), person.visit(&back));
        assert_eq!(first, second);
        first
    });
    assert!(status == 200 && page.contains("Logged in"), "{page}");
    login.end().expect(0);
}

impl Setup {
    /// Stores tokens again.
    fn hold_again(&self) {
        let issued = self.servers.manu().issue("app", "API_ALL");
        let access_token = Secret::new(jwt(&serde_json::json!({ "sub": "7" })));
        self.runtime.block_on(async {
            let vault = self.home.vault().await;
            let mut locked = vault.lock(&factory(), |_| {}).await.unwrap();
            let generation = locked.recover().await.unwrap().next_generation();
            locked.receive(TokenRecord { access_token, ..issued.record(generation) }).await.unwrap();
        });
    }
}
