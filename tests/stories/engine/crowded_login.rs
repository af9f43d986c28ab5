//! Another user of this machine opens more connections to a login's listener than manutop has file descriptors, and
//! sends half a request on each.

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use manutop::demo::{DemoOptions, Servers};
use manutop::domain;
use manutop::domain::{EventKind, Secret};
use manutop::engine::Refreshed;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use url::Url;

use crate::support::again::{is_alone, this_test};
use crate::support::file_home::{BINARY, FileHome, name};
use crate::support::login::{LOOPBACK, Person, begin, logged_in, parameters};
use crate::support::program::Program;
use crate::support::rig::{Rig, SECRET, eventually};

/// Opens 1,200 connections, sends half a request on each, and opens another for each that is closed.
const CROWD: &str = r#"
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
port, crowd, said = int(sys.argv[1]), [], False
def come():
    one = socket.create_connection(("127.0.0.1", port), timeout=5)
    one.sendall(b"GET /callback?code=c&sta")
    one.setblocking(False)
    return one
while True:
    try:
        while len(crowd) < 1200:
            crowd.append(come())
    except OSError:
        pass
    if not said:
        print("here", len(crowd), flush=True)
        said = True
    poll = select.poll()
    for one in crowd:
        poll.register(one, select.POLLIN | select.POLLHUP)
    gone = {number for number, _ in poll.poll(50)}
    for one in crowd:
        if one.fileno() in gone:
            one.close()
    crowd = [one for one in crowd if one.fileno() >= 0]
"#;

/// The crowd at work, as a user of its own; `None` where that is not possible here.
fn crowd(redirect_uri: &str) -> Option<Program> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root, to become another user");
        return None;
    }
    let port = Url::parse(redirect_uri).unwrap().port().unwrap().to_string();
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", CROWD, &port]).current_dir("/").env_clear().uid(65534).gid(65534);
    let crowd = Program::start(&mut command);
    crowd.until_stdout("here");
    Some(crowd)
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[tokio::test]
#[ignore = "needs root and python3; scripts/test runs it"]
async fn the_redirect_is_answered_others_are_refreshed_and_nothing_is_left_behind() {
    if !is_alone(this_test!()) {
        return;
    }
    let mut rig = Rig::new();
    let (factory, plant) = (rig.manu("factory", LOOPBACK).await, rig.manu("plant", LOOPBACK).await);
    rig.logged_in(&plant, TimeDelta::zero()).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let own = std::process::id();
    let mut before = None;
    for ends_well in [false, true] {
        let login = begin(&mut running, &factory).await;
        let Some(crowd) = crowd(&parameters(&login.url)["redirect_uri"]) else { return };
        assert!(matches!(running.engine.refresh(&plant, true).await, Ok(Refreshed::Obtained(_))));
        let within = before.get_or_insert_with(|| descriptors(own));
        if ends_well {
            let back = person.sent_to(&login.url, "allow").await;
            let began = Instant::now();
            assert_eq!(person.visit(&back).await.0, 200);
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
            logged_in(&mut running).await;
        } else {
            running.engine.send(domain::Command::Cancel { connection: factory.clone() });
            running.until(|event| matches!(event.kind(), Some(EventKind::LoginCancelled)).then_some(())).await;
        }
        // What the crowd held is given back; a few connections of the servers here come and go.
        eventually("the descriptors are back", || descriptors(own) + 100 < *within).await;
        drop(crowd);
    }
}

#[test]
#[ignore = "needs root and python3; scripts/test runs it"]
fn a_login_with_few_file_descriptors_ends_well_in_a_crowd() {
    let servers = Servers::start(DemoOptions::default()).unwrap();
    let home = home(&servers);
    let mut login = Program::start(&mut home.command(&["login", "factory", "--no-browser"]));
    let said = login.until_stderr("Ctrl-C cancels");
    let url = format!("http{}", said.split_once("http").unwrap().1.split_whitespace().next().unwrap());
    limit(&login, 256);
    let Some(_crowd) = crowd(&parameters(&url)["redirect_uri"]) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = runtime.block_on(async {
        let person = Person::new();
        let back = person.sent_to(&url, "allow").await;
        person.visit(&back).await
    });
    assert!(page.0 == 200 && page.1.contains("is connected to"), "{page:?}");
    let ended = login.end().expect(0);
    assert_eq!(ended.stdout, "factory: logged in, generation 1\n");
}

/// With any number of files that can be opened, tokens are refreshed and kept, or nothing is sent.
#[test]
fn without_file_descriptors_nothing_is_lost_and_the_message_says_what_is_missing() {
    let servers = Servers::start(DemoOptions::default()).unwrap();
    let home = home(&servers);
    let manu = servers.manu();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let issued = manu.issue("app", "API_ALL").record(1);
    runtime.block_on(home.log_in("factory", &Secret::new(SECRET), issued));
    let (mut named, mut well) = (0, 0);
    for most in 6..60 {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec \"$0\" refresh factory --force");
        command.args(["-c", &script, BINARY]).env_clear().envs(&home.env);
        let ended = Program::start(&mut command).end();
        assert!(!ended.stderr.contains("disk has room"), "{most}: {ended:?}");
        named += usize::from(ended.stderr.contains(&format!("manutop may open {most} files; raise the limit")));
        well += usize::from(ended.code == Some(0));
        let held = runtime.block_on(async {
            let vault = home.vault().await;
            vault.read(&name("factory")).await.unwrap().record.unwrap().refresh_token.unwrap().token
        });
        assert_eq!(Some(held), manu.newest_refresh_token("app"), "{most}: {ended:?}");
        if well == 3 {
            break;
        }
    }
    assert!(named > 0 && well == 3, "{named} {well}");
}

#[test]
fn a_program_that_is_started_has_the_limit_that_manutop_was_started_with() {
    let servers = Servers::start(DemoOptions::default()).unwrap();
    let home = home(&servers);
    let issued = servers.manu().issue("app", "API_ALL").record(1);
    tokio::runtime::Runtime::new().unwrap().block_on(home.log_in("factory", &Secret::new(SECRET), issued));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 200; exec \"$0\" exec factory -- sh -c 'ulimit -Sn'", BINARY]);
    let ended = Program::start(command.env_clear().envs(&home.env)).end().expect(0);
    assert_eq!(ended.stdout, "200\n");
    // The keepalive service itself has more, for as long as it runs.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 200; exec \"$0\" login factory --no-browser", BINARY]);
    let mut login = Program::start(command.env_clear().envs(&home.env));
    login.until_stderr("Ctrl-C cancels");
    let limits = fs::read_to_string(format!("/proc/{}/limits", login.id())).unwrap();
    let soft = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: u64 = soft.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert!(soft > 200 && soft <= 65_536, "{limits}");
}

#[tokio::test]
async fn silent_connections_of_the_same_user_do_not_keep_the_browser_out() {
    if !is_alone(this_test!()) {
        return;
    }
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    let address = *back.socket_addrs(|| None).unwrap().first().unwrap();
    let silent: Vec<_> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
    let began = Instant::now();
    assert_eq!(person.visit(&back).await.0, 200);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    logged_in(&mut running).await;
    drop(silent);
}

fn limit(program: &Program, most: u64) {
    let pid = Pid::from_raw(program.id().try_into().unwrap());
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) }).unwrap();
}

/// A home in which nothing but the tokens is missing.
fn home(servers: &Servers) -> FileHome {
    tokio::runtime::Runtime::new().unwrap().block_on(FileHome::before_login(servers.manu(), LOOPBACK))
}
