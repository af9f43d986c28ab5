//! Times on the command line: a duration, or a moment in the past.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::cli::support::exit::{CliError, Exit};
use crate::format::time::Zone;

/// Formats of local times, the most exact first.
const LOCAL: [&str; 4] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogSince {
    /// This long ago.
    Ago(TimeDelta),
    /// At this moment.
    At(DateTime<Utc>),
    /// When the local clock showed this.
    Local(NaiveDateTime),
}

impl FromStr for LogSince {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let local = LOCAL.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let midnight = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
        if let Some(local) = local.or_else(midnight) {
            return Ok(Self::Local(local));
        }
        let ago = duration(text).ok().and_then(|duration| TimeDelta::from_std(duration).ok());
        ago.map(Self::Ago).ok_or_else(|| {
            "use a duration such as 90s, 10m, 2h or 1d 6h, or a time such as 2026-03-10, 2026-03-10 14:02 or \
             2026-03-10T12:02:31Z"
                .into()
        })
    }
}

impl LogSince {
    /// The moment itself.
    ///
    /// # Errors
    /// The local clock never showed that time.
    pub(crate) fn moment(self, zone: Zone, now: DateTime<Utc>) -> Result<DateTime<Utc>, CliError> {
        match self {
            Self::Ago(duration) => Ok(now.checked_sub_signed(duration).unwrap_or(DateTime::<Utc>::MIN_UTC)),
            Self::At(at) => Ok(at),
            Self::Local(local) => zone.moment(local).ok_or_else(|| {
                let why = "the local clock skipped this time when it was set forward; use another time, or UTC";
                CliError::new(Exit::Usage, format!("--since {local}: {why}"))
            }),
        }
    }
}

/// Reads `90` (seconds), `90s`, `5m`, `1h 30m`.
///
/// # Errors
/// What is wrong with it, for clap's message.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|error| format!("{error}; use 90s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    fn moment(text: &str) -> String {
        let zone = Zone::Fixed(FixedOffset::east_opt(2 * 3600).unwrap());
        let now = "2026-03-10T12:02:31Z".parse().unwrap();
        text.parse::<LogSince>().unwrap().moment(zone, now).unwrap().to_rfc3339()
    }

    #[test]
    fn spans_count_back_and_local_times_are_the_zone_s() {
        for (text, at) in [
            ("90s", "2026-03-10T12:01:01"),
            ("10m", "2026-03-10T11:52:31"),
            ("1d 6h", "2026-03-09T06:02:31"),
            ("2026-03-10T11:00:00Z", "2026-03-10T11:00:00"),
            ("2026-03-10T11:00:00+01:00", "2026-03-10T10:00:00"),
            ("2026-03-10", "2026-03-09T22:00:00"),
            ("2026-03-10 08:30", "2026-03-10T06:30:00"),
            ("2026-03-10T08:30:15", "2026-03-10T06:30:15"),
        ] {
            assert_eq!(moment(text), format!("{at}+00:00"), "{text}");
        }
        assert!(moment("999999999999s").starts_with('-'), "longer ago than there are dates");
    }

    #[test]
    fn anything_else_is_refused_with_examples() {
        for text in ["", "yesterday", "5x", "2026-13-01", "2026-03-10 25:00", "-5m"] {
            assert!(text.parse::<LogSince>().unwrap_err().contains("2026-03-10T12:02:31Z"), "{text}");
        }
    }

    #[test]
    fn seconds_need_no_unit_and_units_add_up() {
        for (text, seconds) in [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1h 30m", 5400), ("2d", 172_800)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn any_other_duration_is_refused_with_an_example() {
        for text in ["", "-1", "five", "5x", "99999999999999999999h"] {
            assert!(duration(text).unwrap_err().ends_with("use 90s, 5m or 1h"), "{text}");
        }
    }
}
