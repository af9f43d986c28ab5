//! The lines of the connections table: what passes the filter, in order, in groups that fold.
//!
//! Invariants: the connections of a block are always sorted; each of them is where its
//! [`Spot`] says; the numbers of a block are those of its members. Changing one connection moves
//! that one alone; only a new order, grouping or filter arranges all of them again.

use std::cmp::{Ordering, Reverse};

use crate::dashboard::connections::sort::{Order, SortKey};
use crate::domain::{Provider, Severity};

/// What decides where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Its group, where there are groups.
    pub provider: &'static Provider,
    /// What it is sorted by.
    pub key: SortKey,
    /// How well it passes the filter; none where it does not.
    pub score: Option<u32>,
    /// How much its status asks for attention.
    pub severity: Severity,
}

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
    /// Whether its members are out of sight.
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

    fn has_heading(&self) -> bool {
        self.provider.is_some() && !self.members.is_empty()
    }

    fn lines(&self) -> usize {
        usize::from(self.has_heading()) + if self.folded { 0 } else { self.members.len() }
    }
}

/// Where everything stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    spots: Vec<Spot>,
    marked: Vec<bool>,
    marks: usize,
    blocks: Vec<Block>,
    folded: Vec<&'static Provider>,
    order: Order,
    grouped: bool,
    best_first: bool,
}

impl Arrangement {
    /// Puts the connection at `place` where it belongs. Places are given out in order: one more
    /// than the last is a new connection.
    pub fn put(&mut self, place: usize, spot: Spot) {
        match self.spots.get(place) {
            Some(old) if *old == spot => return,
            Some(_) => {
                self.take_out(place);
                self.spots[place] = spot;
            }
            None => {
                self.spots.push(spot);
                self.marked.push(false);
            }
        }
        self.put_in(place);
    }

    /// Arranges all of them again: what every connection is sorted by and how well it passes the filter.
    pub fn rearrange(&mut self, spots: Vec<Spot>, order: Order, best_first: bool) {
        self.spots = spots;
        self.order = order;
        self.best_first = best_first;
        self.build();
    }

    /// Takes other connections in place of those there were, each marked or not.
    pub fn replace(&mut self, spots: Vec<Spot>, marked: Vec<bool>) {
        self.spots = spots;
        self.marks = marked.iter().filter(|marked| **marked).count();
        self.marked = marked;
        self.build();
    }

    /// With groups, or without.
    pub fn group(&mut self, grouped: bool) {
        self.grouped = grouped;
        self.build();
    }

    /// Hides or shows the members of a group.
    pub fn fold(&mut self, provider: &'static Provider, folded: bool) {
        self.folded.retain(|other| *other != provider);
        if folded {
            self.folded.push(provider);
        }
        if let Some(block) = self.blocks.iter_mut().find(|block| block.provider == Some(provider)) {
            block.folded = folded;
        }
    }

    /// Marks a connection, or takes its mark away.
    pub fn mark(&mut self, place: usize, on: bool) {
        let Some(own) = self.marked.get_mut(place) else { return };
        if std::mem::replace(own, on) == on {
            return;
        }
        let step = |number: usize| if on { number + 1 } else { number - 1 };
        self.marks = step(self.marks);
        if self.passes(place)
            && let Some(block) = self.block_of(place)
        {
            self.blocks[block].marked = step(self.blocks[block].marked);
        }
    }

    /// Takes every mark away.
    pub fn unmark_all(&mut self) {
        self.marked.fill(false);
        self.marks = 0;
        for block in &mut self.blocks {
            block.marked = 0;
        }
    }

    /// What it is sorted by.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// Whether there are groups.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Whether what passes the filter best comes first, before the order.
    #[must_use]
    pub fn is_best_first(&self) -> bool {
        self.best_first
    }

    /// What decides where the connection at `place` stands.
    #[must_use]
    pub fn spot(&self, place: usize) -> &Spot {
        &self.spots[place]
    }

    /// Every one of them.
    #[must_use]
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// Whether the connection at `place` is marked.
    #[must_use]
    pub fn is_marked(&self, place: usize) -> bool {
        self.marked.get(place).copied().unwrap_or(false)
    }

    /// How many are marked, and how many of those are out of sight.
    #[must_use]
    pub fn marks(&self) -> (usize, usize) {
        let seen: usize = self.blocks.iter().filter(|block| !block.folded).map(|block| block.marked).sum();
        (self.marks, self.marks - seen)
    }

