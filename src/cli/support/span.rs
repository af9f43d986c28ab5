//! Spans of time as they are written on the command line.

use std::time::Duration;

/// Reads `90` (seconds), `90s`, `5m`, `1h 30m`.
///
/// # Errors
/// What is wrong with it, for the command line's own words.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 90s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn seconds_need_no_unit_and_units_add_up() {
        for (text, seconds) in [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1h 30m", 5400), ("2d", 172_800)] {
            assert_eq!(span(text).unwrap().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "-1", "five", "5x", "99999999999999999999h"] {
            assert!(span(text).unwrap_err().ends_with("write it as 90s, 5m or 1h"), "{text}");
        }
    }
}
