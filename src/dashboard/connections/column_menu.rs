//! The menu of columns: which of them the table has, and in which order.
//!
//! Invariants: every column is in it once; what is changed shows at once in the table behind it.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::connections::column::Column;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;
use crate::domain::Severity;

/// The menu of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMenu {
    /// Every column from left to right, and whether it is shown.
    pub rows: Vec<(Column, bool)>,
    /// The marked one.
    pub choice: usize,
}

impl ColumnMenu {
    /// The columns as they were chosen, then those that were not; without a choice, all.
    #[must_use]
    pub fn new(shown: Option<&[Column]>) -> Self {
        let shown = shown.unwrap_or(&Column::ALL);
        let hidden = Column::ALL.into_iter().filter(|column| !shown.contains(column));
        let rows = shown.iter().map(|column| (*column, true)).chain(hidden.map(|column| (column, false))).collect();
        Self { rows, choice: 0 }
    }

    fn step(&mut self, by: isize) {
        self.choice = self.choice.saturating_add_signed(by).min(self.rows.len() - 1);
    }

    /// Moves the marked column, and the mark with it.
    fn carry(&mut self, by: isize) {
        let from = self.choice;
        self.step(by);
        self.rows.swap(from, self.choice);
    }

    fn shown(&self) -> Vec<Column> {
        self.rows.iter().filter(|(_, shown)| *shown).map(|(column, _)| *column).collect()
    }
}

/// Carries out an action in the menu.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let Screen::Columns(menu) = app.screens.top_mut() else { return Flow::NOTHING };
    match action {
        Action::Cancel => return Flow::CLOSE,
        Action::Up => menu.step(-1),
        Action::Down => menu.step(1),
        Action::MoveColumnUp => menu.carry(-1),
        Action::MoveColumnDown => menu.carry(1),
        Action::ToggleColumn => match menu.rows.get_mut(menu.choice) {
            Some((Column::Name, _)) => {
                app.say(None, Severity::Quiet, "the name is always shown", now);
                return Flow::NOTHING;
            }
            Some((_, shown)) => *shown = !*shown,
            None => {}
        },
        Action::ResetColumns => {
            app.columns.choose(None);
            *menu = ColumnMenu::new(app.columns.shown());
            return Flow::NOTHING;
        }
        _ => return Flow::NOTHING,
    }
    if !matches!(action, Action::Up | Action::Down) {
        app.columns.choose(Some(menu.shown()));
    }
    Flow::NOTHING
}
