//! The menu of columns: which of them the table has, and in which order.
//!
//! Invariants: every column but the name, which stays the first, is in it once; what is changed shows at once in the
//! table behind it.

use crate::dashboard::connections::column::Column;

/// The menu of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMenu {
    /// Every column but the name from left to right, and whether it is shown.
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
        let all = shown.iter().map(|column| (*column, true)).chain(hidden.map(|column| (column, false)));
        Self { rows: all.filter(|(column, _)| *column != Column::Name).collect(), choice: 0 }
    }

    pub(super) fn step(&mut self, by: isize) {
        self.choice = self.choice.saturating_add_signed(by).min(self.rows.len() - 1);
    }

    /// Moves the marked column, and the mark with it.
    pub(super) fn carry(&mut self, by: isize) {
        let from = self.choice;
        self.step(by);
        self.rows.swap(from, self.choice);
    }

    pub(super) fn shown(&self) -> Vec<Column> {
        self.rows.iter().filter(|(_, shown)| *shown).map(|(column, _)| *column).collect()
    }
}
