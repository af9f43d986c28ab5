//! A login with a browser: the URL is in no argument list, and another user can read neither it nor the
//! page that leads the browser to it.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use manutop::demo::{DemoOptions, Servers};
use url::Url;

use crate::support::file_home::FileHome;
use crate::support::login::{LOOPBACK, Person, parameters};
use crate::support::program::{Program, eventually};

/// The other user.
const OTHER: u32 = 12_345;

/// A home whose browser keeps running, as real ones do.
struct Setup {
    home: FileHome,
    _servers: Servers,
}

impl Setup {
    async fn new() -> Self {
        let servers = Servers::start(DemoOptions::default()).unwrap();
        let mut home = FileHome::before_login(servers.manu(), LOOPBACK).await;
        let script = format!(
            "printf '%s' \"$1\" >'{0}.new' && mv '{0}.new' '{0}'\npage=${{1#file://}}\nwhile [ -e \"$page\" ]; do sleep 0.1; done\n",
            home.path("given").display()
        );
        fs::write(home.path("browser"), script).unwrap();
        home.env.insert("BROWSER", format!("sh {}", home.path("browser").display()));
        Self { home, _servers: servers }
    }

    /// Starts a login; gives it and the page that the browser was given.
    fn log_in(&self) -> (Program, PathBuf) {
        let login = Program::start(&mut self.home.command(&["login", "factory"]));
        eventually("the browser is given something", || self.home.path("given").exists());
        let given = fs::read_to_string(self.home.path("given")).unwrap();
        fs::remove_file(self.home.path("given")).unwrap();
        (login, Url::parse(&given).unwrap().to_file_path().unwrap())
    }
}

/// The URL that a page leads to.
fn target(page: &PathBuf) -> String {
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("href=\"").unwrap();
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

/// What a shell line of another user prints; `None` where there is no second user.
fn as_other_user(line: &str) -> Option<String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir("/").stderr(Stdio::null());
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: the second user's part is skipped");
        return None;
    }
    let output = shell.uid(OTHER).gid(OTHER).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_url_is_in_no_argument_list_and_its_page_is_its_owner_s_alone() {
    let setup = Setup::new().await;
    let (login, page) = setup.log_in();
    let url = target(&page);
    let parameters = parameters(&url);
    let secret = [&parameters["state"], &parameters["code_challenge"]];

    let lists = "for list in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$list; echo; done";
    let own = Command::new("sh").args(["-c", lists]).output().unwrap();
    let own = String::from_utf8_lossy(&own.stdout).into_owned();
    let browser = setup.home.path("browser").display().to_string();
    for lists in [Some(own), as_other_user(lists)].into_iter().flatten() {
        assert!(lists.contains(&browser), "the browser runs, and is seen: {lists}");
        for part in secret {
            assert!(!lists.contains(part.as_str()), "{lists}");
        }
    }
    // The page's directory is in one that all users share.
    if let Some(read) =
        as_other_user(&format!("cat '{0}'; ls '{1}'; ls -d /tmp", page.display(), page.parent().unwrap().display()))
    {
        assert_eq!(read, "/tmp\n");
    }

    let back = Person::new().sent_to(&url, "allow").await;
    let (status, _) = Person::new().visit(back).await;
    assert_eq!(status, 200);
    let ended = login.end().expect(0);
    assert!(ended.stderr.contains("A browser was started"), "{ended:?}");
    assert!(!page.parent().unwrap().exists(), "the page is gone with its directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_goes_with_a_login_that_is_given_up_and_with_the_next_after_a_kill() {
    let mut setup = Setup::new().await;
    let place = setup.home.path("run");
    fs::DirBuilder::new().mode(0o700).create(&place).unwrap();
    setup.home.env.insert("XDG_RUNTIME_DIR", place.display().to_string());
    let pages = || fs::read_dir(&place).unwrap().count();

    let (login, page) = setup.log_in();
    assert!(page.starts_with(&place), "{}", page.display());
    login.signal("INT");
    login.end().expect(1);
    assert_eq!(pages(), 0);

    let (login, killed) = setup.log_in();
    login.signal("KILL");
    drop(login.end());
    assert!(killed.exists());
    let (login, page) = setup.log_in();
    assert!(!killed.exists() && page.exists());
    login.signal("INT");
    login.end().expect(1);
    assert_eq!(pages(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_in_a_snap_are_given_a_page_that_they_can_read() {
    let setup = Setup::new().await;
    fs::create_dir(setup.home.path("snap")).unwrap();
    let (login, page) = setup.log_in();
    let directory = page.parent().unwrap();
    assert_eq!(directory.parent().unwrap(), setup.home.dir.path());
    assert!(directory.file_name().unwrap().to_str().unwrap().starts_with("manutop-login-"));
    login.signal("INT");
    login.end().expect(1);
    assert!(!page.exists());
}
