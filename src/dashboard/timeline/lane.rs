//! A connection's next hours as a row of the timeline: how long its access token lives, what is
//! planned, what is waited for.

use chrono::{DateTime, Utc};

use crate::dashboard::timeline::axis::{Axis, Zoom};
use crate::domain::{ConnectionView, Problem, Severity, Status};
use crate::format::time::{Zone, ago, countdown};

/// Something that comes at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// An automatic refresh is planned.
    Refresh,
    /// The access token ends.
    AccessEnds,
    /// The refresh token ends, by estimate.
    RefreshEnds,
    /// What is waited for has passed: it is tried again.
    TriesAgain,
}

impl Mark {
    /// Every mark, in the order of the legend.
    pub const ALL: [Self; 4] = [Self::Refresh, Self::AccessEnds, Self::TriesAgain, Self::RefreshEnds];

    /// What it means.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::AccessEnds => "access token ends",
            Self::TriesAgain => "tries again",
            Self::RefreshEnds => "refresh token ends",
        }
    }
}

/// One column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// The access token lives.
    Lives,
    /// Nothing is sent before a wait is over, whether the access token lives or not.
    Waits,
    /// One thing happens.
    One(Mark),
    /// Several do: so many.
    Several(usize),
}

/// When the wait ends that keeps a connection from sending anything: a rate limit, or a pause
/// before the next try.
#[must_use]
pub fn waits_until(view: &ConnectionView, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match view.status(now) {
        Status::RateLimited { until }
        | Status::Retrying { at: Some(until) }
        | Status::AnswerLost { at: Some(until) } => Some(until).filter(|at| *at > now),
        _ => None,
    }
}

/// What is known to come of a connection, in no order. What is overdue comes now.
#[must_use]
pub fn marks(view: &ConnectionView, now: DateTime<Utc>) -> Vec<(Mark, DateTime<Utc>)> {
    let wait = waits_until(view, now);
    let mut marks: Vec<_> = wait.map(|at| (Mark::TriesAgain, at)).into_iter().collect();
    // A plan that a wait overtakes is the same thing shown twice; one under way is planned no more.
    let planned = view.next_refresh.filter(|at| wait.is_none_or(|wait| *at > wait));
    if view.status(now) != Status::Refreshing {
        marks.extend(planned.map(|at| (Mark::Refresh, at.max(now))));
    }
    if let Some(facts) = view.token() {
        marks.extend((facts.expires_at > now).then_some((Mark::AccessEnds, facts.expires_at)));
        let refresh = facts.refresh.as_ref().filter(|_| !matches!(view.problem, Some(Problem::NeedsLogin { .. })));
        let end = refresh.map(|refresh| refresh.estimated_end).filter(|end| *end > now);
        marks.extend(end.map(|end| (Mark::RefreshEnds, end)));
    }
    marks
}

/// The row in a stretch of time.
#[must_use]
pub fn cells(view: &ConnectionView, stretch: &Axis, now: DateTime<Utc>) -> Vec<Cell> {
    let mut cells = vec![Cell::Empty; stretch.columns()];
    if let Some(facts) = view.token() {
        cells[..lasting(stretch, facts.expires_at, now)].fill(Cell::Lives);
    }
    if let Some(until) = waits_until(view, now) {
        cells[..lasting(stretch, until, now)].fill(Cell::Waits);
    }
    for (mark, at) in marks(view, now) {
        let Some(cell) = stretch.column(at).map(|column| &mut cells[column]) else { continue };
        *cell = match *cell {
            Cell::Empty | Cell::Lives | Cell::Waits => Cell::One(mark),
            Cell::One(_) => Cell::Several(2),
            Cell::Several(count) => Cell::Several(count + 1),
        };
    }
    cells
}

/// How many columns something fills that continues until a moment; what is over fills none.
fn lasting(stretch: &Axis, until: DateTime<Utc>, now: DateTime<Utc>) -> usize {
    if until > now { stretch.columns_before(until) } else { 0 }
}

/// The row in words: what comes next, and how bad that is. Seen from afar, what ends in years.
#[must_use]
pub fn words(view: &ConnectionView, zoom: Zoom, zone: Zone, now: DateTime<Utc>) -> (String, Severity) {
    let status = view.status(now);
    let severity = status.severity();
    // So near, two things can happen in the same minute.
    let short = |at| if zoom == Zoom::Minutes10 { zone.column(at, now) } else { zone.short(at, now) };
    let Some(facts) = view.token() else { return (status.word().into(), severity) };
    if severity == Severity::Bad {
        return (status.word().into(), severity);
    }
    if let Some(refresh) = facts.refresh.as_ref().filter(|_| zoom >= Zoom::Week) {
        return (format!("refresh token ~{}", zone.date(refresh.estimated_end)), severity);
    }
    let next = match (&status, waits_until(view, now), view.next_refresh) {
        (Status::RateLimited { .. }, Some(until), _) => format!("limited for {}", countdown(until - now)),
        (_, Some(at), _) => format!("retry in {}", countdown(at - now)),
        (Status::Refreshing, ..) => "refreshing".into(),
        (_, None, Some(at)) if at > now => format!("refresh {}", short(at)),
        (_, None, Some(_)) => "refresh due".into(),
        (_, None, None) => "no refresh".into(),
    };
    let left = facts.remaining(now);
    let end = if left.num_milliseconds() > 0 {
        format!("ends {}", short(facts.expires_at))
    } else {
        format!("ended {}", ago(-left))
    };
    (format!("{next}, {end}"), severity)
}
