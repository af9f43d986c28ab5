//! Why a received record did not reach the secret store, and where it is instead.

use thiserror::Error;

use crate::domain::TokenRecord;
use crate::secrets::error::StoreError;

/// A received record did not reach the secret store.
#[derive(Debug, Error)]
pub enum SaveError {
    /// It is safe in the journal, sealed; [`recover`](crate::tokens::locked_connection::LockedConnection::recover)
    /// tries again.
    #[error("saved in the journal only: {why}")]
    InJournal {
        /// Why the secret store did not take it.
        #[source]
        why: StoreError,
    },
    /// It is in memory only: keep it, and hand it to
    /// [`receive`](crate::tokens::locked_connection::LockedConnection::receive) again.
    #[error("saved nowhere: {why}")]
    Nowhere {
        /// Why neither journal nor secret store took it.
        #[source]
        why: StoreError,
        /// The record, with the generation it was given.
        record: Box<TokenRecord>,
    },
}
