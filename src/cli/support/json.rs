//! What is printed as JSON: one version for all commands, times in UTC as RFC 3339 says, spans of
//! time in whole seconds.

use std::io;
use std::io::Write;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::cli::support::exit::CliError;
use crate::domain::clock::rfc3339;
use crate::domain::{ConnectionView, Holding, Subject, TokenFacts};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
pub(crate) const VERSION: u32 = 1;

/// Prints a command's result: one object, with the version.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn print(mut result: Value) -> io::Result<()> {
    result["version"] = VERSION.into();
    writeln!(io::stdout(), "{result:#}")
}

/// A failure, as it stands under `error`.
pub(crate) fn error(stop: &CliError, now: DateTime<Utc>) -> Value {
    json!({
        "kind": stop.exit.id(),
        "exit_code": stop.exit as u8,
        "message": stop.message,
        "connection": stop.connection,
        "retry_at": stop.retry_at.map(rfc3339),
        // Rounded up: whoever comes back after that long must not be too early.
        "retry_after": stop.retry_at.map(|at| ((at - now).num_milliseconds().max(0) + 999) / 1000),
    })
}

/// A connection as it stands.
pub(crate) fn connection(view: &ConnectionView, now: DateTime<Utc>) -> Value {
    let status = view.status(now);
    json!({
        "name": view.name,
        "title": view.title,
        "provider": view.provider.id,
        "status": status.id(),
        "problem": view.problem.as_ref().map(ToString::to_string),
        "lost_answer": view.lost_answer.map(|(lost, outcome)| json!({
            "at": rfc3339(lost.at),
            "sends": lost.sends,
            "outcome": outcome.id(),
        })),
        "auto_refresh": view.auto,
        "saved": matches!(view.holding, Holding::Tokens { saved: true, .. }),
        "generation": view.token().map(|token| token.generation),
        "scope": view.token().and_then(|token| token.scope.clone()),
        "subject": subject(view.token().and_then(|token| token.subject.as_ref())),
        "access_token": view.token().map(|token| access_token(token, now)),
        "refresh_token": view.token().and_then(|token| token.refresh.as_ref()).map(|refresh| json!({
            "obtained_at": rfc3339(refresh.obtained_at),
            "estimated_end": rfc3339(refresh.estimated_end),
            "fingerprint": refresh.fingerprint,
        })),
    })
}

/// Whom the tokens name, unverified; null where they name no one.
pub(crate) fn subject(subject: Option<&Subject>) -> Value {
    subject.map_or(Value::Null, |subject| {
        json!({
            "sub": subject.sub,
            "email": subject.email,
            "preferred_username": subject.preferred_username,
            "client_id": subject.client_id,
        })
    })
}

fn access_token(token: &TokenFacts, now: DateTime<Utc>) -> Value {
    json!({
        "obtained_at": rfc3339(token.obtained_at),
        "expires_at": rfc3339(token.expires_at),
        "expires_in": token.remaining(now).num_seconds(),
        "fingerprint": token.access_fingerprint,
    })
}
