//! Incidents: when a connection needs a person, or has failed to refresh itself for a while.
//!
//! Pure: connections and times in, opened and closed incidents out. An incident opens once, stays open whatever is
//! tried meanwhile, and closes when the connection works again. A login in progress neither opens nor closes one. A
//! problem that only a person can fix replaces one that might have resolved without one.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::connection::ConnectionName;
use crate::domain::problem::Problem;
use crate::domain::reason::Reason;
use crate::domain::view::{Activity, ConnectionView, Holding};

/// How long after the start an incident counts as existing before: it is on the screen that has just been opened, and
/// needs no notification.
pub const START: TimeDelta = TimeDelta::seconds(15);
/// How long a store, or an expired token that is being replaced, may take to recover.
pub const SOON: TimeDelta = TimeDelta::seconds(60);
/// How long refreshing may fail while there is a valid access token, or none ever was.
pub const A_WHILE: TimeDelta = TimeDelta::minutes(5);
/// A longer pause between two checks means that the machine slept. Pending incidents then start waiting again, because
/// the network may not be up yet.
const SLEPT: TimeDelta = TimeDelta::seconds(45);

/// The kind of a connection's problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// See [`Problem::NeedsLogin`].
    NeedsLogin,
    /// See [`Problem::Misconfigured`].
    Misconfigured,
    /// There are tokens, but no client secret any more to refresh them with.
    NoClientSecret,
    /// See [`Problem::Uncertain`].
    Uncertain,
    /// See [`Problem::RolledBack`].
    RolledBack,
    /// Tokens could not be saved, or the store not be used, for a minute; at once where new tokens are in memory only.
    Store,
    /// Automatic refresh has not succeeded for a while: a minute once the access token has ended,
    /// five before.
    RefreshFailing,
}

impl IncidentKind {
    /// The stable word for scripts.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::NeedsLogin => "needs_login",
            Self::Misconfigured => "misconfigured",
            Self::NoClientSecret => "no_client_secret",
            Self::Uncertain => "uncertain",
            Self::RolledBack => "rolled_back",
            Self::Store => "store",
            Self::RefreshFailing => "refresh_failing",
        }
    }

    /// The sentence for a person, which follows the connection's name.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NeedsLogin => "needs login",
            Self::Misconfigured => "is misconfigured",
            Self::NoClientSecret => "has no client secret",
            Self::Uncertain => "is uncertain",
            Self::RolledBack => "was rolled back",
            Self::Store => "cannot use its store",
            Self::RefreshFailing => "fails to refresh",
        }
    }

    /// Whether waiting may resolve it.
    fn may_pass(self) -> bool {
        matches!(self, Self::Store | Self::RefreshFailing)
    }
}

/// A problem that a person should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Whose.
    pub connection: ConnectionName,
    /// What it is.
    pub kind: IncidentKind,
    /// When the problem was first seen.
    pub since: DateTime<Utc>,
    /// The problem in words, as it was when the incident opened: bounded and without a secret.
    pub why: Reason,
    /// Whether it existed when the program was opened: shown on the screen, but not notified.
    pub standing: bool,
}

/// An incident began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChange {
    /// It began.
    Opened(Incident),
    /// It is over.
    Closed {
        /// As it was opened.
        incident: Incident,
        /// Whether the connection is well: it is not where another incident took the place of
        /// this one, or a person gave the connection up (logged out, automatic refresh off).
        recovered: bool,
    },
}

/// The troubles seen, and which of them are incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incidents {
    started: DateTime<Utc>,
    looked: DateTime<Utc>,
    troubles: HashMap<ConnectionName, Trouble>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    kind: IncidentKind,
    since: DateTime<Utc>,
    opened: Option<Incident>,
}

/// A connection at one moment, as far as incidents care.
enum Health {
    /// Valid, saved tokens and no problem.
    Well,
    /// Nothing to wait for.
    Moot,
    /// Not to be decided now: a login is in progress, the store has not answered, or a refresh is due.
    Unclear,
    /// In trouble, which is an incident once it has lasted so long.
    Ill(IncidentKind, TimeDelta),
}

