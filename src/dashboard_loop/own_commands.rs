//! Commands of the configuration, run in the background: each on a thread of its own, so that one that hangs holds up
//! nothing else.
//!
//! Invariants: the access token is in the program's environment and nowhere else, and only where the configuration
//! says so; what is shown of a program's output is one line without secrets.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{Event, HostEvent, ProgramRun, Secret};
use crate::oauth::redact;
use crate::platform::bounded_run;
use crate::platform::bounded_run::{Ended, NotEnded};
use crate::platform::child_process::ACCESS_TOKEN;
use crate::platform::limits;

/// How many may run at once.
const MOST_RUNNING: usize = 8;
/// The longest line shown, in characters.
const LONGEST_LINE: usize = 200;

/// The commands that run in the background.
#[derive(Debug, Default)]
pub(super) struct BackgroundRuns {
    /// Held by each that runs.
    running: Arc<()>,
}

impl BackgroundRuns {
    /// Starts a command; an event reports its end.
    pub(super) fn begin(
        &self,
        run: ProgramRun,
        token: Option<Secret>,
        timeout: Duration,
        events: &UnboundedSender<Event>,
    ) {
        let (name, connection) = (run.name.clone(), Some(run.connection.clone()));
        let end = {
            let events = events.clone();
            // The receiver is gone once the program is leaving.
            move |result| drop(events.send(Event::Host(HostEvent::CommandEnded { name, connection, result })))
        };
        if Arc::strong_count(&self.running) > MOST_RUNNING {
            return end(Err(format!("not started: {MOST_RUNNING} commands run already")));
        }
        let (running, failed) = (Arc::clone(&self.running), end.clone());
        let body = move || {
            end(carry_out(&run, token.as_ref(), timeout));
            drop(running);
        };
        if let Err(error) = thread::Builder::new().name("command".into()).spawn(body) {
            failed(Err(format!("not started: {error}")));
        }
    }
}

/// Runs it to its end; gives its last line.
fn carry_out(run: &ProgramRun, token: Option<&Secret>, timeout: Duration) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("not started: {error}"))?;
    let mut command = command(&run.words, token);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    match runtime.block_on(bounded_run::run(&mut command, None, timeout)) {
        Ok(Ended { status, last_line }) => {
            let line = redact::excerpt(&last_line, &Vec::from_iter(token), LONGEST_LINE);
            if status.success() { Ok(line) } else { Err(format!("failed ({status}) {line}").trim_end().to_owned()) }
        }
        Err(NotEnded::NotStarted(error)) => Err(not_started(&error)),
        Err(NotEnded::Lost(error)) => Err(format!("cannot be waited for: {error}")),
        Err(NotEnded::Killed) => Err(format!("took longer than {} s and was ended", timeout.as_secs())),
    }
}

/// Why a program does not run.
pub(super) fn not_started(error: &io::Error) -> String {
    limits::explained(format!("cannot be started: {error}"))
}

/// The program with its arguments. One that gets no token inherits none either.
pub(super) fn command(words: &[String], token: Option<&Secret>) -> Command {
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.iter().skip(1)).env_remove(ACCESS_TOKEN);
    if let Some(token) = token {
        command.env(ACCESS_TOKEN, token.expose());
    }
    command
}
