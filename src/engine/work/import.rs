//! Takes over a refresh token that another program obtained: refreshes it at once and keeps what
//! comes of it, so that the pasted copy is worth nothing any more.
//!
//! Invariants: the tokens there are stay untouched until newer ones are durable; no refresh token
//! is sent that is known here to be replaced, or that a connection here holds. Sending either could
//! cost tokens that work, where a server revokes on reuse.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Activity, Connection, ConnectionName, Event, EventKind, Exchange, Fingerprint, Grant, Obtained, Problem, Reason,
    RefreshToken, Rotation, Secret, TokenRecord,
};
use crate::engine::actor::Actor;
use crate::engine::connections::state::{ConnectionState, Work};
use crate::engine::work::context::{Context, RecordSource, TaskReport, WorkOutcome, store_problem};
use crate::engine::work::exchange::{ExchangeOutcome, TokenRequest};
use crate::engine::work::refresh::{Entered, cancellable, enter, save};
use crate::engine::work::{client_secret, exchange};
use crate::oauth::{Class, form, pasted};

/// Why a connection cannot take a refresh token over; `None` where it can.
#[must_use]
pub fn not_supported(connection: &Connection) -> Option<String> {
    let Connection { name, provider, .. } = connection;
    (!connection.needs_browser()).then(|| {
        format!(
            "not supported for {}: it has no refresh tokens; get a token with: manutop login {name}",
            provider.label
        )
    })
}

impl Actor {
    /// Begins an import as soon as its connection is read and at rest.
    pub(crate) fn import(&mut self, name: ConnectionName, text: &Secret) {
        match self.takes_over(&name, text) {
            Ok(token) => self.imports.push((name, token)),
            Err(why) => {
                let why = Reason::ours(why);
                return self.announce(EventKind::ImportFailed { why, problem: None }.of(name));
            }
        }
        self.begin_imports();
    }

    /// The refresh token in a pasted text, if the connection can take it over.
    fn takes_over(&self, name: &ConnectionName, text: &Secret) -> Result<Secret, String> {
        let token = pasted::refresh_token(text).map_err(|why| format!("the refresh token {why}; nothing was sent"))?;
        let state = self.states.get(name).filter(|state| !state.is_leaving).ok_or("there is no such connection")?;
        if let Some(why) = not_supported(&state.connection) {
            return Err(why);
        }
        let is_second = self.imports.iter().any(|(waiting, _)| waiting == name);
        let is_busy = matches!(state.work, Some(Work::Login(..) | Work::Logout(_) | Work::Remove(_)));
        match self.busy_with(name) {
            _ if is_second => Err("another import waits for its turn".into()),
            Some(why) if is_busy => Err(why.into()),
            _ => Ok(token),
        }
    }

    /// Begins the imports whose connections are read and at rest, once no client secret is on its
    /// way into the store: it may be the one that is needed.
    pub(crate) fn begin_imports(&mut self) {
        if self.imports.is_empty() || (self.secrets_underway > 0 && !self.is_leaving()) {
            return;
        }
        for (name, token) in std::mem::take(&mut self.imports) {
            match self.states.get(&name) {
                Some(state) if !state.is_leaving && !self.is_leaving() => {
                    let may_begin = state.work.is_none() && !state.is_unread();
                    if may_begin { self.begin_import(&name, token) } else { self.imports.push((name, token)) }
                }
                _ => self.announce(failed(name, ImportFailure::from(Problem::Cancelled))),
            }
        }
    }

    fn begin_import(&mut self, name: &ConnectionName, token: Secret) {
        if let Some(holder) = self.holder(&token) {
            let why = match holder {
                holder if holder == *name => "it holds this refresh token already; nothing was sent".to_owned(),
                holder => format!("{holder} holds this refresh token; two connections cannot share one"),
            };
            let (connection, why) = (name.clone(), Reason::ours(why));
            return self.announce(EventKind::ImportFailed { why, problem: None }.of(connection));
        }
        let Some(state) = self.states.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        state.work = Some(Work::Import(cancel.clone()));
        let (context, connection) = (Arc::clone(&self.context), Arc::clone(&state.connection));
        self.spawn_ending(name, import(context, connection, token, cancel));
    }

    /// The connection that holds a refresh token.
    fn holder(&self, token: &Secret) -> Option<ConnectionName> {
        let holds = |state: &&ConnectionState| {
            let refresh = state.record.as_ref().and_then(|record| record.refresh_token.as_ref());
            refresh.is_some_and(|refresh| refresh.token == *token)
        };
        self.states.values().find(holds).map(|state| state.connection.name.clone())
    }
}

