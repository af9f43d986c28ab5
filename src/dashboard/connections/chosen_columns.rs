//! Which columns the table has, and in which order, where a person has a say in it.
//!
//! Invariants: the name, and with it the marker of the selected row, is always the first of chosen columns, and none is
//! there twice; what was chosen in the dashboard wins over the configuration. Without a choice the table has whatever fits, see [`super::columns`].

use crate::dashboard::connections::column::Column;

/// The choice of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenColumns {
    configured: Option<Vec<Column>>,
    own: Option<Vec<Column>>,
}

impl ChosenColumns {
    /// What was chosen, from left to right; none where that was left to the table.
    #[must_use]
    pub fn shown(&self) -> Option<&[Column]> {
        self.own.as_deref().or(self.configured.as_deref())
    }

    /// What was chosen in the dashboard.
    #[must_use]
    pub fn own(&self) -> Option<&[Column]> {
        self.own.as_deref()
    }

    /// Takes over the configuration's choice, by the columns' names.
    pub fn configure(&mut self, ids: Option<&[String]>) {
        self.configured = ids.map(|ids| whole(ids.iter().filter_map(|id| Column::of_id(id)).collect()));
    }

    /// Chooses in the dashboard; none goes back to the configuration's choice.
    pub fn choose(&mut self, columns: Option<Vec<Column>>) {
        self.own = columns.map(whole);
    }
}

/// The name first, which rows cannot do without, and none twice.
fn whole(columns: Vec<Column>) -> Vec<Column> {
    let mut all = vec![Column::Name];
    for column in columns {
        if !all.contains(&column) {
            all.push(column);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{ChosenColumns, Column};

    #[test]
    fn the_dashboards_choice_wins_and_the_name_is_always_first() {
        let mut columns = ChosenColumns::default();
        assert_eq!(columns.shown(), None);
        columns.configure(Some(&["status".into(), "unknown".into(), "status".into(), "name".into()]));
        assert_eq!(columns.shown(), Some(&[Column::Name, Column::Status][..]));
        columns.choose(Some(vec![Column::Why]));
        assert_eq!(columns.shown(), Some(&[Column::Name, Column::Why][..]));
        assert_eq!(columns.own(), columns.shown());
        columns.choose(None);
        assert_eq!(columns.shown(), Some(&[Column::Name, Column::Status][..]));
    }
}
