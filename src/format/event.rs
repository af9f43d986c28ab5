//! The sentence for each event: the one that the message line, the service's log and the commands print.
//!
//! A sentence does not name its connection; each place has its own way to show that. It holds a reason in full, which
//! may quote a server: it is for the person at manutop. What others read too (health, metrics, notifications,
//! `on_event`) takes [`Reason::public`] instead, and none of these sentences.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{Author, Event, EventKind, HostEvent, Problem, Reason, Revocation, Severity, TestFailure};
use crate::format::time::milliseconds;

/// What to say of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// How much attention it asks for.
    pub severity: Severity,
    /// The words.
    pub text: String,
}

fn sentence(severity: Severity, text: impl Into<String>) -> Sentence {
    Sentence { severity, text: text.into() }
}

/// The sentence for what happened to a connection, with times as `time` writes them; `None` where there is nothing to
/// say but to ask or to show.
pub fn of_connection(kind: &EventKind, time: impl Fn(DateTime<Utc>) -> String) -> Option<Sentence> {
    let good = |text: String| sentence(Severity::Good, text);
    Some(match kind {
        EventKind::Refreshed { generation, recovered } => {
            let lost = |at| format!("; the answer lost at {} is recovered", time(at));
            let recovered = recovered.map_or_else(String::new, |lost_answer| lost(lost_answer.at));
            good(format!("refreshed, generation {generation}{recovered}"))
        }
        EventKind::Adopted { generation, by } => {
            good(format!("{} refreshed it, generation {generation} taken over", Author::subject(*by)))
        }
        EventKind::StillFresh { .. } => good("the token is still fresh".into()),
        EventKind::RefreshFailed { problem } => sentence(severity(problem), problem.to_string()),
        EventKind::NotSaved { generation, why } => {
            let text = format!("generation {generation} is not saved yet, but safe in the journal: {why}");
            sentence(Severity::Bad, text)
        }
        EventKind::InMemoryOnly { why, .. } => sentence(Severity::Bad, in_memory(why)),
        kind => return of_login(kind).or_else(|| of_request(kind)),
    })
}

/// The sentence for a step of a login or an import.
fn of_login(kind: &EventKind) -> Option<Sentence> {
    Some(match kind {
        EventKind::LoginStarted => sentence(Severity::Busy, "a login waits"),
        EventKind::LoggedIn { generation } => sentence(Severity::Good, format!("logged in, generation {generation}")),
        EventKind::LoginCancelled => sentence(Severity::Quiet, "login cancelled"),
        EventKind::LoginFailed { why, .. } => {
            sentence(Severity::Bad, format!("login failed: {}", after_login(&why.to_string())))
        }
        EventKind::AnswerRefused { why } => sentence(Severity::Warning, format!("answer refused: {why}")),
        EventKind::Imported { replaced: true, .. } => {
            sentence(Severity::Good, "refresh token taken over; the pasted copy no longer works")
        }
        EventKind::Imported { .. } => {
            sentence(Severity::Good, "refresh token taken over; not replaced, the pasted copy still works")
        }
        EventKind::ImportFailed { why, .. } => sentence(Severity::Bad, format!("import failed: {why}")),
        _ => return None,
    })
}

/// The sentence for what came of any other request.
fn of_request(kind: &EventKind) -> Option<Sentence> {
    Some(match kind {
        EventKind::Tested { result } => of_test(result),
        EventKind::LoggedOut { revocation } => forgotten("logged out, tokens forgotten", revocation),
        EventKind::LogoutFailed { problem: Problem::Cancelled, .. } => {
            sentence(Severity::Quiet, "the logout was given up, nothing was forgotten")
        }
        EventKind::LogoutFailed { problem, revocation } => {
            let failure = format!("not all of the logout could be done: {problem}");
            sentence(Severity::Bad, revocation.before_failure(&failure))
        }
        EventKind::ClientSecretSet { result: Ok(()) } => sentence(Severity::Good, "client secret stored"),
        EventKind::ClientSecretSet { result: Err(why) } => {
            sentence(Severity::Bad, format!("client secret not stored: {why}"))
        }
        EventKind::Forgotten { result: Ok(()), revocation } => {
            forgotten("tokens and client secret forgotten", revocation)
        }
        EventKind::Forgotten { result: Err(problem), revocation } => {
            sentence(Severity::Bad, revocation.before_failure(&not_forgotten(problem)))
        }
        EventKind::Removed => sentence(Severity::Quiet, "no longer in the configuration"),
        EventKind::Refused { why } => sentence(Severity::Warning, why),
        _ => return None,
    })
}

/// The sentence for what is about no single connection; `None` where a banner or a dialog says it, or nothing does.
#[must_use]
pub fn of_program(event: &Event) -> Option<Sentence> {
    Some(match event {
        Event::StoreChanged(Ok(())) => sentence(Severity::Good, "the secret store is back"),
        Event::StoreChanged(Err(why)) | Event::PassphraseAsked { refused: Some(why), .. } => {
            sentence(Severity::Bad, why.to_string())
        }
        Event::PassphraseAsked { refused: None, .. } => sentence(Severity::Bad, PASSPHRASE_NEEDED),
        Event::Host(HostEvent::ConfigurationRead(Ok(()))) => sentence(Severity::Good, "configuration reloaded"),
        Event::Host(HostEvent::ConfigurationRead(Err(why))) => sentence(Severity::Bad, format!("configuration: {why}")),
        Event::Host(HostEvent::HookFailed { why }) => sentence(Severity::Warning, format!("on_event: {why}")),
        _ => return None,
    })
}

/// Why the encrypted store cannot be used, where nothing else is known.
pub const PASSPHRASE_NEEDED: &str = "the encrypted store waits for its passphrase";

fn severity(problem: &Problem) -> Severity {
    match problem {
        Problem::Cancelled => Severity::Quiet,
        problem if problem.is_passing() => Severity::Warning,
        _ => Severity::Bad,
    }
}

/// The reason of a failed login: that one is needed is known to a person who has just tried.
#[must_use]
pub fn after_login(why: &str) -> &str {
    why.strip_prefix("needs login: ").unwrap_or(why)
}

/// New tokens are in memory only: what a person must know at once.
#[must_use]
pub fn in_memory(why: &Reason) -> String {
    let problem = Problem::NotSaved { why: why.clone(), durable: false };
    format!("{problem}; manutop keeps trying to save it")
}

fn of_test(result: &Result<(u16, Duration), TestFailure>) -> Sentence {
    match result {
        Ok((status, duration)) => {
            let took = milliseconds(duration.as_millis().try_into().unwrap_or(u64::MAX));
            sentence(Severity::Good, format!("the token works: {status} in {took}"))
        }
        Err(failure) => sentence(Severity::Warning, format!("test failed: {}", failure.why)),
    }
}

/// What was forgotten here, and what became of the refresh token at the provider.
fn forgotten(what: &str, revocation: &Revocation) -> Sentence {
    let severity = if revocation.why().is_some() { Severity::Warning } else { Severity::Good };
    match revocation {
        Revocation::None => sentence(severity, what),
        revocation => sentence(severity, format!("{what}; {}", revocation.words())),
    }
}

/// Why not all of a connection was forgotten, and how much of it is left.
#[must_use]
pub fn not_forgotten(problem: &Problem) -> String {
    match problem {
        // Only the wait for the lock can be given up, or take too long.
        Problem::Cancelled => "the removal was given up, nothing was forgotten".into(),
        Problem::Retrying { why, .. } => format!("nothing was forgotten: {why}"),
        problem => format!("not all of it could be removed: {problem}"),
    }
}
