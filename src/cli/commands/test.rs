//! `manutop test`: one real API call with a connection's access token.

use std::io::Write;
use std::time::Duration;

use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::cli::support::session::{Session, Working};
use crate::domain::{Command, ConnectionEvent, ConnectionName, Event, EventKind, TestFailure};

/// Make one read-only API call with the access token
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// Connection name
    name: ConnectionName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl TestArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        let name = &self.name;
        let mut working = session.work_on(std::slice::from_ref(name))?;
        working.engine.views().await;
        let end = match working.engine.present_token(name).await {
            Ok(_) => call(&mut working, name).await?,
            Err(problem) => Err(CliError::about(name, &problem)),
        };
        working.finish().await;
        let (status, took) = end?;
        let milliseconds = took.as_millis();
        if self.json {
            json::print(json!({
                "connection": name,
                "outcome": "works",
                "http_status": status,
                "duration_ms": u64::try_from(milliseconds).unwrap_or(u64::MAX),
            }))?;
        } else {
            writeln!(std::io::stdout(), "{name}: the token works: {status} in {milliseconds} ms")?;
        }
        Ok(Exit::Ok)
    }
}

/// The HTTP status of a call that succeeded, and how long it took.
async fn call(working: &mut Working, name: &ConnectionName) -> Result<Result<(u16, Duration), CliError>, Report> {
    let called = working.carry_out(Command::Test { connection: name.clone() }, |event| {
        let Event::Connection(ConnectionEvent { kind, .. }) = event else { return None };
        match &kind {
            EventKind::Tested { result: Ok(answer) } => Some(Ok(*answer)),
            EventKind::Tested { result: Err(failure) } => Some(Err(CliError::of_event(name, code(failure), &kind))),
            EventKind::Refused { .. } => Some(Err(CliError::of_event(name, Exit::Failed, &kind))),
            _ => None,
        }
    });
    Ok(called.await?.unwrap_or_else(|| Err(CliError::on(name, Exit::Failed, "the test was cancelled"))))
}

/// What a script can do about it. That a token which should be good is refused has no number of
/// its own: a refresh may fix it, a login may be needed, or the API may want another scope.
fn code(failure: &TestFailure) -> Exit {
    match failure.status {
        None | Some(408 | 429 | 500..) => Exit::Transient,
        Some(_) => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::code;
    use crate::cli::support::exit::Exit;
    use crate::domain::TestFailure;

    #[test]
    fn what_may_work_later_is_distinguished_from_what_will_not() {
        let failed = |status| code(&TestFailure { status, why: "".into() });
        assert_eq!([None, Some(429), Some(503)].map(failed), [Exit::Transient; 3]);
        assert_eq!([Some(401), Some(403), Some(404)].map(failed), [Exit::Failed; 3]);
    }
}
