//! One refresh, step by step, so that no received refresh token is lost and no old one sent.
//!
//! 1. take the connection's lock (another process may hold it: its PID is shown)
//! 2. re-read store and journal under the lock; the newest generation wins, and what the provider
//!    refused a moment ago, or for good, is not asked again
//! 3. pre-flight: journal writable, store reachable and unlocked; else nothing goes out
//! 4. journal `Spending`, durable, then the request
//! 5. journal `Received`, durable, then the store, read back, then `Settled`
//! 6. only now is the new record used; the lock is released
//!
//! It can be cancelled while it waits, never once the request may have left. Where the answer is lost,
//! the journal keeps saying `Spending`, and a later refresh sends the same token again: no newer one
//! is known (see `decide`).

pub mod decide;
#[cfg(test)]
pub(crate) mod tests;
pub mod trouble;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Activity, AfterLostAnswer, Connection, ConnectionName, EventKind, Exchange, Grant, LastRefusal, Obtained, Problem,
    Reason, RefusalKind, Secret, SecretSource, TokenRecord,
};
use crate::engine::work::context::{Context, RecordSource, TaskReport, WorkOutcome, item_problem, store_problem};
use crate::engine::work::exchange::{ExchangeOutcome, TokenRequest};
use crate::engine::work::refresh::decide::{Decision, RefreshRequest, decide};
use crate::engine::work::refresh::trouble::{Sent, current_refusal, found, hazard_problem};
use crate::engine::work::{client_secret, exchange, unread};
use crate::fault_point;
use crate::fault_point::Step;
use crate::oauth::{Body, form};
use crate::secrets::error::StoreError;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::{Hazard, TokenState};
use crate::tokens::save_error::SaveError;

/// How often a record that is nowhere durable is tried again.
const OWED_RETRY: Duration = Duration::from_secs(2);

/// How long a lock is waited for: longer than any exchange takes.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);

/// A lock held and a place at the provider's host.
pub(crate) struct Entered {
    pub(crate) locked: LockedConnection,
    pub(crate) place: OwnedSemaphorePermit,
}

/// Refreshes (or mints, where the grant is client credentials).
pub(crate) async fn refresh(
    context: Arc<Context>,
    connection: Arc<Connection>,
    ask: RefreshRequest,
    cancel: CancellationToken,
) -> WorkOutcome {
    run(&context, &connection, ask, &cancel).await.unwrap_or_else(WorkOutcome::Failed)
}

/// Reads store and journal again under the lock, which also finishes an unfinished save.
pub(crate) async fn reread(
    context: Arc<Context>,
    connection: Arc<Connection>,
    cancel: CancellationToken,
) -> WorkOutcome {
    let read = async {
        let mut locked = lock(&context, &connection.name, &cancel, &mut None).await?;
        let standing = locked.recover().await.map_err(|error| item_problem(&error, &connection))?;
        let standing = with_what_can_be_read(&context, &connection, &mut locked, standing).await?;
        Ok(found(&context, &connection, standing).await)
    };
    read.await.map_or_else(WorkOutcome::Failed, |found| WorkOutcome::Reread(Box::new(found)))
}

