//! JSON output: one version for all commands, times in UTC as in RFC 3339, durations in whole
//! seconds, keys in the order of docs/scripting.md.

use std::io;
use std::io::Write;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::cli::support::exit::CliError;
use crate::domain::clock::rfc3339;
use crate::domain::{ConnectionView, Holding, Subject, TokenFacts};

/// Raised when a field changes its meaning or disappears; not for new fields.
pub(crate) const VERSION: u32 = 1;

/// Prints a command's result: one object, version first.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn print(result: Value) -> io::Result<()> {
    writeln!(io::stdout(), "{:#}", versioned(result))
}

/// A result with the version in front.
fn versioned(result: Value) -> Value {
    let mut object = Map::from_iter([("version".to_owned(), VERSION.into())]);
    if let Value::Object(members) = result {
        object.extend(members);
    }
    object.into()
}

/// A failure: the value of `error`.
pub(crate) fn error(stop: &CliError, now: DateTime<Utc>) -> Value {
    json!({
        "kind": stop.exit.id(),
        "exit_code": stop.exit as u8,
        "message": stop.message,
        "connection": stop.connection,
        "retry_at": stop.retry_at.map(rfc3339),
        // Rounded up: a retry after that time must not be too early.
        "retry_after": stop.retry_at.map(|at| ((at - now).num_milliseconds().max(0) + 999) / 1000),
    })
}

/// A connection's current state.
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
        "subject": subject(view.token().and_then(|token| token.subject.as_ref())),
        "auto_refresh": view.auto,
        "saved": matches!(view.holding, Holding::Tokens { saved: true, .. }),
        "generation": view.token().map(|token| token.generation),
        "scope": view.token().and_then(|token| token.scope.clone()),
        "access_token": view.token().map(|token| access_token(token, now)),
        "refresh_token": view.token().and_then(|token| token.refresh.as_ref()).map(|refresh| json!({
            "obtained_at": rfc3339(refresh.obtained_at),
            "estimated_end": rfc3339(refresh.estimated_end),
            "fingerprint": refresh.fingerprint,
        })),
    })
}

/// Whose tokens they are, unverified; null if they do not say.
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

/// The objects that docs/scripting.md shows.
#[cfg(test)]
pub(crate) mod documented {
    use serde_json::Value;

    /// Makes sure that the documented object with this key has the same keys, in the same order, as `made` is printed with.
    pub(crate) fn assert_order(key: &str, made: Value) {
        let page = include_str!("../../../docs/scripting.md");
        let blocks = page.split("```json\n").skip(1).filter_map(|block| block.split("```").next());
        let shown = blocks.map(|block| serde_json::from_str::<Value>(block).expect("the page shows JSON"));
        let shown = shown.into_iter().find(|shown| shown.get(key).is_some()).expect("the page shows it");
        assert_eq!(keys(&super::versioned(made)), keys(&shown));
    }

    /// The keys of all objects, in their order.
    fn keys(value: &Value) -> Vec<String> {
        match value {
            Value::Object(members) => {
                members.iter().flat_map(|(key, value)| [vec![key.clone()], keys(value)].concat()).collect()
            }
            Value::Array(values) => values.iter().flat_map(keys).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{connection, documented, error};
    use crate::cli::support::exit::{CliError, Exit};
    use crate::dashboard::fixtures::{manu, now};

    #[test]
    fn keys_have_the_order_of_the_documentation() {
        let view = manu("factory", 1800);
        documented::assert_order("connections", json!({ "connections": [connection(&view, now())] }));
        let stop = CliError { retry_at: Some(now()), ..CliError::on(&view.name, Exit::Transient, "rate limited") };
        documented::assert_order("error", json!({ "error": error(&stop, now()) }));
    }
}
