//! Numbers and moments as a person says them: countdowns, ages, durations, sizes.
//!
//! Pure functions. Every result is short and of a bounded width, because it goes into a column.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, TimeDelta, TimeZone, Utc};

/// The time zone moments are shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The machine's own, daylight saving and all.
    Local,
    /// A fixed offset from UTC; tests use it.
    Fixed(FixedOffset),
}

impl Zone {
    /// The time of day, `14:02:31`.
    #[must_use]
    pub fn time(self, at: DateTime<Utc>) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// Date and time, `2026-03-01 14:02:31`.
    #[must_use]
    pub fn date_time(self, at: DateTime<Utc>) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S")
    }

    /// The time of day, and the date too where that is not today's.
    #[must_use]
    pub fn near(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        if self.date(at) == self.date(now) { self.time(at) } else { self.date_time(at) }
    }

    /// The time of day in UTC in brackets, `" (12:02:31 UTC)"`; where clocks show UTC, its name alone.
    #[must_use]
    pub fn in_utc(self, at: DateTime<Utc>) -> String {
        if self.local(at) == at.naive_utc() { " UTC".into() } else { at.format(" (%H:%M:%S UTC)").to_string() }
    }

    /// In eight columns: the time of day, or the date where that is far from now.
    #[must_use]
    pub fn column(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        if (now - at).abs() < TimeDelta::hours(20) { self.time(at) } else { self.format(at, "%d %b") }
    }

    /// The date alone, `2026-03-01`.
    #[must_use]
    pub fn date(self, at: DateTime<Utc>) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// Hours and minutes, or the date where that is far from now; at most six columns.
    #[must_use]
    pub fn short(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        self.format(at, if (now - at).abs() < TimeDelta::hours(20) { "%H:%M" } else { "%d %b" })
    }

    /// What clocks and calendars show at a moment.
    #[must_use]
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Local => at.with_timezone(&Local).naive_local(),
            Self::Fixed(offset) => at.with_timezone(&offset).naive_local(),
        }
    }

    /// The first moment at which clocks and calendars show this; none where they skip it.
    #[must_use]
    pub fn moment(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Local => Local.from_local_datetime(&local).earliest().map(|at| at.to_utc()),
            Self::Fixed(offset) => offset.from_local_datetime(&local).earliest().map(|at| at.to_utc()),
        }
    }

    fn format(self, at: DateTime<Utc>, pattern: &str) -> String {
        match self {
            Self::Local => at.with_timezone(&Local).format(pattern).to_string(),
            Self::Fixed(offset) => at.with_timezone(&offset).format(pattern).to_string(),
        }
    }
}

/// Time left, at most 7 columns up to a century: `12s`, `24m 03s`, `3h 05m`, `31d 04h`, `1y 363d`.
/// What is past counts as nothing left.
#[must_use]
pub fn countdown(left: TimeDelta) -> String {
    let seconds = left.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if minutes == 0 {
        format!("{seconds}s")
    } else if hours == 0 {
        format!("{minutes}m {:02}s", seconds % 60)
    } else if days == 0 {
        format!("{hours}h {:02}m", minutes % 60)
    } else if days < 365 {
        format!("{days}d {:02}h", hours % 24)
    } else {
        format!("{}y {}d", days / 365, days % 365)
    }
}

/// How long ago, in one unit: `now`, `12s ago`, `3h ago`.
#[must_use]
pub fn ago(past: TimeDelta) -> String {
    let seconds = past.num_seconds();
    match seconds {
        ..1 => "now".into(),
        1..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A duration in whole words for sentences: `45 s`, `2 min`.
#[must_use]
pub fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 120 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// A time span for sentences, in its two greatest units: `45 s`, `30 min`, `3 h 5 min`, `2 d 4 h`.
#[must_use]
pub fn in_words(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A measured duration, at most 7 columns: `182 ms`, `12.4 s`, `301 s`.
#[must_use]
pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} s", ms / 1000),
    }
}

/// A measured duration in more detail, at most 7 columns: `0.4 ms`, `12.4 ms`, `182 ms`.
#[must_use]
pub fn microseconds(us: u64) -> String {
    match us {
        0..100_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => milliseconds(us / 1000),
    }
}

/// A size in bytes: `812 B`, `1.4 kB`, `1.0 MB` (powers of ten).
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// `1 connection`, `2 connections`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token may say that it ends then.
    #[test]
    fn moments_at_the_ends_of_what_can_be_said_are_said_in_every_zone() {
        let now: DateTime<Utc> = "2026-03-10T12:02:31Z".parse().unwrap();
        let offsets = [9 * 3600, -9 * 3600].map(|seconds| Zone::Fixed(chrono::FixedOffset::east_opt(seconds).unwrap()));
        for zone in offsets.into_iter().chain([Zone::Local]) {
            for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                let texts = [zone.near(at, now), zone.column(at, now), zone.short(at, now), zone.date_time(at)];
                assert!(texts.iter().all(|text| !text.is_empty()), "{texts:?}");
                assert!(!countdown(at - now).is_empty());
            }
        }
    }

    #[test]
    fn a_countdown_names_its_two_greatest_units() {
        for (seconds, text) in [
            (-5, "0s"),
            (59, "59s"),
            (60, "1m 00s"),
            (1443, "24m 03s"),
            (3600, "1h 00m"),
            (86_399, "23h 59m"),
            (86_400, "1d 00h"),
            (31_536_000 + 363 * 86_400, "1y 363d"),
        ] {
            assert_eq!(countdown(TimeDelta::seconds(seconds)), text);
        }
    }

    #[test]
    fn utc_is_named_once() {
        let at = DateTime::UNIX_EPOCH;
        let zone = |hours: i32| Zone::Fixed(FixedOffset::east_opt(hours * 3600).unwrap());
        assert_eq!(zone(2).time(at) + &zone(2).in_utc(at), "02:00:00 (00:00:00 UTC)");
        assert_eq!(zone(0).time(at) + &zone(0).in_utc(at), "00:00:00 UTC");
    }

    #[test]
    fn an_age_is_in_one_unit_and_never_negative() {
        for (seconds, text) in [(-9, "now"), (0, "now"), (59, "59s ago"), (3599, "59m ago"), (86_400, "1d ago")] {
            assert_eq!(ago(TimeDelta::seconds(seconds)), text);
        }
    }

    #[test]
    fn durations_and_sizes_stay_within_seven_columns() {
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1240, "1.2 s"), (99_999, "99.9 s"), (301_000, "301 s")] {
            assert_eq!(milliseconds(ms), text);
        }
        for (us, text) in [(0, "0.0 ms"), (480, "0.4 ms"), (99_999, "99.9 ms"), (182_400, "182 ms")] {
            assert_eq!(microseconds(us), text);
        }
        for (bytes, text) in [(812, "812 B"), (1430, "1.4 kB"), (1_048_576, "1.0 MB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
