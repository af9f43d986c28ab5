//! `c` in the dashboard in a real GNU screen: the token reaches the terminal around it whole, and nothing
//! of it is painted.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manutop::domain::{Secret, TokenRecord};
use portable_pty::CommandBuilder;

use crate::support::factory::Factory;
use crate::support::file_home::{BINARY, FileHome};
use crate::support::pty::Terminal;

/// Ends the screen of a test that failed.
struct Session<'a>(&'a FileHome);

impl Session<'_> {
    /// The dashboard in a screen, with these variables beside the home's.
    fn start(&self, variables: &[(&str, &str)]) -> Terminal {
        let mut command = CommandBuilder::new("screen");
        let settings = self.0.path("screenrc");
        fs::write(&settings, "deflogin off\nstartup_message off\n").unwrap();
        command.args(["-c", settings.to_str().unwrap(), "-S", "copy"]);
        // Whatever the dashboard says when it cannot start is to be seen.
        command.args(["sh", "-c", "env \"$@\" || sleep 1", "sh"]);
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(BINARY);
        command.env_clear();
        for (name, value) in &self.0.env {
            command.env(name, value);
        }
        command.cwd(self.0.dir.path());
        let mut terminal = Terminal::start(command, (120, 30));
        terminal.until_text("factory");
        terminal.until_text("live");
        terminal
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let mut quit = Command::new("screen");
        quit.args(["-S", "copy", "-X", "quit"]).env_clear().envs(&self.0.env).stdout(Stdio::null());
        let _ = quit.status();
    }
}

async fn home(token: &str) -> FileHome {
    let factory = Factory::new();
    let mut home = FileHome::new(&factory.alone(""));
    let sockets = home.path("screens");
    fs::DirBuilder::new().mode(0o700).create(&sockets).unwrap();
    home.env.insert("SCREENDIR", sockets.display().to_string());
    home.env.insert("MANUTOP_THEME", "16".into());
    let record = TokenRecord { access_token: Secret::new(token), ..factory.record.clone() };
    home.log_in("factory", &factory.client_secret, record).await;
    home
}

/// A token in whose base64 every piece is recognisable.
fn token(length: usize) -> String {
    (0..).flat_map(|n: u32| format!("{n:x}.").into_bytes()).map(char::from).take(length).collect()
}

fn contains(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

/// Fails if a piece of it was ever to be seen on the screen.
fn assert_never_painted(terminal: &Terminal, encoded: &str) {
    let pieces: HashSet<&[u8]> = encoded.as_bytes().windows(12).collect();
    for line in terminal.lines() {
        assert!(!line.as_bytes().windows(12).any(|seen| pieces.contains(seen)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs GNU screen; scripts/test runs it"]
async fn a_copied_token_passes_through_gnu_screen_whole_and_unpainted() {
    for length in [20, 600, 5_000, 74_994] {
        let token = token(length);
        let (home, encoded) = (home(&token).await, STANDARD.encode(&token));
        let session = Session(&home);
        let mut terminal = session.start(&[]);
        terminal.keys("c");
        terminal.until_text("access token sent to the terminal");
        let everything = terminal.everything();
        assert!(contains(&everything, &format!("\x1b]52;c;{encoded}\x07")), "{length}: it did not arrive whole");
        assert_never_painted(&terminal, &encoded);
        terminal.keys("q");
        terminal.ended();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs GNU screen; scripts/test runs it"]
async fn what_cannot_be_copied_in_gnu_screen_is_refused_and_unpainted() {
    // Too long for a terminal; and, without STY, too long where tmux may be there as well.
    for (length, variables) in [(75_000, &[][..]), (5_000, &[("STY", ""), ("TERM", "screen")])] {
        let token = token(length);
        let home = home(&token).await;
        let session = Session(&home);
        let mut terminal = session.start(variables);
        terminal.keys("c");
        terminal.until_text("it is too long");
        assert_never_painted(&terminal, &STANDARD.encode(&token));
        assert!(!contains(&terminal.everything(), "]52;"));
        terminal.keys("q");
        terminal.ended();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs GNU screen; scripts/test runs it"]
async fn a_short_copy_passes_also_where_tmux_could_be_there_instead() {
    let token = token(400);
    let (home, encoded) = (home(&token).await, STANDARD.encode(&token));
    let session = Session(&home);
    let mut terminal = session.start(&[("STY", ""), ("TERM", "screen")]);
    terminal.keys("c");
    terminal.until_text("access token sent to the terminal");
    assert!(contains(&terminal.everything(), &format!("\x1b]52;c;{encoded}\x07")));
    assert_never_painted(&terminal, &encoded);
    terminal.keys("q");
    terminal.ended();
}
