//! One refresh, step by step, so that no received refresh token is lost and no old one sent.
//!
//! 1. take the connection's lock (another process may hold it: its PID is shown)
//! 2. re-read store and journal under the lock; the newest generation wins
//! 3. pre-flight: journal writable, store reachable and unlocked; else nothing goes out
//! 4. journal `Spending`, durable, then the request; nothing is repeated by itself
//! 5. journal `Received`, durable, then the store, read back, then `Settled`
//! 6. only now is the new record used; the lock is released
//!
//! It can be cancelled while it waits, never once the request may have left.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::exchange::{self, TokenRequest, Verdict};
use super::tools::{Ended, Found, How, Note, Tools, store_problem};
use super::{client_secret, schedule};
use crate::domain::{Activity, Connection, ConnectionName, Exchange, Grant, Obtained, Problem, Secret, TokenRecord};
use crate::fault_point::{self, Step};
use crate::oauth::{Class, form};
use crate::store::{Hazard, Lease, SaveError, Standing};

/// How often a record that is nowhere durable is tried again.
const OWED_RETRY: Duration = Duration::from_secs(2);

/// How long a lock is waited for: longer than any exchange takes.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);

/// What a refresh is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) need: Need,
    /// The generation whoever asked knew of; a newer fresh one is taken over instead of a request.
    pub(super) known: Option<u64>,
    pub(super) attempt: u32,
    /// The generation that whoever asked was told is uncertain: forcing it then is their choice.
    pub(super) told_uncertain: Option<u64>,
}

/// How fresh the access token must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Not yet due for its refresh.
    NotDue,
    /// At least so long before its end.
    AtLeast(TimeDelta),
    /// New, whatever is there.
    New,
    /// New, whatever is there, but not by sending a refresh token that may have been replaced.
    NewIfSure,
}

impl Need {
    /// Whether a record will do.
    pub(super) fn is_met_by(self, record: &TokenRecord, now: DateTime<Utc>) -> bool {
        let remaining = record.remaining(now);
        match self {
            Self::NotDue => {
                schedule::earliest(record.obtained_at, record.expires_at) > now
                    && !schedule::is_from_the_future(record.obtained_at, now)
            }
            Self::AtLeast(least) => remaining >= least && remaining > TimeDelta::zero(),
            Self::New | Self::NewIfSure => false,
        }
    }

    /// Whether a new access token is wanted, whatever is there.
    pub(super) fn is_new(self) -> bool {
        matches!(self, Self::New | Self::NewIfSure)
    }
}

/// A lock held and a place at the provider's host.
pub(super) struct Entered {
    pub(super) lease: Lease,
    pub(super) place: OwnedSemaphorePermit,
}

/// Refreshes (or mints, where the grant is client credentials).
pub(super) async fn refresh(
    tools: Arc<Tools>,
    connection: Arc<Connection>,
    ask: Ask,
    cancel: CancellationToken,
) -> Ended {
    run(&tools, &connection, ask, &cancel).await.unwrap_or_else(Ended::Failed)
}

/// Reads store and journal again under the lock, which also finishes a save that is owed.
pub(super) async fn reread(tools: Arc<Tools>, connection: Arc<Connection>, cancel: CancellationToken) -> Ended {
    let read = async {
        let mut lease = lock(&tools, &connection.name, &cancel, &mut None).await?;
        lease.recover().await.map_err(|error| store_problem(&error))
    };
    read.await.map_or_else(Ended::Failed, |standing| Ended::Reread(found(standing)))
}

/// What a standing amounts to.
pub(super) fn found(standing: Standing) -> Found {
    let unsaved = standing.unsaved_because.map(|error| Problem::NotSaved { why: error.to_string() });
    let uncertain = match &standing.hazard {
        Some(Hazard::Uncertain { generation, .. }) => Some(*generation),
        Some(Hazard::RolledBack { .. }) | None => None,
    };
    let problem = standing.hazard.as_ref().map(hazard_problem).or(unsaved);
    let never_held = standing.mark == 0;
    Found { record: standing.record, saved: standing.saved, never_held, problem, uncertain, missing: None }
}

