//! The connections on the screen: their filter, order and groups, which is selected and which are
//! marked.
//!
//! Invariants: the selection is a name, not a line, so it survives whatever moves; it is on a line
//! that is seen, if there is any. How the table is arranged and what is counted is computed as a whole, when it is first
//! read after a change: a burst of events costs one computation, a key that only moves the selection none.

pub mod actions;
pub mod chosen_columns;
pub mod chosen_fit;
pub mod column;
pub mod column_choice;
pub mod column_menu;
pub mod columns;
pub mod favourites;
pub mod filter;
pub mod groups;
pub mod marked;
pub mod rows;
pub mod selection;
pub mod sort;
pub mod status_counts;
pub mod view;

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::rows::{Arrangement, Block, TableLine, TableOptions};
use crate::dashboard::connections::selection::Selection;
use crate::dashboard::connections::sort::Order;
use crate::dashboard::connections::status_counts::StatusCounts;
use crate::dashboard::fuzzy::{Finder, Search};
use crate::domain::{ConnectionName, ConnectionView, TokenFacts};

/// All connections, in the configuration's order.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    rows: Vec<ConnectionView>,
    places: HashMap<ConnectionName, usize>,
    options: TableOptions,
    selection: Selection,
    longest_life: TimeDelta,
    /// When the latest change or tick was.
    as_of: DateTime<Utc>,
    /// Empty after a change, until it is read.
    table: OnceCell<ComputedTable>,
}

/// Whether they are the same and look the same, computed yet or not.
impl PartialEq for Connections {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.options == other.options && self.table() == other.table()
    }
}

impl Eq for Connections {}

/// What is computed from the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ComputedTable {
    arrangement: Arrangement,
    /// Where the selection is in it.
    selection: Selection,
}

