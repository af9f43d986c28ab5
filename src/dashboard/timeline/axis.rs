//! A stretch of time laid over the columns of a screen, and the round local times in it.
//!
//! Invariant: at least one column, and a span of at least a millisecond for each.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::format::time::Zone;

/// How much time is seen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zoom {
    /// Ten minutes.
    Minutes10,
    /// Half an hour.
    Minutes30,
    /// An hour.
    Hour,
    /// Three hours.
    Hours3,
    /// Half a day.
    Hours12,
    /// A day.
    Day,
    /// A week.
    Week,
    /// Two years, in which refresh tokens end.
    Years2,
}

impl Zoom {
    /// Every step, the nearest first.
    pub const ALL: [Self; 8] = [
        Self::Minutes10,
        Self::Minutes30,
        Self::Hour,
        Self::Hours3,
        Self::Hours12,
        Self::Day,
        Self::Week,
        Self::Years2,
    ];

    /// How long that is.
    #[must_use]
    pub fn span(self) -> TimeDelta {
        match self {
            Self::Minutes10 => TimeDelta::minutes(10),
            Self::Minutes30 => TimeDelta::minutes(30),
            Self::Hour => TimeDelta::hours(1),
            Self::Hours3 => TimeDelta::hours(3),
            Self::Hours12 => TimeDelta::hours(12),
            Self::Day => TimeDelta::hours(24),
            Self::Week => TimeDelta::days(7),
            // A day more than two years, so that what ends then is seen to end.
            Self::Years2 => TimeDelta::days(731),
        }
    }

    /// The same in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Minutes10 => "10 min",
            Self::Minutes30 => "30 min",
            Self::Hour => "hour",
            Self::Hours3 => "3 hours",
            Self::Hours12 => "12 hours",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Years2 => "2 years",
        }
    }

    /// One step nearer, if there is one.
    #[must_use]
    pub fn nearer(self) -> Self {
        Self::ALL.into_iter().rev().find(|other| *other < self).unwrap_or(self)
    }

    /// One step farther, if there is one.
    #[must_use]
    pub fn farther(self) -> Self {
        Self::ALL.into_iter().find(|other| *other > self).unwrap_or(self)
    }

    /// The nearest step that holds this much time, else the farthest there is.
    #[must_use]
    pub fn holding(span: TimeDelta) -> Self {
        Self::ALL.into_iter().find(|zoom| zoom.span() >= span).unwrap_or(Self::Years2)
    }
}

/// A stretch of time over so many columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    from: DateTime<Utc>,
    span: TimeDelta,
    columns: usize,
}

/// A round local time, and the column it falls into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The column.
    pub column: usize,
    /// The time, as short as it can be said.
    pub label: String,
}

impl Axis {
    /// The stretch that begins at `from`.
    #[must_use]
    pub fn new(from: DateTime<Utc>, zoom: Zoom, columns: usize) -> Self {
        Self { from, span: zoom.span(), columns: columns.max(1) }
    }

    /// The stretch that ends no sooner than `to`, its columns always cutting time at the same
    /// moments: what falls into a column stays together while time passes.
    #[must_use]
    pub fn until(to: DateTime<Utc>, zoom: Zoom, columns: usize) -> Self {
        let mut stretch = Self::new(to, zoom, columns);
        let column = stretch.column_ms();
        let end = (to.timestamp_millis().div_euclid(column) + 1) * column;
        let from = end - column * i64::try_from(stretch.columns).unwrap_or(i64::MAX);
        stretch.from = DateTime::from_timestamp_millis(from).unwrap_or(to);
        stretch
    }

    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The column a moment falls into, if it is in this stretch.
    #[must_use]
    pub fn column(&self, at: DateTime<Utc>) -> Option<usize> {
        let past = (at - self.from).num_milliseconds();
        let column = usize::try_from(past.div_euclid(self.column_ms())).ok()?;
        (column < self.columns).then_some(column)
    }

    /// How many columns there are before a moment: 0 to all.
    #[must_use]
    pub fn columns_before(&self, at: DateTime<Utc>) -> usize {
        if at <= self.from { 0 } else { self.column(at).map_or(self.columns, |column| column + 1) }
    }

