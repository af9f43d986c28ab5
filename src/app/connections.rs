//! The connections on the screen: their order, the filter, and which is selected.
//!
//! Invariants: the selection is a name, not a place, so it survives whatever moves; `visible`
//! holds ascending indexes of the rows that pass the filter; no operation that happens per key,
//! event or draw looks at all rows; changing the filter or the
//! configuration does, and the tick once a second.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::layout::first_row;
use super::tally::Tally;
use crate::domain::{ConnectionName, ConnectionView, Holding};

/// All connections, in the configuration's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections {
    rows: Vec<ConnectionView>,
    places: HashMap<ConnectionName, usize>,
    visible: Vec<usize>,
    filter: String,
    selected: Option<ConnectionName>,
    top: usize,
    unsaved: BTreeSet<ConnectionName>,
    widest_name: usize,
    auto_on: usize,
    tally: Tally,
}

impl Connections {
    /// The given connections, the first one selected.
    #[must_use]
    pub fn new(views: Vec<ConnectionView>, now: DateTime<Utc>) -> Self {
        let mut all = Self::default();
        for view in views {
            all.put(view, now);
        }
        all
    }

    /// Takes over a connection's new state; one not known yet is added at the end.
    pub fn put(&mut self, view: ConnectionView, now: DateTime<Utc>) {
        if matches!(view.holding, Holding::Tokens { saved: false, .. }) {
            self.unsaved.insert(view.name.clone());
        } else {
            self.unsaved.remove(&view.name);
        }
        self.auto_on += usize::from(view.auto);
        let passes = self.passes(&view, now);
        if let Some(&place) = self.places.get(&view.name) {
            self.auto_on -= usize::from(self.rows[place].auto);
            self.tally.count(place, view.status(now));
            self.rows[place] = view;
            match (self.visible.binary_search(&place), passes) {
                (Ok(at), false) => drop(self.visible.remove(at)),
                (Err(at), true) => self.visible.insert(at, place),
                _ => {}
            }
        } else {
            self.widest_name = self.widest_name.max(view.name.as_str().len());
            self.tally.count(self.rows.len(), view.status(now));
            self.places.insert(view.name.clone(), self.rows.len());
            if passes {
                self.visible.push(self.rows.len());
            }
            self.rows.push(view);
        }
        self.keep_selection();
    }

    /// Takes a connection away. A selection on it moves to the row that takes its place.
    pub fn remove(&mut self, name: &ConnectionName, now: DateTime<Utc>) {
        let Some(&place) = self.places.get(name) else { return };
        let at = self.selected_index();
        self.rows.remove(place);
        self.unsaved.remove(name);
        let was_selected = self.selected.as_ref() == Some(name);
        self.count_anew(now);
        if was_selected {
            self.select(at.unwrap_or(0));
        }
    }

    /// Brings the rows into this order; those it does not name come last.
    pub fn arrange(&mut self, order: &[ConnectionName], now: DateTime<Utc>) {
        let places: HashMap<_, _> = order.iter().zip(0..).collect();
        let place = |view: &ConnectionView| places.get(&view.name).copied().unwrap_or(order.len());
        if !self.rows.is_sorted_by_key(place) {
            self.rows.sort_by_key(place);
            self.count_anew(now);
        }
    }

    /// Finds out anew all that is known about the rows as a whole.
    fn count_anew(&mut self, now: DateTime<Utc>) {
        self.places = self.rows.iter().enumerate().map(|(place, view)| (view.name.clone(), place)).collect();
        self.widest_name = self.rows.iter().map(|view| view.name.as_str().len()).max().unwrap_or(0);
        self.auto_on = self.rows.iter().filter(|view| view.auto).count();
        self.tally.recount(&self.rows, now);
        let filter = std::mem::take(&mut self.filter);
        self.set_filter(filter, now);
    }

    /// Every connection.
    #[must_use]
    pub fn all(&self) -> &[ConnectionView] {
        &self.rows
    }

