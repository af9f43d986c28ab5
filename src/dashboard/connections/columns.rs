//! The columns of the connections table: each one's heading, contents, sort key and room.
//!
//! This is the one place where a column is added: give [`Column`] another name, and the compiler
//! asks for the rest here. Which columns there is room for is known here, below the drawing, so
//! that a click on a heading finds its column. Narrow screens lose columns, not meaning: name,
//! status and time left are always there.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::dashboard::App;
use crate::dashboard::connections::chosen_fit;
use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::sort::{Order, SortKey};
use crate::dashboard::theme::symbols::symbol;
use crate::dashboard::widgets::sheet::Tone;
use crate::domain::text::neutralise;
use crate::domain::{ConnectionView, Holding, Problem, Severity, Status};
use crate::format::time::{Zone, ago, countdown};

/// A piece of a cell: a text, and how it speaks.
pub type Piece = (String, Tone);

impl Column {
    /// Its heading in `width` columns, with the mark of the order the table is in.
    #[must_use]
    pub fn heading(self, width: u16, order: Order) -> String {
        let (text, short) = match self {
            Self::Name => ("NAME", "NAME"),
            Self::Title => ("TITLE", "TITLE"),
            Self::Provider => ("PROVIDER", "PROVIDER"),
            Self::Status => ("STATUS", "STATUS"),
            Self::Access => ("ACCESS TOKEN", "ACCESS"),
            Self::Refresh => ("REFRESH TOKEN", "REFRESH"),
            Self::Auto => ("AUTO", "AUTO"),
            Self::Last => ("LAST", "LAST"),
            Self::Ends => ("ENDS", "ENDS"),
            Self::Next => ("NEXT", "NEXT"),
            Self::Why => ("WHY", "WHY"),
        };
        let lead = if self == Self::Name { " ".repeat(MARKER.into()) } else { String::new() };
        let room = usize::from(width).saturating_sub(lead.width());
        let (mark, room) =
            if order.by == Some(self.sorted_as()) { (order.mark(), room.saturating_sub(2)) } else { ("", room) };
        let text = if text.width() <= room { text } else { short };
        if mark.is_empty() {
            return format!("{lead}{text}");
        }
        // Where not even a blank fits between the two, the mark matters more than the last letter.
        let kept: String = text.chars().take(room + 1).collect();
        let gap = if kept.width() <= room { " " } else { "" };
        format!("{lead}{kept}{gap}{mark}")
    }

    /// What its rows are sorted by.
    #[must_use]
    pub fn key(self, view: &ConnectionView, now: DateTime<Utc>) -> SortKey {
        let token = view.shown_token();
        match self {
            Self::Name => SortKey::text(view.name.as_str()),
            Self::Title => view.title.as_deref().map_or(SortKey::NOTHING, SortKey::text),
            Self::Provider => SortKey::text(view.provider.label),
            Self::Status => {
                let status = view.status(now);
                SortKey::rank(Severity::Bad as u16 - status.severity() as u16, status.id())
            }
            Self::Access | Self::Ends => SortKey::moment(token.map(|facts| facts.expires_at)),
            Self::Refresh => {
                let refresh = token.and_then(|facts| facts.refresh.as_ref());
                SortKey::moment(refresh.map(|refresh| refresh.estimated_end))
            }
            Self::Auto => SortKey::rank(u16::from(!view.auto), ""),
            // What failed comes first: no answer at all, then the greatest status.
            Self::Last => match view.last.as_ref().map(|last| &last.result) {
                None => SortKey::NOTHING,
                Some(Err(word)) => SortKey::rank(0, word),
                Some(Ok(status)) => SortKey::rank(u16::MAX - status, ""),
            },
            Self::Next => SortKey::moment(view.next_refresh),
            Self::Why => match why(view, &view.status(now)) {
                why if why.is_empty() => SortKey::NOTHING,
                why => SortKey::text(&why),
            },
        }
    }

