//! An authorization code for tokens, and whose tokens these are.
//!
//! An older refresh token is not spent by it, so nothing is uncertain if it fails. Tokens of
//! another subject than the one held are not saved before a person has agreed; until then they
//! are in memory alone, and the lock is free.

use tokio_util::sync::CancellationToken;

use crate::domain::{Activity, Connection, Exchange, Problem, Reason, Secret, SubjectChange, TokenRecord};
use crate::engine::work::context::{Context, RecordSource, TaskReport, WorkOutcome, store_problem};
use crate::engine::work::exchange;
use crate::engine::work::exchange::{ExchangeOutcome, TokenRequest};
use crate::engine::work::refresh::{Entered, enter, save};
use crate::oauth::callback::Granted;
use crate::oauth::{Authorization, Class, form, jwt};

/// What a code came to.
pub(crate) enum Exchanged {
    /// Tokens, durable at least in the journal.
    Saved(WorkOutcome),
    /// Another subject's tokens, not saved.
    OtherSubject(Box<TokenRecord>, SubjectChange),
    /// The server says that the code is wrong, used, or too old. Another one may do.
    BadCode(Reason),
}

/// Exchanges a code, under the connection's lock.
pub(crate) async fn exchange(
    context: &Context,
    connection: &Connection,
    (authorization, granted): (&Authorization, &Granted),
    client_secret: &Secret,
    cancel: &CancellationToken,
) -> Result<Exchanged, Problem> {
    let Entered { mut locked, place: _place } = enter(context, connection, cancel).await?;
    let standing = locked.recover_or_replace().await.map_err(|error| store_problem(&error))?;
    locked.preflight().await.map_err(|error| store_problem(&error))?;
    context.report(TaskReport::Activity(connection.name.clone(), Activity::Refreshing { since: context.now() }));
    let code = &granted.code;
    let client = form::FormClient { id: &connection.client_id, secret: client_secret };
    let form = form::code(client, code, &authorization.redirect_uri, authorization.verifier.as_ref());
    let mut secrets = vec![client_secret, code];
    secrets.extend(authorization.verifier.as_ref());
    let request = TokenRequest { connection, exchange: Exchange::Code, form: &form, secrets: &secrets, attempt: 1 };
    match exchange::send(context, request).await {
        ExchangeOutcome::Tokens(tokens, asked_at) => {
            let mut record = exchange::record(connection, tokens, &secrets, asked_at, None, standing.next_generation());
            // A redirect that does not name its issuer says nothing against the one seen before.
            let issuer = granted.issuer.clone().or_else(|| standing.record.as_ref()?.subject.as_ref()?.issuer.clone());
            record.subject = exchange::from_issuer(record.subject, issuer);
            Ok(match change(standing.record.as_ref(), &record) {
                Some(change) => Exchanged::OtherSubject(Box::new(record), change),
                None => {
                    Exchanged::Saved(save(context, &connection.name, &mut locked, record, RecordSource::LoggedIn).await)
                }
            })
        }
        ExchangeOutcome::Refused(refusal, _) if refusal.class() == Class::InvalidGrant => {
            Ok(Exchanged::BadCode(refusal.reason()))
        }
        ExchangeOutcome::Refused(refusal, retry_after) => Err(exchange::problem(&refusal, retry_after, context.now())),
        ExchangeOutcome::NotSent(why) | ExchangeOutcome::Lost { why, .. } => {
            Err(Problem::Retrying { at: None, why: why.between("", "; log in again") })
        }
    }
}

/// Whether the tokens received are of another subject than those held, as far as both say.
fn change(held: Option<&TokenRecord>, received: &TokenRecord) -> Option<SubjectChange> {
    let held = held?;
    // A record of an older version does not say it.
    let held = held.subject.clone().or_else(|| jwt::subject(&held.access_token))?;
    let received = received.subject.clone()?;
    held.differs_from(&received).then_some(SubjectChange { held, received })
}

/// Saves tokens that a person has agreed to, over whatever is held by now. A lock that another
/// process holds is waited for however long that takes, unless it is cancelled; once the lock is
/// held, it does not end before they are durable.
pub(crate) async fn replace(
    context: &Context,
    connection: &Connection,
    mut record: TokenRecord,
    cancel: &CancellationToken,
) -> Result<WorkOutcome, Problem> {
    loop {
        let mut entered = match enter(context, connection, cancel).await {
            Err(Problem::Retrying { .. }) => continue,
            entered => entered?,
        };
        // Whatever cannot be read now: a record is always made newer than the journal's newest.
        if let Ok(standing) = entered.locked.recover_or_replace().await {
            record.generation = standing.next_generation();
        }
        return Ok(save(context, &connection.name, &mut entered.locked, record, RecordSource::LoggedIn).await);
    }
}