    fn column_ms(&self) -> i64 {
        let columns = i64::try_from(self.columns).unwrap_or(i64::MAX);
        // Rounded up: the last column must not end before the span does.
        ((self.span.num_milliseconds() + columns - 1) / columns).max(1)
    }

    /// The round local times in it, as many as leave room for their labels.
    #[must_use]
    pub fn ticks(&self, zone: Zone) -> Vec<Tick> {
        let column = self.column_ms();
        let fits = |step: &TickInterval| step.at_least_ms() / column >= step.label_width() + 3;
        let step = STEPS.into_iter().find(fits).unwrap_or(TickInterval::Months(12));
        let mut ticks = Vec::new();
        let mut at = step.begin(zone.local(self.from));
        // A tick needs a column at least, but for hours that are said twice a year.
        for _ in 0..self.columns + 4 {
            let Some(moment) = zone.moment(at) else {
                at = step.next(at);
                continue;
            };
            if let Some(column) = self.column(moment) {
                ticks.push(Tick { column, label: at.format(step.pattern()).to_string() });
            } else if moment > self.from {
                break;
            }
            at = step.next(at);
        }
        ticks
    }
}

/// How far ticks are apart.
#[derive(Debug, Clone, Copy)]
enum TickInterval {
    Minutes(i64),
    Days(i64),
    Months(i32),
}

const STEPS: [TickInterval; 22] = [
    TickInterval::Minutes(1),
    TickInterval::Minutes(2),
    TickInterval::Minutes(5),
    TickInterval::Minutes(10),
    TickInterval::Minutes(15),
    TickInterval::Minutes(30),
    TickInterval::Minutes(60),
    TickInterval::Minutes(120),
    TickInterval::Minutes(180),
    TickInterval::Minutes(240),
    TickInterval::Minutes(360),
    TickInterval::Minutes(720),
    TickInterval::Days(1),
    TickInterval::Days(2),
    TickInterval::Days(7),
    TickInterval::Days(14),
    TickInterval::Months(1),
    TickInterval::Months(2),
    TickInterval::Months(3),
    TickInterval::Months(4),
    TickInterval::Months(6),
    TickInterval::Months(12),
];

impl TickInterval {
    fn at_least_ms(self) -> i64 {
        match self {
            Self::Minutes(minutes) => minutes * 60_000,
            Self::Days(days) => days * 86_400_000,
            Self::Months(months) => i64::from(months) * 28 * 86_400_000,
        }
    }

    fn pattern(self) -> &'static str {
        match self {
            Self::Minutes(_) => "%H:%M",
            Self::Days(_) => "%a %d %b",
            Self::Months(_) => "%b %Y",
        }
    }

    fn label_width(self) -> i64 {
        match self {
            Self::Minutes(_) => 5,
            Self::Days(_) => 10,
            Self::Months(_) => 8,
        }
    }

    /// The last round time that is not after `local`.
    fn begin(self, local: NaiveDateTime) -> NaiveDateTime {
        let midnight = local.date().and_time(chrono::NaiveTime::MIN);
        match self {
            Self::Minutes(minutes) => {
                let past = (local - midnight).num_minutes();
                midnight + TimeDelta::minutes(past - past % minutes)
            }
            Self::Days(days) => midnight - TimeDelta::days(i64::from(local.num_days_from_ce()).rem_euclid(days)),
            Self::Months(months) => {
                let month = local.year() * 12 + local.month0().cast_signed();
                month_begin(month - month.rem_euclid(months)).unwrap_or(midnight)
            }
        }
    }

    /// The round time after this one.
    fn next(self, local: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Minutes(minutes) => local + TimeDelta::minutes(minutes),
            Self::Days(days) => local + TimeDelta::days(days),
            Self::Months(months) => {
                let month = local.year() * 12 + local.month0().cast_signed();
                month_begin(month + months).unwrap_or(local + TimeDelta::days(366))
            }
        }
    }
}

/// The first moment of a month, counted from the year 0.
fn month_begin(month: i32) -> Option<NaiveDateTime> {
    let of_year = u32::try_from(month.rem_euclid(12)).ok()? + 1;
    Some(NaiveDate::from_ymd_opt(month.div_euclid(12), of_year, 1)?.and_time(chrono::NaiveTime::MIN))
}