    /// What stands in it for a connection.
    #[must_use]
    pub fn cell(self, view: &ConnectionView, width: u16, zone: Zone, now: DateTime<Utc>) -> Vec<Piece> {
        let status = view.status(now);
        match self {
            Self::Name => vec![(view.name.to_string(), Tone::Heading)],
            Self::Title => vec![(neutralise(view.title.as_deref().unwrap_or_default(), 160), Tone::Plain)],
            Self::Provider => vec![(view.provider.label.into(), Tone::Plain)],
            Self::Status => {
                let text = format!("{} {}", symbol(&status, now), words(&status, width, now));
                vec![(text, Tone::Status(status.severity()))]
            }
            Self::Access => access(view, width, now),
            Self::Refresh => vec![refresh(view, &status, now)],
            Self::Auto if view.auto => vec![("on".into(), Tone::Plain)],
            Self::Auto => vec![("off".into(), Tone::Dim)],
            Self::Last => vec![last(view)],
            Self::Ends => vec![moment(zone, view.shown_token().map(|facts| facts.expires_at), now)],
            Self::Next => vec![moment(zone, view.next_refresh, now)],
            // The colour is the status's.
            Self::Why => vec![(why(view, &status), Tone::Plain)],
        }
    }
}

/// The status in words, with its time or process where they fit.
fn words(status: &Status, width: u16, now: DateTime<Utc>) -> String {
    let detailed = match status {
        Status::WaitingForLock { pid: Some(pid) } => format!("waiting for PID {pid}"),
        Status::WaitingForLock { pid: None } => "waiting for lock".into(),
        Status::Retrying { at: Some(at) } if *at > now => format!("retrying in {}", countdown(*at - now)),
        Status::AnswerLost { at: Some(_) } => "answer lost, retrying".into(),
        Status::RateLimited { until } if *until > now => format!("rate limited {}", countdown(*until - now)),
        _ => return status.word().into(),
    };
    if detailed.len() + 2 <= usize::from(width) { detailed } else { status.word().into() }
}

fn access(view: &ConnectionView, width: u16, now: DateTime<Utc>) -> Vec<Piece> {
    let Some(facts) = view.shown_token() else { return vec![missing(view)] };
    let left = facts.remaining(now);
    if left <= TimeDelta::zero() {
        return vec![(format!("expired {}", ago(-left)), Tone::Status(Severity::Warning))];
    }
    let share = facts.share_left(now);
    let severity = if share < 0.1 { Severity::Warning } else { Severity::Good };
    let (full, empty) = gauge(share, width.saturating_sub(COUNTDOWN));
    vec![(full, Tone::Status(severity)), (empty, Tone::Dim), (format!("  {:>7}", countdown(left)), Tone::Plain)]
}

/// What stands where there is no token; nothing while the store has not answered.
fn missing(view: &ConnectionView) -> Piece {
    let text = if view.holding == Holding::Unknown { "" } else { "—" };
    (text.into(), Tone::Dim)
}