async fn run(tools: &Tools, connection: &Connection, ask: Ask, cancel: &CancellationToken) -> Result<Ended, Problem> {
    // Making a client takes as long as reading what is to be sent.
    tools.http.prepare(&connection.token_url);
    let Entered { mut lease, place: _place } = enter(tools, connection, cancel).await?;
    fault_point::pass(Step::Locked);
    let standing = lease.recover().await.map_err(|error| store_problem(&error))?;
    fault_point::pass(Step::Recovered);
    let generation = standing.next_generation();
    let old = match decide(standing, connection, ask, tools.now())? {
        Decision::Keep(record, how) => {
            let how = attributed(tools, connection, &record, how).await;
            return Ok(Ended::Held { record, how });
        }
        Decision::Unsaved(record, how, why) => return Ok(Ended::Unsaved { record, how, why }),
        Decision::Doubt(generation, problem) => return Ok(Ended::Uncertain { generation, problem }),
        Decision::GivenUp => return Ok(Ended::GivenUp),
        Decision::Exchange(old) => old,
    };
    let client_secret = cancellable(client_secret::fetch(tools, connection), cancel).await??;
    lease.preflight().await.map_err(|error| store_problem(&error))?;
    fault_point::pass(Step::Preflighted);
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled);
    }
    tools.note(Note::Activity(connection.name.clone(), Activity::Refreshing { since: tools.now() }));
    let exchange = Exchanging { old, generation, client_secret, attempt: ask.attempt };
    let ended = exchange_and_save(tools, connection, &mut lease, exchange).await;
    fault_point::pass(Step::Releasing);
    ended
}

/// Takes the connection's lock and a place at its host. While another process holds the lock, the
/// place is given up, so that a stuck holder keeps nobody else waiting.
pub(super) async fn enter(
    tools: &Tools,
    connection: &Connection,
    cancel: &CancellationToken,
) -> Result<Entered, Problem> {
    let enter = tools.gate.enter(&connection.token_url);
    let mut place = Some(cancellable(enter, cancel).await?);
    let lease = lock(tools, &connection.name, cancel, &mut place).await?;
    let place = match place {
        Some(place) => place,
        None => cancellable(tools.gate.enter(&connection.token_url), cancel).await?,
    };
    Ok(Entered { lease, place })
}

async fn lock(
    tools: &Tools,
    name: &ConnectionName,
    cancel: &CancellationToken,
    place: &mut Option<OwnedSemaphorePermit>,
) -> Result<Lease, Problem> {
    let since = tools.now();
    let waiting = |pid| {
        *place = None;
        tools.note(Note::Activity(name.clone(), Activity::WaitingForLock { pid, since }));
    };
    let lock = tokio::time::timeout(LOCK_PATIENCE, tools.vault.lock(name, waiting));
    let Ok(locked) = cancellable(lock, cancel).await? else {
        let why = format!("another process has held the connection for over {} s", LOCK_PATIENCE.as_secs());
        return Err(Problem::Retrying { at: None, why });
    };
    locked.map_err(|error| store_problem(&error))
}

/// Forgets a connection's tokens.
pub(super) async fn forget(tools: &Tools, name: &ConnectionName, cancel: &CancellationToken) -> Result<(), Problem> {
    let mut lease = lock(tools, name, cancel, &mut None).await?;
    lease.forget().await.map_err(|error| store_problem(&error))
}

/// Forgets all there is of a connection.
pub(super) async fn erase(tools: &Tools, name: &ConnectionName, cancel: &CancellationToken) -> Result<(), Problem> {
    let mut lease = lock(tools, name, cancel, &mut None).await?;
    lease.erase().await.map_err(|error| store_problem(&error))
}

async fn cancellable<T>(work: impl Future<Output = T>, cancel: &CancellationToken) -> Result<T, Problem> {
    cancel.run_until_cancelled(work).await.ok_or(Problem::Cancelled)
}