/// Why nothing was taken over: the words for a person, and the problem.
struct ImportFailure {
    why: Reason,
    problem: Option<Problem>,
}

impl From<Problem> for ImportFailure {
    fn from(problem: Problem) -> Self {
        Self { why: problem.reason(), problem: Some(problem) }
    }
}

impl ImportFailure {
    fn new(why: Reason, problem: Problem) -> Self {
        Self { why, problem: Some(problem) }
    }
}

fn failed(connection: ConnectionName, ImportFailure { why, problem }: ImportFailure) -> Event {
    EventKind::ImportFailed { why, problem }.of(connection)
}

/// Runs one import to its end.
async fn import(
    context: Arc<Context>,
    connection: Arc<Connection>,
    token: Secret,
    cancel: CancellationToken,
) -> WorkOutcome {
    let ended = run(&context, &connection, token, &cancel).await;
    ended.unwrap_or_else(|failure| WorkOutcome::NotImported(failed(connection.name.clone(), failure)))
}

async fn run(
    context: &Context,
    connection: &Connection,
    token: Secret,
    cancel: &CancellationToken,
) -> Result<WorkOutcome, ImportFailure> {
    context.http.prepare(&connection.token_url);
    let client_secret = cancellable(client_secret::fetch(context, connection), cancel).await??;
    let Entered { mut locked, place: _place } = enter(context, connection, cancel).await?;
    // What is taken over takes the place of whatever cannot be read.
    let standing = locked.recover_or_replace().await.map_err(|error| store_problem(&error))?;
    refuse_known(context, connection, standing.record.as_ref(), &token).await?;
    locked.preflight().await.map_err(|error| store_problem(&error))?;
    if cancel.is_cancelled() {
        return Err(Problem::Cancelled.into());
    }
    context.report(TaskReport::Activity(connection.name.clone(), Activity::Refreshing { since: context.now() }));
    let client = form::FormClient { id: &connection.client_id, secret: &client_secret };
    let form = form::refresh(client, &token);
    let secrets = [&client_secret, &token];
    let request = TokenRequest { connection, exchange: Exchange::Refresh, form: &form, secrets: &secrets, attempt: 1 };
    let (tokens, asked_at) = match exchange::send(context, request).await {
        ExchangeOutcome::Tokens(tokens, asked_at) => (tokens, asked_at),
        verdict => return Err(explained(verdict, context.now())),
    };
    let replaced = tokens.refresh_token.as_ref().is_some_and(|new| *new != token);
    locked.imports(&token);
    let before = as_record(connection, token.clone(), asked_at);
    let record = exchange::record(connection, tokens, &secrets, asked_at, Some(&before), standing.next_generation());
    Ok(save(context, &connection.name, &mut locked, record, RecordSource::Imported { replaced }).await)
}

/// The pasted refresh token as a record: what the answer leaves out is taken from it.
fn as_record(connection: &Connection, token: Secret, at: DateTime<Utc>) -> TokenRecord {
    let refresh_token = match &connection.provider.grant {
        Grant::AuthorizationCode { refresh_tokens, .. } => {
            // When it was issued is unknown; this is the latest that it can end.
            Some(RefreshToken { token, obtained_at: at, estimated_end: at + refresh_tokens.estimated_lifetime })
        }
        Grant::ClientCredentials => None,
    };
    TokenRecord {
        generation: 0,
        access_token: Secret::default(),
        obtained_at: at,
        expires_at: at,
        refresh_token,
        scope: None,
        client_id: connection.client_id.clone(),
        subject: None,
    }
}

/// Refuses a refresh token that is held, or that the history knows to be replaced.
async fn refuse_known(
    context: &Context,
    connection: &Connection,
    held: Option<&TokenRecord>,
    token: &Secret,
) -> Result<(), ImportFailure> {
    let name = &connection.name;
    if held.and_then(|held| held.refresh_token.as_ref()).is_some_and(|held| held.token == *token) {
        return Err(ImportFailure {
            why: "it holds this refresh token already; nothing was sent".into(),
            problem: None,
        });
    }
    // A history that cannot be read knows of none.
    let history = context.vault.history(name).await.unwrap_or_default();
    match replaced_by(&history, &Fingerprint::of(token)) {
        None => Ok(()),
        Some(generation) => {
            let why = format!(
                "this refresh token was replaced by generation {generation} already; nothing was sent, because a \
                 replaced token can end the whole login; copy the newest one, or log in"
            );
            Err(ImportFailure { why: Reason::ours(why), problem: None })
        }
    }
}

