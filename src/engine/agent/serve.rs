//! What the running process answers.
//!
//! Invariants: so many are answered at once, each within a time, so that one that hangs blocks no
//! other; a token goes out only after a look at the journal, which knows of every process that has
//! replaced or given it up; the socket's file is gone before the right to answer is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use chrono::TimeDelta;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::{ConnectionName, Secret, TokenRecord};
use crate::engine::agent::wire::{AgentQuestion, PATIENCE, VERSION, read_line, same_user};
use crate::engine::remote::Remote;
use crate::local_server::{Places, serve_all};
use crate::platform::socket;
use crate::platform::socket::OwnFile;
use crate::tokens::journal_stamps::JournalDirStamp;
use crate::tokens::leadership::Leadership;
use crate::tokens::record;
use crate::tokens::vault::Vault;

/// How many are answered at once; who comes then waits.
const MOST_AT_ONCE: usize = 64;

/// Answers, from when it is its turn until it is dropped.
pub(in crate::engine) struct Agent {
    state: Arc<Mutex<AgentState>>,
    /// Where the commands it answers find their connections.
    pub(in crate::engine) config_file: PathBuf,
}

enum AgentState {
    /// Another process answers, or none yet.
    Waits,
    Answers(#[expect(dead_code, reason = "dropping it is what ends it")] Answering),
    Closed,
}

/// Dropped in this order.
struct Answering {
    _task: Task,
    _file: OwnFile,
    _right: Leadership,
}

struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Agent {
    /// Begins to wait for the right to answer, on a plain thread that the kernel wakes. Without a
    /// thread, or a socket, no command is answered, and each works without the agent.
    pub(in crate::engine) fn start(runtime: Handle, remote: Remote, vault: Vault, config_file: PathBuf) -> Self {
        let state = Arc::new(Mutex::new(AgentState::Waits));
        let (shared, file_of_commands) = (Arc::clone(&state), config_file.clone());
        let _ = thread::Builder::new().name("agent".into()).spawn(move || {
            let Some((right, (listener, file))) = take_turn(&vault, &runtime) else { return };
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*state, AgentState::Waits) {
                let task = runtime.spawn(serve(
                    listener,
                    Arc::new(Answerer { remote, vault, config_file: file_of_commands, known: Mutex::default() }),
                ));
                *state =
                    AgentState::Answers(Answering { _task: Task(task.abort_handle()), _file: file, _right: right });
            }
        });
        Self { state, config_file }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = AgentState::Closed;
    }
}

/// Waits for the right to answer, and begins to listen.
fn take_turn(vault: &Vault, runtime: &Handle) -> Option<(Leadership, (UnixListener, OwnFile))> {
    let right = vault.lead_agent().ok()?;
    let _runtime = runtime.enter();
    Some((right, socket::bind(&vault.agent_socket()).ok()?))
}

async fn serve(listener: UnixListener, answerer: Arc<Answerer>) {
    serve_all(listener, Places::new(MOST_AT_ONCE), PATIENCE, CancellationToken::new(), |stream, place| {
        let answerer = Arc::clone(&answerer);
        async move {
            let _place = place;
            answerer.answer(stream).await;
        }
    })
    .await;
}

struct Answerer {
    remote: Remote,
    vault: Vault,
    config_file: PathBuf,
    known: Mutex<Known>,
}

/// What the journals said, as long as none of them changes: to see that takes one `stat`.
#[derive(Default)]
struct Known {
    seen: JournalDirStamp,
    /// How often one did.
    changes: u64,
    /// The generation that no process has replaced or deleted.
    newest: HashMap<ConnectionName, u64>,
}

impl Answerer {
    /// One line in; one line back, or nothing where there is no answer.
    async fn answer(&self, mut stream: UnixStream) -> Option<()> {
        same_user(&stream)?;
        let question = read_line(&mut stream).await?;
        let record = self.record(serde_json::from_slice(&question).ok()?).await?;
        // No refresh token leaves over a socket.
        let line = record::to_line(&TokenRecord { refresh_token: None, ..record });
        let line = Secret::new(format!("{}\n", line.expose()));
        stream.write_all(line.expose().as_bytes()).await.ok()
    }

    /// What the engine holds, if the journal knows of nothing newer.
    async fn record(&self, question: AgentQuestion<'_>) -> Option<TokenRecord> {
        let AgentQuestion { version, connection, least_ms, config_file } = question;
        if version != VERSION || Path::new(&*config_file) != self.config_file {
            return None;
        }
        let least = TimeDelta::try_milliseconds(least_ms.try_into().ok()?)?;
        let record = self.remote.fresh(&connection, least).await?;
        let (is_known, changes) = self.look(&connection, record.generation);
        if !is_known {
            if !self.vault.is_newest(&connection, &record).await.ok()? {
                // This command works without the agent; the next one may be answered.
                self.remote.poll_other_processes();
                return None;
            }
            let mut known = self.known();
            if known.changes == changes {
                known.newest.insert(connection.into_owned(), record.generation);
            }
        }
        Some(record)
    }

    /// Whether the journal said that this generation is the newest, and no journal has changed since;
    /// and how often one has changed by now.
    fn look(&self, connection: &ConnectionName, generation: u64) -> (bool, u64) {
        let mut known = self.known();
        if self.vault.changed_since(&mut known.seen) {
            known.newest.clear();
            known.changes += 1;
        }
        (known.newest.get(connection) == Some(&generation), known.changes)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