/// A time of day.
fn moment(zone: Zone, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Piece {
    at.map_or_else(|| ("—".into(), Tone::Dim), |at| (zone.column(at, now), Tone::Plain))
}

/// What stands in the way; while something is being done about it, nothing.
fn why(view: &ConnectionView, status: &Status) -> String {
    let problem = view.problem.as_ref().filter(|_| status.severity() >= Severity::Warning);
    problem.map(|problem| neutralise(&cause(problem), 200)).unwrap_or_default()
}

/// The cause alone: the word for the problem stands in the status column.
fn cause(problem: &Problem) -> String {
    match problem {
        Problem::NeedsLogin { why }
        | Problem::Misconfigured { why, .. }
        | Problem::Uncertain { why }
        | Problem::NotSaved { why, .. }
        | Problem::RolledBack { why }
        | Problem::StoreUnavailable { why }
        | Problem::PassphraseNeeded { why }
        | Problem::AnswerLost { why, .. }
        | Problem::Retrying { why, .. } => why.to_string(),
        Problem::NoClientSecret { .. } | Problem::NeverLoggedIn | Problem::RateLimited { .. } | Problem::Cancelled => {
            String::new()
        }
    }
}

/// What is full of the gauge. Its glyphs are low, so that those of neighbouring rows do not grow
/// into one block.
pub const FULL: char = '━';
/// What is empty of it.
pub const EMPTY: char = '─';

/// A bar of `width` columns, filled to a share; what is not nothing shows.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is 0 to 1, a width below 2^16")]
fn gauge(share: f64, width: u16) -> (String, String) {
    let full = ((share * f64::from(width)).round() as usize).clamp(usize::from(width > 0), usize::from(width));
    (FULL.to_string().repeat(full), EMPTY.to_string().repeat(usize::from(width) - full))
}

fn refresh(view: &ConnectionView, status: &Status, now: DateTime<Utc>) -> Piece {
    let Some(refresh) = view.shown_token().and_then(|facts| facts.refresh.as_ref()) else { return missing(view) };
    let bad = |word: &str| (word.to_owned(), Tone::Status(Severity::Bad));
    match (status, &view.problem) {
        (_, Some(Problem::NeedsLogin { .. })) => bad("revoked"),
        (_, Some(Problem::Uncertain { .. })) => bad("uncertain"),
        (Status::AnswerLost { .. }, _) => ("in doubt".into(), Tone::Status(Severity::Warning)),
        (Status::RolledBack, _) => bad("outdated"),
        _ if refresh.estimated_end <= now => ("~ended".into(), Tone::Status(Severity::Warning)),
        _ => (format!("~{}", countdown(refresh.estimated_end - now)), Tone::Plain),
    }
}

fn last(view: &ConnectionView) -> Piece {
    match view.last.as_ref().map(|last| &last.result) {
        None => (String::new(), Tone::Plain),
        Some(Ok(status)) if *status < 400 => (status.to_string(), Tone::Plain),
        Some(Ok(status)) => (status.to_string(), Tone::Status(Severity::Warning)),
        Some(Err(word)) => (neutralise(word, 9), Tone::Status(Severity::Warning)),
    }
}

/// The columns of a table, and how far they stand apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Each with its width, from left to right.
    pub widths: Vec<(Column, u16)>,
    /// Blank columns between two of them.
    pub spacing: u16,
}

impl Columns {
    /// The column at `x`, counted from where the first one begins; the gap after a column is its own.
    #[must_use]
    pub fn at(&self, x: u16) -> Option<Column> {
        let mut end = 0;
        let hit = self.widths.iter().find(|(_, width)| {
            end += width + self.spacing;
            x < end
        });
        hit.map(|(column, _)| *column)
    }
}

const MARKER: u16 = 2;
const STATUS: u16 = 18;
/// Room for `◐ waiting for PID 4194304`.
const STATUS_WIDE: u16 = 25;
/// Room for `expired 364d ago`.
const TIME: u16 = 16;
/// Room for two spaces and a countdown beside the bar.
const COUNTDOWN: u16 = 9;
/// Room for a time of day.
const EXACT: u16 = 8;
/// The least room in which a cause is worth showing.
const WHY: u16 = 30;
/// The least room worth giving titles, and what they get before the bars grow longer.
const TITLE: u16 = 10;
const TITLE_WIDE: u16 = 18;
const REFRESH: u16 = 9;
const REFRESH_WIDE: u16 = 13;

/// The columns of the dashboard's table, whose rows stand in `rows`.
#[must_use]
pub fn of(app: &App, rows: Rect) -> Columns {
    let longest = u16::try_from(app.connections.widest_name()).unwrap_or(u16::MAX);
    let title = u16::try_from(app.connections.widest_title()).unwrap_or(u16::MAX);
    // The marker keeps text from the left border, a blank column from the right one.
    let width = rows.width.saturating_sub(1);
    let Some(chosen) = app.columns.shown() else { return fit(width, longest, title) };
    let (widths, spacing) = chosen_fit::fit(chosen, width, longest, title);
    Columns { widths, spacing }
}

