//! Whether a request has to go out, judged from what store and journal say under the lock. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{AfterLostAnswer, Connection, Fingerprint, Problem, Reason, TokenRecord};
use crate::engine::connections::schedule;
use crate::engine::work::context::RecordSource;
use crate::engine::work::refresh::trouble::{answer_lost, hazard_problem};
use crate::tokens::reconcile::{Hazard, TokenState};

/// What a refresh is asked for.
#[derive(Debug, Clone)]
pub(crate) struct RefreshRequest {
    pub(in crate::engine) need: Need,
    /// The generation known to the one who asks; a newer fresh one is taken over instead of a request.
    pub(in crate::engine) known: Option<u64>,
    pub(in crate::engine) attempt: u32,
    /// The generation shown as uncertain to the person who asks: forcing it then is their choice.
    pub(in crate::engine) shown_uncertain: Option<u64>,
    /// Since when it is asked for: what another process has been answered since is the answer.
    pub(in crate::engine) asked_at: DateTime<Utc>,
    /// Whether a request is wanted even where the last one failed a moment ago: a person at the
    /// dashboard asks, or one who forces, or a service is ordered to look again.
    pub(in crate::engine) insists: bool,
}

/// How fresh the access token must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Not yet due for its refresh.
    NotDue,
    /// At least so long before its end.
    AtLeast(TimeDelta),
    /// Another one than this, which the API has refused, and at least so long before its end.
    OtherThan(Fingerprint, TimeDelta),
    /// New, whatever is there.
    New,
    /// New, whatever is there, but not by sending a refresh token that a person has to decide about.
    NewIfSure,
}

impl Need {
    /// Whether a record will do. One from the future never does: how long it lives is not known.
    pub(in crate::engine) fn is_met_by(&self, record: &TokenRecord, now: DateTime<Utc>) -> bool {
        if schedule::is_from_the_future(record.obtained_at, now) || record.access_token.is_empty() {
            return false;
        }
        let lives = |least: &TimeDelta| record.remaining(now) >= *least && record.remaining(now) > TimeDelta::zero();
        match self {
            Self::NotDue => schedule::earliest(record.obtained_at, record.expires_at) > now,
            Self::AtLeast(least) => lives(least),
            Self::OtherThan(_, least) => !self.refuses(record) && lives(least),
            Self::New | Self::NewIfSure => false,
        }
    }

    /// Whether the API has refused this record's access token.
    fn refuses(&self, record: &TokenRecord) -> bool {
        matches!(self, Self::OtherThan(refused, _) if Fingerprint::of(&record.access_token) == *refused)
    }

    /// Whether a new access token is wanted, whatever is there.
    pub(in crate::engine) fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::NewIfSure)
    }
}

/// What is to be done.
pub(crate) enum Decision {
    /// The record will do.
    Keep(TokenRecord, RecordSource),
    /// The record will do, and is in the journal only.
    Unsaved(TokenRecord, RecordSource, Reason),
    /// A person decides about this generation, which may have been replaced.
    Doubt(u64, Problem),
    /// Another process has given up the tokens that were known.
    GivenUp,
    /// A request goes out, with the refresh token of this record.
    Exchange(Option<TokenRecord>),
}

/// What is to be done for `ask`. After a lost answer the refresh token is not sent again before a
/// pause that grows from `pause`.
pub(crate) fn decide(
    standing: TokenState,
    connection: &Connection,
    ask: &RefreshRequest,
    pause: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Decision, Problem> {
    let asks_a_person = connection.after_lost_answer == AfterLostAnswer::Ask;
    match &standing.hazard {
        // Client credentials spend nothing: another token is minted.
        _ if !connection.needs_browser() => {}
        Some(hazard @ Hazard::RolledBack { .. }) => return Err(hazard_problem(hazard, connection, pause)),
        // Sending it all the same is a person's choice, and needs to have been shown: it may have
        // become uncertain while the key was already on its way.
        Some(hazard @ Hazard::Uncertain { generation, .. })
            if asks_a_person && (ask.need != Need::New || ask.shown_uncertain != Some(*generation)) =>
        {
            return Ok(Decision::Doubt(*generation, hazard_problem(hazard, connection, pause)));
        }
        Some(Hazard::Uncertain { .. }) | None => {}
    }
    let Some(record) = standing.record else {
        return match standing.hazard {
            // The tokens there were are what was asked for, not new ones under this name.
            None if ask.known.is_some_and(|known| known > 0) => Ok(Decision::GivenUp),
            _ if connection.needs_browser() => Err(Problem::NeverLoggedIn),
            _ => Ok(Decision::Exchange(None)),
        };
    };
    let is_newer = ask.known.is_some_and(|known| record.generation > known);
    let how = if is_newer { RecordSource::Adopted(None) } else { RecordSource::Fresh };
    if !standing.saved {
        let why =
            standing.unsaved_because.map_or_else(|| "the store has not taken it yet".into(), |error| error.reason());
        return Ok(Decision::Unsaved(record, how, why));
    }
    let is_new_enough = is_newer && !ask.need.refuses(&record) && Need::NotDue.is_met_by(&record, now);
    let is_enough = is_new_enough || ask.need.is_met_by(&record, now);
    if record.client_id == connection.client_id && is_enough {
        return Ok(Decision::Keep(record, how));
    }
    check_client(connection, &record)?;
    if let Some(hazard) = &standing.hazard {
        check_pause(hazard, ask, pause, now)?;
    }
    Ok(Decision::Exchange(Some(record)))
}

/// Whether the record is one that this connection, as it is configured, can be refreshed with.
fn check_client(connection: &Connection, record: &TokenRecord) -> Result<(), Problem> {
    let is_login = connection.needs_browser();
    if is_login && record.client_id != connection.client_id {
        let why = Reason::withheld(
            format!(
                "the tokens were issued to client {}, the configuration names {}",
                record.client_id, connection.client_id
            ),
            "the tokens were issued to another client than the configuration names",
        );
        return Err(Problem::NeedsLogin { why });
    }
    if is_login && record.refresh_token.is_none() {
        return Err(Problem::NeedsLogin { why: "the server gave no refresh token at the last login".into() });
    }
    if !is_login && record.refresh_token.is_some() {
        // What is minted would take its place, and no request brings it back.
        let words = format!(
            "its tokens are of a login with a browser, and {} has none; log out first, or name the other provider again",
            connection.provider.title
        );
        return Err(Problem::Misconfigured { why: Reason::ours(words), refused: false });
    }
    Ok(())
}

/// Whether the refresh token may be sent again after its answer was lost: not at once, because the
/// lost request may still be on its way, and not by each of many who waited for the same answer.
fn check_pause(hazard: &Hazard, ask: &RefreshRequest, pause: TimeDelta, now: DateTime<Utc>) -> Result<(), Problem> {
    let Hazard::Uncertain { lost_since, lost, .. } = hazard else { return Ok(()) };
    let is_answered = (ask.asked_at..=now).contains(lost_since);
    let is_early = now < *lost_since + schedule::after_lost_answer(pause, lost.sends) && *lost_since <= now;
    if is_answered || (is_early && !ask.insists) { Err(answer_lost(hazard, pause)) } else { Ok(()) }
}