impl Incidents {
    /// Nothing seen yet; the program was opened at `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { started: now, looked: now, troubles: HashMap::new() }
    }

    /// Checks all connections; to be called about once a second. An incident closes before another replaces it; those of
    /// connections that are no longer among `views` are closed.
    pub fn look(&mut self, views: &[ConnectionView], now: DateTime<Utc>) -> Vec<IncidentChange> {
        self.look_at(views, |_| None, now)
    }

    /// The same if the caller knows which connections need attention or are busy: only those are checked, and those with
    /// a known problem, which `find` looks up.
    pub fn look_at<'a>(
        &mut self,
        asking: impl IntoIterator<Item = &'a ConnectionView>,
        find: impl Fn(&ConnectionName) -> Option<&'a ConnectionView>,
        now: DateTime<Utc>,
    ) -> Vec<IncidentChange> {
        self.forgive_sleep(now);
        let mut changes = Vec::new();
        let mut before = std::mem::take(&mut self.troubles);
        for view in asking {
            let known = before.remove(&view.name);
            if let Some(trouble) = self.weigh(view, known, now, &mut changes) {
                self.troubles.insert(view.name.clone(), trouble);
            }
        }
        for (name, known) in before {
            match find(&name) {
                Some(view) => {
                    let trouble = self.weigh(view, Some(known), now, &mut changes);
                    self.troubles.extend(trouble.map(|trouble| (name, trouble)));
                }
                None => changes.extend(known.closed(false)),
            }
        }
        changes
    }

    /// The open incidents, in no order.
    pub fn standing(&self) -> impl Iterator<Item = &Incident> {
        self.troubles.values().filter_map(|trouble| trouble.opened.as_ref())
    }

    fn forgive_sleep(&mut self, now: DateTime<Utc>) {
        // A clock set back also counts as a pause.
        if (now - self.looked).abs() > SLEPT {
            for trouble in self.troubles.values_mut().filter(|trouble| trouble.opened.is_none()) {
                trouble.since = now;
            }
        }
        self.looked = now;
    }

    fn weigh(
        &self,
        view: &ConnectionView,
        known: Option<Trouble>,
        now: DateTime<Utc>,
        changes: &mut Vec<IncidentChange>,
    ) -> Option<Trouble> {
        let (kind, patience) = match health(view, now) {
            Health::Unclear => return known,
            Health::Well => return end(known, true, changes),
            Health::Moot => return end(known, false, changes),
            Health::Ill(kind, patience) => (kind, patience),
        };
        let mut trouble = match known {
            Some(open) if open.opened.is_some() && (open.kind == kind || kind.may_pass()) => return Some(open),
            Some(open) if open.opened.is_some() => {
                changes.extend(open.closed(false));
                Trouble { kind, since: now, opened: None }
            }
            // Not open yet: consecutive problems are one period without a refresh.
            Some(brewing) => Trouble { kind, ..brewing },
            None => Trouble { kind, since: now, opened: None },
        };
        if now - trouble.since >= patience {
            let incident = self.incident(view, &trouble, now);
            trouble.opened = Some(incident.clone());
            changes.push(IncidentChange::Opened(incident));
        }
        Some(trouble)
    }

    fn incident(&self, view: &ConnectionView, trouble: &Trouble, now: DateTime<Utc>) -> Incident {
        let ended = || "the access token has ended and was not replaced".into();
        Incident {
            connection: view.name.clone(),
            kind: trouble.kind,
            since: trouble.since,
            why: view.problem.as_ref().map_or_else(ended, Problem::reason),
            standing: now - self.started < START,
        }
    }
}

impl Trouble {
    fn closed(self, recovered: bool) -> Option<IncidentChange> {
        self.opened.map(|incident| IncidentChange::Closed { incident, recovered })
    }
}

fn end(known: Option<Trouble>, recovered: bool, changes: &mut Vec<IncidentChange>) -> Option<Trouble> {
    changes.extend(known.and_then(|trouble| trouble.closed(recovered)));
    None
}

fn health(view: &ConnectionView, now: DateTime<Utc>) -> Health {
    if matches!(view.activity, Activity::LoggingIn(_)) {
        return Health::Unclear;
    }
    let token = view.token();
    let at_once = |kind| Health::Ill(kind, TimeDelta::zero());
    match &view.problem {
        None | Some(Problem::Cancelled) => health_of_tokens(view, now),
        Some(Problem::NeedsLogin { .. }) => at_once(IncidentKind::NeedsLogin),
        Some(Problem::Misconfigured { .. }) => at_once(IncidentKind::Misconfigured),
        Some(Problem::Uncertain { .. }) => at_once(IncidentKind::Uncertain),
        Some(Problem::RolledBack { .. }) => at_once(IncidentKind::RolledBack),
        Some(Problem::NoClientSecret { .. }) if token.is_some() => at_once(IncidentKind::NoClientSecret),
        Some(Problem::NotSaved { durable: false, .. }) => at_once(IncidentKind::Store),
        Some(Problem::NotSaved { .. } | Problem::StoreUnavailable { .. } | Problem::PassphraseNeeded { .. }) => {
            Health::Ill(IncidentKind::Store, SOON)
        }
        Some(Problem::Retrying { .. } | Problem::AnswerLost { .. } | Problem::RateLimited { .. }) if view.auto => {
            let has_ended = token.is_some_and(|token| token.remaining(now) <= TimeDelta::zero());
            Health::Ill(IncidentKind::RefreshFailing, if has_ended { SOON } else { A_WHILE })
        }
        // It never worked, or nothing automatic could fail.
        Some(
            Problem::NeverLoggedIn
            | Problem::NoClientSecret { .. }
            | Problem::Retrying { .. }
            | Problem::AnswerLost { .. }
            | Problem::RateLimited { .. },
        ) => Health::Moot,
    }
}

/// The health of a connection that has no problem.
fn health_of_tokens(view: &ConnectionView, now: DateTime<Utc>) -> Health {
    match &view.holding {
        Holding::Unknown | Holding::Remembered(_) => Health::Unclear,
        Holding::Tokens { facts, saved } if facts.remaining(now) > TimeDelta::zero() => {
            if *saved {
                Health::Well
            } else {
                Health::Unclear
            }
        }
        // A refresh is due and about to run, unless it is postponed again and again.
        Holding::Tokens { .. } if view.auto => Health::Ill(IncidentKind::RefreshFailing, A_WHILE),
        Holding::Tokens { .. } | Holding::Nothing => Health::Moot,
    }
}

#[cfg(test)]
mod tests;