enum Decision {
    Keep(TokenRecord, How),
    Unsaved(TokenRecord, How, String),
    /// The generation that may have been replaced; whoever asks again has been told.
    Doubt(u64, Problem),
    /// Another process has given up the tokens that were known of.
    GivenUp,
    Exchange(Option<TokenRecord>),
}

/// Whether anything has to go out, judged from what store and journal say under the lock.
fn decide(standing: Standing, connection: &Connection, ask: Ask, now: DateTime<Utc>) -> Result<Decision, Problem> {
    match &standing.hazard {
        // Client credentials spend nothing: another token is minted.
        _ if !connection.needs_browser() => {}
        Some(hazard @ Hazard::RolledBack { .. }) => return Err(hazard_problem(hazard)),
        // Trying it all the same is a person's choice, and nobody chooses what they were not told:
        // it may have become uncertain while the key was already on its way.
        Some(hazard @ Hazard::Uncertain { generation, .. })
            if ask.need != Need::New || ask.told_uncertain != Some(*generation) =>
        {
            return Ok(Decision::Doubt(*generation, hazard_problem(hazard)));
        }
        Some(Hazard::Uncertain { .. }) | None => {}
    }
    let Some(record) = standing.record else {
        return match standing.hazard {
            // Whoever asked did so for the tokens there were, not to have new ones under this name.
            None if ask.known.is_some_and(|known| known > 0) => Ok(Decision::GivenUp),
            _ if connection.needs_browser() => Err(Problem::NeverLoggedIn),
            _ => Ok(Decision::Exchange(None)),
        };
    };
    let is_newer = ask.known.is_some_and(|known| record.generation > known);
    let how = if is_newer { How::Adopted(None) } else { How::Fresh };
    if !standing.saved {
        let why =
            standing.unsaved_because.map_or_else(|| "the store has not taken it yet".into(), |error| error.to_string());
        return Ok(Decision::Unsaved(record, how, why));
    }
    let is_ours = record.client_id == connection.client_id;
    let is_enough = ask.need.is_met_by(&record, now) || (is_newer && Need::NotDue.is_met_by(&record, now));
    if is_ours && is_enough && standing.hazard.is_none() {
        return Ok(Decision::Keep(record, how));
    }
    if connection.needs_browser() && !is_ours {
        let why = format!(
            "the tokens were issued to client {}, the configuration names {}",
            record.client_id, connection.client_id
        );
        return Err(Problem::NeedsLogin { why });
    }
    if connection.needs_browser() && record.refresh_token.is_none() {
        return Err(Problem::NeedsLogin { why: "the server gave no refresh token at the last login".into() });
    }
    if !connection.needs_browser() && record.refresh_token.is_some() {
        // What is minted would take its place, and no request brings it back.
        let why = format!(
            "its tokens are of a login with a browser, and {} has none; log out first, or name the other provider again",
            connection.provider.title
        );
        return Err(Problem::Misconfigured { why });
    }
    Ok(Decision::Exchange(Some(record)))
}

