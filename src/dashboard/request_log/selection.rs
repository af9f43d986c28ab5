//! Which request is selected, whether the newest is followed, and freezing.
//!
//! Invariant: the selection is an entry's number, not its index, so new entries never move what is being read.

use crate::dashboard::layout::first_row;
use crate::dashboard::request_log::Requests;
use crate::dashboard::request_log::history::KnownMatches;
use crate::domain::LogEntry;

/// What is selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Always the newest.
    #[default]
    Newest,
    /// The entry with this number.
    Number(u64),
    /// One that is only on disk, counted from the newest match there.
    Older(usize),
}

impl Requests {
    /// If the log is frozen, how many matches have arrived since.
    #[must_use]
    pub fn frozen(&self) -> Option<usize> {
        self.frozen.map(|_| self.hidden())
    }

    /// How many matches have arrived since the newest was last followed.
    #[must_use]
    pub fn unseen(&self) -> usize {
        if self.follows() { 0 } else { self.matches.partition_point(|number| *number >= self.unseen) }
    }

    /// Whether a new entry is shown and selected at once.
    fn follows(&self) -> bool {
        self.frozen.is_none() && self.cursor == Cursor::Newest
    }

    /// Selects the newest entry and follows it.
    pub fn follow(&mut self) {
        self.frozen = None;
        self.cursor = Cursor::Newest;
        self.to_end = false;
        self.top = 0;
    }

    /// Freezes the log or resumes it.
    pub fn toggle_freeze(&mut self) {
        if self.follows() {
            self.unseen = self.next;
        }
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(self.next),
        };
        if self.follows() {
            self.top = 0;
        }
    }

    /// The index of the selected entry among those shown.
    #[must_use]
    pub fn selected_index(&self) -> usize {
        let index = match self.cursor {
            Cursor::Newest => 0,
            // If the filter hides it, the next older one is selected.
            Cursor::Number(number) => {
                self.matches.partition_point(|other| *other > number).saturating_sub(self.hidden())
            }
            Cursor::Older(index) => self.at_hand() + index,
        };
        index.min(self.shown().saturating_sub(1))
    }

    /// The selected entry; `None` if there is none or it is still being read.
    #[must_use]
    pub fn selected(&self) -> Option<&LogEntry> {
        self.rows(self.selected_index(), 1).pop().flatten()
    }

    /// Selects by index. The first index follows the newest entry.
    pub fn select(&mut self, index: usize) {
        let last = self.shown().saturating_sub(1);
        self.to_end = false;
        if index > 0 && last > 0 {
            self.hold(index.min(last));
        } else {
            self.cursor = Cursor::Newest;
        }
    }

    /// Keeps the selected entry selected while new ones arrive, even the first: a person is reading it.
    pub fn hold_selected(&mut self) {
        self.hold(self.selected_index());
    }

    fn hold(&mut self, index: usize) {
        if self.follows() {
            self.unseen = self.next;
        }
        if let Some(&number) = self.matches.get(self.hidden() + index) {
            self.unseen = self.unseen.max(number + 1);
            self.cursor = Cursor::Number(number);
        } else if self.shown() > 0 {
            self.cursor = Cursor::Older(index - self.at_hand());
        }
    }

    /// Moves the selection by so many entries, stopping at either end. `isize::MAX` goes to the oldest match, even if
    /// it has yet to be found on disk.
    pub fn step(&mut self, by: isize) {
        self.select(self.selected_index().saturating_add_signed(by));
        self.to_end = by == isize::MAX && self.known() != KnownMatches::All;
    }

    /// The first entry to draw in a window of `height` rows.
    #[must_use]
    pub fn first_row(&self, height: usize) -> usize {
        first_row(self.top, self.selected_index(), self.shown(), height)
    }

    /// Remembers the window's position, so that it moves no more than necessary.
    pub fn settle(&mut self, height: usize) {
        self.top = self.first_row(height);
    }

    /// How many matches are not shown because the log is frozen.
    pub(super) fn hidden(&self) -> usize {
        self.frozen.map_or(0, |frozen| self.matches.partition_point(|number| *number >= frozen))
    }
}
