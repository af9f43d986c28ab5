//! The room of columns that a person has chosen.
//!
//! Invariants: the name is there, first, and the columns never need more than the width; where that is too little, those to
//! the right are left out first. What is left over goes to the columns from left to right, then to air, then to the
//! last one that can use it.

use crate::dashboard::connections::column::Column;

/// Chosen columns with their widths, from left to right, and the blank columns between two of them.
type Fitted = (Vec<(Column, u16)>, u16);

/// The most blank columns between two.
const AIR: u16 = 4;

/// The least room of a column, and the most it makes use of, where the longest name has `longest` characters and the
/// widest title `titles`. The first column has the marker before it.
fn room(column: Column, longest: u16, titles: u16) -> (u16, u16) {
    match column {
        Column::Name => (2 + longest.clamp(8, 14), 2 + longest.max(8)),
        Column::Title => (10, titles.max(10)),
        Column::Status => (18, 25),
        Column::Access => (16, 29),
        Column::Provider | Column::Ends | Column::Next => (8, 8),
        Column::Refresh => (9, 13),
        Column::Auto => (4, 4),
        Column::Last => (7, 7),
        Column::Why => (20, u16::MAX),
    }
}

/// The chosen columns that fit a table `width` wide.
#[must_use]
pub fn fit(chosen: &[Column], width: u16, longest: u16, titles: u16) -> Fitted {
    let wanted = |column: &&Column| **column != Column::Title || titles > 0;
    let rooms = |column: &Column| (*column, room(*column, longest, titles));
    let mut left = width;
    let mut widths: Vec<(Column, u16, u16)> = Vec::new();
    for (column, (least, most)) in chosen.iter().filter(wanted).map(rooms) {
        // The first has no blank before it, and always fits.
        let needed = if widths.is_empty() { least } else { 1 + least };
        if left >= needed {
            left -= needed;
            widths.push((column, least, most));
        }
    }
    for (_, own, most) in &mut widths {
        let wanted = if *most == u16::MAX { 0 } else { most.saturating_sub(*own) };
        let given = wanted.min(left);
        *own += given;
        left -= given;
    }
    let gaps = u16::try_from(widths.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let air = left.checked_div(gaps).unwrap_or(0).min(AIR - 1);
    left -= air * gaps;
    if let Some((_, own, _)) = widths.iter_mut().rev().find(|(_, _, most)| *most == u16::MAX) {
        *own += left;
    }
    (widths.into_iter().map(|(column, own, _)| (column, own)).collect(), 1 + air)
}

#[cfg(test)]
mod tests {
    use super::{Column, fit};

    fn columns(chosen: &[Column], width: u16) -> Vec<Column> {
        fit(chosen, width, 12, 20).0.into_iter().map(|(column, _)| column).collect()
    }

    #[test]
    fn chosen_columns_stand_in_their_order_and_those_to_the_right_are_left_out_first() {
        let chosen = [Column::Name, Column::Last, Column::Status, Column::Why, Column::Auto];
        assert_eq!(columns(&chosen, 150), chosen);
        assert_eq!(columns(&chosen, 57), [Column::Name, Column::Last, Column::Status, Column::Auto]);
        assert_eq!(columns(&chosen, 28), [Column::Name, Column::Last, Column::Auto]);
    }

    #[test]
    fn the_name_is_there_and_the_width_is_never_exceeded() {
        let reversed: Vec<_> = [Column::Name].into_iter().chain(Column::ALL.into_iter().skip(1).rev()).collect();
        for width in 57..300 {
            for chosen in [&Column::ALL[..], &reversed, &[Column::Name], &[Column::Name, Column::Why]] {
                for (longest, titles) in [(1, 0), (12, 20), (64, 80)] {
                    let (fitted, spacing) = fit(chosen, width, longest, titles);
                    let gaps = spacing * u16::try_from(fitted.len() - 1).unwrap();
                    let sum = fitted.iter().map(|(_, width)| width).sum::<u16>() + gaps;
                    assert!(sum <= width, "{width}: {sum} {fitted:?}");
                    assert!(fitted.iter().any(|(column, _)| *column == Column::Name), "{width}");
                    assert!(titles > 0 || !fitted.iter().any(|(column, _)| *column == Column::Title));
                }
            }
        }
    }
}