fn hazard_problem(hazard: &Hazard) -> Problem {
    match hazard {
        Hazard::Uncertain { generation, fingerprint, pid, at } => Problem::Uncertain {
            why: format!(
                "process {pid} sent refresh token {fingerprint} (generation {generation}) at {} and no answer was recorded; it may have been replaced",
                at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
        },
        Hazard::RolledBack { stored, mark } => Problem::RolledBack {
            why: format!("the store holds generation {stored}, but {mark} has been saved; the older one is never sent"),
        },
    }
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
    tools: &Tools,
    connection: &Connection,
    lease: &mut Lease,
    exchange: Exchanging,
) -> Result<Ended, Problem> {
    let Exchanging { old, generation, client_secret, attempt } = exchange;
    let client_secret = &client_secret;
    let client = form::Client { id: &connection.client_id, secret: client_secret };
    let refresh_token = old.as_ref().and_then(|old| old.refresh_token.as_ref());
    let rotates =
        matches!(connection.provider.grant, Grant::AuthorizationCode { refresh_tokens, .. } if refresh_tokens.rotate);
    let (exchange, form) = match refresh_token {
        Some(refresh) if connection.needs_browser() => (Exchange::Refresh, form::refresh(client, &refresh.token)),
        _ => (Exchange::Mint, form::mint(client)),
    };
    let mut secrets = vec![client_secret];
    secrets.extend(refresh_token.map(|refresh| &refresh.token));
    let spends = if rotates { old.as_ref() } else { None };
    if let Some(old) = spends {
        lease.spending(old).await.map_err(|error| store_problem(&error))?;
    }
    let request = TokenRequest { connection, exchange, form: &form, secrets: &secrets, attempt };
    let verdict = exchange::send(tools, request).await;
    if let Verdict::Tokens(tokens, asked_at) = verdict {
        fault_point::pass(Step::AnswerRead);
        let record = exchange::record(connection, tokens, asked_at, old.as_ref(), generation);
        return Ok(save(tools, &connection.name, lease, record, How::Exchanged).await);
    }
    if let (Verdict::Lost { why, .. }, Some(old)) = (&verdict, spends) {
        let problem = Problem::Uncertain {
            why: format!("the refresh token was sent, and no readable answer came ({why}); it may have been replaced"),
        };
        return Ok(Ended::Uncertain { generation: old.generation, problem });
    }
    if let Some(old) = spends {
        fault_point::pass_with(Step::TakingBack, &connection.name, old);
        lease.unspent().await.map_err(|error| store_problem(&error))?;
    }
    match verdict {
        Verdict::Refused(refusal, _) if refusal.class() == Class::InvalidGrant => {
            replaced_meanwhile(tools, connection, lease, old.as_ref())
                .await
                .ok_or_else(|| Problem::NeedsLogin { why: refusal.words() })
        }
        Verdict::Refused(refusal, retry_after) => Err(exchange::problem(&refusal, retry_after, tools.now())),
        Verdict::NotSent(why) | Verdict::Lost { why, .. } => Err(Problem::Retrying { at: None, why }),
        Verdict::Tokens(..) => unreachable!("returned above"),
    }
}

/// After `invalid_grant`: somebody who does not keep to the lock may have saved a newer record.
async fn replaced_meanwhile(
    tools: &Tools,
    connection: &Connection,
    lease: &mut Lease,
    sent: Option<&TokenRecord>,
) -> Option<Ended> {
    let standing = lease.recover().await.ok()?;
    let newer = standing.record.filter(|record| sent.is_none_or(|sent| record.generation > sent.generation))?;
    let how = attributed(tools, connection, &newer, How::Adopted(None)).await;
    Some(Ended::Held { record: newer, how })
}

/// Says whose tokens were taken over, where the history tells: its writer has let go of the lock.
async fn attributed(tools: &Tools, connection: &Connection, record: &TokenRecord, how: How) -> How {
    match how {
        How::Adopted(_) => How::Adopted(tools.author(&connection.name, record.generation).await),
        how => how,
    }
}

/// Makes a received record durable, and does not end before it is, be it in the journal alone.
pub(super) async fn save(
    tools: &Tools,
    name: &ConnectionName,
    lease: &mut Lease,
    record: TokenRecord,
    how: How,
) -> Ended {
    let mut owed = record.clone();
    loop {
        match lease.receive(owed).await {
            Ok(()) => {
                lease.remember(&record, obtained(&record, how), Some(tools.program)).await;
                return Ended::Held { record, how };
            }
            Err(SaveError::InJournal { why }) => {
                lease.remember(&record, obtained(&record, how), Some(tools.program)).await;
                return Ended::Unsaved { record, how, why: why.to_string() };
            }
            Err(SaveError::Nowhere { why, record: back }) => {
                owed = (*back).clone();
                tools.note(Note::Owed(name.clone(), back, why.to_string()));
                tokio::time::sleep(OWED_RETRY).await;
            }
        }
    }
}

fn obtained(record: &TokenRecord, how: How) -> Obtained {
    match how {
        How::LoggedIn => Obtained::Login,
        _ if record.refresh_token.is_some() => Obtained::Refresh,
        _ => Obtained::Mint,
    }
}

#[cfg(test)]
mod tests;
