//! Starts the person's browser, when there is one to be seen.
//!
//! Invariants: only `http` and `https` URLs are opened, and none is in an argument list (`login_page`);
//! what is started never shares the terminal (null standard streams, its own process group) and is
//! never waited for to its end.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::platform::child_process::ChildCommand as _;
use crate::platform::environment::Environment;
use crate::platform::login_page::LoginPage;
use crate::platform::open_url::{Browser, Opened};
use crate::platform::{limits, login_page};

/// How long a browser command is watched for an early failure.
const WATCH: Duration = Duration::from_millis(500);

/// The browser of the desktop the program runs on.
#[derive(Debug, Clone)]
pub struct SystemBrowser {
    environment: Environment,
    /// Where the pages are that lead it to a URL.
    pages: PathBuf,
}

impl SystemBrowser {
    /// A browser for this environment.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment, pages: login_page::place() }
    }
}

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> Result<Opened, String> {
        check(url)?;
        if self.environment.ssh {
            return Err("over SSH no browser is started; open the URL on your own machine".into());
        }
        if self.environment.browser.is_none() && !self.environment.display {
            return Err("there is no display for a browser; open the URL on another machine".into());
        }
        let page = LoginPage::write(&self.pages, url).map_err(|error| {
            format!("the page for the browser could not be written: {error}; open the URL yourself")
        })?;
        match &self.environment.browser {
            Some(list) => open_with(list, page.url())?,
            None => open_on_desktop(page.url()).map_err(|why| format!("no browser could be started: {why}"))?,
        }
        Ok(Opened::with(page))
    }
}

/// The browser goes where this leads, so it must be nothing but a web address.
fn check(url: &str) -> Result<(), String> {
    let is_web = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_web && url.starts_with("http") && !url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err("only http and https addresses are opened in a browser".into())
}