/// The generation that was obtained for a refresh token and brought another one.
fn replaced_by(history: &[Rotation], token: &Fingerprint) -> Option<u64> {
    let has_it = |rotation: &Rotation| rotation.refresh.as_ref() == Some(token);
    let by_import = history.iter().find(|next| next.pasted.as_ref() == Some(token) && !has_it(next));
    // Newest first. What follows by a login or an import has tokens of another family.
    let by_refresh = history
        .windows(2)
        .find(|pair| has_it(&pair[1]))
        .map(|pair| &pair[0])
        .filter(|next| !has_it(next) && matches!(next.how, Obtained::Refresh | Obtained::Recovered));
    by_import.or(by_refresh).map(|next| next.generation)
}

/// What no tokens in the answer mean for the person who pasted the refresh token.
fn explained(verdict: ExchangeOutcome, now: DateTime<Utc>) -> ImportFailure {
    match verdict {
        ExchangeOutcome::Refused(refusal, _) if refusal.class() == Class::InvalidGrant => {
            let said = refusal.reason();
            let why = said.between(
                "the provider does not take this refresh token: ",
                "; it may have been replaced already; copy the newest one, or log in",
            );
            ImportFailure::new(why, Problem::NeedsLogin { why: said })
        }
        ExchangeOutcome::Refused(refusal, retry_after) => {
            let problem = exchange::problem(&refusal, retry_after, now);
            ImportFailure::new(problem.reason().between("", "; nothing was taken over"), problem)
        }
        ExchangeOutcome::NotSent(why) => {
            ImportFailure::new(why.between("", "; nothing was sent, try again"), Problem::Retrying { at: None, why })
        }
        ExchangeOutcome::Lost { why: said, .. } => {
            let why = said.between(
                "no readable answer came (",
                "); the provider may have replaced the pasted refresh token. Nothing was taken over: import it again, \
                 and log in if it is refused then",
            );
            ImportFailure::new(why, Problem::Uncertain { why: said })
        }
        ExchangeOutcome::Tokens(..) => unreachable!("tokens are taken over"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::replaced_by;
    use crate::domain::{Fingerprint, Obtained, Rotation, Secret};

    fn of(token: &str) -> Fingerprint {
        Fingerprint::of(&Secret::new(token))
    }

    /// A history, newest first, of how and with which refresh token; an import spent `pasted`.
    fn history(generations: &[(Obtained, &str)]) -> Vec<Rotation> {
        let newest = u64::try_from(generations.len()).unwrap();
        let rotation = |(at, (how, token)): (u64, &(Obtained, &str))| Rotation {
            generation: newest - at,
            at: DateTime::UNIX_EPOCH,
            how: *how,
            access: of("access"),
            refresh: Some(of(token)),
            pasted: (*how == Obtained::Import).then(|| of("pasted")),
            recovered: None,
            pid: 1,
            by: None,
        };
        (0..).zip(generations).map(rotation).collect()
    }

    #[test]
    fn a_token_that_a_refresh_replaced_is_known_and_the_last_of_a_login_is_not() {
        use Obtained::{Import, Login, Recovered, Refresh};
        let history =
            history(&[(Refresh, "f"), (Import, "e"), (Login, "d"), (Recovered, "c"), (Refresh, "b"), (Login, "a")]);
        for (token, by) in [
            ("a", Some(2)),
            ("b", Some(3)),
            ("c", None),
            ("d", None),
            ("e", Some(6)),
            ("f", None),
            ("pasted", Some(5)),
            ("x", None),
        ] {
            assert_eq!(replaced_by(&history, &of(token)), by, "{token}");
        }
        assert_eq!(replaced_by(&[], &of("a")), None);
    }

    #[test]
    fn a_provider_that_does_not_replace_leaves_its_token_in_force() {
        use Obtained::{Import, Refresh};
        let kept = history(&[(Refresh, "pasted"), (Refresh, "pasted"), (Import, "pasted")]);
        assert_eq!(replaced_by(&kept, &of("pasted")), None);
        let replaced_at_last = history(&[(Refresh, "b"), (Refresh, "pasted"), (Import, "pasted")]);
        assert_eq!(replaced_by(&replaced_at_last, &of("pasted")), Some(3));
    }
}
