//! Moving everything from one secret store to another, in three steps: all connections held,
//! everything copied and read back, the source emptied. Between the last two, the caller puts the new store into the
//! configuration.
//!
//! Invariants, wherever the process dies: an item is removed from the source only after it was read back from the
//! destination; beginning again finishes the move. A journal's record that waits to be saved is saved
//! first, and the identity it is sealed to moves along.

use std::collections::BTreeSet;

use crate::domain::{ConnectionName, Secret};
use crate::secrets::error::StoreError;
use crate::tokens::items::{IDENTITY, client_secret_item, token_item};
use crate::tokens::journal::Journal;
use crate::tokens::lock::HeldLock;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::TokenState;
use crate::tokens::record;
use crate::tokens::vault::Vault;

/// A move about to be made: every connection's lock is held.
pub struct Migration {
    from: Vault,
    to: Vault,
    is_finishing: bool,
    connections: Vec<(LockedConnection, LockedConnection)>,
    _others: [HeldLock; 2],
}

/// Everything is in the destination, read back; the source still has it too.
pub struct Copied {
    migration: Migration,
    left: Vec<String>,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// How many connections have tokens in the destination now.
    pub tokens: usize,
    /// How many client secrets are there.
    pub client_secrets: usize,
    /// Items that stay in the source because the destination has others, which count.
    pub left: Vec<String>,
}

impl Migration {
    /// Holds every connection named and every other that left a journal, and all client secrets.
    /// Both vaults are of one data directory. `is_finishing` says that `to` is the one in use
    /// already: an earlier move was interrupted. `on_wait` is called with the connection and the holder of
    /// the lock that has to be waited for.
    ///
    /// # Errors
    /// What keeps either store from being used, or the locks from being taken.
    pub async fn begin(
        from: Vault,
        to: Vault,
        is_finishing: bool,
        names: &[ConnectionName],
        mut on_wait: impl FnMut(&ConnectionName, Option<u32>),
    ) -> Result<Self, StoreError> {
        from.probe().await?;
        to.probe().await?;
        let mut all: BTreeSet<_> = names.iter().cloned().collect();
        all.extend(from.names_in_journals().await?);
        let connections = loop {
            let mut connections = Vec::new();
            // In one order, so that two moves at once do not wait for each other for ever.
            for name in &all {
                let locked = from.lock(name, |pid| on_wait(name, pid)).await?;
                let beside = locked.in_vault(to.clone());
                connections.push((locked, beside));
            }
            // The holder that was waited for may have been renaming.
            let held = all.len();
            all.extend(from.names_in_journals().await?);
            if all.len() == held {
                break connections;
            }
        };
        let others = [from.hold_client_secrets().await?, from.hold_identity().await?];
        Ok(Self { from, to, is_finishing, connections, _others: others })
    }

    /// Copies what the destination lacks, and reads everything back. The source keeps it all.
    ///
    /// # Errors
    /// What keeps an item from being read, compared, written or read back. Nothing is lost then,
    /// and another attempt resumes.
    pub async fn copy(mut self) -> Result<Copied, StoreError> {
        let mut unreadable = BTreeSet::new();
        for at in 0..self.connections.len() {
            match self.save_what_is_unsaved(at).await {
                // Only that connection is affected: its items move as they are.
                Err(why) if why.is_about_one_item() && !matches!(why, StoreError::Renaming { .. }) => {
                    unreadable.insert(self.connections[at].0.name().clone());
                }
                saved => saved?,
            }
        }
        let (mut expected, mut left) = (Vec::new(), Vec::new());
        expected.extend(self.copy_item(IDENTITY).await?);
        for name in self.names() {
            let copied = if unreadable.contains(&name) {
                self.copy_unread(&token_item(&name), &mut left).await?
            } else {
                self.copy_token(&name).await?
            };
            expected.extend(copied);
            let item = client_secret_item(&name);
            let copied = self.copy_unread(&item, &mut left).await?;
            if let Some((_, kept)) = &copied
                && self.from.secrets().get(&item).await?.is_some_and(|other| other != *kept)
            {
                left.push(item);
            }
            expected.extend(copied);
        }
        for (item, value) in expected {
            if self.to.secrets().get(&item).await? != Some(value) {
                return Err(StoreError::NotReadBack { item });
            }
        }
        Ok(Copied { migration: self, left })
    }

    fn names(&self) -> Vec<ConnectionName> {
        self.connections.iter().map(|(locked, _)| locked.name().clone()).collect()
    }