/// A line of the table, ready to draw.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// The heading of a group.
    Group(&'a Block),
    /// A connection, and whether it is marked.
    Connection(&'a ConnectionView, bool),
}

impl Connections {
    /// The given connections, the first one selected.
    #[must_use]
    pub fn new(views: Vec<ConnectionView>, now: DateTime<Utc>) -> Self {
        let mut all = Self::default();
        all.replace(now, |rows| *rows = views);
        all
    }

    /// Takes over a connection's new state; one not known yet is added at the end.
    pub fn put(&mut self, view: ConnectionView, now: DateTime<Utc>) {
        self.change(now);
        self.longest_life = self.longest_life.max(lifetime(&view));
        if let Some(&place) = self.places.get(&view.name) {
            self.rows[place] = view;
        } else {
            self.places.insert(view.name.clone(), self.rows.len());
            self.rows.push(view);
        }
    }

    /// Takes a connection away. A selection on it moves to the line that takes its place.
    pub fn remove(&mut self, name: &ConnectionName, now: DateTime<Utc>) {
        let Some(&place) = self.places.get(name) else { return };
        self.replace(now, |rows| drop(rows.remove(place)));
        self.options.marked.remove(name);
    }

    /// Brings the rows into this order, the file's; those it does not name come last.
    pub fn arrange(&mut self, order: &[ConnectionName], now: DateTime<Utc>) {
        let places: HashMap<_, _> = order.iter().zip(0..).collect();
        let place = |view: &ConnectionView| places.get(&view.name).copied().unwrap_or(order.len());
        if !self.rows.is_sorted_by_key(place) {
            self.replace(now, |rows| rows.sort_by_key(place));
        }
    }

    /// Changes the rows as a whole.
    fn replace(&mut self, now: DateTime<Utc>, change: impl FnOnce(&mut Vec<ConnectionView>)) {
        self.change(now);
        change(&mut self.rows);
        self.places = self.rows.iter().enumerate().map(|(place, view)| (view.name.clone(), place)).collect();
        self.longest_life = self.rows.iter().map(lifetime).max().unwrap_or_default().max(self.longest_life);
    }

    /// Whatever is computed is out of date from now on. The selection stays where it came to be.
    fn change(&mut self, now: DateTime<Utc>) {
        self.as_of = now;
        self.change_table();
    }

    /// The same without a new moment: the table is arranged in another way.
    fn change_table(&mut self) {
        if let Some(table) = self.table.take() {
            self.selection = table.selection;
        }
    }

    fn table(&self) -> &ComputedTable {
        self.table.get_or_init(|| {
            let arrangement = Arrangement::of(&self.rows, &self.options, self.as_of);
            let selection = self.selection.kept(&arrangement, self);
            ComputedTable { arrangement, selection }
        })
    }

    #[cfg(test)]
    pub(in crate::dashboard) fn is_computed(&self) -> bool {
        self.table.get().is_some()
    }

    fn arrangement(&self) -> &Arrangement {
        &self.table().arrangement
    }

    /// Every connection.
    #[must_use]
    pub fn all(&self) -> &[ConnectionView] {
        &self.rows
    }

    /// How many pass the filter.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.arrangement().shown
    }

    /// How many lines the table has: connections in sight, and the headings of groups.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.arrangement().lines.len()
    }

    /// How many headings of groups there are.
    #[must_use]
    pub fn headings(&self) -> usize {
        if self.is_grouped() { self.arrangement().blocks.len() } else { 0 }
    }

    /// The lines `first..first + count`.
    pub fn window(&self, first: usize, count: usize) -> impl Iterator<Item = Row<'_>> {
        self.arrangement().lines.iter().skip(first).take(count).map(|line| match *line {
            TableLine::Group(number) => Row::Group(&self.arrangement().blocks[number]),
            TableLine::Connection(place) => {
                let view = &self.rows[place];
                Row::Connection(view, self.is_marked(&view.name))
            }
        })
    }

    /// A connection by name.
    #[must_use]
    pub fn get(&self, name: &ConnectionName) -> Option<&ConnectionView> {
        self.places.get(name).map(|&place| &self.rows[place])
    }

    /// The filter as typed.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.options.finder.text()
    }

    /// Which letters of a name the filter matched.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        self.options.finder.search()
    }

    /// Sets the filter. What passes it best comes first and is selected, so that the next key acts
    /// on what was meant.
    pub fn set_filter(&mut self, filter: &str, now: DateTime<Utc>) {
        self.change(now);
        self.options.finder = Finder::new(filter);
        self.options.best_first = !self.options.finder.is_empty();
        if self.options.best_first
            && let Some(place) = self.arrangement().best
        {
            self.select_connection(self.rows[place].name.clone());
        }
    }

    /// What the table is sorted by.
    #[must_use]
    pub fn order(&self) -> Order {
        self.options.order
    }

    /// Whether the best matches come first, before the order.
    #[must_use]
    pub fn is_best_first(&self) -> bool {
        self.options.best_first
    }

    /// Sorts; by the same column again, the other way round. What was asked for last rules: the
    /// best matches come first again with the next filter.
    pub fn sort_by(&mut self, by: Option<Column>, now: DateTime<Utc>) {
        self.change(now);
        self.options.order = self.options.order.chosen(by);
        self.options.best_first = false;
    }

    /// Takes notice of the time: statuses change with it alone.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        self.change(now);
    }

    /// The connections that are busy or ask for attention, in the configuration's order.
    pub fn asking(&self) -> impl Iterator<Item = &ConnectionView> {
        self.arrangement().asking.iter().map(|place| &self.rows[*place])
    }

    /// The connections whose newest tokens are not in the store yet.
    #[must_use]
    pub fn unsaved(&self) -> &BTreeSet<ConnectionName> {
        &self.arrangement().unsaved
    }

    /// The columns of the widest name.
    #[must_use]
    pub fn widest_name(&self) -> usize {
        self.arrangement().widest_name
    }

    /// The columns of the widest title; 0 where no connection has one.
    #[must_use]
    pub fn widest_title(&self) -> usize {
        self.arrangement().widest_title
    }

    /// The longest lifetime any access token has had; zero while none is known.
    #[must_use]
    pub fn longest_life(&self) -> TimeDelta {
        self.longest_life
    }

    /// How many are refreshed automatically.
    #[must_use]
    pub fn auto_on(&self) -> usize {
        self.arrangement().auto_on
    }

    /// How many connections are in each status, as of the latest change or tick.
    #[must_use]
    pub fn status_counts(&self) -> &StatusCounts {
        &self.arrangement().counts
    }
}

/// The access token's whole lifetime; zero where there is none.
fn lifetime(view: &ConnectionView) -> TimeDelta {
    view.shown_token().map_or(TimeDelta::zero(), TokenFacts::lifetime)
}
