//! What is wrong in plain words, and which key fixes it.
//!
//! Every status has an answer here, so no state of a connection leaves a person without a next step.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::domain::{ConnectionView, Problem, Status};
use crate::format::time::countdown;

/// The way out of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What to know or do; empty where the keys say it all.
    pub words: String,
    /// The key to try before the command, with what it does in this case.
    pub first: Option<(Action, &'static str)>,
    /// A command to type in a shell.
    pub command: Option<String>,
    /// Keys that help, the best one first, with what they do in this case.
    pub keys: Vec<(Action, &'static str)>,
}

/// The way out of a connection's present status; none while all is well.
#[must_use]
pub fn remedy(view: &ConnectionView, now: DateTime<Utc>) -> Option<Remedy> {
    let login = (Action::Login, if view.needs_browser { "log in with the browser" } else { "get the first token" });
    let again = (Action::ForceRefresh, "try again now");
    let secret = || Some(format!("manutop secret set {}", view.name));
    let (mut first, mut command) = (None, None);
    let (words, keys) = match view.status(now) {
        Status::Live | Status::Refreshing => return None,
        Status::Loading => ("The secret store has not answered yet.".into(), vec![]),
        Status::Expiring if view.auto => return None,
        Status::Expiring => (
            "Automatic refresh is off.".into(),
            vec![(Action::Refresh, "refresh now"), (Action::ToggleAuto, "refresh automatically from now on")],
        ),
        Status::Expired => ("The access token has ended.".into(), vec![(Action::Refresh, "refresh now")]),
        Status::LoggingIn => ("A login waits for you.".into(), vec![(Action::Login, "show it")]),
        Status::WaitingForLock { pid } => (waiting(pid), vec![(Action::Cancel, "stop waiting")]),
        // The problem, where there is one, says it already.
        Status::NeverLoggedIn if view.problem.is_some() => (String::new(), vec![login]),
        Status::NeverLoggedIn => ("Not logged in yet.".into(), vec![login]),
        Status::NoClientSecret => {
            command = secret();
            ("Type this in a shell; it asks for the secret:".into(), vec![(login.0, "then log in")])
        }
        Status::Retrying { at: Some(at) } => (format!("Retries in {}.", countdown(at - now)), vec![again]),
        Status::Retrying { at: None } => ("No automatic retry.".into(), vec![again]),
        Status::AnswerLost { at: Some(at) } => (
            format!("The refresh token is sent again in {}. Nothing to do.", countdown(at - now)),
            vec![(Action::ForceRefresh, "send it now")],
        ),
        Status::AnswerLost { at: None } => (
            "Nothing is sent again automatically.".into(),
            vec![(Action::ForceRefresh, "send the refresh token again")],
        ),
        Status::RateLimited { until } => {
            (format!("Nothing is sent for {}; then it continues.", countdown(until - now)), vec![])
        }
        Status::NeedsLogin => ("Only a new login helps.".into(), vec![login]),
        Status::Misconfigured if matches!(view.problem, Some(Problem::Misconfigured { refused: true, .. })) => {
            first = Some((Action::Edit, "edit the connection"));
            command = secret();
            (
                "Tokens are kept. Correct client ID, URLs or secret:".into(),
                vec![(again.0, "then ask the provider again")],
            )
        }
        // The problem says what to do.
        Status::Misconfigured => (String::new(), vec![again]),
        Status::Uncertain => (
            "The server may have replaced the refresh token, and the answer was lost.".into(),
            vec![(Action::Login, "log in again: safe"), (Action::ForceRefresh, "send the old token again: asks first")],
        ),
        Status::NotSaved => (
            "Saving is tried until it succeeds; leave manutop running.".into(),
            vec![(Action::Refresh, "try to save now")],
        ),
        Status::RolledBack => {
            ("The store holds older tokens than were saved; they are never sent.".into(), vec![login])
        }
        Status::StoreUnavailable if matches!(view.problem, Some(Problem::PassphraseNeeded { .. })) => {
            ("Nothing is sent while tokens could not be saved.".into(), vec![(Action::Unlock, "type the passphrase")])
        }
        Status::StoreUnavailable => ("Nothing is sent while tokens could not be saved.".into(), vec![again]),
    };
    Some(Remedy { words, first, command, keys })
}

fn waiting(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("Process {pid} is working on this connection; its result is taken over."),
        None => "Another process is working on this connection; its result is taken over.".into(),
    }
}
