//! Files that another user could change are not used: a real second user, the real program, a server that counts who
//! comes. Nothing is run, sent or changed.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ADA: u32 = 12345;
const MALLORY: u32 = 12346;
const GROUP: u32 = 12347;

/// A home of Ada's in a directory of root's.
struct Home {
    dir: tempfile::TempDir,
    port: u16,
    visitors: Arc<AtomicUsize>,
    uid: u32,
    passphrase_file: Option<PathBuf>,
}

impl Home {
    /// `None` where the tests do not run as root, who alone can make files of other users.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can make files of a second user");
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, visitors) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&visitors);
        std::thread::spawn(move || {
            // Counted before the connection is closed, which lets the command go on.
            while let Ok(_visitor) = listener.accept() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let home = Self { dir, port, visitors, uid: ADA, passphrase_file: None };
        mode(home.dir.path(), 0o755);
        for made in ["home", "home/conf"] {
            home.make(made, ADA, 0o755);
        }
        home.write("home/conf/config.toml");
        Some(home)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn make(&self, dir: &str, uid: u32, bits: u32) {
        fs::create_dir_all(self.path(dir)).unwrap();
        self.own(dir, uid, uid, bits);
    }

    fn own(&self, file: &str, uid: u32, gid: u32, bits: u32) {
        chown(self.path(file), Some(uid), Some(gid)).unwrap();
        mode(&self.path(file), bits);
    }

    /// Writes a configuration of Ada's there, which runs a command for its client secret.
    fn write(&self, file: &str) {
        let text = format!(
            "store = \"file\"\n[[connections]]\nname = \"x\"\nprovider = \"manus\"\nclient_id = \"c\"\ntoken_url = \
             \"http://127.0.0.1:{}/\"\nclient_secret_command = [\"sh\", \"-c\", \"touch {}; echo s\"]\n",
            self.port,
            self.marker().display()
        );
        fs::write(self.path(file), text).unwrap();
        self.own(file, ADA, ADA, 0o600);
    }

    fn marker(&self) -> PathBuf {
        self.path("home/was-run")
    }

    fn run(&self, config: &str, data: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manutop"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path("home"));
        command.env("LANG", "C.UTF-8").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        match &self.passphrase_file {
            Some(file) => command.env("MANUTOP_PASSPHRASE_FILE", file),
            None => command.env("MANUTOP_PASSPHRASE", "correct horse"),
        };
        command.arg("--config").arg(self.path(config)).arg("--data-dir").arg(self.path(data)).args(arguments);
        command.uid(self.uid).gid(self.uid).current_dir("/").output().unwrap()
    }

    /// Refreshes, and says whether the configuration's command was run and anything was sent.
    fn refresh(&self, config: &str, data: &str) -> (Output, bool, bool) {
        let _ = fs::remove_file(self.marker());
        let before = self.visitors.load(Ordering::SeqCst);
        // The server closes each connection at once.
        let output = self.run(config, data, &["refresh", "x"]);
        let (was_run, after) = (self.marker().exists(), self.visitors.load(Ordering::SeqCst));
        (output, was_run, after > before)
    }

    fn assert_refused(&self, what: &str, config: &str, data: &str, code: i32, at: &str, advice: &str) {
        let (output, was_run, was_sent) = self.refresh(config, data);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{what}: {said}");
        assert!(!was_run && !was_sent, "{what}: run {was_run}, sent {was_sent}");
        assert!(said.contains(&format!("{} ", self.path(at).display())) && said.contains(advice), "{what}: {said}");
        let doctor = self.run(config, data, &["doctor"]);
        let (said, status) = (String::from_utf8_lossy(&doctor.stdout).into_owned(), doctor.status.code());
        assert!(status == Some(1) && said.contains("FAIL") && said.contains(advice), "{what}: {said}");
    }

    fn assert_used(&self, what: &str, config: &str, data: &str) {
        let (output, was_run, was_sent) = self.refresh(config, data);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(was_run && was_sent, "{what}: run {was_run}, sent {was_sent}: {said}");
    }
}

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_configuration_that_another_user_could_change_runs_and_sends_nothing() {
    let Some(home) = Home::new() else { return };
    let file = "home/conf/config.toml";
    home.assert_used("her own", file, "home/data");
    for (what, uid, gid, bits, advice) in [
        ("writable by all", ADA, ADA, 0o666, "chmod go-w"),
        ("writable by a group", ADA, GROUP, 0o660, "chmod go-w"),
        ("another user's", MALLORY, MALLORY, 0o644, "sudo chown 12345"),
    ] {
        home.own(file, uid, gid, bits);
        home.assert_refused(what, file, "home/data", 2, file, advice);
        let check = home.run(file, "home/data", &["config", "check", "--json"]);
        assert!(check.status.code() == Some(2) && String::from_utf8_lossy(&check.stdout).contains(advice), "{what}");
    }
    home.own(file, 0, 0, 0o644);
    // Minting is paced: another data directory has minted nothing yet.
    home.assert_used("root's", file, "home/data2");
    home.own(file, ADA, ADA, 0o600);
    for (what, uid, gid, bits, advice) in [
        ("directory writable by all", ADA, ADA, 0o777, "chmod go-w"),
        ("directory writable by a group", ADA, GROUP, 0o775, "chmod go-w"),
        ("another user's directory", MALLORY, MALLORY, 0o755, "sudo chown 12345"),
    ] {
        home.own("home/conf", uid, gid, bits);
        home.assert_refused(what, file, "home/data", 2, "home/conf", advice);
    }
    home.own("home/conf", 0, 0, 0o1777);
    home.assert_used("a sticky directory", file, "home/data3");
    let there = ["home/data", "home/data/journals", "home/data/store"].map(|dir| mode_of(&home.path(dir)));
    assert_eq!(there, [0o700; 3]);
}

#[test]
fn links_are_followed_and_both_sides_count() {
    let Some(home) = Home::new() else { return };
    home.make("shared", 0, 0o1777);
    home.make("mallory", MALLORY, 0o755);
    // As Kubernetes mounts it.
    home.make("k8s", 0, 0o1777);
    home.make("k8s/..2026", 0, 0o755);
    home.write("k8s/..2026/config.toml");
    home.own("k8s/..2026/config.toml", 0, 0, 0o644);
    symlink("..2026", home.path("k8s/..data")).unwrap();
    symlink("..data/config.toml", home.path("k8s/config.toml")).unwrap();
    home.assert_used("Kubernetes' layout", "k8s/config.toml", "home/data");
    for (link, owner) in [("home/conf/link", ADA), ("shared/theirs", MALLORY), ("mallory/link", ADA)] {
        symlink(home.path("home/conf/config.toml"), home.path(link)).unwrap();
        lchown(home.path(link), Some(owner), Some(owner)).unwrap();
    }
    home.assert_used("her own link", "home/conf/link", "home/data2");
    let advice = "sudo chown -h 12345";
    home.assert_refused("another's link", "shared/theirs", "home/data", 2, "shared/theirs", advice);
    home.assert_refused("a link in another's directory", "mallory/link", "home/data", 2, "mallory", "sudo chown 12345");
    home.write("mallory/config.toml");
    symlink(home.path("mallory/config.toml"), home.path("home/conf/out")).unwrap();
    lchown(home.path("home/conf/out"), Some(ADA), Some(ADA)).unwrap();
    home.assert_refused(
        "a link to another's directory",
        "home/conf/out",
        "home/data",
        2,
        "mallory",
        "a directory of your own",
    );
}

#[test]
fn root_refuses_what_belongs_to_a_user_and_leaves_nothing_there() {
    let Some(mut home) = Home::new() else { return };
    home.uid = 0;
    let file = "home/conf/config.toml";
    home.assert_refused("her configuration", file, "data", 2, "home", "sudo -u '#12345' manutop");
    home.write("config.toml");
    home.own("config.toml", 0, 0, 0o600);
    home.assert_refused("her home", "config.toml", "home/new/data", 6, "home", "sudo -u '#12345' manutop");
    assert!(!home.path("home/new").exists());
}

#[test]
fn a_data_directory_that_others_can_write_to_is_refused_and_never_changed() {
    let Some(mut home) = Home::new() else { return };
    let file = "home/conf/config.toml";
    for (uid, gid, bits, advice) in [
        (ADA, ADA, 0o777, "chmod go-w"),
        (ADA, GROUP, 0o770, "chmod go-w"),
        (0, 0, 0o1777, "manutop"),
        (MALLORY, MALLORY, 0o777, "--data-dir"),
    ] {
        home.make("shared", uid, 0o755);
        home.own("shared", uid, gid, bits);
        for _ in 0..2 {
            home.assert_refused("shared", file, "shared", 6, "shared", advice);
            assert_eq!((mode_of(&home.path("shared")), fs::read_dir(home.path("shared")).unwrap().count()), (bits, 0));
        }
    }
    // As root, too: the second run once made it 0700.
    home.make("shared/journals", 0, 0o700);
    home.own("shared", 0, 0, 0o1777);
    home.own(file, 0, 0, 0o600);
    home.own("home/conf", 0, 0, 0o755);
    home.own("home", 0, 0, 0o755);
    home.uid = 0;
    home.assert_refused("root", file, "shared", 6, "shared", "--data-dir");
    assert_eq!(mode_of(&home.path("shared")), 0o1777);
    // A directory made readable by its owner keeps working, as it is.
    home.make("plain", 0, 0o755);
    home.assert_used("an administrator's", file, "plain");
    assert_eq!(mode_of(&home.path("plain")), 0o755);
    assert_ne!(home.run(file, "plain", &["list"]).status.code(), Some(6));
    assert_eq!(mode_of(&home.path("plain")), 0o755);
}

#[test]
fn what_another_user_made_in_the_data_directory_before_is_refused() {
    let Some(home) = Home::new() else { return };
    let file = "home/conf/config.toml";
    for part in ["journals", "locks", "store"] {
        home.make("home/data", ADA, 0o755);
        home.make(&format!("home/data/{part}"), MALLORY, 0o777);
        let at = format!("home/data/{part}");
        home.assert_refused(part, file, "home/data", 6, &at, "chown -R 12345");
        fs::remove_dir_all(home.path("home/data")).unwrap();
    }
}

#[test]
fn a_passphrase_file_is_accepted_where_only_its_owner_can_get_to_it() {
    let Some(mut home) = Home::new() else { return };
    let file = "home/conf/config.toml";
    fs::write(home.path("home/conf/pass"), "correct horse\n").unwrap();
    home.passphrase_file = Some(home.path("home/conf/pass"));
    home.own("home/conf/pass", ADA, ADA, 0o444);
    home.assert_refused("readable", file, "home/data", 6, "home/conf/pass", "chmod 600");
    home.own("home/conf", ADA, ADA, 0o700);
    home.assert_used("in a closed directory", file, "home/data");
    home.own("home/conf/pass", MALLORY, MALLORY, 0o444);
    home.assert_refused("another's", file, "home/data", 6, "home/conf/pass", "chown 12345");
}

#[test]
fn the_dashboard_says_so_and_gives_the_terminal_back() {
    let Some(home) = Home::new() else { return };
    let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_manutop"));
    command.env("TERM", "xterm-256color");
    for (option, file) in [("--config", "home/conf/config.toml"), ("--data-dir", "data")] {
        command.arg(option);
        command.arg(home.path(file));
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut said = Vec::new();
    // The end of a terminal is an error on Linux.
    let _ = std::io::Read::read_to_end(&mut pair.master.try_clone_reader().unwrap(), &mut said);
    let said = String::from_utf8_lossy(&said);
    assert_eq!(child.wait().unwrap().exit_code(), 2, "{said}");
    assert!(said.contains("the configuration is not used: ") && said.contains("sudo -u '#12345' manutop"), "{said}");
    assert!(!home.path("data").exists() && !home.marker().exists());
}

#[tokio::test]
async fn a_configuration_that_becomes_untrusted_is_not_taken_over_by_who_runs_already() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    fs::write(&file, "bell = true\n").unwrap();
    mode(&file, 0o600);
    let check_keys = manutop::dashboard_loop::appearance::check_keys;
    let providers = manutop::oauth::providers::ALL;
    let first = manutop::config::load(&file, providers).unwrap().unwrap();
    let stamp = manutop::platform::file_stamp::Stamp::of(&file);
    let source = manutop::live_configuration::ConfigurationSource { file: file.clone(), stamp, providers, check_keys };
    let mut running = manutop::live_configuration::Configuration::start_unwatched(source, first.clone()).unwrap();
    mode(&file, 0o666);
    fs::write(&file, "on_event = [\"sh\"]\n").unwrap();
    for (bits, is_taken) in [(0o666, false), (0o600, true)] {
        mode(&file, bits);
        running.reload();
        // The thread also looks on its own when it begins.
        loop {
            let note = running.note().await.unwrap();
            let (_, event) = running.take(note);
            let Some(manutop::domain::Event::Host(manutop::domain::HostEvent::ConfigurationRead(result))) = event
            else {
                panic!("{event:?}")
            };
            assert!(is_taken || *running.current() == first);
            match result {
                Ok(()) if is_taken => break,
                Err(why) if !is_taken && why.contains("chmod go-w") => break,
                _ => {}
            }
        }
        assert_eq!(running.current().on_event.is_some(), is_taken);
    }
}
