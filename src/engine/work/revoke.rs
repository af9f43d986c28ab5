//! Leaving: the refresh token is revoked at the provider, where that has an endpoint for it
//! (RFC 7009), and then the tokens are forgotten here.
//!
//! Invariants: a revocation that fails, or cannot be asked for, never stops a logout; nothing is revoked that could
//! not be forgotten afterwards, as far as the disk shows that before.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::{Connection, Exchange, Problem, Reason, Revocation, TokenRecord};
use crate::engine::work::client_secret;
use crate::engine::work::context::{Context, store_problem};
use crate::engine::work::refresh::lock;
use crate::oauth::message::{HttpRequest, Payload};
use crate::oauth::{Broken, Refusal, form};
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::Hazard;

/// How long the client secret, and a place at the provider's host, are waited for. The request has
/// a limit of its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is forgotten.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Forgetting {
    /// The tokens.
    Tokens,
    /// All there is of the connection.
    Everything,
}

/// Forgets a connection's tokens, or all there is of it, and revokes the refresh token first.
pub(crate) async fn and_forget(
    context: &Context,
    connection: &Connection,
    forgetting: Forgetting,
    cancel: &CancellationToken,
) -> (Result<(), Problem>, Revocation) {
    let mut locked = match lock(context, &connection.name, cancel, &mut None).await {
        Ok(locked) => locked,
        Err(problem) => return (Err(problem), Revocation::None),
    };
    let revocation = revoke_held(context, connection, &locked).await;
    let forgotten = match forgetting {
        Forgetting::Tokens => locked.forget().await,
        Forgetting::Everything => locked.erase().await,
    };
    (forgotten.map_err(|error| store_problem(&error)), revocation)
}

/// Revokes the refresh token that store or journal hold; the lock is held.
async fn revoke_held(context: &Context, connection: &Connection, locked: &LockedConnection) -> Revocation {
    if connection.revoke_url.is_none() {
        return Revocation::None;
    }
    if let Err(error) = locked.prepare_to_forget().await {
        return Revocation::Skipped { why: error.reason() };
    }
    match context.vault.read(&connection.name).await {
        Err(error) => Revocation::Skipped { why: error.reason() },
        Ok(standing) if matches!(standing.hazard, Some(Hazard::RolledBack { .. })) => {
            Revocation::Skipped { why: "the store holds an older refresh token than the newest, which is lost".into() }
        }
        Ok(standing) => match standing.record {
            Some(record) => revoke(context, connection, &record).await,
            None => Revocation::None,
        },
    }
}

/// Revokes a record's refresh token with one request, in bounded time.
pub(crate) async fn revoke(context: &Context, connection: &Connection, record: &TokenRecord) -> Revocation {
    let (Some(url), Some(refresh)) = (&connection.revoke_url, &record.refresh_token) else { return Revocation::None };
    let ready = async {
        let client_secret = client_secret::fetch(context, connection).await?;
        Ok::<_, Problem>((client_secret, context.host_limit.enter(url).await))
    };
    let (client_secret, _place) = match tokio::time::timeout(PATIENCE, ready).await {
        Ok(Ok(ready)) => ready,
        Ok(Err(problem)) => return Revocation::Skipped { why: problem.reason() },
        Err(_) => {
            return Revocation::Skipped { why: Reason::ours(format!("not ready within {} s", PATIENCE.as_secs())) };
        }
    };
    let client = form::FormClient { id: &connection.client_id, secret: &client_secret };
    let (form, secrets) = (form::revoke(client, &refresh.token), [&client_secret, &refresh.token]);
    send(
        context,
        HttpRequest {
            connection: &connection.name,
            exchange: Exchange::Revoke,
            url,
            payload: Payload::Form(&form),
            secrets: &secrets,
            attempt: 1,
        },
    )
    .await
}

async fn send(context: &Context, request: HttpRequest<'_>) -> Revocation {
    let (mut entry, answer) = context.http.exchange(&request).await;
    let revocation = match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Revocation::Revoked,
        Ok(answer) => {
            let refusal = Refusal::read(answer.status, &answer.body.0, request.secrets);
            let revocation = judge(&refusal);
            entry.oauth_error = refusal.code;
            entry.oauth_error_description = refusal.description;
            revocation
        }
        Err(Broken::NotSent(why) | Broken::Unanswered { why, .. }) => Revocation::Failed { why },
    };
    context.log(entry);
    revocation
}

/// What a refusal means (RFC 7009 §2.2.1).
fn judge(refusal: &Refusal) -> Revocation {
    match refusal.code.as_deref() {
        // §2.2 has it answered with 200: the token does not work, and that was wanted.
        Some("invalid_token") => Revocation::Revoked,
        Some(code @ "unsupported_token_type") => {
            let why = Reason::from("the provider does not revoke refresh tokens (unsupported_token_type)");
            Revocation::Failed { why: why.with_code(Some(code)) }
        }
        _ => Revocation::Failed { why: refusal.reason() },
    }
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::domain::Revocation;
    use crate::oauth::Refusal;

    #[test]
    fn refusals_mean_what_rfc_7009_says() {
        let refused = |status, body: &str| judge(&Refusal::read(status, body.as_bytes(), &[]));
        assert_eq!(refused(400, r#"{"error":"invalid_token"}"#), Revocation::Revoked);
        for (status, body, words) in [
            (400, r#"{"error":"unsupported_token_type"}"#, "does not revoke refresh tokens"),
            (401, r#"{"error":"invalid_client","error_description":"who?"}"#, "401 invalid_client: who?"),
            (503, "", "503"),
        ] {
            let Revocation::Failed { why } = refused(status, body) else { panic!("{body}") };
            assert!(why.to_string().contains(words), "{why}");
        }
    }
}
