//! Which columns of the connections table there is room for.
//!
//! Narrow screens lose columns, not meaning: name, status and time left are always there.

/// A column of the connections table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The marker of the selected row, and the name.
    Name,
    /// The provider's short name.
    Provider,
    /// Symbol and words.
    Status,
    /// Bar and time left.
    Access {
        /// How many columns the bar takes; 0 for none.
        bar: u16,
    },
    /// The refresh token's estimated end.
    Refresh,
    /// Whether it is refreshed without being asked.
    Auto,
    /// The last result.
    Last,
    /// The time of day the access token ends.
    Ends,
    /// The time of day of the next automatic refresh.
    Next,
    /// What stands in the way, in words.
    Why,
}

/// The columns of a table, and how far they stand apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// Each with its width, from left to right.
    pub(super) widths: Vec<(Column, u16)>,
    /// Blank columns between two of them.
    pub(super) spacing: u16,
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
/// The least room worth telling a cause in.
const WHY: u16 = 30;
const REFRESH: u16 = 9;
const REFRESH_WIDE: u16 = 13;

/// The columns for a table `width` wide whose longest name has `longest` characters.
#[must_use]
pub(super) fn fit(width: u16, longest: u16) -> Columns {
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
    let status = if take(STATUS_WIDE - STATUS) { STATUS_WIDE } else { STATUS };
    let refresh_width = if refresh && take(REFRESH_WIDE - REFRESH) { REFRESH_WIDE } else { REFRESH };
    let bar = if take(10 + COUNTDOWN - TIME) { 10 } else { TIME - COUNTDOWN };
    // What is left goes to long names, then to exact times and causes, to air, to a longer bar.
    let longer_name = longest.saturating_sub(name).min(left);
    let left = left - longer_name;
    let times = left >= 40;
    let left = left - if times { 2 * (1 + EXACT) } else { 0 };
    let gaps = 2 + [auto, refresh, last, provider, times, times].into_iter().map(u16::from).sum::<u16>();
    let why = left >= 3 * (gaps + 1) + 1 + WHY;
    let (left, gaps) = if why { (left - 1 - WHY, gaps + 1) } else { (left, gaps) };
    let air = (left / gaps).min(3);
    let left = left - air * gaps;
    let longer_bar = left.min(if why { 10 } else { 20 });
    let bar = bar + longer_bar;

    let mut widths = vec![(Column::Name, MARKER + name + longer_name)];
    widths.extend(provider.then_some((Column::Provider, 8)));
    widths.extend([(Column::Status, status), (Column::Access { bar }, bar + COUNTDOWN)]);
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
                let columns = fit(width, longest);
                let has = |wanted: fn(&Column) -> bool| columns.widths.iter().any(|(column, _)| wanted(column));
                assert!(has(|c| *c == Column::Name) && has(|c| *c == Column::Status));
                assert!(has(|c| matches!(c, Column::Access { .. })));
            }
        }
    }

    #[test]
    fn the_columns_never_need_more_than_the_width() {
        for width in 57..300 {
            for longest in [1, 9, 14, 64] {
                let columns = fit(width, longest);
                let gaps = columns.spacing * u16::try_from(columns.widths.len() - 1).unwrap();
                let sum = columns.widths.iter().map(|(_, width)| width).sum::<u16>() + gaps;
                assert!(sum <= width, "{width}: {sum} {columns:?}");
            }
        }
    }

    #[test]
    fn a_wider_table_has_more_columns_not_wider_gaps() {
        assert_eq!(fit(117, 12).widths.len(), 7);
        assert_eq!(fit(150, 12).widths.len(), 9);
        let widest = fit(197, 12);
        assert_eq!(widest.widths.last().map(|(column, _)| *column), Some(Column::Why));
        assert_eq!(widest.spacing, 4);
    }
}
