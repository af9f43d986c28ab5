//! Which line is selected, which connections are marked, and which groups are folded.

use chrono::{DateTime, Utc};

use crate::dashboard::connections::rows::{Block, TableLine};
use crate::dashboard::connections::{Connections, Selected};
use crate::dashboard::layout::first_row;
use crate::domain::{ConnectionName, ConnectionView, Provider};

impl Connections {
    /// The selected connection; none when the filter leaves none, or a group is selected.
    #[must_use]
    pub fn selected(&self) -> Option<&ConnectionView> {
        match self.selected.as_ref()? {
            Selected::Connection(name) => self.get(name),
            Selected::Group(_) => None,
        }
    }

    /// The selected group; none when a connection is selected.
    #[must_use]
    pub fn selected_group(&self) -> Option<&Block> {
        match self.selected.as_ref()? {
            Selected::Connection(_) => None,
            Selected::Group(provider) => self.block(provider),
        }
    }

    /// Where the selection stands among the lines.
    #[must_use]
    pub fn selected_index(&self) -> Option<usize> {
        match self.selected.as_ref()? {
            Selected::Connection(name) => self.arrangement.line_of(*self.places.get(name)?),
            Selected::Group(provider) => self.arrangement.line_of_group(provider),
        }
    }

    /// Selects the line at an index; past the end, the last one.
    pub fn select(&mut self, index: usize) {
        let line = self.arrangement.line(index.min(self.lines().saturating_sub(1)));
        self.selected = line.and_then(|line| match line {
            TableLine::Group(number) => self.arrangement.blocks()[number].provider.map(Selected::Group),
            TableLine::Connection(place) => Some(Selected::Connection(self.rows[place].name.clone())),
        });
    }

    /// Selects the connection of this name, if it is in sight.
    pub fn select_name(&mut self, name: &str) {
        let place = self.rows.iter().position(|view| view.name.as_str() == name);
        if let Some(line) = place.and_then(|place| self.arrangement.line_of(place)) {
            self.select(line);
        }
    }

    /// Selects a connection, and brings it into sight: unfolds its group, and clears a filter that
    /// it does not pass. False where there is none of that name.
    pub fn go_to(&mut self, name: &ConnectionName, now: DateTime<Utc>) -> bool {
        let Some(&place) = self.places.get(name) else { return false };
        if self.arrangement.spot(place).score.is_none() {
            self.set_filter("", now);
        }
        self.arrangement.fold(self.rows[place].provider, false);
        self.selected = Some(Selected::Connection(name.clone()));
        true
    }

    /// Moves the selection by so many lines, stopping at either end.
    pub fn step(&mut self, by: isize) {
        let index = self.selected_index().unwrap_or(0).saturating_add_signed(by);
        self.select(index);
    }

    /// The first line to draw in a window of `height` lines.
    #[must_use]
    pub fn first_row(&self, height: usize) -> usize {
        first_row(self.top, self.selected_index().unwrap_or(0), self.lines(), height)
    }

    /// Remembers where the window stands, so that it moves no more than it must.
    pub fn settle(&mut self, height: usize) {
        self.top = self.first_row(height);
    }

    /// Whether there are groups.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        self.arrangement.is_grouped()
    }

    /// Groups by provider, or not.
    pub fn toggle_groups(&mut self) {
        let line = self.selected_index();
        if let Some(&place) = self.selected_group().and_then(|block| block.members().first()) {
            self.selected = Some(Selected::Connection(self.rows[place].name.clone()));
        }
        self.arrangement.group(!self.is_grouped());
        self.keep_selection(line);
    }

    /// Folds the group that the selection is in, and selects its heading; or unfolds it.
    pub fn fold(&mut self, folded: bool) {
        let own = self.selected().map(|view| view.provider).or(self.selected_group().and_then(|block| block.provider));
        if let Some(provider) = own.filter(|_| self.is_grouped()) {
            self.arrangement.fold(provider, folded);
            if folded {
                self.selected = Some(Selected::Group(provider));
            }
        }
    }

    /// Marks the selected connection, or takes its mark away; of a group, all members at once.
    pub fn toggle_mark(&mut self) {
        let places = match self.selected_index().and_then(|index| self.arrangement.line(index)) {
            None => return,
            Some(TableLine::Connection(place)) => vec![place],
            Some(TableLine::Group(number)) => self.arrangement.blocks()[number].members().to_vec(),
        };
        self.mark_all_or_none(&places);
    }

    /// Marks every connection in sight; where all of them are, takes their marks away.
    pub fn toggle_all_marks(&mut self) {
        let seen = self.arrangement.blocks().iter().filter(|block| !block.folded);
        let places: Vec<_> = seen.flat_map(|block| block.members().iter().copied()).collect();
        self.mark_all_or_none(&places);
    }

    fn mark_all_or_none(&mut self, places: &[usize]) {
        let on = !places.iter().all(|place| self.arrangement.is_marked(*place));
        for place in places {
            self.arrangement.mark(*place, on);
        }
    }

    /// Takes every mark away.
    pub fn unmark_all(&mut self) {
        self.arrangement.unmark_all();
    }

    /// Whether a connection is neither hidden by the filter nor in a folded group.
    #[must_use]
    pub fn is_in_sight(&self, name: &ConnectionName) -> bool {
        self.places.get(name).is_some_and(|&place| self.arrangement.line_of(place).is_some())
    }

    /// Whether a connection is marked.
    #[must_use]
    pub fn is_marked(&self, name: &ConnectionName) -> bool {
        self.places.get(name).is_some_and(|&place| self.arrangement.is_marked(place))
    }

    /// How many are marked, and how many of those are out of sight: hidden by the filter, or in a
    /// folded group.
    #[must_use]
    pub fn marks(&self) -> (usize, usize) {
        self.arrangement.marks()
    }

    /// The marked connections, in the configuration's order, in sight or not.
    pub fn marked(&self) -> impl Iterator<Item = &ConnectionView> {
        self.rows.iter().enumerate().filter(|(place, _)| self.arrangement.is_marked(*place)).map(|(_, view)| view)
    }

    fn block(&self, provider: &Provider) -> Option<&Block> {
        self.arrangement.blocks().iter().find(|block| block.provider == Some(provider))
    }

    /// A selection that is out of sight moves to its group's heading where that has folded, else
    /// to the line that has come where it was.
    pub(super) fn keep_selection(&mut self, line: Option<usize>) {
        if self.selected_index().is_some() {
            return;
        }
        if let Some(view) = self.selected()
            && let Some(heading) = self.arrangement.line_of_group(view.provider)
            && self.block(view.provider).is_some_and(|block| block.folded)
        {
            return self.select(heading);
        }
        self.select(line.unwrap_or(0));
    }
}