    /// Saves a record that waits in the journal into the store whose identity opens it: the
    /// source, or where an earlier move emptied that already, the destination.
    async fn save_what_is_unsaved(&mut self, at: usize) -> Result<(), StoreError> {
        let (source, destination) = &mut self.connections[at];
        let why = match source.recover().await {
            Ok(state) if state.saved => return Ok(()),
            // The source does not take it; the destination may.
            Ok(TokenState { record: Some(record), unsaved_because: Some(StoreError::TooLarge { .. }), .. }) => {
                return self.to.secrets().set(&token_item(source.name()), &record::to_line(&record)).await;
            }
            Ok(state) => state.unsaved_because.unwrap_or(StoreError::Unsaved { generation: state.mark }),
            Err(why) => why,
        };
        match destination.recover().await {
            Ok(state) if self.is_finishing && state.saved => Ok(()),
            _ => Err(why),
        }
    }

    /// Copies a token record unless the destination has a newer one; returns what it has then.
    async fn copy_token(&self, name: &ConnectionName) -> Result<Option<(String, Secret)>, StoreError> {
        let item = token_item(name);
        let journal = self.from.journal(name).await?;
        let source = self.from.token_line(name, journal.as_ref()).await?;
        let old = self.to.token_line(name, journal.as_ref()).await?;
        let Some(source) = source else { return Ok(old.map(|old| (item, old))) };
        let ours = record::from_line(&item, &source)?;
        let theirs = match old.as_ref().map(|old| record::from_line(&item, old)) {
            // Damaged, and a good one is here.
            Some(Err(StoreError::Corrupt { .. })) | None => None,
            Some(theirs) => Some(theirs?),
        };
        let is_newer = match &theirs {
            None => true,
            Some(theirs) if theirs.generation == ours.generation && *theirs != ours => {
                // Generations count up through both stores; the journal decides which of the two it is.
                let mark = journal.as_ref().map(Journal::fingerprint);
                let is_marked = |record| mark == Some(&record::fingerprint(record));
                match (is_marked(&ours), is_marked(theirs)) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => {
                        let why = "both stores hold tokens of the same generation; log out, then log in again".into();
                        return Err(StoreError::Refused { item, why });
                    }
                }
            }
            Some(theirs) => theirs.generation < ours.generation,
        };
        match old.filter(|_| !is_newer) {
            Some(old) => Ok(Some((item, old))),
            None => self.write(item, source).await.map(Some),
        }
    }

    /// Copies an item that may be damaged, as it is; one that cannot even be read is left.
    async fn copy_unread(&self, item: &str, left: &mut Vec<String>) -> Result<Option<(String, Secret)>, StoreError> {
        match self.copy_item(item).await {
            Err(why) if why.is_about_one_item() => {
                left.push(item.to_owned());
                Ok(None)
            }
            copied => copied,
        }
    }

    /// Copies any other item: the source's counts, or the destination's where that is in use.
    async fn copy_item(&self, item: &str) -> Result<Option<(String, Secret)>, StoreError> {
        let (source, old) = (self.from.secrets().get(item).await?, self.to.secrets().get(item).await?);
        match (source, old) {
            (None, old) => Ok(old.map(|old| (item.to_owned(), old))),
            (Some(source), Some(old)) if self.is_finishing || source == old => Ok(Some((item.to_owned(), old))),
            (Some(source), _) => self.write(item.to_owned(), source).await.map(Some),
        }
    }

    async fn write(&self, item: String, value: Secret) -> Result<(String, Secret), StoreError> {
        self.to.secrets().set(&item, &value).await?;
        Ok((item, value))
    }
}

impl Copied {
    /// Empties the source. To be called only once the configuration names the destination.
    ///
    /// # Errors
    /// What keeps an item from being removed; another attempt resumes.
    pub async fn remove_source(self) -> Result<Moved, StoreError> {
        let Self { migration, left } = self;
        let mut moved = Moved { tokens: 0, client_secrets: 0, left };
        for name in migration.names() {
            moved.client_secrets += migration.remove(&client_secret_item(&name), &moved.left).await?;
            moved.tokens += migration.remove(&token_item(&name), &moved.left).await?;
        }
        migration.remove(IDENTITY, &moved.left).await?;
        Ok(moved)
    }
}

impl Migration {
    /// Removes an item from the source if the destination has it; returns how many it has.
    async fn remove(&self, item: &str, left: &[String]) -> Result<usize, StoreError> {
        if self.to.secrets().get(item).await?.is_none() {
            return Ok(0);
        }
        if !left.iter().any(|other| other == item) {
            self.from.secrets().delete(item).await?;
        }
        Ok(1)
    }
}
