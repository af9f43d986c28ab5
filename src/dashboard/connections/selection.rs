//! Which line is selected, which connections are marked, and which groups are folded.

use chrono::{DateTime, Utc};

use crate::dashboard::connections::rows::{Arrangement, Block, TableLine};
use crate::dashboard::connections::{ComputedTable, Connections};
use crate::dashboard::layout::first_row;
use crate::domain::{ConnectionName, ConnectionView, Provider};

/// What is selected, and where it was seen last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    what: Option<Selected>,
    line: usize,
    /// The first line that is drawn.
    top: usize,
}

/// What the selection rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// A connection.
    Connection(ConnectionName),
    /// The heading of a group.
    Group(&'static Provider),
}

impl Selection {
    /// The selection in a table that was arranged again. One that is hidden moves to its group's heading where that has
    /// folded, else to the line that has come where it was.
    pub(super) fn kept(&self, table: &Arrangement, all: &Connections) -> Self {
        let own = self.what.as_ref().and_then(|what| match what {
            Selected::Connection(name) => {
                let &place = all.places.get(name)?;
                let folded = || table.blocks.iter().any(|block| block.folded && block.members().contains(&place));
                table.line_of[place]
                    .or_else(|| folded().then(|| table.line_of_group(all.rows[place].provider)).flatten())
            }
            Selected::Group(provider) => table.line_of_group(provider),
        });
        self.on_line(own.unwrap_or(self.line), table, all)
    }

    /// A selection of the line at an index; past the end, of the last one.
    fn on_line(&self, index: usize, table: &Arrangement, all: &Connections) -> Self {
        let line = index.min(table.lines.len().saturating_sub(1));
        let what = table.lines.get(line).and_then(|line| match *line {
            TableLine::Group(number) => table.blocks[number].provider.map(Selected::Group),
            TableLine::Connection(place) => Some(Selected::Connection(all.rows[place].name.clone())),
        });
        Self { what, line, top: self.top }
    }
}

impl Connections {
    fn selection(&self) -> &Selection {
        &self.table().selection
    }

    /// The selected connection; none when the filter leaves none, or a group is selected.
    #[must_use]
    pub fn selected(&self) -> Option<&ConnectionView> {
        match self.selection().what.as_ref()? {
            Selected::Connection(name) => self.get(name),
            Selected::Group(_) => None,
        }
    }

    /// The name of the connection that was selected before the latest changes: it costs no computation.
    #[must_use]
    pub fn selected_before(&self) -> Option<&ConnectionName> {
        match self.table.get().map_or(&self.selection, |table| &table.selection).what.as_ref()? {
            Selected::Connection(name) => Some(name),
            Selected::Group(_) => None,
        }
    }

    /// The selected group; none when a connection is selected.
    #[must_use]
    pub fn selected_group(&self) -> Option<&Block> {
        match *self.selection().what.as_ref()? {
            Selected::Connection(_) => None,
            Selected::Group(provider) => {
                self.arrangement().blocks.iter().find(|block| block.provider == Some(provider))
            }
        }
    }

    /// Where the selection stands among the lines.
    #[must_use]
    pub fn selected_index(&self) -> Option<usize> {
        let selection = self.selection();
        selection.what.is_some().then_some(selection.line)
    }

    /// Selects the line at an index; past the end, the last one.
    pub fn select(&mut self, index: usize) {
        let ComputedTable { arrangement, selection } = self.table();
        let selection = selection.on_line(index, arrangement, self);
        self.set_selection(selection);
    }

    /// Selects a connection; one that is hidden as far as it can be.
    pub(super) fn select_connection(&mut self, name: ConnectionName) {
        let ComputedTable { arrangement, selection } = self.table();
        let wanted = Selection { what: Some(Selected::Connection(name)), ..selection.clone() };
        let selection = wanted.kept(arrangement, self);
        self.set_selection(selection);
    }

    fn set_selection(&mut self, selection: Selection) {
        if let Some(table) = self.table.get_mut() {
            table.selection = selection;
        }
    }

