//! Another process: this test binary, started again to run the same test, which then plays its
//! part on the rig's data directory instead. It can be stopped, killed and starved of disk space
//! as no task in our own process can. Its store is in its memory, a copy of the rig's.
//!
//! Parts are spoken to by lines: orders on standard input, what happens on standard output.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use manutop::domain;
use manutop::domain::{ConnectionEvent, ConnectionView, Event, EventKind, Program, Secret, SystemClock};
use manutop::engine::{Engine, Parts};
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::MemoryStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;
use serde::{Deserialize, Serialize};

use crate::support::rig::{NoBrowser, Rig, STORE_TIMEOUT};

/// In the child: its [`Part`].
const PART: &str = "MANUTOP_TEST_PART";
/// What begins a line of the part, among those of the test harness.
const MARK: &str = "> ";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the other process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// An engine that refreshes when it is due.
    Dashboard,
    /// An engine that refreshes on request.
    Command,
    /// A process that has taken the lock of the first connection and keeps it.
    Holder,
}

/// What the other process is given.
#[expect(clippy::unsafe_derive_deserialize, reason = "what is unsafe is in tokio's select, far from the fields")]
#[derive(Serialize, Deserialize)]
pub struct Part {
    role: Role,
    dir: std::path::PathBuf,
    items: BTreeMap<String, String>,
    configuration: String,
}

/// The part this process has to play, if it is the other one.
pub fn part() -> Option<Part> {
    Some(serde_json::from_str(&std::env::var(PART).ok()?).unwrap())
}

fn report(line: &str) {
    println!("{MARK}{line}");
}

impl Part {
    /// Plays until standard input ends, or the order to leave is carried out.
    pub async fn play(self) {
        let store = MemoryStore::new();
        for (item, secret) in &self.items {
            store.put(item, &Secret::new(secret.as_str()));
        }
        let secrets = Secrets::with_timeout(store.factory(), STORE_TIMEOUT);
        let vault = Vault::open(secrets, &self.dir, Arc::new(SystemClock)).unwrap();
        let config =
            manutop::config::parse(&self.configuration, "config.toml".as_ref(), manutop::oauth::providers::ALL)
                .unwrap();
        if self.role == Role::Holder {
            let name = &config.connections[0].name;
            let _lease = vault.lock(name, |pid| panic!("{pid:?} holds it")).await.unwrap();
            report("ready");
            let _ = std::io::stdin().lock().lines().next();
            return;
        }
        let name = config.connections[0].name.clone();
        let (engine, mut events) = Engine::start(Parts {
            connections: config.connections,
            vault: vault.clone(),
            clock: Arc::new(SystemClock),
            browser: Arc::new(NoBrowser::default()),
            program: if self.role == Role::Dashboard { Program::Dashboard } else { Program::Command },
            automatic: self.role == Role::Dashboard,
            login_timeout: Duration::from_secs(60),
            lost_pause: manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER,
        })
        .unwrap();
        engine.views().await;
        report("ready");
        let mut orders = orders();
        loop {
            tokio::select! {
                Some(event) = events.recv() => announce(event),
                order = orders.recv() => match order.as_deref() {
                    Some("refresh") => engine.send(domain::Command::Refresh { connection: name.clone(), force: true }),
                    Some("lock the store") => store.fail_always(Some(StoreError::Locked)),
                    Some("unlock the store") => store.fail_always(None),
                    Some("leave") => break engine.shutdown().await,
                    Some(order) => panic!("what is {order:?}?"),
                    None => return,
                },
            }
        }
        while let Ok(event) = events.try_recv() {
            announce(event);
        }
        let standing = vault.read(&name).await.unwrap();
        report(&format!("left generation {} saved {}", standing.record.unwrap().generation, standing.saved));
    }
}

fn orders() -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let (sender, orders) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
    });
    orders
}

fn announce(event: Event) {
    match event {
        Event::Connection(ConnectionEvent { kind: EventKind::Refreshed { generation, .. }, .. }) => {
            report(&format!("refreshed {generation}"));
        }
        Event::Connection(ConnectionEvent { kind: EventKind::Adopted { generation, .. }, .. }) => {
            report(&format!("adopted {generation}"));
        }
        Event::Connection(ConnectionEvent { kind: EventKind::RefreshFailed { problem }, .. }) => {
            report(&format!("failed {problem}"));
        }
        Event::Changed(view) => report(&described(&view)),
        _ => {}
    }
}

fn described(view: &ConnectionView) -> String {
    let problem = view.problem.as_ref().map_or_else(String::new, ToString::to_string);
    format!("view generation {} {problem}", view.token().map_or(0, |token| token.generation))
}

/// A handle on the other process; dropping it kills the process.
pub struct Process {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    /// Starts the test named `test` again, where [`part`] must be the first thing asked for;
    /// returns once the part is ready.
    pub fn start(rig: &Rig, role: Role, test: &str) -> Self {
        Self::start_after("", rig, role, test)
    }

    /// The same in a process of which the shell has first executed `prelude`.
    pub fn start_after(prelude: &str, rig: &Rig, role: Role, test: &str) -> Self {
        let items = rig.store.items().into_iter().map(|item| {
            let secret = rig.store.item(&item).unwrap().expose().to_owned();
            (item, secret)
        });
        let part =
            Part { role, dir: rig.dir.path().to_owned(), items: items.collect(), configuration: rig.configuration() };
        let mut child = Command::new("sh")
            .args(["-c", &format!("{prelude} exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--include-ignored", "--nocapture"])
            .env(PART, serde_json::to_string(&part).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness leaves the first one at the end of a line of its own.
                if let Some(at) = line.find(MARK) {
                    let _ = sender.send(line[at + MARK.len()..].to_owned());
                }
            }
        });
        let orders = child.stdin.take().unwrap();
        let process = Self { child, orders, lines };
        process.until("ready");
        process
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives an order.
    pub fn say(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Waits for a line that begins with `beginning`.
    pub fn until(&self, beginning: &str) -> String {
        let (deadline, mut before) = (Instant::now() + PATIENCE, Vec::new());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with(beginning) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("the other process never said {beginning:?}, but {before:?}: {error}"),
            }
        }
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        signal_process(self.id(), signal);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by the shell's own kill: no package is needed for it.
pub fn signal_process(pid: u32, signal: &str) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}
