//! The help in columns: as many as fit, filled from the left and of about the same height; first the keys that work
//! now, below them all others.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::help::HelpScreen;
use crate::dashboard::help::sections::{self, HelpSection};
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};

/// The fewest columns of the screen that make one of the help.
const NARROWEST: u16 = 50;
/// The space between two.
pub(crate) const GAP: u16 = 2;
/// The columns kept for keys.
const KEYS: usize = 12;

/// The help, laid out.
#[derive(Debug)]
pub(crate) struct HelpColumns {
    /// Each column, its lines wrapped to `width`.
    pub columns: Vec<Sheet>,
    /// How wide each is.
    pub width: u16,
    /// How many keys there are.
    pub entries: usize,
}

impl HelpColumns {
    /// How many lines the longest has.
    pub fn height(&self) -> usize {
        self.columns.iter().map(|column| column.lines.len()).max().unwrap_or(0)
    }
}

/// A section with its entries wrapped.
struct HelpBlock {
    title: &'static str,
    entries: Vec<Vec<SheetLine>>,
}

/// The help in a text of `width` columns.
pub(crate) fn of(app: &App, help: &HelpScreen, width: u16, now: DateTime<Utc>) -> HelpColumns {
    let count = ((width + GAP) / (NARROWEST + GAP)).max(1);
    let width = (width + GAP) / count - GAP;
    let sections = sections::of(app, help, now);
    let entries = sections.iter().map(|section| section.entries.len()).sum();
    let count = usize::from(count);
    let (here, elsewhere): (Vec<_>, Vec<_>) = sections.into_iter().partition(|section| section.is_here);
    let mut columns = vec![Vec::new(); count];
    for (group, title) in [(here, None), (elsewhere, Some("On other screens"))] {
        if group.is_empty() {
            continue;
        }
        if let Some(title) = title {
            rule(&mut columns, title, width);
        }
        let blocks: Vec<_> = group.into_iter().map(|section| block(section, width)).collect();
        for (column, lines) in columns.iter_mut().zip(fill(&blocks, count)) {
            column.extend(lines);
        }
    }
    let columns = columns.into_iter().map(|lines| Sheet { lines, label_width: KEYS }).collect();
    HelpColumns { columns, width, entries }
}

fn block(section: HelpSection, width: u16) -> HelpBlock {
    let entries = section.entries.into_iter().map(|entry| {
        let tone = if entry.is_idle { Tone::Dim } else { Tone::Key };
        let lines = vec![SheetLine::new(entry.label, entry.text, tone)];
        Sheet { lines, label_width: KEYS }.wrapped(width.into())
    });
    HelpBlock { title: section.title, entries: entries.collect() }
}

/// Brings all columns to the same height, and draws a line across them.
fn rule(columns: &mut [Vec<SheetLine>], title: &str, width: u16) {
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    for (at, column) in columns.iter_mut().enumerate() {
        column.resize_with(height, SheetLine::blank);
        if height > 0 {
            column.push(SheetLine::blank());
        }
        let title = if at == 0 { format!("── {title} ") } else { String::new() };
        let line = format!("{title:─<width$}", width = usize::from(width));
        column.push(SheetLine::new(line, "", Tone::Dim));
    }
}

/// Fills columns of the least height that is enough.
fn fill(blocks: &[HelpBlock], count: usize) -> Vec<Vec<SheetLine>> {
    let lines: usize = blocks.iter().map(|block| 2 + block.entries.iter().map(Vec::len).sum::<usize>()).sum();
    let least = (lines / count).max(1);
    let filled = (least..lines + count).find_map(|height| fill_to(blocks, count, height));
    filled.unwrap_or_default()
}

/// Fills `count` columns up to a height, if that is enough. No entry is divided, and no title is the last line.
fn fill_to(blocks: &[HelpBlock], count: usize, height: usize) -> Option<Vec<Vec<SheetLine>>> {
    let mut columns: Vec<Vec<SheetLine>> = vec![Vec::new()];
    for block in blocks {
        for (at, entry) in block.entries.iter().enumerate() {
            let used = columns.last().map_or(0, Vec::len);
            let above = if at > 0 { 0 } else { 1 + usize::from(used > 0) };
            let is_full = used > 0 && used + above + entry.len() > height;
            if is_full && columns.len() == count {
                return None;
            }
            if is_full {
                columns.push(Vec::new());
            }
            let column = columns.last_mut()?;
            if at == 0 && !column.is_empty() {
                column.push(SheetLine::blank());
            }
            if at == 0 || column.is_empty() {
                let title = if at == 0 { block.title.to_owned() } else { format!("{} (continued)", block.title) };
                column.push(SheetLine::new("", title, Tone::Heading));
            }
            column.extend(entry.iter().cloned());
        }
    }
    Some(columns)
}
