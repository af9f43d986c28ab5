//! Why a change of a connection in the configuration file failed.

use std::path::PathBuf;

use thiserror::Error;

use crate::config::ConfigError;
use crate::domain::{ConnectionName, FieldFault};

/// Why a connection was not written into the file, or not taken out of it.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The file cannot be read or replaced, or has faults of its own.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The connection itself has faults.
    #[error("{}", list(.0))]
    Refused(Vec<FieldFault>),
    /// The file has no such connection any more.
    #[error("{}: it no longer has a connection {name}", file.display())]
    Gone {
        /// The file.
        file: PathBuf,
        /// The connection.
        name: ConnectionName,
    },
}

fn list(faults: &[FieldFault]) -> String {
    let faults: Vec<_> = faults.iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect();
    faults.join("; ")
}
