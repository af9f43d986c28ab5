//! The lines of the connections table, and all that is counted over the connections.
//!
//! It is computed as a whole from the rows, the filter and the order, in one pass and a sort: a thousand connections take
//! well under a millisecond. Nothing in it changes afterwards.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::sort::{Order, SortKey};
use crate::dashboard::connections::status_counts::StatusCounts;
use crate::dashboard::fuzzy::Finder;
use crate::domain::{ConnectionName, ConnectionView, Holding, Provider, Severity};

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableLine {
    /// The heading of a group, by its number.
    Group(usize),
    /// A connection, by its place in the file.
    Connection(usize),
}

/// The connections of one provider, or all of them where there are no groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Whose heading stands above; none where there are no groups.
    pub provider: Option<&'static Provider>,
    /// Whether its members are hidden.
    pub folded: bool,
    /// How many of its members are of each severity.
    pub severities: [usize; 5],
    /// How many of its members are marked.
    pub marked: usize,
    members: Vec<usize>,
}

impl Block {
    /// How many connections of it pass the filter.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Its members by their places in the file, in the order of the table.
    #[must_use]
    pub fn members(&self) -> &[usize] {
        &self.members
    }
}

/// How the table is to be arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// What lets a connection through.
    pub finder: Finder,
    /// What it is sorted by.
    pub order: Order,
    /// Whether what passes the filter best comes first, before the order.
    pub best_first: bool,
    /// Whether there are groups.
    pub grouped: bool,
    /// The groups whose members are hidden.
    pub folded: Vec<&'static Provider>,
    /// The marked connections.
    pub marked: BTreeSet<ConnectionName>,
}

/// The arranged table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// The groups, or the one block of all.
    pub blocks: Vec<Block>,
    /// The lines, from top to bottom.
    pub lines: Vec<TableLine>,
    /// Where each connection stands among the lines; none for a hidden one.
    pub line_of: Vec<Option<usize>>,
    /// How many connections pass the filter.
    pub shown: usize,
    /// How many are marked, and how many of those are hidden.
    pub marks: (usize, usize),
    /// The visible connection that passes the filter best.
    pub best: Option<usize>,
    /// How many connections are in each status.
    pub counts: StatusCounts,
    /// The places of those that are busy or ask for attention, in order.
    pub asking: Vec<usize>,
    /// The connections whose newest tokens are not in the store yet.
    pub unsaved: BTreeSet<ConnectionName>,
    /// How many are refreshed automatically.
    pub auto_on: usize,
    /// The columns of the widest name.
    pub widest_name: usize,
    /// The columns of the widest title; 0 where no connection has one.
    pub widest_title: usize,
}

/// What decides where a connection stands.
struct Spot {
    key: SortKey,
    score: Option<u32>,
    severity: Severity,
    marked: bool,
}

impl Arrangement {
    /// Arranges the rows by their statuses at `now`.
    #[must_use]
    pub fn of(rows: &[ConnectionView], options: &TableOptions, now: DateTime<Utc>) -> Self {
        let mut table = Self { line_of: vec![None; rows.len()], ..Self::default() };
        let spots = table.count(rows, options, now);
        table.group(rows, &spots, options);
        for block in &mut table.blocks {
            block.members.sort_by(|one, other| compare(&spots, options, *one, *other));
        }
        table.lay_out();
        table.marks.1 = table.marks.0 - table.visible().filter(|place| spots[*place].marked).count();
        let firsts = table.blocks.iter().filter(|block| !block.folded).filter_map(|block| block.members.first());
        // Of equals the last one wins, so they are looked at from behind.
        table.best = firsts.rev().copied().max_by_key(|place| spots[*place].score);
        table
    }

    /// The connections in sight.
    pub fn visible(&self) -> impl Iterator<Item = usize> + '_ {
        self.lines.iter().filter_map(|line| if let TableLine::Connection(place) = line { Some(*place) } else { None })
    }

    /// The line of a group's heading.
    #[must_use]
    pub fn line_of_group(&self, provider: &Provider) -> Option<usize> {
        let own = |number: usize| self.blocks[number].provider == Some(provider);
        self.lines.iter().position(|line| matches!(line, TableLine::Group(number) if own(*number)))
    }

    /// Counts everything, and finds out where each connection belongs.
    fn count(&mut self, rows: &[ConnectionView], options: &TableOptions, now: DateTime<Utc>) -> Vec<Spot> {
        let mut search = options.finder.search();
        let spot = |(place, view): (usize, &ConnectionView)| {
            let status = view.status(now);
            let severity = status.severity();
            let marked = !options.marked.is_empty() && options.marked.contains(&view.name);
            self.counts.count(status);
            self.marks.0 += usize::from(marked);
            self.auto_on += usize::from(view.auto);
            self.widest_name = self.widest_name.max(view.name.as_str().width());
            self.widest_title = self.widest_title.max(view.title.as_ref().map_or(0, |title| title.width()));
            if severity >= Severity::Busy {
                self.asking.push(place);
            }
            if matches!(view.holding, Holding::Tokens { saved: false, .. }) {
                self.unsaved.insert(view.name.clone());
            }
            Spot { key: key(options.order.by, view, now), score: search.connection(view, now), severity, marked }
        };
        rows.iter().enumerate().map(spot).collect()
    }

    /// Puts those that pass the filter into blocks. Groups stand in the order their first members have in the file.
    fn group(&mut self, rows: &[ConnectionView], spots: &[Spot], options: &TableOptions) {
        for (place, (view, spot)) in rows.iter().zip(spots).enumerate() {
            let provider = options.grouped.then_some(view.provider);
            let number = self.blocks.iter().position(|block| block.provider == provider).unwrap_or_else(|| {
                let folded = provider.is_some_and(|provider| options.folded.contains(&provider));
                self.blocks.push(Block { provider, folded, severities: [0; 5], marked: 0, members: Vec::new() });
                self.blocks.len() - 1
            });
            if spot.score.is_some() {
                let block = &mut self.blocks[number];
                block.members.push(place);
                block.severities[spot.severity as usize] += 1;
                block.marked += usize::from(spot.marked);
                self.shown += 1;
            }
        }
    }

    fn lay_out(&mut self) {
        for (number, block) in self.blocks.iter().enumerate() {
            if block.provider.is_some() && !block.members.is_empty() {
                self.lines.push(TableLine::Group(number));
            }
            for place in block.members.iter().filter(|_| !block.folded) {
                self.line_of[*place] = Some(self.lines.len());
                self.lines.push(TableLine::Connection(*place));
            }
        }
    }
}

fn compare(spots: &[Spot], options: &TableOptions, one: usize, other: usize) -> Ordering {
    let score = |place: usize| Reverse(spots[place].score.filter(|_| options.best_first));
    let key = |place: usize| (&spots[place].key, place);
    score(one).cmp(&score(other)).then_with(|| options.order.compare(key(one), key(other)))
}

fn key(by: Option<Column>, view: &ConnectionView, now: DateTime<Utc>) -> SortKey {
    by.map_or(SortKey::NOTHING, |column| column.key(view, now))
}
