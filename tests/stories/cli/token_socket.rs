//! `manutop token` beside a keepalive service or a dashboard that holds the token: answered over a socket,
//! without the store. The missing key shows it: these commands are not given the passphrase, and alone
//! they can do nothing.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use manutop::domain::{Clock as _, Secret, SystemClock, TokenRecord};
use manutop::engine::agent;
use manutop::tokens::record;
use serde_json::Value;

use crate::support::bench::Bench;
use crate::support::file_home::{BINARY, name};
use crate::support::program::{Ended, Program, eventually};

/// The secret store is out of reach.
const STORE: i32 = 6;

impl Bench {
    fn socket(&self) -> PathBuf {
        self.path("data/locks/.agent.sock")
    }

    /// A command that cannot open the store.
    fn without_key(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env_remove("MANUTOP_PASSPHRASE");
        command
    }

    fn alone(&self, arguments: &[&str]) -> Ended {
        Program::start(&mut self.without_key(arguments)).end()
    }

    /// A keepalive service that answers.
    fn keepalive(&self) -> Program {
        let keepalive = self.start(&["keepalive"]);
        self.until_answered_by(&keepalive);
        keepalive
    }

    fn until_answered_by(&self, keepalive: &Program) {
        eventually("it answers", || answering(self) == i32::try_from(keepalive.id()).ok());
        eventually("it has the token", || self.alone(&["token", "factory"]).code == Some(0));
    }
}

/// The process that answers.
fn answering(bench: &Bench) -> Option<i32> {
    let data_dir = bench.data_dir();
    // A test runs on a runtime already.
    let ask = move || tokio::runtime::Runtime::new().unwrap().block_on(agent::answers(&data_dir));
    std::thread::spawn(ask).join().unwrap()?.pid
}

fn stop(program: Program) {
    program.signal("TERM");
    program.end().expect(0);
}

/// Each one more is loaded at every start.
#[cfg(target_env = "gnu")]
#[test]
fn no_library_is_loaded_but_the_c_library() {
    let list = Command::new(BINARY).env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    // What is never called still calls mathematics where nothing is optimised away.
    let is_allowed = |library| library == "libc.so.6" || (cfg!(debug_assertions) && library == "libm.so.6");
    let mut libraries = list.lines().filter_map(|line| Some(line.trim().split_once(" => ")?.0));
    assert!(list.contains("libc.so.6") && libraries.all(is_allowed), "{list}");
}

#[tokio::test]
async fn a_keepalive_answers_with_the_token_it_holds_without_the_store() {
    let bench = Bench::new().await;
    bench.alone(&["token", "factory"]).expect(STORE);
    let keepalive = bench.keepalive();
    let token = bench.access_token();
    let mode = |path: PathBuf| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert!(fs::symlink_metadata(bench.socket()).unwrap().file_type().is_socket());
    assert_eq!((mode(bench.socket()), mode(bench.path("data/locks"))), (0o600, 0o700));

    // Another process at work on the connection delays none of them.
    let held = bench.vault().await.lock(&name("factory"), |_| {}).await.unwrap();
    for (arguments, said) in [
        (&["token", "factory"][..], format!("{token}\n")),
        (&["token", "factory", "--header"], format!("Authorization: Bearer {token}\n")),
        (&["token", "--min-ttl=5m", "--no-refresh", "factory"], format!("{token}\n")),
        (&["exec", "factory", "--", "sh", "-c", "printf %s \"$MANUTOP_ACCESS_TOKEN\""], token.to_owned()),
    ] {
        let ended = bench.alone(arguments).expect(0);
        assert_eq!((ended.stdout, &*ended.stderr), (said, ""), "{arguments:?}");
    }
    drop(held);
    // The same words as without the socket.
    let keys = |ended: Ended| {
        let mut object: Value = serde_json::from_str(&ended.expect(0).stdout).unwrap();
        assert!((1..=1800).contains(&object["expires_in"].as_i64().unwrap()), "{object}");
        object["expires_in"].take();
        object
    };
    let answered = keys(bench.alone(&["token", "factory", "--json"]));
    stop(keepalive);
    assert!(!bench.socket().exists(), "its file goes with it");
    assert_eq!(answered, keys(bench.start(&["token", "factory", "--json"]).end()));
    bench.alone(&["token", "factory"]).expect(STORE);
}

