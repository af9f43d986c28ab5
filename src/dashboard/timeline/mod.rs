//! The timeline: the next hours of every connection, and the past of the request log.
//!
//! Where the screen is too low for both, the side that the keys act on is shown.

pub mod axis;
pub mod chart;
pub mod lane;
pub mod latency;
pub mod layout;
pub mod view;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use ratatui::layout::Size;

use crate::dashboard;
use crate::dashboard::action::Action;
use crate::dashboard::details::token_history::Inspected;
use crate::dashboard::effect::Effect;
use crate::dashboard::screen::Screen;
use crate::dashboard::timeline::axis::Zoom;
use crate::dashboard::timeline::chart::{Chart, ChartQuery};
use crate::dashboard::timeline::layout::Sides;
use crate::dashboard::{App, dispatch};
use crate::domain::Brief;

/// How far one can look ahead and back.
const FARTHEST: TimeDelta = TimeDelta::days(2 * 366);

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// What is to come.
    #[default]
    Ahead,
    /// What was.
    Behind,
}

/// What is seen of the timeline. It stays as it is while it is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The side that the keys act on.
    pub side: Side,
    /// How much of what is to come; `None` for an hour, or less where all tokens end far sooner.
    pub ahead: Option<Zoom>,
    /// How far from now that begins.
    pub skipped: TimeDelta,
    /// How much of the past; `None` for as much as the log holds.
    pub behind: Option<Zoom>,
    /// How far from now that ends.
    pub back: TimeDelta,
    /// Whether the past is the selected connection's alone.
    pub only: bool,
    /// Whether what is read now was opened from here, and closing it comes back.
    pub revisit: bool,
    chart: Option<Chart>,
}

impl Timeline {
    /// The past, while it is seen.
    #[must_use]
    pub fn chart(&self) -> Option<&Chart> {
        self.chart.as_ref()
    }

    /// Zooms the side that the keys act on, from what it shows.
    fn zoom(&mut self, shown: Zoom, step: fn(Zoom) -> Zoom) {
        let zoom = match self.side {
            Side::Ahead => &mut self.ahead,
            Side::Behind => &mut self.behind,
        };
        *zoom = Some(step(shown));
    }

    /// Moves it by a quarter of what it shows, to later or earlier; never past now.
    fn pan(&mut self, shown: Zoom, later: bool) {
        let far = match self.side {
            Side::Ahead => &mut self.skipped,
            Side::Behind => &mut self.back,
        };
        let step = shown.span() / 4;
        let away = later == (self.side == Side::Ahead);
        *far = (*far + if away { step } else { -step }).clamp(TimeDelta::zero(), FARTHEST);
    }

    fn reset(&mut self) {
        match self.side {
            Side::Ahead => (self.ahead, self.skipped) = (None, TimeDelta::zero()),
            Side::Behind => (self.behind, self.back) = (None, TimeDelta::zero()),
        }
    }
}

/// How much of what is to come is shown.
pub(crate) fn ahead(app: &App) -> Zoom {
    app.timeline.ahead.unwrap_or_else(|| match app.connections.longest_life() {
        unknown if unknown.is_zero() => Zoom::Hour,
        life => Zoom::holding(life * 2).min(Zoom::Hour),
    })
}

/// How much of the past is shown: as much as the log holds, unless it was zoomed.
fn behind(app: &App, now: DateTime<Utc>) -> Zoom {
    app.timeline.behind.unwrap_or_else(|| {
        let oldest = app.requests.newest().next_back();
        Zoom::holding(oldest.map_or(TimeDelta::zero(), |entry| now - entry.at))
    })
}

/// Carries out an action while the timeline is open.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let shown = if app.timeline.side == Side::Ahead { ahead(app) } else { behind(app, now) };
    match action {
        Action::ZoomIn => app.timeline.zoom(shown, Zoom::nearer),
        Action::ZoomOut => app.timeline.zoom(shown, Zoom::farther),
        Action::ZoomReset => app.timeline.reset(),
        Action::Earlier => app.timeline.pan(shown, false),
        Action::Later => app.timeline.pan(shown, true),
        Action::NextPane => {
            app.timeline.side = if app.timeline.side == Side::Ahead { Side::Behind } else { Side::Ahead };
        }
        Action::OnlySelected => app.timeline.only = !app.timeline.only,
        Action::Up | Action::Down | Action::Top | Action::Bottom | Action::PageUp | Action::PageDown => {
            app.connections.step(distance(action, rows(app)));
            app.scroll = 0;
        }
        Action::Open => {
            if let Some(view) = app.connections.selected() {
                let connection = view.name.clone();
                app.mode = Screen::Connection { connection, scroll: 0, inspected: Inspected::default() };
                app.timeline.revisit = true;
            }
        }
        Action::Help => {
            app.mode = Screen::Help { scroll: 0 };
            app.timeline.revisit = true;
        }
        Action::Cancel => app.mode = Screen::Normal,
        _ => return dispatch::on_connection(app, action, now),
    }
    Vec::new()
}

fn distance(action: Action, page: usize) -> isize {
    let page = isize::try_from(page).unwrap_or(1).max(1);
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Top => isize::MIN,
        _ => isize::MAX,
    }
}

/// Where its two sides stand in a screen of `size`; none where that is too small.
pub(crate) fn sides(app: &App, size: Size) -> Option<Sides> {
    let body = dashboard::layout::areas(size, app.shape())?.body;
    Some(layout::sides(body, app.connections.lines(), app.timeline.side == Side::Ahead))
}

/// How many connections are seen at once.
pub(crate) fn rows(app: &App) -> usize {
    let ahead = sides(app, app.size).and_then(|sides| sides.ahead);
    ahead.map_or(1, |area| usize::from(layout::tracks(area, app.connections.widest_name()).rows))
}

/// Makes the chart anew where the one there is does not answer what is asked now.
pub(crate) fn look_back(app: &mut App, now: DateTime<Utc>) {
    let seen = (app.mode == Screen::Timeline).then(|| sides(app, app.size)).flatten().and_then(|sides| sides.behind);
    let Some(area) = seen else {
        app.timeline.chart = None;
        return;
    };
    let selected = app.connections.selected().map(|view| view.name.clone());
    let question = ChartQuery {
        second: now.timestamp(),
        to: now.with_nanosecond(0).unwrap_or(now) - app.timeline.back,
        zoom: behind(app, now),
        columns: layout::plot(area).bars.width.into(),
        connection: selected.filter(|_| app.timeline.only),
    };
    if app.timeline.chart.as_ref().is_none_or(|chart| !chart.answers(&question)) {
        app.timeline.chart = Some(Chart::new(app.requests.newest().map(Brief::from), question));
    }
}