/// The columns for a table `width` wide whose longest name has `longest` characters and whose
/// widest title has `titles`; 0 where there is none.
#[must_use]
pub fn fit(width: u16, longest: u16, titles: u16) -> Columns {
    let mut left = width;
    let mut take = |wanted: u16| {
        let fits = left >= wanted;
        left -= if fits { wanted } else { 0 };
        fits
    };
    // In the order of importance; each with the blank before it. The first three always fit.
    let name = longest.clamp(8, 14);
    take(MARKER + name);
    take(1 + STATUS);
    take(1 + TIME);
    let auto = take(1 + 4);
    let refresh = take(1 + REFRESH);
    let last = take(1 + 7);
    let provider = take(1 + 8);
    let title = titles.clamp(TITLE, TITLE_WIDE);
    let title = (titles > 0 && take(1 + title)).then_some(title);
    let status = if take(STATUS_WIDE - STATUS) { STATUS_WIDE } else { STATUS };
    let refresh_width = if refresh && take(REFRESH_WIDE - REFRESH) { REFRESH_WIDE } else { REFRESH };
    let bar = if take(10 + COUNTDOWN - TIME) { 10 } else { TIME - COUNTDOWN };
    // What is left goes to long names, then to exact times and causes, to air, to a longer bar.
    let longer_name = longest.saturating_sub(name).min(left);
    let left = left - longer_name;
    let longer_title = title.map_or(0, |title| titles.saturating_sub(title).min(left / 3));
    let left = left - longer_title;
    let times = left >= 40;
    let left = left - if times { 2 * (1 + EXACT) } else { 0 };
    let gaps =
        2 + [auto, refresh, last, provider, title.is_some(), times, times].into_iter().map(u16::from).sum::<u16>();
    let why = left >= 3 * (gaps + 1) + 1 + WHY;
    let (left, gaps) = if why { (left - 1 - WHY, gaps + 1) } else { (left, gaps) };
    let air = (left / gaps).min(3);
    let left = left - air * gaps;
    let longer_bar = left.min(if why { 10 } else { 20 });
    let bar = bar + longer_bar;

    let mut widths = vec![(Column::Name, MARKER + name + longer_name)];
    widths.extend(title.map(|title| (Column::Title, title + longer_title)));
    widths.extend(provider.then_some((Column::Provider, 8)));
    widths.extend([(Column::Status, status), (Column::Access, bar + COUNTDOWN)]);
    widths.extend(times.then_some((Column::Ends, EXACT)));
    widths.extend(refresh.then_some((Column::Refresh, refresh_width)));
    widths.extend(auto.then_some((Column::Auto, 4)));
    widths.extend(times.then_some((Column::Next, EXACT)));
    widths.extend(last.then_some((Column::Last, 7)));
    widths.extend(why.then_some((Column::Why, WHY + left - longer_bar)));
    Columns { widths, spacing: 1 + air }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_status_and_time_left_are_there_at_every_width() {
        for width in 57..300 {
            for longest in [1, 14, 64] {
                let columns = fit(width, longest, 80);
                let has = |wanted: fn(&Column) -> bool| columns.widths.iter().any(|(column, _)| wanted(column));
                assert!(has(|c| *c == Column::Name) && has(|c| *c == Column::Status));
                assert!(has(|c| *c == Column::Access));
            }
        }
    }

    #[test]
    fn the_columns_never_need_more_than_the_width() {
        for width in 57..300 {
            for (longest, titles) in [(1, 0), (9, 5), (14, 80), (64, 0), (64, 30)] {
                let columns = fit(width, longest, titles);
                let gaps = columns.spacing * u16::try_from(columns.widths.len() - 1).unwrap();
                let sum = columns.widths.iter().map(|(_, width)| width).sum::<u16>() + gaps;
                assert!(sum <= width, "{width}: {sum} {columns:?}");
            }
        }
    }

    #[test]
    fn a_wider_table_has_more_columns_not_wider_gaps() {
        assert_eq!(fit(117, 12, 0).widths.len(), 7);
        assert_eq!(fit(150, 12, 0).widths.len(), 9);
        let widest = fit(197, 12, 0);
        assert_eq!(widest.widths.last().map(|(column, _)| *column), Some(Column::Why));
        assert_eq!(widest.spacing, 4);
    }

    #[test]
    fn titles_have_a_column_where_there_are_any_and_room_for_them() {
        let title = |width, titles| {
            let columns = fit(width, 12, titles).widths;
            columns.into_iter().find(|(column, _)| *column == Column::Title).map(|(_, width)| width)
        };
        assert_eq!((title(197, 0), title(77, 20), title(117, 20)), (None, None, Some(18)));
        assert_eq!(title(117, 3), Some(10), "room for its heading");
    }
}