#[tokio::test]
async fn what_is_not_certain_is_left_to_the_command() {
    let bench = Bench::new().await;
    let keepalive = bench.keepalive();
    // Too short-lived; of no connection; of another configuration.
    let reported = bench.start(&["doctor"]).end().stdout;
    assert!(reported.contains(&format!("process {} provides tokens to commands", keepalive.id())), "{reported}");
    let left = bench.factory.record.remaining(SystemClock.now()).num_seconds();
    bench.alone(&["token", "factory", "--min-ttl", &(left + 1).to_string(), "--no-refresh"]).expect(STORE);
    let impossible = bench.run(&["token", "factory", "--min-ttl", "2h"], 2);
    assert!(impossible.stderr.contains("live for 1800 s in all"), "{impossible:?}");
    let unknown = bench.run(&["token", "missing"], 2);
    assert!(unknown.stderr.contains("there is no connection missing; it has factory"), "{unknown:?}");
    let other = bench.path("other.toml");
    fs::copy(bench.config(), &other).unwrap();
    bench.alone(&["token", "factory", "--config", other.to_str().unwrap()]).expect(STORE);
    // A refresh token that may be out this moment.
    let vault = bench.vault().await;
    let mut locked = vault.lock(&name("factory"), |_| {}).await.unwrap();
    locked.spending(&bench.factory.record).await.unwrap();
    bench.alone(&["token", "factory"]).expect(STORE);
    locked.unspent().await.unwrap();
    drop(locked);
    bench.alone(&["token", "factory"]).expect(0);
    stop(keepalive);
}

#[tokio::test]
async fn what_another_process_has_replaced_or_given_up_is_not_handed_out_any_more() {
    let bench = Bench::new().await;
    let keepalive = bench.keepalive();
    let old = bench.access_token();
    assert_eq!(bench.alone(&["token", "factory"]).expect(0).stdout.trim(), old);
    bench.run(&["refresh", "factory", "--force"], 0);
    // At once, before the keepalive service can have noticed: the store's, or none.
    bench.alone(&["token", "factory"]).expect(STORE);
    let new = bench.run(&["token", "factory"], 0).stdout;
    assert_ne!(new.trim(), old);
    eventually("the keepalive service has taken it over", || bench.alone(&["token", "factory"]).stdout == new);
    bench.run(&["logout", "factory"], 0);
    bench.alone(&["token", "factory"]).expect(STORE);
    bench.run(&["token", "factory"], 3);
    stop(keepalive);
}

#[tokio::test]
async fn when_the_answering_process_is_killed_the_next_in_line_answers() {
    let bench = Bench::new().await;
    let first = bench.keepalive();
    let mut second = bench.start(&["keepalive"]);
    second.until_stderr("standby");
    let mut dashboard = bench.terminal(&[], (120, 32));
    dashboard.until_text(&format!("keepalive {}", first.id()));
    assert_eq!(answering(&bench), i32::try_from(first.id()).ok(), "the first answers");
    first.signal("KILL");
    assert_eq!(first.end().code, None, "killed");
    eventually("another answers", || answering(&bench).is_some());
    eventually("it has the token", || bench.alone(&["token", "factory"]).code == Some(0));
    stop(second);
    dashboard.until_text("keepalive has ended");
    eventually("the dashboard answers", || bench.alone(&["token", "factory"]).code == Some(0));
    dashboard.keys("q");
    assert_eq!(dashboard.ended(), 0);
    assert!(!bench.socket().exists());
    assert_eq!(bench.run(&["token", "factory"], 0).stdout.trim(), bench.access_token());
    let seen = String::from_utf8_lossy(&dashboard.everything()).into_owned();
    assert!(!seen.contains(&bench.access_token()[..16]));
}