    /// How many pass the filter.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.visible.len()
    }

    /// The rows `first..first + count` of those that pass the filter.
    pub fn window(&self, first: usize, count: usize) -> impl Iterator<Item = &ConnectionView> {
        self.visible.iter().skip(first).take(count).map(|&place| &self.rows[place])
    }

    /// A connection by name.
    #[must_use]
    pub fn get(&self, name: &ConnectionName) -> Option<&ConnectionView> {
        self.places.get(name).map(|&place| &self.rows[place])
    }

    /// The selected connection; none when the filter leaves none.
    #[must_use]
    pub fn selected(&self) -> Option<&ConnectionView> {
        self.selected.as_ref().and_then(|name| self.get(name))
    }

    /// Where the selected connection stands among those that pass the filter.
    #[must_use]
    pub fn selected_index(&self) -> Option<usize> {
        let place = self.places.get(self.selected.as_ref()?)?;
        self.visible.binary_search(place).ok()
    }

    /// Selects the row at an index among those that pass the filter; past the end, the last one.
    pub fn select(&mut self, index: usize) {
        let last = self.visible.len().saturating_sub(1);
        self.selected = self.visible.get(index.min(last)).map(|&place| self.rows[place].name.clone());
    }

    /// Selects the connection of this name, if it is there and passes the filter.
    pub fn select_name(&mut self, name: &str) {
        if let Some(index) = self.visible.iter().position(|&place| self.rows[place].name.as_str() == name) {
            self.select(index);
        }
    }

    /// Moves the selection by so many rows, stopping at either end.
    pub fn step(&mut self, by: isize) {
        let index = self.selected_index().unwrap_or(0).saturating_add_signed(by);
        self.select(index);
    }

    /// The first row to draw in a window of `height` rows.
    #[must_use]
    pub fn first_row(&self, height: usize) -> usize {
        first_row(self.top, self.selected_index().unwrap_or(0), self.visible.len(), height)
    }

    /// Remembers where the window stands, so that it moves no more than it must.
    pub fn settle(&mut self, height: usize) {
        self.top = self.first_row(height);
    }

    /// The filter as typed.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Sets the filter.
    pub fn set_filter(&mut self, filter: String, now: DateTime<Utc>) {
        self.filter = filter;
        self.visible = (0..self.rows.len()).filter(|&place| self.passes(&self.rows[place], now)).collect();
        self.keep_selection();
    }

    /// Counts and filters anew: a status, and so whether it passes, can change with time alone.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        self.tally.recount(&self.rows, now);
        if !self.filter.is_empty() {
            let filter = std::mem::take(&mut self.filter);
            self.set_filter(filter, now);
        }
    }

    /// The connections whose newest tokens are not in the store yet.
    #[must_use]
    pub fn unsaved(&self) -> &BTreeSet<ConnectionName> {
        &self.unsaved
    }

    /// The length of the longest name.
    #[must_use]
    pub fn widest_name(&self) -> usize {
        self.widest_name
    }

    /// How many are refreshed automatically.
    #[must_use]
    pub fn auto_on(&self) -> usize {
        self.auto_on
    }

    /// How many connections are in each status.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn passes(&self, view: &ConnectionView, now: DateTime<Utc>) -> bool {
        let needle = self.filter.as_str();
        needle.is_empty()
            || contains(view.name.as_str(), needle)
            || contains(view.provider.label, needle)
            || contains(view.provider.title, needle)
            || contains(view.status(now).word(), needle)
    }

    /// A selection that the filter hides moves to the nearest row after it, else to the last.
    fn keep_selection(&mut self) {
        if self.selected_index().is_some() {
            return;
        }
        let place = self.selected.as_ref().and_then(|name| self.places.get(name)).copied().unwrap_or(0);
        self.select(self.visible.partition_point(|&other| other < place));
    }
}

/// Whether `text` contains `needle`, ASCII letters in either case.
fn contains(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}
