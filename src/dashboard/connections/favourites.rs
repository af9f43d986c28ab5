//! Favourites, which stay above the other connections, and the groups that are folded.

use std::collections::BTreeSet;

use crate::dashboard::connections::Connections;
use crate::domain::{ConnectionName, Provider};

impl Connections {
    /// The favourites, those among them that are not configured now as well.
    #[must_use]
    pub fn favourites(&self) -> &BTreeSet<ConnectionName> {
        &self.options.favourites
    }

    /// Whether a connection is a favourite.
    #[must_use]
    pub fn is_favourite(&self, name: &ConnectionName) -> bool {
        self.options.favourites.contains(name)
    }

    /// Takes over favourites.
    pub fn set_favourites(&mut self, favourites: BTreeSet<ConnectionName>) {
        self.change_table();
        self.options.favourites = favourites;
    }

    /// Makes a connection a favourite, or no longer; answers whether it is one now.
    pub fn toggle_favourite(&mut self, name: &ConnectionName) -> bool {
        self.change_table();
        let on = self.options.favourites.insert(name.clone());
        if !on {
            self.options.favourites.remove(name);
        }
        on
    }

    /// The groups that are folded, whether or not there are groups now.
    #[must_use]
    pub fn folded(&self) -> &[&'static Provider] {
        &self.options.folded
    }

    /// Folds these groups, and unfolds all others.
    pub fn fold_only(&mut self, folded: impl Iterator<Item = &'static Provider>) {
        self.change_table();
        self.options.folded = folded.collect();
    }
}
