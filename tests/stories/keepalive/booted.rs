//! The system unit under a real systemd, with everything the unit says: its user, its credential,
//! its hardening, its watchdog. It is booted for the test, as process 1 of namespaces of its own, on
//! an overlay of this machine's root (see `boot.sh`). Where namespaces are not allowed, as in most
//! containers, it says so and ends: the other tests of the notify protocol hold there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::bench::{Bench, get_unix};
use crate::support::file_home::{BINARY, PASSPHRASE};
use crate::support::program::{Program, eventually};

/// A booted systemd; dropping it ends it and all it has started.
struct Booted {
    /// Its process, as it is seen from outside.
    pid: String,
    cgroup: PathBuf,
    _process: Program,
}

impl Booted {
    fn start(bench: &Bench) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (root, passphrase) = (bench.path("booted"), bench.path("passphrase"));
        fs::create_dir(&root).unwrap();
        fs::write(&passphrase, PASSPHRASE).unwrap();
        let whole = Path::new("/sys/fs/cgroup/unified");
        let whole = if whole.exists() { whole } else { Path::new("/sys/fs/cgroup") };
        let cgroup = whole.join(format!("manutop-test-{}", std::process::id()));
        fs::create_dir(&cgroup).unwrap();
        let script = "echo $$ >\"$0/cgroup.procs\"; exec unshare -mpiuCf --kill-child \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(&cgroup).arg("bash").arg(here.join("tests/stories/keepalive/boot.sh"));
        command.arg(&root).arg(BINARY).arg(here.join("assets/systemd"));
        command.arg(bench.path("config.toml")).arg(bench.path("data")).arg(passphrase);
        let process = Program::start(&mut command);
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let child = || fs::read_to_string(&children).unwrap().trim().to_owned();
        eventually("it is begun", || !child().is_empty());
        let booted = Self { pid: child(), cgroup, _process: process };
        eventually("systemd answers", || booted.run("systemctl show --property=Version").status.success());
        booted
    }

    /// Runs a shell's line in there.
    fn run(&self, line: &str) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid, "-m", "-p", "-i", "-u", "-C", "-r", "-w", "sh", "-c", line]);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a line that must succeed; gives what it printed.
    fn says(&self, line: &str) -> String {
        let output = self.run(line);
        let journal = || String::from_utf8_lossy(&self.run("journalctl --no-pager -n 30").stdout).into_owned();
        assert!(output.status.success(), "{line}: {output:?}\n{}", journal());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn property(&self, name: &str) -> String {
        self.says(&format!("systemctl show --value --property={name} manutop"))
    }

    fn until_property(&self, name: &str, value: &str) {
        eventually(&format!("{name} {value}"), || self.property(name) == value);
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // The kernel ends with process 1 all that is in its namespace.
        let _ = Command::new("sh").args(["-c", "kill -s KILL $0", &self.pid]).status();
        let emptied = || {
            Command::new("find").arg(&self.cgroup).args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).output()
        };
        for _ in 0..100 {
            let _ = emptied();
            if !self.cgroup.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn may_make_namespaces() -> bool {
    let tried = Command::new("unshare").args(["-mpiuCf", "mount", "--make-rprivate", "/"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[tokio::test]
#[ignore = "needs systemd, and root for namespaces; scripts/test runs it"]
async fn the_system_unit_keeps_connections_alive_under_systemd() {
    if !may_make_namespaces() {
        println!("not tried: no namespaces can be made here");
        return;
    }
    let mut bench = Bench::with_factory(Duration::from_secs(4)).await;
    bench.add_manus("billing").await;
    bench.configure("on_event = [\"sh\", \"-c\", \"cat >> /var/lib/manutop/events\"]");
    let booted = Booted::start(&bench);

    // It is up once it says so itself, as its own user, with the passphrase it was handed.
    booted.says("systemctl start manutop");
    assert_eq!(booted.property("ActiveState"), "active");
    booted.until_property("StatusText", "leading; 2 live");
    bench.until_rotations(2);
    let journal = booted.says("journalctl -u manutop -o json --no-pager");
    let line = journal.lines().find(|line| line.contains("factory: refreshed, generation 2")).unwrap();
    assert!(line.contains("\"PRIORITY\":\"6\""), "{line}");
    assert_eq!(booted.says("stat -c %U /proc/$(systemctl show --value -p MainPID manutop)"), "manutop");
    eventually("on_event is run", || booted.run("grep -q refreshed /var/lib/manutop/events").status.success());
    let socket = PathBuf::from(format!("/proc/{}/root/run/manutop/http", booted.pid));
    assert_eq!(get_unix(&socket, "/healthz").json()["status"], "ok");

    booted.says("systemctl reload manutop");
    assert!(booted.says("journalctl -u manutop -o cat").contains("configuration reloaded"));

    // One that hangs is restarted; nothing of what it held is lost.
    let watchdog = "mkdir -p /run/systemd/system/manutop.service.d && \
                    printf '[Service]\\nWatchdogSec=1\\nRestartSec=0\\n' >/run/systemd/system/manutop.service.d/t.conf";
    booted.says(watchdog);
    booted.says("systemctl daemon-reload && systemctl restart manutop");
    let first = booted.property("MainPID");
    // Right after one refresh, the next is seconds away: no answer is out.
    let rotations = bench.servers.manu().stats().rotations;
    bench.until_rotations(rotations + 1);
    let reported = format!("journalctl -u manutop -o cat | grep -q 'factory: refreshed, generation {}'", rotations + 2);
    eventually("it is saved", || booted.run(&reported).status.success());
    booted.says(&format!("kill -STOP {first}"));
    booted.until_property("NRestarts", "1");
    booted.until_property("StatusText", "leading; 2 live");
    assert_ne!(booted.property("MainPID"), first);

    booted.says("systemctl stop manutop");
    assert_eq!((booted.property("Result"), booted.property("ExecMainStatus")), ("success".into(), "0".into()));
    let stats = bench.servers.manu().stats();
    assert_eq!((stats.token_posts.refresh_token, stats.reuses_detected), (stats.rotations, 0));

    // A faulty configuration is not tried again and again.
    booted.says("echo nonsense >>/etc/manutop/config.toml");
    assert!(!booted.run("systemctl start manutop").status.success());
    booted.until_property("ActiveState", "failed");
    assert_eq!((booted.property("ExecMainStatus"), booted.property("NRestarts")), ("2".into(), "0".into()));
}
