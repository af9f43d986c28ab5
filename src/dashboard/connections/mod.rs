//! The connections on the screen: their filter, order and groups, which is selected and which are
//! marked.
//!
//! Invariants: the selection is a name, not a line, so it survives whatever moves; it is on a line
//! that is seen, if there is any; no operation that happens per key, event or draw looks at all
//! rows, except what changes filter, order, groups or the configuration. The tick once a second
//! looks at the statuses that time may have changed by then, and moves only what changed.

pub mod actions;
pub mod column;
pub mod columns;
pub mod filter;
pub mod groups;
pub mod marked;
pub mod rows;
pub mod selection;
pub mod sort;
pub mod status_counts;
pub mod status_deadlines;
pub mod view;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::rows::{Arrangement, Block, Spot, TableLine};
use crate::dashboard::connections::sort::{Order, SortKey};
use crate::dashboard::connections::status_counts::StatusCounts;
use crate::dashboard::connections::status_deadlines::StatusDeadlines;
use crate::dashboard::fuzzy::{Finder, Search};
use crate::domain::{ConnectionName, ConnectionView, Holding, Provider, TokenFacts};

/// All connections, in the configuration's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections {
    rows: Vec<ConnectionView>,
    places: HashMap<ConnectionName, usize>,
    arrangement: Arrangement,
    finder: Finder,
    selected: Option<Selected>,
    top: usize,
    unsaved: BTreeSet<ConnectionName>,
    widest_name: usize,
    widest_title: usize,
    longest_life: TimeDelta,
    auto_on: usize,
    tally: StatusCounts,
    clockwork: StatusDeadlines,
    /// The moment of the latest tick.
    ticked: Option<DateTime<Utc>>,
}

