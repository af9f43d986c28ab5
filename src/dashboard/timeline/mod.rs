//! The timeline: the next hours of every connection, and the past of the request log.
//!
//! Where the screen is too low for both, the side that the keys act on is shown.

pub mod axis;
pub mod axis_view;
pub mod chart;
pub mod lane;
pub mod latency;
pub mod layout;
pub mod update;
pub mod view;

use chrono::TimeDelta;

use crate::dashboard::timeline::axis::Zoom;
use crate::dashboard::timeline::chart::Chart;

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