/// Tries what opens addresses on this desktop, in order.
#[cfg(unix)]
fn open_on_desktop(url: &str) -> Result<(), String> {
    let mut why = "this desktop has nothing for it".to_owned();
    for command in open::commands(url) {
        match start(command) {
            Ok(()) => return Ok(()),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// Has the system open it.
#[cfg(not(unix))]
fn open_on_desktop(url: &str) -> Result<(), String> {
    open::that_detached(url).map_err(|error| error.to_string())
}

/// Tries the commands of `$BROWSER` in order.
fn open_with(list: &OsStr, url: &str) -> Result<(), String> {
    let list = list.to_string_lossy();
    // On Windows a colon is part of a path.
    let entries: Vec<&str> = if cfg!(windows) { vec![&list] } else { list.split(':').collect() };
    let mut why = "it names no program".to_owned();
    for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
        let words = command_line(entry, url);
        let Some((program, arguments)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(arguments);
        match start(command) {
            Ok(()) => return Ok(()),
            Err(error) => why = format!("{}: {error}", program.to_string_lossy()),
        }
    }
    Err(format!("$BROWSER could not be started ({why})"))
}

/// The words of one command: `%s` stands for the URL, which else comes last. The words are
/// split before the URL is put in, and no shell reads them.
fn command_line(entry: &str, url: &str) -> Vec<OsString> {
    let words: Vec<&str> = if std::path::Path::new(entry).is_file() {
        vec![entry] // a path with spaces in it
    } else {
        entry.split_ascii_whitespace().collect()
    };
    let mut line: Vec<OsString> = words.iter().map(|word| word.replace("%s", url).into()).collect();
    if !entry.contains("%s") {
        line.push(url.into());
    }
    line
}

/// Starts a program apart from the terminal. One that is still running after a moment, or has
/// ended well (it handed the URL to a running browser), counts as started.
fn start(mut command: Command) -> Result<(), String> {
    set_apart(&mut command);
    let mut child = command.start().map_err(|error| limits::explained(error.to_string()))?;
    let deadline = Instant::now() + WATCH;
    while Instant::now() < deadline {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(status.to_string()),
            None => thread::sleep(Duration::from_millis(10)),
        }
    }
    reap_later(child);
    Ok(())
}

fn set_apart(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A Ctrl-C or a hang-up of the terminal is not meant for the browser.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Waits for a child on a thread of its own, so that it leaves no zombie.
fn reap_later(mut child: Child) {
    // Without a thread the zombie stays until the program ends, which does no harm.
    let _ = thread::Builder::new().name("browser".into()).stack_size(64 * 1024).spawn(move || child.wait());
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;
    use std::time::Duration;
    use std::{fs, thread};

    use super::{Command, SystemBrowser, command_line, start};
    use crate::platform::environment::Environment;
    use crate::platform::open_url::Browser;

    fn browser(ssh: bool, display: bool, browser: Option<&str>) -> SystemBrowser {
        SystemBrowser::new(Environment { ssh, display, browser: browser.map(Into::into) })
    }

    /// The files in the pages' directory.
    fn pages(directory: &Path) -> Vec<String> {
        let pages = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        pages.filter(|name| name.starts_with("manutop-login-")).collect()
    }

    /// A command that writes its argument to a file in the directory, and noise to the streams.
    fn recorder(directory: &Path, exit: u8) -> String {
        let script = directory.join(format!("browser{exit}"));
        let log = directory.join("log");
        let text = format!("echo noise; echo noise >&2; echo \"$1\" > '{}'; exit {exit}", log.display());
        fs::write(&script, text).unwrap();
        format!("sh {}", script.display())
    }

    /// What was recorded, given some time to be.
    fn recorded(directory: &Path) -> String {
        for _ in 0..500 {
            match fs::read_to_string(directory.join("log")) {
                Ok(log) if log.ends_with('\n') => return log,
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
        panic!("no browser was started");
    }

    #[test]
    fn the_first_browser_that_works_is_given_a_page_that_leads_to_the_url() {
        let directory = tempfile::tempdir().unwrap();
        let list = format!("/no/such/program:false:{}", recorder(directory.path(), 0));
        let url = "https://a.example/authorize?state=a%20b&x='$(id)'";
        let pages_in = |place| SystemBrowser { pages: place, ..browser(false, false, Some(&list)) };
        let opened = pages_in(directory.path().to_owned()).open(url).unwrap();
        let given = url::Url::parse(&recorded(directory.path())).unwrap();
        let page = fs::read_to_string(given.to_file_path().unwrap()).unwrap();
        assert!(page.contains("state=a%20b&amp;x=&#x27;$(id)&#x27;\""), "{page}");
        assert_eq!(pages(directory.path()).len(), 1);
        drop(opened);
        assert!(pages(directory.path()).is_empty());
    }

    #[test]
    fn a_browser_that_fails_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let failing = recorder(directory.path(), 3);
        let failing = SystemBrowser { pages: directory.path().into(), ..browser(false, true, Some(&failing)) };
        let why = failing.open("https://a.example/").unwrap_err();
        assert!(why.contains("sh: exit status: 3"), "{why}");
        assert!(pages(directory.path()).is_empty());
    }

    #[test]
    fn over_ssh_no_browser_is_started() {
        let directory = tempfile::tempdir().unwrap();
        let working = recorder(directory.path(), 0);
        let why = browser(true, true, Some(&working)).open("https://a.example/").unwrap_err();
        assert!(why.contains("SSH"), "{why}");
        assert!(!directory.path().join("log").exists());
    }

    #[test]
    fn without_a_display_no_browser_is_started() {
        let why = browser(false, false, None).open("https://a.example/").unwrap_err();
        assert!(why.contains("no display"), "{why}");
    }

    #[test]
    fn only_web_addresses_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "-version", "https://a.example/ -x", "http://a\x1b[2J"]
        {
            browser(false, true, Some("true")).open(url).unwrap_err();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_opens_urls_is_not_given_the_passphrase() {
        let mut command = Command::new("sh");
        command.args(["-c", "test -z \"${MANUTOP_PASSPHRASE+set}\""]).env("MANUTOP_PASSPHRASE", "secret");
        start(command).unwrap();
    }

    #[test]
    fn the_place_of_the_url_can_be_chosen() {
        let words = command_line("firefox --new-window %s --quiet", "https://a.example/?a=%s");
        assert_eq!(words, ["firefox", "--new-window", "https://a.example/?a=%s", "--quiet"]);
        assert_eq!(command_line("lynx -x", "https://a.example/"), ["lynx", "-x", "https://a.example/"]);
    }
}
