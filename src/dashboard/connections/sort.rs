//! Orders: what the table is sorted by, and what that makes of a connection.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::dashboard::connections::column::Column;

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// The column; none for the order of the configuration file.
    pub by: Option<Column>,
    /// The other way round.
    pub reversed: bool,
}

impl Order {
    /// The order after `by` was chosen: choosing it again reverses it.
    #[must_use]
    pub fn chosen(self, by: Option<Column>) -> Self {
        let by = by.map(Column::sorted_as);
        Self { by, reversed: by == self.by && !self.reversed }
    }

    /// Its mark. No triangle: that is the symbol of a warning.
    #[must_use]
    pub fn mark(self) -> &'static str {
        if self.reversed { "↓" } else { "↑" }
    }

    /// Which of two connections comes first, by their keys and their places in the file. What has
    /// no key comes last either way round.
    #[must_use]
    pub fn compare(self, one: (&SortKey, usize), other: (&SortKey, usize)) -> Ordering {
        let turn = |ordering: Ordering| if self.reversed { ordering.reverse() } else { ordering };
        if self.by.is_none() {
            return turn(one.1.cmp(&other.1));
        }
        let by_key = match (&one.0.0, &other.0.0) {
            (Some(one), Some(other)) => turn(one.cmp(other)),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        by_key.then(one.1.cmp(&other.1))
    }
}

/// What a connection is sorted by in some column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey(Option<Value>);

/// Values of one column are all of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    Rank(u16, String),
    Moment(DateTime<Utc>),
}

impl SortKey {
    /// There is nothing to sort by.
    pub const NOTHING: Self = Self(None);

    /// By the alphabet, in either case.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(Some(Value::Text(text.to_lowercase())))
    }

    /// By a number, then by the alphabet.
    #[must_use]
    pub fn rank(rank: u16, text: &str) -> Self {
        Self(Some(Value::Rank(rank, text.to_owned())))
    }

    /// By a moment, the earliest first.
    #[must_use]
    pub fn moment(at: Option<DateTime<Utc>>) -> Self {
        Self(at.map(Value::Moment))
    }
}
