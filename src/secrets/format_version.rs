//! The format version that every stored JSON document names: token records, journals, files of the encrypted store.
//!
//! A newer one is refused and left alone.

use serde::Deserialize;

use crate::secrets::error::StoreError;

/// The version that this program writes.
pub(crate) const VERSION: u64 = 1;

#[derive(Deserialize)]
struct VersionedDocument {
    version: u64,
}

/// Refuses JSON of a format version that this program does not know.
pub(crate) fn check_version(item: &str, json: &str) -> Result<(), StoreError> {
    let VersionedDocument { version } =
        serde_json::from_str(json).map_err(|error| StoreError::unreadable(item, &error))?;
    match version {
        VERSION => Ok(()),
        0 => Err(StoreError::Corrupt { item: item.to_owned(), why: "format 0 does not exist".into() }),
        version => Err(StoreError::NewerFormat { item: item.to_owned(), version }),
    }
}
