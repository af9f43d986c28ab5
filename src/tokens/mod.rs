//! Token records: kept so that none that was received is ever lost.
//!
//! The promises, and where they are kept:
//!
//! - A received refresh token is never lost, and an old one is never sent while a newer exists. Every change is made
//!   through a [`LockedConnection`](locked_connection::LockedConnection), which writes the journal before the secret
//!   store ([`spending`], [`receive`]). After a crash, `reconcile` compares the two: the
//!   [`TokenState`](reconcile::TokenState) says which record may be sent, and the `Repair` what is left to finish
//!   ([`recover`]).
//! - Two processes never spend the same token: a `LockedConnection` holds an OS file lock ([`lock`]).
//! - No secret is readable on disk: the journal holds fingerprints and sealed records only ([`journal`], [`binding`]),
//!   in private files ([`private_files`](crate::secrets::private_files)).
//! - A secret store that hangs stalls nothing else: [`Secrets`](crate::secrets::worker::Secrets) keeps it on its own
//!   thread and bounds every call.
//! - What a running process shows is up to date without reading every journal each time:
//!   [`JournalStamp`](journal_stamps::JournalStamp) finds those that changed, and [`status_snapshot`] gives the first
//!   frame its rows.
//!
//! Every call starts at the [`Vault`](vault::Vault). From the bottom up:
//!
//! - formats and files, without the vault: [`record`], [`journal`], [`binding`], [`reconcile`], [`lock`], [`reserve`],
//!   [`damaged_journal`], [`data_dir`], [`items`]
//! - [`vault`], and its methods by subject: [`read`], [`identity`], [`copies`], [`client_secrets`], [`history`],
//!   [`journal_stamps`], [`leadership`], [`secret_store_access`], [`snapshot_writer`]
//! - [`locked_connection`], and its methods by subject: [`recover`], [`spending`], [`receive`], [`logout`], [`damage`]
//! - several connections or stores at once: [`rename`], [`migrate`]

pub mod binding;
pub mod client_secrets;
pub mod copies;
pub mod damage;
pub mod damaged_journal;
pub mod data_dir;
pub mod history;
pub mod identity;
pub mod items;
pub mod journal;
pub mod journal_stamps;
pub mod leadership;
pub mod lock;
pub mod locked_connection;
pub mod logout;
pub mod migrate;
pub mod on_disk;
pub mod read;
pub mod receive;
pub mod reconcile;
pub mod record;
pub mod recover;
pub mod rename;
pub mod reserve;
pub mod save_error;
pub mod secret_store_access;
pub mod snapshot_writer;
pub mod spending;
pub mod status_snapshot;
#[cfg(test)]
pub(crate) mod tests;
pub mod vault;
