//! `manutop rename` killed at each of its steps and at each file it writes, while one process
//! still has the old name and its tokens in memory, and another has the new name already: no token
//! is lost, none is sent twice, and running the same command again finishes it.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use manutop::domain::{Connection, ConnectionGrant, ConnectionName};
use manutop::engine::Engine;
use manutop::fault_point::{POINT, Step};
use tokio::runtime::Runtime;

use super::parent::Parent;
use super::stores::{PASSPHRASE, StoreKind};
use super::world::{client_id, name};

const SIGKILL: i32 = 9;

/// The name that tries to send first, once the rename was killed.
#[derive(Debug, Clone, Copy)]
enum First {
    Old,
    New,
}

/// A connection about to be renamed, and the two processes.
struct Bench {
    root: tempfile::TempDir,
    parent: Parent,
    runtime: Runtime,
    /// Has the old name, and has read its tokens.
    stale: Engine,
    /// Has the new name, as a process that starts during the rename.
    eager: Engine,
}

fn plant() -> ConnectionName {
    ConnectionName::new("plant").unwrap()
}

fn configuration(connection: &Connection) -> String {
    let Connection { name, client_id, token_url, test_url, grant, .. } = connection;
    let ConnectionGrant::AuthorizationCode { authorize_url, redirect_uri, .. } = grant else { unreachable!() };
    format!(
        "store = \"file\" # mine\n\n# the main one\n[[connections]]\nname = \"{name}\" # short\nprovider = \"manu\"\n\
         client_id = \"{client_id}\"\ntoken_url = \"{token_url}\"\ntest_url = \"{test_url}\"\n\
         authorize_url = \"{authorize_url}\"\nredirect_uri = \"{redirect_uri}\"\n"
    )
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let parent = Parent::new(StoreKind::Files, Duration::ZERO, root.path(), 1, 0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let old = parent.orders.connection(name(0));
        std::fs::write(root.path().join("config.toml"), configuration(&old)).unwrap();
        let new = Connection { name: plant(), ..old.clone() };
        let (stale, eager) = runtime.block_on(async {
            let (stale, _) = parent.orders.engine_of(vec![old], false);
            stale.views().await;
            (stale, parent.orders.engine_of(vec![new], false).0)
        });
        Self { root, parent, runtime, stale, eager }
    }

    fn rename(&self, point: Option<(Step, u32)>) -> Output {
        let root = self.root.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_manutop"));
        command.args(["rename", name(0).as_str(), "plant"]).env("MANUTOP_PASSPHRASE", PASSPHRASE);
        command.env("MANUTOP_CONFIG", root.join("config.toml")).env("MANUTOP_DATA_DIR", root.join("data"));
        if let Some((step, pass)) = point {
            command.env(POINT, format!("{}:{pass}", step.name()));
        }
        command.output().unwrap()
    }

    /// Whether the tokens were refreshed under this name.
    fn refreshes(&self, engine: &Engine, name: &ConnectionName) -> bool {
        self.runtime.block_on(engine.refresh(name, true)).is_ok()
    }

    fn in_store(&self, item: &str) -> Option<String> {
        let secrets = StoreKind::Files.secrets(self.root.path());
        self.runtime.block_on(secrets.get(item)).unwrap().map(|secret| secret.expose().to_owned())
    }

    fn newest(&self) -> String {
        self.parent.servers.manu().newest_refresh_token(&client_id(&name(0))).unwrap().expose().to_owned()
    }

    fn assert_no_reuse(&self, context: &str) {
        let stats = self.parent.servers.manu().stats();
        assert_eq!(stats.reuses_detected, 0, "{context}");
    }

    /// Both processes do what they can: one of them at most can send.
    fn both_try(&self, first: First, context: &str) {
        let old = || self.refreshes(&self.stale, &name(0));
        let new = || self.refreshes(&self.eager, &plant());
        let (old, new) = match first {
            First::Old => (old(), new()),
            First::New => {
                let new = new();
                (old(), new)
            }
        };
        assert!(!(old && new), "{context}: both names could send");
        self.assert_no_reuse(context);
        let newest = self.newest();
        let items = [format!("{}/token", name(0)), "plant/token".into()].map(|item| self.in_store(&item));
        assert!(items.iter().flatten().any(|line| line.contains(&newest)), "{context}: the newest token is lost");
    }

    fn assert_renamed(&self, context: &str) {
        let config = std::fs::read_to_string(self.root.path().join("config.toml")).unwrap();
        let meant = configuration(&Connection { name: plant(), ..self.parent.orders.connection(name(0)) });
        assert_eq!(config, meant, "{context}");
        assert!(self.refreshes(&self.eager, &plant()), "{context}: the new name is live");
        assert!(!self.refreshes(&self.stale, &name(0)), "{context}: the old one sends nothing");
        self.assert_no_reuse(context);
        let state = self.runtime.block_on(StoreKind::Files.vault(self.root.path()).read(&plant())).unwrap();
        let held = state.record.unwrap().refresh_token.unwrap().token;
        assert_eq!((held.expose(), state.hazard), (self.newest().as_str(), None), "{context}");
        for item in ["token", "client-secret"] {
            assert_eq!(self.in_store(&format!("{}/{item}", name(0))), None, "{context}");
        }
        assert!(!self.root.path().join(format!("data/history/{}.jsonl", name(0))).exists(), "{context}");
        no_token_in(self.root.path(), &self.newest(), context);
    }
}

/// No file below holds the token as it is.
fn no_token_in(dir: &Path, token: &str, context: &str) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_token_in(&path, token, context);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(token), "{context}: {}", path.display());
        }
    }
}

/// Kills the rename at that point and finishes it; returns whether it reached the point at all.
fn killed_at(step: Step, pass: u32, first: First) -> bool {
    let context = format!("{step:?}, pass {pass}, {first:?} first");
    let bench = Bench::new();
    let killed = bench.rename(Some((step, pass)));
    let was_killed = killed.status.signal() == Some(SIGKILL);
    assert!(was_killed || killed.status.success(), "{context}: {killed:?}");
    bench.both_try(first, &context);
    let finished = bench.rename(None);
    assert!(finished.status.success(), "{context}: {finished:?}");
    bench.assert_renamed(&context);
    was_killed
}

#[test]
fn killed_at_each_step_no_token_is_lost_none_sent_twice_and_the_same_command_finishes() {
    for step in Step::OF_A_RENAME {
        for first in [First::Old, First::New] {
            assert!(killed_at(step, 1, first), "it never reached {step:?}");
        }
    }
}

#[test]
fn killed_at_each_file_it_writes_no_token_is_lost_and_none_sent_twice() {
    let mut writes = 0;
    while killed_at(Step::JournalWritten, writes + 1, if writes % 2 == 0 { First::Old } else { First::New }) {
        writes += 1;
    }
    assert!(writes >= 5, "journals, token, client secret: only {writes} files were written");
}
