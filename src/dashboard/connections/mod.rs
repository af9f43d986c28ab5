//! The connections on the screen: their filter, order and groups, which is selected and which are
//! marked.
//!
//! Invariants: the selection is a name, not a line, so it survives whatever moves; it is on a line
//! that is seen, if there is any; no operation that happens per key, event or draw looks at all
//! rows, except what changes filter, order, groups or the configuration. The tick once a second
//! looks at the statuses that time may have changed by then, and moves only what changed.

pub mod actions;
pub mod columns;
pub mod filter;
pub mod groups;
pub mod marked;
pub mod rows;
pub mod sort;
pub mod status_counts;
pub mod status_deadlines;
pub mod view;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::connections::columns::Column;
use crate::dashboard::connections::rows::{Arrangement, Block, Spot, TableLine};
use crate::dashboard::connections::sort::{Order, SortKey};
use crate::dashboard::connections::status_counts::StatusCounts;
use crate::dashboard::connections::status_deadlines::StatusDeadlines;
use crate::dashboard::fuzzy::{Finder, Search};
use crate::dashboard::layout::first_row;
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
        all.anew(now, |rows| *rows = views);
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
        self.anew(now, |rows| drop(rows.remove(place)));
    }

    /// Brings the rows into this order, the file's; those it does not name come last.
    pub fn arrange(&mut self, order: &[ConnectionName], now: DateTime<Utc>) {
        let places: HashMap<_, _> = order.iter().zip(0..).collect();
        let place = |view: &ConnectionView| places.get(&view.name).copied().unwrap_or(order.len());
        if !self.rows.is_sorted_by_key(place) {
            self.anew(now, |rows| rows.sort_by_key(place));
        }
    }

    /// Changes the rows as a whole, and finds out anew all that is known about them.
    fn anew(&mut self, now: DateTime<Utc>, change: impl FnOnce(&mut Vec<ConnectionView>)) {
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

    /// The filter as typed.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.finder.text()
    }

    /// What tells which letters of a name the filter matched.
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

    /// Counts, filters and sorts anew whose status has changed, which it can with time alone.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        if self.ticked.replace(now).is_some_and(|last| now < last) {
            // The clock was set back: anything may be otherwise.
            return self.anew(now, |_| ());
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

    fn block(&self, provider: &Provider) -> Option<&Block> {
        self.arrangement.blocks().iter().find(|block| block.provider == Some(provider))
    }

    /// A selection that is out of sight moves to its group's heading where that has folded, else
    /// to the line that has come where it was.
    fn keep_selection(&mut self, line: Option<usize>) {
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