#[tokio::test]
async fn killed_alone_it_leaves_a_file_that_blocks_nothing() {
    let bench = Bench::new().await;
    let keepalive = bench.keepalive();
    keepalive.signal("KILL");
    keepalive.end();
    assert!(bench.socket().exists());
    assert_eq!(bench.run(&["token", "factory"], 0).stdout.trim(), bench.access_token());
    let next = bench.keepalive();
    stop(next);
}

#[tokio::test]
async fn a_dashboard_that_is_suspended_leaves_answering_to_others() {
    let bench = Bench::new().await;
    let mut dashboard = bench.terminal(&[], (120, 32));
    eventually("it answers", || bench.alone(&["token", "factory"]).code == Some(0));
    dashboard.until_text("factory");
    dashboard.signal("TSTP");
    eventually("its file goes", || !bench.socket().exists());
    let keepalive = bench.keepalive();
    dashboard.signal("CONT");
    stop(keepalive);
    eventually("it answers again", || bench.alone(&["token", "factory"]).code == Some(0));
    dashboard.keys("q");
    assert_eq!(dashboard.ended(), 0);
}

#[tokio::test]
async fn a_hundred_at_once_are_answered() {
    let bench = Bench::new().await;
    let keepalive = bench.keepalive();
    let start = |_| bench.command(&["token", "factory"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let all: Vec<_> = (0..100).map(start).collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), bench.access_token());
    }
    stop(keepalive);
}

/// What a stranger at the socket's place does to a client.
type Strange = fn(&mut std::os::unix::net::UnixStream);

#[tokio::test]
async fn a_stranger_at_its_place_costs_a_command_nothing_but_a_moment() {
    let bench = Bench::new().await;
    let good = |how: &str| {
        let ended = bench.run(&["token", "factory"], 0);
        assert_eq!((ended.stdout.trim(), &*ended.stderr), (bench.access_token(), ""), "{how}");
    };
    let socket = bench.socket();
    fs::write(&socket, "a letter").unwrap();
    good("a file");
    // Nor is it taken away.
    let mut keepalive = bench.start(&["keepalive"]);
    keepalive.until_stderr("all connections are read");
    good("a file, and a keepalive service that cannot answer");
    stop(keepalive);
    assert_eq!(fs::read_to_string(&socket).unwrap(), "a letter");
    fs::remove_file(&socket).unwrap();
    fs::create_dir(&socket).unwrap();
    good("a directory");
    fs::remove_dir(&socket).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &socket).unwrap();
    good("a link to a device");
    fs::remove_file(&socket).unwrap();

    let strangers: [(&str, Strange); 4] = [
        ("silence", |stream| drop(stream.read_to_end(&mut Vec::new()))),
        ("rubbish", |stream| drop(stream.write_all(b"{\"version\":1}\n"))),
        ("a drip", |stream| {
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }),
        ("without end", |stream| while stream.write_all(&[b'x'; 1 << 12]).is_ok() {}),
    ];
    for (how, strange) in strangers {
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || strange(&mut listener.accept().unwrap().0));
        good(how);
        fs::remove_file(&socket).unwrap();
    }
    // An answer of the right form that has ended, is empty, or is cut off.
    let line = |record: &TokenRecord| record::to_line(record).expose().to_owned();
    let real = TokenRecord { access_token: Secret::new("not-the-one"), ..bench.factory.record.clone() };
    let ended = TokenRecord { expires_at: real.obtained_at, ..real.clone() };
    let empty = TokenRecord { access_token: Secret::default(), ..real.clone() };
    for answer in [line(&ended) + "\n", line(&empty) + "\n", line(&real)] {
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || listener.accept().unwrap().0.write_all(answer.as_bytes()));
        good("an answer that is no good");
        fs::remove_file(&socket).unwrap();
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let bench = Bench::new().await;
    fs::write(bench.config(), format!("token_socket = false\n{}", bench.text())).unwrap();
    let mut keepalive = bench.start(&["keepalive"]);
    keepalive.until_stderr("all connections are read");
    bench.alone(&["token", "factory"]).expect(STORE);
    assert!(!bench.socket().exists());
    stop(keepalive);
}