async fn run(
    context: &Context,
    connection: &Connection,
    ask: RefreshRequest,
    cancel: &CancellationToken,
) -> Result<WorkOutcome, Problem> {
    // Making a client takes as long as reading what is to be sent.
    context.http.prepare(&connection.token_url);
    let Entered { mut locked, place: _place } = enter(context, connection, cancel).await?;
    fault_point::pass(Step::Locked);
    // What is minted takes the place of whatever cannot be read.
    let recovered = if connection.needs_browser() { locked.recover().await } else { locked.recover_or_replace().await };
    let standing = recovered.map_err(|error| store_problem(&error))?;
    let standing = with_what_can_be_read(context, connection, &mut locked, standing).await?;
    fault_point::pass(Step::Recovered);
    let generation = standing.next_generation();
    let refusal = current_refusal(&context.vault, connection, &standing).await;
    let hazard = standing.hazard.clone();
    let old = match decide(standing, connection, &ask, context.lost_pause, context.now())? {
        Decision::Keep(record, how) => {
            let how = attributed(context, connection, &record, how).await;
            let lost = hazard.map(|hazard| hazard_problem(&hazard, connection, context.lost_pause));
            let problem = refusal.as_ref().and_then(|refusal| refusal.problem(context.now())).or(lost);
            return Ok(WorkOutcome::Held { record, how, problem });
        }
        Decision::Unsaved(record, how, why) => return Ok(WorkOutcome::Unsaved { record, how, why }),
        Decision::Doubt(generation, problem) => return Ok(WorkOutcome::Uncertain { generation, problem }),
        Decision::GivenUp => return Ok(WorkOutcome::GivenUp),
        Decision::Exchange(old) => old,
    };
    // Only the secret itself shows whether the refusal is about another one, and a command that
    // gives it is not run for what is refused whatever it is.
    let is_settled = |refusal: &LastRefusal| !refusal.is_lasting() || connection.client_secret == SecretSource::Store;
    if let Some(refusal) = refusal.as_ref().filter(|refusal| is_settled(refusal) && stands(refusal, &ask, context)) {
        return Ok(WorkOutcome::Refused(Box::new(refusal.clone())));
    }
    let client_secret = cancellable(client_secret::fetch(context, connection), cancel).await??;
    if let Some(refusal) = refusal.filter(|last| last.is_about_secret(&client_secret) && stands(last, &ask, context)) {
        return Ok(WorkOutcome::Refused(Box::new(refusal)));
    }
    locked.preflight().await.map_err(|error| store_problem(&error))?;
    fault_point::pass(Step::Preflighted);
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled);
    }
    context.report(TaskReport::Activity(connection.name.clone(), Activity::Refreshing { since: context.now() }));
    let exchange = Exchanging { old, generation, client_secret: client_secret.clone(), attempt: ask.attempt };
    let ended = match exchange_and_save(context, connection, &mut locked, exchange).await {
        Ok(WorkOutcome::Held { record, how, .. }) if record.lacks_access_token() && !cancel.is_cancelled() => {
            ask_for_what_is_lacking(context, connection, &mut locked, (record, how), (client_secret, ask.attempt + 1))
                .await
        }
        ended => ended,
    };
    fault_point::pass(Step::Releasing);
    ended
}

/// Sends the refresh token of a record at once that was just saved, for the access token that its answer
/// did not hold. Where that fails, the record is what there is.
async fn ask_for_what_is_lacking(
    context: &Context,
    connection: &Connection,
    locked: &mut LockedConnection,
    (record, how): (TokenRecord, RecordSource),
    (client_secret, attempt): (Secret, u32),
) -> Result<WorkOutcome, Problem> {
    let (old, generation) = (Some(record.clone()), record.generation.saturating_add(1));
    let problem =
        match exchange_and_save(context, connection, locked, Exchanging { old, generation, client_secret, attempt })
            .await
        {
            Ok(WorkOutcome::Refused(refusal)) => refusal.problem(context.now()),
            Ok(WorkOutcome::AnswerLost { problem, .. } | WorkOutcome::Uncertain { problem, .. }) | Err(problem) => {
                Some(problem)
            }
            ended => return ended,
        };
    Ok(WorkOutcome::Held { record, how, problem })
}

/// Whether the provider's last refusal is the answer to what is asked for now. Where it came while this
/// was waiting for the lock, it is, however long the wait took.
fn stands(refusal: &LastRefusal, ask: &RefreshRequest, context: &Context) -> bool {
    let now = context.now();
    refusal.answers(ask.asked_at, now) || refusal.forbids(ask.insists, now)
}

/// The standing once the tokens are saved that an older version could not read in an answer, and this
/// one can.
async fn with_what_can_be_read(
    context: &Context,
    connection: &Connection,
    locked: &mut LockedConnection,
    standing: TokenState,
) -> Result<TokenState, Problem> {
    let Some(Hazard::Uncertain { generation, at, fingerprint, unread: Some(sealed), lost, .. }) = &standing.hazard
    else {
        return Ok(standing);
    };
    let text = match locked.unread(*generation, sealed).await {
        Ok(text) => text,
        Err(why @ StoreError::Misplaced { .. }) => return Err(store_problem(&why)),
        Err(_) => return Ok(standing),
    };
    let Some(tokens) = unread::tokens(&text, fingerprint) else { return Ok(standing) };
    let record = exchange::record(connection, tokens, &[], *at, standing.record.as_ref(), standing.next_generation());
    let how = RecordSource::Rescued(*lost);
    locked.sends_again_after(*lost);
    match save(context, &connection.name, locked, record, how).await {
        WorkOutcome::Held { record, .. } | WorkOutcome::Unsaved { record, .. } => {
            let (connection, generation) = (connection.name.clone(), record.generation);
            context.announce(EventKind::Refreshed { generation, recovered: Some(*lost) }.of(connection));
        }
        _ => {}
    }
    locked.recover().await.map_err(|error| store_problem(&error))
}

