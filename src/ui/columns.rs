//! Which columns of the connections table there is room for.
//!
//! Narrow screens lose columns, not meaning: name, status and time left are always there.

/// A column of the connections table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// The marker of the selected row.
    Marker,
    /// The name.
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
}

/// A column with its width.
pub(super) type Sized = (Column, u16);

const STATUS: u16 = 18;
const STATUS_WIDE: u16 = 24;
/// Room for `expired 364d ago`.
const TIME: u16 = 16;
/// Room for a bar, a space and a countdown.
const BAR_AND_TIME: u16 = 10;

/// The columns for a table `width` wide whose longest name has `longest` characters.
#[must_use]
pub(super) fn fit(width: u16, longest: u16) -> Vec<Sized> {
    let mut left = width.saturating_sub(2);
    let mut take = |wanted: u16| {
        let fits = left >= wanted;
        if fits {
            left -= wanted;
        }
        fits
    };
    // In the order of importance; each with the space before the next column.
    let name = longest.clamp(8, 14);
    take(name + 2);
    take(STATUS + 1);
    take(TIME + 1);
    let auto = take(4 + 1);
    let refresh = take(9 + 2);
    let last = take(7 + 1);
    let provider = take(8 + 2);
    let wide_status = take(STATUS_WIDE - STATUS);
    let bar = if take(10 + BAR_AND_TIME - TIME) { 10 } else { TIME - BAR_AND_TIME };
    let wide_refresh = take(4);
    let wide_name = longest.saturating_sub(name).min(left);
    let left = left - wide_name;
    // A screen with room to spare has a longer bar and air between the columns.
    let longer = (left / 2).min(20);

    let mut columns = vec![(Column::Marker, 2), (Column::Name, name + wide_name + 1)];
    if provider {
        columns.push((Column::Provider, 8 + 1));
    }
    columns.push((Column::Status, if wide_status { STATUS_WIDE } else { STATUS }));
    columns.push((Column::Access { bar: bar + longer }, bar + longer + BAR_AND_TIME));
    if refresh {
        columns.push((Column::Refresh, if wide_refresh { 13 } else { 9 } + 1));
    }
    if auto {
        columns.push((Column::Auto, 4));
    }
    if last {
        columns.push((Column::Last, 7));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_status_and_time_left_are_there_at_every_width() {
        for width in 58..300 {
            for longest in [1, 14, 64] {
                let columns = fit(width, longest);
                let has = |wanted: fn(&Column) -> bool| columns.iter().any(|(column, _)| wanted(column));
                assert!(has(|c| *c == Column::Name) && has(|c| *c == Column::Status));
                assert!(has(|c| matches!(c, Column::Access { .. })));
            }
        }
    }

    #[test]
    fn the_columns_never_need_more_than_the_width() {
        for width in 58..300 {
            for longest in [1, 9, 14, 64] {
                let columns = fit(width, longest);
                let gaps = u16::try_from(columns.len() - 2).unwrap();
                let sum: u16 = columns.iter().map(|(_, width)| width).sum::<u16>() + gaps;
                assert!(sum <= width, "{width}: {sum} {columns:?}");
            }
        }
    }

    #[test]
    fn a_wide_table_has_every_column() {
        assert_eq!(fit(118, 12).len(), 8);
    }
}
