//! Keys of the timeline, and what of it is in sight.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use ratatui::layout::Size;

use crate::dashboard::action::Action;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;
use crate::dashboard::timeline::Side;
use crate::dashboard::timeline::axis::Zoom;
use crate::dashboard::timeline::chart::{Chart, ChartQuery};
use crate::dashboard::timeline::layout::Sides;
use crate::dashboard::{App, layout};
use crate::domain::Brief;

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
        Zoom::holding(oldest.map_or(TimeDelta::zero(), |row| now - row.at))
    })
}

/// Carries out an action while the timeline is open.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
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
        action if action.moves() => {
            app.connections.step(action.distance(rows(app)));
            app.scroll = 0;
        }
        Action::Open => {
            return app
                .connections
                .selected()
                .map_or(Flow::NOTHING, |view| Flow::Open(Screen::details(view.name.clone())));
        }
        Action::Cancel => return Flow::CLOSE,
        _ => return Flow::Pass,
    }
    Flow::NOTHING
}

/// Where its two sides stand in a screen of `size`; none where that is too small.
pub(crate) fn sides(app: &App, size: Size) -> Option<Sides> {
    let body = layout::areas(size, app.shape())?.body;
    Some(crate::dashboard::timeline::layout::sides(body, app.connections.lines(), app.timeline.side == Side::Ahead))
}

/// How many connections are seen at once.
pub(crate) fn rows(app: &App) -> usize {
    let ahead = sides(app, app.size).and_then(|sides| sides.ahead);
    ahead.map_or(1, |area| {
        usize::from(crate::dashboard::timeline::layout::tracks(area, app.connections.widest_name()).rows)
    })
}

/// Makes the chart again where the one there is does not answer what is asked now.
pub(crate) fn look_back(app: &mut App, now: DateTime<Utc>) {
    let seen =
        (*app.screens.top() == Screen::Timeline).then(|| sides(app, app.size)).flatten().and_then(|sides| sides.behind);
    let Some(area) = seen else {
        app.timeline.chart = None;
        return;
    };
    let selected = app.connections.selected().map(|view| view.name.clone());
    let question = ChartQuery {
        second: now.timestamp(),
        to: now.with_nanosecond(0).unwrap_or(now) - app.timeline.back,
        zoom: behind(app, now),
        columns: crate::dashboard::timeline::layout::plot(area).bars.width.into(),
        connection: selected.filter(|_| app.timeline.only),
    };
    if app.timeline.chart.as_ref().is_none_or(|chart| !chart.answers(&question)) {
        app.timeline.chart = Some(Chart::new(app.requests.newest().map(Brief::from), question));
    }
}