/// Takes the connection's lock and a place at its host. While another process holds the lock, the
/// place is given up, so that a stuck holder delays no other.
pub(crate) async fn enter(
    context: &Context,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Result<Entered, Problem> {
    let enter = context.host_limit.enter(&connection.token_url);
    let mut place = Some(cancellable(enter, cancel).await?);
    let locked = lock(context, &connection.name, cancel, &mut place).await?;
    let place = match place {
        Some(place) => place,
        None => cancellable(context.host_limit.enter(&connection.token_url), cancel).await?,
    };
    Ok(Entered { locked, place })
}

/// Takes the connection's lock; a holder is shown, and waited for in bounded time.
pub(crate) async fn lock(
    context: &Context,
    name: &ConnectionName,
    cancel: &CancellationToken,
    place: &mut Option<OwnedSemaphorePermit>,
) -> Result<LockedConnection, Problem> {
    let since = context.now();
    let waiting = |pid| {
        *place = None;
        context.report(TaskReport::Activity(name.clone(), Activity::WaitingForLock { pid, since }));
    };
    let lock = tokio::time::timeout(LOCK_PATIENCE, context.vault.lock(name, waiting));
    let Ok(locked) = cancellable(lock, cancel).await? else {
        let why = format!("another process has held the connection for over {} s", LOCK_PATIENCE.as_secs());
        return Err(Problem::Retrying { at: None, why: Reason::ours(why) });
    };
    locked.map_err(|error| store_problem(&error))
}

pub(crate) async fn cancellable<T>(work: impl Future<Output = T>, cancel: &CancellationToken) -> Result<T, Problem> {
    cancel.run_until_cancelled(work).await.ok_or(Problem::Cancelled)
}

/// What an exchange starts from.
struct Exchanging {
    old: Option<TokenRecord>,
    /// The generation of the record to come.
    generation: u64,
    client_secret: Secret,
    attempt: u32,
}

/// Steps 4 and 5. From here on nothing cancels.
async fn exchange_and_save(
    context: &Context,
    connection: &Connection,
    locked: &mut LockedConnection,
    exchange: Exchanging,
) -> Result<WorkOutcome, Problem> {
    let Exchanging { old, generation, client_secret, attempt } = exchange;
    let client_secret = &client_secret;
    let client = form::FormClient { id: &connection.client_id, secret: client_secret };
    let refresh_token = old.as_ref().and_then(|old| old.refresh_token.as_ref());
    let rotates =
        matches!(connection.provider.grant, Grant::AuthorizationCode { refresh_tokens, .. } if refresh_tokens.rotate);
    let (exchange, form) = match refresh_token {
        Some(refresh) if connection.needs_browser() => (Exchange::Refresh, form::refresh(client, &refresh.token)),
        _ => (Exchange::Mint, form::mint(client)),
    };
    let mut secrets = vec![client_secret];
    secrets.extend(refresh_token.map(|refresh| &refresh.token));
    secrets.extend(old.as_ref().map(|old| &old.access_token));
    let spends = if rotates { old.as_ref() } else { None };
    if let Some(old) = spends {
        locked.spending(old).await.map_err(|error| store_problem(&error))?;
    }
    let lost_before = locked.lost_before();
    let request = TokenRequest { connection, exchange, form: &form, secrets: &secrets, attempt };
    let verdict = exchange::send(context, request).await;
    let sent = Sent { connection, record: old.as_ref(), client_secret, lost: lost_before };
    let refusal = match verdict {
        ExchangeOutcome::Tokens(tokens, asked_at) => {
            fault_point::pass(Step::AnswerRead);
            let record = exchange::record(connection, tokens, &secrets, asked_at, old.as_ref(), generation);
            return Ok(save(context, &connection.name, locked, record, RecordSource::Exchanged(lost_before)).await);
        }
        ExchangeOutcome::Lost { why, body } if spends.is_some() => {
            return Ok(answer_was_lost(context, connection, locked, &why, body.as_ref()).await);
        }
        ExchangeOutcome::Refused(refusal, retry_after) => sent.refused(&refusal, retry_after, context.now()),
        ExchangeOutcome::NotSent(why) | ExchangeOutcome::Lost { why, .. } => sent.failed(&why, context.now()),
    };
    if let Some(old) = spends {
        fault_point::pass_with(Step::TakingBack, &connection.name, old);
    }
    locked.refused(refusal.clone()).await.map_err(|error| store_problem(&error))?;
    if refusal.kind == RefusalKind::InvalidGrant
        && let Some(newer) = replaced_meanwhile(context, connection, locked, old.as_ref()).await
    {
        return Ok(newer);
    }
    Ok(WorkOutcome::Refused(Box::new(refusal)))
}

/// The request may have arrived, and no readable answer came back. The journal says `Spending`
/// already; how the answer was lost, and what came of it, is added as far as that is possible.
async fn answer_was_lost(
    context: &Context,
    connection: &Connection,
    locked: &mut LockedConnection,
    why: &Reason,
    body: Option<&Body>,
) -> WorkOutcome {
    // A failure costs words, and what a person might have found in the answer.
    let _ = locked.answer_lost(why, body.map(unread::text).as_ref()).await;
    let standing = match locked.recover().await {
        Ok(standing) => standing,
        Err(error) => return WorkOutcome::Failed(store_problem(&error)),
    };
    let Some(hazard @ Hazard::Uncertain { generation, lost, .. }) = &standing.hazard else {
        return WorkOutcome::Failed(Problem::Retrying { at: None, why: why.clone() });
    };
    let problem = hazard_problem(hazard, connection, context.lost_pause);
    match connection.after_lost_answer {
        AfterLostAnswer::Ask => WorkOutcome::Uncertain { generation: *generation, problem },
        AfterLostAnswer::Retry => WorkOutcome::AnswerLost { lost: *lost, problem },
    }
}

/// After `invalid_grant`: a program that ignores the lock may have saved a newer record.
async fn replaced_meanwhile(
    context: &Context,
    connection: &Connection,
    locked: &mut LockedConnection,
    sent: Option<&TokenRecord>,
) -> Option<WorkOutcome> {
    let standing = locked.recover().await.ok()?;
    let newer = standing.record.filter(|record| sent.is_none_or(|sent| record.generation > sent.generation))?;
    let how = attributed(context, connection, &newer, RecordSource::Adopted(None)).await;
    Some(WorkOutcome::Held { record: newer, how, problem: None })
}

/// Says whose tokens were taken over, if the history does: its writer has let go of the lock.
async fn attributed(
    context: &Context,
    connection: &Connection,
    record: &TokenRecord,
    how: RecordSource,
) -> RecordSource {
    match how {
        RecordSource::Adopted(_) => RecordSource::Adopted(context.author(&connection.name, record.generation).await),
        how => how,
    }
}

/// Makes a received record durable, and does not end before it is, be it in the journal alone.
pub(crate) async fn save(
    context: &Context,
    name: &ConnectionName,
    locked: &mut LockedConnection,
    record: TokenRecord,
    how: RecordSource,
) -> WorkOutcome {
    let mut unsaved = record.clone();
    loop {
        match locked.receive(unsaved).await {
            Ok(()) => {
                locked.remember(&record, obtained(&record, how), Some(context.program)).await;
                return WorkOutcome::Held { record, how, problem: None };
            }
            Err(SaveError::InJournal { why }) => {
                locked.remember(&record, obtained(&record, how), Some(context.program)).await;
                return WorkOutcome::Unsaved { record, how, why: why.reason() };
            }
            Err(SaveError::Nowhere { why, record: back }) => {
                unsaved = (*back).clone();
                context.report(TaskReport::InMemoryOnly(name.clone(), back, why.reason_with_advice()));
                tokio::time::sleep(OWED_RETRY).await;
            }
        }
    }
}

fn obtained(record: &TokenRecord, how: RecordSource) -> Obtained {
    match how {
        RecordSource::LoggedIn => Obtained::Login,
        RecordSource::Rescued(_) => Obtained::Recovered,
        RecordSource::Imported { .. } => Obtained::Import,
        _ if record.refresh_token.is_some() => Obtained::Refresh,
        _ => Obtained::Mint,
    }
}
