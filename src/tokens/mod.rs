//! The store floor: token records, durable against everything.
//!
//! What the floor promises, and where it is kept:
//!
//! - a received refresh token is never lost, an old one never handed out: [`Lease`] writes the
//!   journal before the store and weighs both against each other after a crash (`judge`);
//! - no secret is readable on disk: the journal holds fingerprints and sealed records only;
//! - a store that hangs stalls nobody: [`Secrets`] keeps it on a thread of its own and bounds
//!   every call;
//! - two processes never spend the same token: a [`Lease`] is an OS file lock.

pub mod binding;
pub mod copies;
pub mod damage;
pub mod history;
pub mod identity;
pub mod journal;
pub mod journal_stamps;
pub mod lock;
pub mod locked_connection;
pub mod migrate;
pub mod reconcile;
pub mod record;
pub mod rename;
pub mod reserve;
pub mod seal;
pub mod status_snapshot;
#[cfg(test)]
pub(crate) mod tests;
pub mod vault;
