//! What of the dashboard is kept for the next start: order, groups, filter, columns, favourites.
//!
//! Invariants: no text is kept that matches no connection, for it may be a secret pasted into the filter by mistake;
//! whatever was kept, restoring it never fails: what is not known any more is left out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::sort::Order;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{Colours, ConnectionName, Severity};

/// The version of the format.
const VERSION: u32 = 1;
/// The longest filter that is kept, in characters.
const LONGEST_FILTER: usize = 100;

/// What is kept of the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptView {
    version: u32,
    /// The column it is sorted by; none for the order of the file.
    sort: Option<String>,
    reversed: bool,
    grouped: bool,
    /// The providers of the folded groups.
    folded: Vec<String>,
    filter: String,
    /// The columns chosen in the dashboard; none where they are the configuration's.
    columns: Option<Vec<String>>,
    favourites: BTreeSet<ConnectionName>,
}

impl Default for KeptView {
    fn default() -> Self {
        Self {
            version: VERSION,
            sort: None,
            reversed: false,
            grouped: false,
            folded: Vec::new(),
            filter: String::new(),
            columns: None,
            favourites: BTreeSet::new(),
        }
    }
}

impl KeptView {
    /// Reads it back; none where the text is damaged, or of another version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|view| view.version == VERSION)
    }

    /// As it is written to a file.
    #[must_use]
    pub fn text(&self) -> String {
        // Names, words and booleans always serialise.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl App {
    /// Takes over the configuration's columns.
    pub fn configure_columns(&mut self, ids: Option<&[String]>) {
        self.columns.configure(ids);
    }

    /// Takes over a person's own colours.
    pub fn paint(&mut self, colours: Colours) {
        self.options.appearance.colours = colours;
    }

    /// What is to be kept for the next start.
    #[must_use]
    pub fn kept_view(&self) -> KeptView {
        let Order { by, reversed } = self.connections.order();
        let filter = self.connections.filter();
        let is_kept = self.connections.shown() > 0 && filter.chars().count() <= LONGEST_FILTER;
        let ids = |columns: &[Column]| columns.iter().map(|column| column.id().to_owned()).collect();
        KeptView {
            version: VERSION,
            sort: by.map(|column| column.id().to_owned()),
            reversed,
            grouped: self.connections.is_grouped(),
            folded: self.connections.folded().iter().map(|provider| provider.id.to_owned()).collect(),
            filter: if is_kept { filter.to_owned() } else { String::new() },
            columns: self.columns.own().map(ids),
            favourites: self.connections.favourites().clone(),
        }
    }

    /// Shows the connections as they were at the end of the last run. A filter is announced: what it hides could be
    /// missed.
    pub fn restore(&mut self, kept: &KeptView, now: DateTime<Utc>) {
        self.connections.set_favourites(kept.favourites.clone());
        self.columns.choose(kept.columns.as_deref().map(columns));
        let by = kept.sort.as_deref().and_then(Column::of_id);
        let is_known = by.is_some() == kept.sort.is_some();
        self.arrange(Order { by, reversed: kept.reversed && is_known }, kept.grouped, now);
        let providers = self.options.providers.iter().copied();
        self.connections.fold_only(providers.filter(|provider| kept.folded.iter().any(|id| id == provider.id)));
        self.connections.select(0);
        let filter = TextField::new(&kept.filter);
        if !filter.text().is_empty() {
            let text = format!("the filter \"{}\" is still set; {} clears it", filter.text(), self.key(Action::Cancel));
            self.set_filter(filter, now);
            self.say(None, Severity::Quiet, text, now);
        }
    }

    /// Back to the order of the file without groups and filter, with the configuration's columns. Favourites stay.
    pub(crate) fn reset_view(&mut self, now: DateTime<Utc>) {
        self.columns.choose(None);
        self.arrange(Order::default(), false, now);
        self.connections.fold_only(std::iter::empty());
        self.set_filter(TextField::default(), now);
        self.say(None, Severity::Quiet, "order, groups, filter and columns are reset", now);
    }

    fn arrange(&mut self, wanted: Order, grouped: bool, now: DateTime<Utc>) {
        // The first time sorts, the second reverses.
        for _ in 0..2 {
            if self.connections.order() != wanted {
                self.connections.sort_by(wanted.by, now);
            }
        }
        if self.connections.is_grouped() != grouped {
            self.connections.toggle_groups();
        }
    }
}

/// Those of the columns that there are.
fn columns(ids: &[String]) -> Vec<Column> {
    ids.iter().filter_map(|id| Column::of_id(id)).collect()
}