    /// Selects the connection of this name, if it is in sight.
    pub fn select_name(&mut self, name: &str) {
        let place = self.rows.iter().position(|view| view.name.as_str() == name);
        if let Some(line) = place.and_then(|place| self.arrangement().line_of[place]) {
            self.select(line);
        }
    }

    /// Selects a connection, and brings it into sight: unfolds its group, and clears a filter that
    /// it does not pass. False where there is none of that name.
    pub fn go_to(&mut self, name: &ConnectionName, now: DateTime<Utc>) -> bool {
        let Some(&place) = self.places.get(name) else { return false };
        if !self.arrangement().blocks.iter().any(|block| block.members().contains(&place)) {
            self.set_filter("", now);
        }
        self.set_folded(self.rows[place].provider, false);
        self.select_connection(name.clone());
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
        first_row(self.selection().top, self.selected_index().unwrap_or(0), self.lines(), height)
    }

    /// Remembers where the window stands, so that it moves no more than it must.
    pub fn settle(&mut self, height: usize) {
        let top = self.first_row(height);
        if let Some(table) = self.table.get_mut() {
            table.selection.top = top;
        }
    }

    /// Whether there are groups.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        self.options.grouped
    }

    /// Groups by provider, or not.
    pub fn toggle_groups(&mut self) {
        let first = self.selected_group().and_then(|block| block.members().first());
        let first = first.map(|place| self.rows[*place].name.clone());
        self.change_table();
        if let Some(name) = first {
            self.selection.what = Some(Selected::Connection(name));
        }
        self.options.grouped = !self.options.grouped;
    }

    /// Folds the group that the selection is in, and selects its heading; or unfolds it.
    pub fn fold(&mut self, folded: bool) {
        let own = self.selected().map(|view| view.provider).or(self.selected_group().and_then(|block| block.provider));
        if let Some(provider) = own.filter(|_| self.is_grouped()) {
            self.set_folded(provider, folded);
        }
    }

    fn set_folded(&mut self, provider: &'static Provider, folded: bool) {
        self.change_table();
        self.options.folded.retain(|other| *other != provider);
        if folded {
            self.options.folded.push(provider);
        }
    }

    /// Marks the selected connection, or takes its mark away; of a group, all members at once.
    pub fn toggle_mark(&mut self) {
        let line = self.selected_index().and_then(|index| self.arrangement().lines.get(index).copied());
        let places = match line {
            None => return,
            Some(TableLine::Connection(place)) => vec![place],
            Some(TableLine::Group(number)) => self.arrangement().blocks[number].members().to_vec(),
        };
        self.mark_all_or_none(places);
    }

    /// Marks every connection in sight; where all of them are, takes their marks away.
    pub fn toggle_all_marks(&mut self) {
        self.mark_all_or_none(self.arrangement().visible().collect());
    }

    fn mark_all_or_none(&mut self, places: Vec<usize>) {
        let names: Vec<_> = places.into_iter().map(|place| self.rows[place].name.clone()).collect();
        let on = !names.iter().all(|name| self.is_marked(name));
        self.change_table();
        for name in names {
            if on {
                self.options.marked.insert(name);
            } else {
                self.options.marked.remove(&name);
            }
        }
    }

    /// Takes every mark away.
    pub fn unmark_all(&mut self) {
        self.change_table();
        self.options.marked.clear();
    }

    /// Whether a connection is neither hidden by the filter nor in a folded group.
    #[must_use]
    pub fn is_in_sight(&self, name: &ConnectionName) -> bool {
        self.places.get(name).is_some_and(|&place| self.arrangement().line_of[place].is_some())
    }

    /// Whether a connection is marked.
    #[must_use]
    pub fn is_marked(&self, name: &ConnectionName) -> bool {
        self.options.marked.contains(name)
    }

    /// How many are marked, and how many of those are out of sight: hidden by the filter, or in a
    /// folded group.
    #[must_use]
    pub fn marks(&self) -> (usize, usize) {
        self.arrangement().marks
    }

    /// The marked connections, in the configuration's order, in sight or not.
    pub fn marked(&self) -> impl Iterator<Item = &ConnectionView> {
        self.rows.iter().filter(|view| self.is_marked(&view.name))
    }
}
