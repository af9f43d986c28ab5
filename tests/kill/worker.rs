//! A worker: a process with an engine of its own, until it is killed.
//!
//! It is this test binary, started again on the same test with orders in its environment. It exits
//! when its standard input ends: nothing outlives the parent.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use manutop::domain::{ConnectionName, EventKind, Problem};
use manutop::fault_point::{POINT, Step, WITNESS};

use super::world::{Habit, Orders};

const ORDERS: &str = "MANUTOP_KILL_WORKER";
/// Longer than any token is valid: demanding it forces a refresh.
const TOO_LONG: Duration = Duration::from_secs(24 * 60 * 60);
const ADOPTED: &str = "worker: adopted";

/// The orders, where this process is a worker.
pub fn orders() -> Option<Orders> {
    std::env::var(ORDERS).ok().map(|json| serde_json::from_str(&json).unwrap())
}

/// Works until it is killed, or the parent is gone.
pub fn work(orders: &Orders) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // In a worker that forces, nothing starts on its own: between reading a connection and pressing its
        // key, nothing can be announced that it has not seen.
        let (engine, mut events) = orders.engine(orders.habit != Habit::Forces);
        let reporting = async {
            while let Some(event) = events.recv().await {
                if matches!(event.kind(), Some(EventKind::Adopted { .. })) {
                    println!("{ADOPTED}");
                }
            }
        };
        let names = orders.names();
        let mut rng = fastrand::Rng::with_seed(orders.seed);
        let forcing = async {
            if orders.habit == Habit::Waits {
                std::future::pending::<()>().await;
            }
            loop {
                let views = engine.views().await;
                let mut chosen: Vec<&ConnectionName> =
                    views.iter().filter(|view| is_well(view.problem.as_ref())).map(|view| &view.name).collect();
                rng.shuffle(&mut chosen);
                chosen.truncate(rng.usize(1..=names.len()));
                // Several at once, as from a person with a quick hand; events report how each ended.
                futures_util::future::join_all(chosen.iter().map(async |name| match orders.habit {
                    Habit::Forces => engine.refresh(name, true).await.is_ok(),
                    Habit::Demands | Habit::Waits => engine.access_token(name, TOO_LONG).await.is_ok(),
                }))
                .await;
                tokio::time::sleep(Duration::from_millis(rng.u64(0..15))).await;
            }
        };
        tokio::join!(reporting, forcing);
    });
}

/// Only a login helps a connection whose refresh token the server has refused.
fn is_well(problem: Option<&Problem>) -> bool {
    problem.is_none_or(Problem::is_passing)
}

/// A worker as its parent has it.
pub struct Worker {
    child: Child,
    adoptions: mpsc::Receiver<()>,
    /// Where it is to kill itself.
    pub point: Option<Step>,
}

impl Worker {
    /// Starts this test binary again on the test named `test`, as a worker; with `point` it kills
    /// itself at the N-th pass of that step.
    pub fn start(test: &str, orders: &Orders, point: Option<(Step, u32)>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--include-ignored", "--nocapture"]);
        command.env(ORDERS, serde_json::to_string(orders).unwrap()).env(WITNESS, orders.root.join("witness"));
        if let Some((step, passes)) = point {
            command.env(POINT, format!("{}:{passes}", step.name()));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, adoptions) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(std::io::BufReader::new(out)).map_while(Result::ok) {
                // The parent may have counted up already.
                let _ = if line.ends_with(ADOPTED) { sender.send(()) } else { Ok(()) };
            }
        });
        Self { child, adoptions, point: point.map(|(step, _)| step) }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it with SIGKILL and sees it dead.
    pub fn kill(&mut self) -> ExitStatus {
        // It may have killed itself in this moment.
        let _ = self.child.kill();
        self.child.wait().unwrap()
    }

    /// How often it reported that it had adopted another process's tokens.
    pub fn adoptions(&self) -> usize {
        self.adoptions.try_iter().count()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}