/// What the selection rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// A connection.
    Connection(ConnectionName),
    /// The heading of a group.
    Group(&'static Provider),
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
        all.rebuild(now, |rows| *rows = views);
        all
    }

    /// Takes over a connection's new state; one not known yet is added at the end.
    pub fn put(&mut self, view: ConnectionView, now: DateTime<Utc>) {
        if is_unsaved(&view) {
            self.unsaved.insert(view.name.clone());
        } else {
            self.unsaved.remove(&view.name);
        }
        self.longest_life = self.longest_life.max(lifetime(&view));
        self.auto_on += usize::from(view.auto);
        self.widest_title = self.widest_title.max(title_width(&view));
        let line = self.selected_index();
        let place = self.places.get(&view.name).copied().unwrap_or(self.rows.len());
        if let Some(old) = self.rows.get_mut(place) {
            self.auto_on -= usize::from(old.auto);
            *old = view;
        } else {
            self.widest_name = self.widest_name.max(view.name.as_str().width());
            self.places.insert(view.name.clone(), place);
            self.rows.push(view);
        }
        let spot = spot(self.order(), &self.rows[place], &mut self.finder.search(), now);
        self.settle_row(place, spot, now);
        self.keep_selection(line);
    }

    /// Takes a connection away. A selection on it moves to the line that takes its place.
    pub fn remove(&mut self, name: &ConnectionName, now: DateTime<Utc>) {
        let Some(&place) = self.places.get(name) else { return };
        self.rebuild(now, |rows| drop(rows.remove(place)));
    }

    /// Brings the rows into this order, the file's; those it does not name come last.
    pub fn arrange(&mut self, order: &[ConnectionName], now: DateTime<Utc>) {
        let places: HashMap<_, _> = order.iter().zip(0..).collect();
        let place = |view: &ConnectionView| places.get(&view.name).copied().unwrap_or(order.len());
        if !self.rows.is_sorted_by_key(place) {
            self.rebuild(now, |rows| rows.sort_by_key(place));
        }
    }

    /// Changes the rows as a whole, and recomputes all that is known about them.
    fn rebuild(&mut self, now: DateTime<Utc>, change: impl FnOnce(&mut Vec<ConnectionView>)) {
        let line = self.selected_index();
        let marked: BTreeSet<_> = self.marked().map(|view| view.name.clone()).collect();
        change(&mut self.rows);
        self.places = self.rows.iter().enumerate().map(|(place, view)| (view.name.clone(), place)).collect();
        self.widest_name = self.rows.iter().map(|view| view.name.as_str().width()).max().unwrap_or(0);
        self.widest_title = self.rows.iter().map(title_width).max().unwrap_or(0);
        self.auto_on = self.rows.iter().filter(|view| view.auto).count();
        self.unsaved = self.rows.iter().filter(|view| is_unsaved(view)).map(|view| view.name.clone()).collect();
        self.longest_life = self.rows.iter().map(lifetime).max().unwrap_or_default().max(self.longest_life);
        (self.tally, self.clockwork) = Default::default();
        for (place, view) in self.rows.iter().enumerate() {
            self.tally.count(place, view.status(now));
            self.clockwork.set(place, view.next_change(now));
        }
        let (order, mut search) = (self.order(), self.finder.search());
        let spots = self.rows.iter().map(|view| spot(order, view, &mut search, now)).collect();
        let marked = self.rows.iter().map(|view| marked.contains(&view.name)).collect();
        self.arrangement.replace(spots, marked);
        self.keep_selection(line);
    }

    /// Every connection.
    #[must_use]
    pub fn all(&self) -> &[ConnectionView] {
        &self.rows
    }

    /// How many pass the filter.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.arrangement.shown()
    }

    /// How many lines the table has: connections in sight, and the headings of groups.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.arrangement.lines()
    }

    /// How many headings of groups there are.
    #[must_use]
    pub fn headings(&self) -> usize {
        if self.is_grouped() { self.arrangement.blocks().len() } else { 0 }
    }

    /// The lines `first..first + count`.
    pub fn window(&self, first: usize, count: usize) -> impl Iterator<Item = Row<'_>> {
        let end = first.saturating_add(count).min(self.lines());
        (first..end).filter_map(|index| self.arrangement.line(index)).map(|line| match line {
            TableLine::Group(number) => Row::Group(&self.arrangement.blocks()[number]),
            TableLine::Connection(place) => Row::Connection(&self.rows[place], self.arrangement.is_marked(place)),
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
        self.finder.text()
    }

    /// Which letters of a name the filter matched.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        self.finder.search()
    }

    /// Sets the filter. What passes it best comes first and is selected, so that the next key acts
    /// on what was meant.
    pub fn set_filter(&mut self, filter: &str, now: DateTime<Utc>) {
        let line = self.selected_index();
        let old = std::mem::replace(&mut self.finder, Finder::new(filter));
        let narrows = self.finder.narrows(&old);
        let mut search = self.finder.search();
        let spots = self.rows.iter().zip(self.arrangement.spots()).map(|(view, spot)| {
            let out = narrows && spot.score.is_none();
            Spot { score: if out { None } else { search.connection(view, now) }, ..spot.clone() }
        });
        let spots = spots.collect();
        let best_first = !self.finder.is_empty();
        self.arrangement.rearrange(spots, self.order(), best_first);
        match self.arrangement.best() {
            Some(place) if best_first => self.selected = Some(Selected::Connection(self.rows[place].name.clone())),
            _ => self.keep_selection(line),
        }
    }

    /// What the table is sorted by.
    #[must_use]
    pub fn order(&self) -> Order {
        self.arrangement.order()
    }

    /// Whether the best matches come first, before the order.
    #[must_use]
    pub fn is_best_first(&self) -> bool {
        self.arrangement.is_best_first()
    }

    /// Sorts; by the same column again, the other way round. What was asked for last rules: the
    /// best matches come first again with the next filter.
    pub fn sort_by(&mut self, by: Option<Column>, now: DateTime<Utc>) {
        let order = self.order().chosen(by);
        let keyed = |(view, spot): (&ConnectionView, &Spot)| Spot { key: key(order, view, now), ..spot.clone() };
        let spots = self.rows.iter().zip(self.arrangement.spots()).map(keyed).collect();
        self.arrangement.rearrange(spots, order, false);
    }

    /// Counts, filters and sorts again those whose status has changed, which it can with time alone.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        if self.ticked.replace(now).is_some_and(|last| now < last) {
            // The clock was set back: anything may be otherwise.
            return self.rebuild(now, |_| ());
        }
        let due = self.clockwork.take_due(now);
        if due.is_empty() {
            return;
        }
        let line = self.selected_index();
        for place in due {
            let spot = spot(self.order(), &self.rows[place], &mut self.finder.search(), now);
            self.settle_row(place, spot, now);
        }
        self.keep_selection(line);
    }

    /// The connections that are busy or ask for attention, in the configuration's order.
    pub fn asking(&self) -> impl Iterator<Item = &ConnectionView> {
        self.tally.asking().map(|place| &self.rows[place])
    }

    /// The connections whose newest tokens are not in the store yet.
    #[must_use]
    pub fn unsaved(&self) -> &BTreeSet<ConnectionName> {
        &self.unsaved
    }

    /// The columns of the widest name.
    #[must_use]
    pub fn widest_name(&self) -> usize {
        self.widest_name
    }

    /// The columns of the widest title; 0 where no connection has one.
    #[must_use]
    pub fn widest_title(&self) -> usize {
        self.widest_title
    }

    /// The longest lifetime any access token has had; zero while none is known.
    #[must_use]
    pub fn longest_life(&self) -> TimeDelta {
        self.longest_life
    }

    /// How many are refreshed automatically.
    #[must_use]
    pub fn auto_on(&self) -> usize {
        self.auto_on
    }

    /// How many connections are in each status.
    #[must_use]
    pub fn tally(&self) -> &StatusCounts {
        &self.tally
    }

    /// Counts the connection at `place` and puts it where it belongs.
    fn settle_row(&mut self, place: usize, spot: Spot, now: DateTime<Utc>) {
        self.tally.count(place, self.rows[place].status(now));
        self.clockwork.set(place, self.rows[place].next_change(now));
        self.arrangement.put(place, spot);
    }
}

/// Whether its newest tokens are not in the store yet.
fn is_unsaved(view: &ConnectionView) -> bool {
    matches!(view.holding, Holding::Tokens { saved: false, .. })
}

/// The access token's whole lifetime; zero where there is none.
fn lifetime(view: &ConnectionView) -> TimeDelta {
    view.shown_token().map_or(TimeDelta::zero(), TokenFacts::lifetime)
}

fn title_width(view: &ConnectionView) -> usize {
    view.title.as_ref().map_or(0, |title| title.width())
}

/// What decides where a connection stands.
fn spot(order: Order, view: &ConnectionView, search: &mut Search<'_>, now: DateTime<Utc>) -> Spot {
    Spot {
        provider: view.provider,
        key: key(order, view, now),
        score: search.connection(view, now),
        severity: view.status(now).severity(),
    }
}

fn key(order: Order, view: &ConnectionView, now: DateTime<Utc>) -> SortKey {
    order.by.map_or(SortKey::NOTHING, |column| column.key(view, now))
}
