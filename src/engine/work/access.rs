//! Secrets in the clear, on explicit request.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Activity, CopyWhat, Problem, Reason, Secret, TokenRecord};
use crate::engine::access_token::{AccessToken, header};
use crate::engine::connections::schedule;
use crate::engine::connections::state::ConnectionState;
#[cfg(unix)]
use crate::engine::work::refresh::decide::Need;

/// What was asked for, or why there is nothing to give.
pub(crate) fn reveal(state: &ConnectionState, what: CopyWhat, now: DateTime<Utc>) -> Result<Secret, String> {
    match what {
        CopyWhat::AccessToken => access_token(state, now),
        CopyWhat::AuthorizationHeader => access_token(state, now).map(|token| header(&token)),
        CopyWhat::CurlLine => access_token(state, now).map(|token| {
            let header = shell_quoted(header(&token).expose());
            Secret::new(format!("curl -H {header} {}", shell_quoted(state.connection.test_url.as_str())))
        }),
        CopyWhat::RefreshToken => {
            let refresh = record(state)?.refresh_token.as_ref();
            refresh.map(|refresh| refresh.token.clone()).ok_or_else(|| "this connection has no refresh token".into())
        }
        CopyWhat::LoginUrl => match &state.view.activity {
            Activity::LoggingIn(login) => Ok(Secret::new(login.url.as_str())),
            _ => Err("no login is under way".into()),
        },
    }
}

/// An access token that still works. A dead one is worse than none: it fails somewhere else.
pub(crate) fn access_token(state: &ConnectionState, now: DateTime<Utc>) -> Result<Secret, String> {
    let record = record(state)?;
    if record.access_token.is_empty() || record.remaining(now) <= TimeDelta::zero() {
        return Err("the access token has expired; refresh it first".into());
    }
    if schedule::is_from_the_future(record.obtained_at, now) {
        return Err("the clock was set back since the access token was obtained; refresh it first".into());
    }
    Ok(record.access_token.clone())
}

/// The record with an access token that lives for `least`, for a caller that looks nowhere else:
/// nothing at all may stand in its way, or be under way.
#[cfg(unix)]
pub(crate) fn fresh(state: &ConnectionState, least: TimeDelta, now: DateTime<Utc>) -> Option<TokenRecord> {
    state.good_enough(&Need::AtLeast(least), now)?;
    let record = state.record.as_ref()?;
    // Asking for more than it lives in all is an error, even where a clock set back makes it seem to.
    (!record.access_token.is_empty() && least <= record.expires_at - record.obtained_at).then(|| record.clone())
}

/// The same for a caller of an API, and why there is none.
pub(crate) fn present_token(state: &ConnectionState, now: DateTime<Utc>) -> Result<AccessToken, Problem> {
    match (access_token(state, now), &state.record) {
        (Ok(_), Some(record)) => Ok(AccessToken { problem: state.view.problem.clone(), ..AccessToken::of(record) }),
        (Err(why), Some(_)) => {
            Err(state.view.problem.clone().unwrap_or(Problem::Retrying { at: None, why: Reason::ours(why) }))
        }
        (_, None) => Err(state.view.problem.clone().unwrap_or(Problem::NeverLoggedIn)),
    }
}

fn record(state: &ConnectionState) -> Result<&TokenRecord, String> {
    state.record.as_ref().ok_or_else(|| "there are no tokens; log in first".into())
}

/// Quoted for a POSIX shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_quoted;

    #[test]
    fn nothing_breaks_out_of_the_quotes() {
        assert_eq!(shell_quoted("a'b; rm -rf $HOME"), r"'a'\''b; rm -rf $HOME'");
    }
}
