//! What others can take from the memory of a running manutop: no core dump, no attachment, and few copies of its
//! secrets. Needs root, to run it as a second local user; skipped with a message elsewhere.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use memchr::memmem;
use portable_pty::CommandBuilder;

use crate::support::factory::Factory;
use crate::support::file_home::{BINARY, FileHome, PASSPHRASE};
use crate::support::program::{Program, eventually};
use crate::support::pty::{Terminal, shows};

/// The user that runs manutop, and another one.
const USER: u32 = 12_345;
const OTHER: u32 = 12_346;

/// What is run to become the user, with core dumps on. What follows is the program.
const AS_USER: [&str; 8] = [
    "setpriv",
    "--reuid=12345",
    "--regid=12345",
    "--clear-groups",
    "--",
    "sh",
    "-c",
    "ulimit -S -c unlimited && exec \"$0\" \"$@\"",
];

/// Whether this can be tested here.
fn is_possible() -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let can_become =
        is_root && Command::new(AS_USER[0]).args(&AS_USER[1..]).arg("true").status().is_ok_and(|ended| ended.success());
    if !can_become {
        eprintln!("skipped: becoming a second local user with core dumps on needs root");
    }
    can_become
}

/// Gives a directory and all that is in it to the user.
fn give(path: &Path) {
    chown(path, Some(USER), Some(USER)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

struct Bench {
    home: FileHome,
    factory: Factory,
}

impl Bench {
    async fn new() -> Self {
        let factory = Factory::new();
        let mut home = FileHome::new(&factory.alone(""));
        home.log_in("factory", &factory.client_secret, factory.record.clone()).await;
        let passphrase = home.path("passphrase");
        fs::write(&passphrase, PASSPHRASE).unwrap();
        fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        home.env.remove("MANUTOP_PASSPHRASE");
        home.env.insert("MANUTOP_PASSPHRASE_FILE", passphrase.display().to_string());
        give(home.dir.path());
        Self { home, factory }
    }

    /// Any program as the user.
    fn command(&self, program: &[&str]) -> Command {
        let mut command = Command::new(AS_USER[0]);
        command.args(&AS_USER[1..]).args(program).env_clear().envs(&self.home.env).current_dir(self.home.dir.path());
        command
    }

    fn dashboard(&self) -> Terminal {
        let mut command = CommandBuilder::new(AS_USER[0]);
        command.env_clear();
        for (name, value) in &self.home.env {
            command.env(name, value);
        }
        command.args(&AS_USER[1..]);
        command.arg(BINARY);
        command.cwd(self.home.dir.path());
        Terminal::start(command, (160, 30))
    }

    /// Whether there is a core dump; removes it.
    fn left_a_core(&self) -> bool {
        let entries = fs::read_dir(self.home.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let cores: Vec<_> =
            entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("core")).collect();
        for core in &cores {
            fs::remove_file(core).unwrap();
        }
        !cores.is_empty()
    }
}

/// Whether this user can open a file of a process.
fn can_open(uid: u32, pid: u32, file: &str) -> bool {
    let mut reader = Command::new("sh");
    reader.args(["-c", "exec 3<\"$0\"", &format!("/proc/{pid}/{file}")]).uid(uid).gid(uid).stderr(Stdio::null());
    reader.status().unwrap().success()
}

/// Its memory and its environment are closed to everybody but root. What opens `mem` is what `ptrace` asks for.
fn assert_closed(pid: u32, what: &str) {
    for uid in [USER, OTHER] {
        for file in ["mem", "environ", "maps", "auxv"] {
            assert!(!can_open(uid, pid, file), "{what}: {file} can be opened by {uid}");
        }
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{what}: {core}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_keepalive_and_commands_leave_no_core_dump_and_cannot_be_attached_to() {
    if !is_possible() {
        return;
    }
    let bench = Bench::new().await;
    // The test itself would notice: a program without protection, run in the same way.
    let plain = Program::start(&mut bench.command(&["sleep", "600"]));
    eventually("sleep runs", || fs::read_to_string(format!("/proc/{}/comm", plain.id())).unwrap() == "sleep\n");
    assert!(can_open(USER, plain.id(), "mem") && !can_open(OTHER, plain.id(), "mem"));
    plain.signal("ABRT");
    plain.end();
    let dumps_are_files = bench.left_a_core();
    if !dumps_are_files {
        eprintln!("skipped in part: core_pattern is no file in the working directory");
    }

    let mut keepalive = Program::start(&mut bench.command(&[BINARY, "keepalive"]));
    keepalive.until_stderr("leader: refreshing");
    let mut login = Program::start(&mut bench.command(&[BINARY, "login", "factory", "--no-browser"]));
    login.until_stderr("Ctrl-C cancels");
    for (program, what) in [(keepalive, "keepalive service"), (login, "login")] {
        assert_closed(program.id(), what);
        program.signal("ABRT");
        let ended = program.end();
        assert_eq!(ended.code, None, "{ended:?}");
        assert!(!bench.left_a_core(), "{what} left a core dump");
    }
    let mut dashboard = bench.dashboard();
    dashboard.until_text("factory");
    assert_closed(dashboard.id(), "dashboard");
    dashboard.signal("ABRT");
    dashboard.ended();
    assert!(!bench.left_a_core(), "the dashboard left a core dump");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_exec_starts_has_the_user_s_own_limit_of_core_dumps() {
    if !is_possible() {
        return;
    }
    let bench = Bench::new().await;
    let line = "ulimit -S -c 4096 && exec \"$0\" exec factory -- sh -c 'ulimit -S -c'";
    let ended = Program::start(&mut bench.command(&["sh", "-c", line, BINARY])).end().expect(0);
    assert_eq!(ended.stdout.trim(), "4096", "{ended:?}");
}

/// How often each text is in a process's memory.
fn copies(pid: u32, texts: &[&str]) -> Vec<usize> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = vec![0; texts.len()];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // Some ranges, such as those of devices, cannot be read.
        if memory.seek(SeekFrom::Start(start)).and_then(|_| memory.read_exact(&mut bytes)).is_ok() {
            for (found, text) in found.iter_mut().zip(texts) {
                *found += memmem::find_iter(&bytes, text.as_bytes()).count();
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_dashboard_has_few_copies_of_its_secrets_in_memory() {
    if !is_possible() {
        return;
    }
    let bench = Bench::new().await;
    let mut dashboard = bench.dashboard();
    dashboard.until_text("● live"); // before that the key has no effect
    dashboard.keys("R");
    eventually("the refresh is made", || bench.factory.posts() > 0);
    dashboard.until_text("generation 42 · saved");
    dashboard.keys("c");
    dashboard.until("that it is copied", |screen| ["copied", "sent to"].iter().any(|word| shows(screen, word)));
    let printed = bench.command(&[BINARY, "token", "factory", "--no-refresh"]).output().unwrap();
    let access_token = String::from_utf8(printed.stdout).unwrap().trim().to_owned();
    let old = &bench.factory.record;
    let new_refresh = bench.factory.servers.manu().newest_refresh_token(&old.client_id).unwrap();
    let old_refresh = &old.refresh_token.as_ref().unwrap().token;
    assert!(access_token.len() > 10 && new_refresh != *old_refresh, "{access_token}");
    let texts = [
        PASSPHRASE,
        bench.factory.client_secret.expose(),
        new_refresh.expose(),
        &access_token,
        old_refresh.expose(),
        old.access_token.expose(),
    ];
    let found = copies(dashboard.id(), &texts);
    eprintln!("passphrase, client secret, refresh token, access token, and the replaced ones: {found:?}");
    for (at, most) in [1, 1, 2, 3, 1, 1].iter().enumerate() {
        assert!(found[at] <= *most, "text {at}: {found:?}");
    }
}