    /// The groups, or the one block of all.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// How many connections pass the filter.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.blocks.iter().map(Block::size).sum()
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.blocks.iter().map(Block::lines).sum()
    }

    /// The line at an index.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<TableLine> {
        let mut left = index;
        for (number, block) in self.blocks.iter().enumerate() {
            if left >= block.lines() {
                left -= block.lines();
                continue;
            }
            return match (block.has_heading(), left) {
                (true, 0) => Some(TableLine::Group(number)),
                (heading, left) => block.members.get(left - usize::from(heading)).copied().map(TableLine::Connection),
            };
        }
        None
    }

    /// Where the connection at `place` stands among the lines; none while it is out of sight.
    #[must_use]
    pub fn line_of(&self, place: usize) -> Option<usize> {
        let number = self.block_of(place).filter(|number| !self.blocks[*number].folded)?;
        let at = self.find(number, place).ok()?;
        Some(self.start_of(number) + usize::from(self.blocks[number].has_heading()) + at)
    }

    /// Where the heading of a group stands among the lines.
    #[must_use]
    pub fn line_of_group(&self, provider: &Provider) -> Option<usize> {
        let own = |block: &Block| block.has_heading() && block.provider == Some(provider);
        self.blocks.iter().position(own).map(|number| self.start_of(number))
    }

    /// The connection in sight that passes the filter best.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        let firsts = self.blocks.iter().filter(|block| !block.folded).filter_map(|block| block.members.first());
        // Of equals the last one wins, so they are looked at from behind.
        firsts.rev().copied().max_by_key(|place| self.spots[*place].score)
    }

    fn build(&mut self) {
        self.blocks.clear();
        for place in 0..self.spots.len() {
            let number = self.make_block(place);
            if self.passes(place) {
                self.blocks[number].members.push(place);
            }
        }
        let mut blocks = std::mem::take(&mut self.blocks);
        for block in &mut blocks {
            block.members.sort_unstable_by(|one, other| self.compare(*one, *other));
            for place in &block.members {
                block.severities[self.spots[*place].severity as usize] += 1;
                block.marked += usize::from(self.marked[*place]);
            }
        }
        self.blocks = blocks;
    }

    fn compare(&self, one: usize, other: usize) -> Ordering {
        let score = |place: usize| Reverse(self.spots[place].score.filter(|_| self.best_first));
        let key = |place: usize| (&self.spots[place].key, place);
        score(one).cmp(&score(other)).then_with(|| self.order.compare(key(one), key(other)))
    }

    fn passes(&self, place: usize) -> bool {
        self.spots[place].score.is_some()
    }

    fn heading_of(&self, place: usize) -> Option<&'static Provider> {
        self.grouped.then(|| self.spots[place].provider)
    }

    fn block_of(&self, place: usize) -> Option<usize> {
        let provider = self.heading_of(place);
        self.blocks.iter().position(|block| block.provider == provider)
    }

    /// The block of a connection; groups stand in the order their first members have in the file.
    fn make_block(&mut self, place: usize) -> usize {
        if let Some(number) = self.block_of(place) {
            return number;
        }
        let provider = self.heading_of(place);
        let folded = provider.is_some_and(|provider| self.folded.contains(&provider));
        self.blocks.push(Block { provider, folded, severities: [0; 5], marked: 0, members: Vec::new() });
        self.blocks.len() - 1
    }

    fn start_of(&self, number: usize) -> usize {
        self.blocks[..number].iter().map(Block::lines).sum()
    }

    fn find(&self, number: usize, place: usize) -> Result<usize, usize> {
        self.blocks[number].members.binary_search_by(|other| self.compare(*other, place))
    }

    fn take_out(&mut self, place: usize) {
        let Some(number) = self.block_of(place) else { return };
        let Ok(at) = self.find(number, place) else { return };
        let block = &mut self.blocks[number];
        block.members.remove(at);
        block.severities[self.spots[place].severity as usize] -= 1;
        block.marked -= usize::from(self.marked[place]);
    }

    fn put_in(&mut self, place: usize) {
        let number = self.make_block(place);
        if !self.passes(place) {
            return;
        }
        let (Ok(at) | Err(at)) = self.find(number, place);
        let block = &mut self.blocks[number];
        block.members.insert(at, place);
        block.severities[self.spots[place].severity as usize] += 1;
        block.marked += usize::from(self.marked[place]);
    }
}
