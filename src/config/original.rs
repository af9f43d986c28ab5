//! The configuration file as it was when a person began to edit it, faulty or not, and its
//! replacement by what came of that.
//!
//! Invariant: it is replaced as a whole, durably, with its mode, where a link leads to (see
//! `replace`); a new one is for its owner alone. The text is taken as it is.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::config::replace::directory_of;
use crate::config::replace_place::ReplacePlace;
use crate::config::{ConfigError, MAX_FILE_SIZE, in_place, replace};
use crate::trust;
use crate::trust::Purpose;

/// The file as it was.
pub struct Original {
    /// As it was named.
    file: PathBuf,
    /// Where links lead to.
    target: PathBuf,
    /// `None` where there was no file.
    bytes: Option<Vec<u8>>,
    mode: Option<Permissions>,
}

impl Original {
    /// The file as it is now; that there is none is fine.
    ///
    /// # Errors
    /// It cannot be read, could be changed by other users, or is too large for a configuration.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        trust::check(file, Purpose::Configuration)?;
        let unread = |source| ConfigError::Read { file: file.to_owned(), source };
        let target = match fs::canonicalize(file) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { file: file.to_owned(), target: file.to_owned(), bytes: None, mode: None });
            }
            Err(error) => return Err(unread(error)),
        };
        let opened = File::open(&target).map_err(unread)?;
        let mode = opened.metadata().map_err(unread)?.permissions();
        let mut bytes = Vec::new();
        opened.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > MAX_FILE_SIZE {
            return Err(ConfigError::TooLarge { file: file.to_owned() });
        }
        Ok(Self { file: file.to_owned(), target, bytes: Some(in_place::whole(file, bytes)), mode: Some(mode) })
    }

    /// What was in it; `None` where there was no file.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// The directory it lies in, without links; made for its owner alone where it is not there yet.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn directory(&self) -> Result<&Path, ConfigError> {
        directory_of(&self.target).map_err(|source| self.unwritten(source))
    }

    /// Whether the file still holds what it held.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub fn is_current(&self) -> Result<bool, ConfigError> {
        Ok(Self::read(&self.file)?.bytes == self.bytes)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// The system does not let it be replaced; it is then as it was.
    pub fn replace(&self, text: &str) -> Result<(), ConfigError> {
        replace::put(&self.place(), text).map_err(|source| self.unwritten(source))
    }

    /// Makes sure that the file can be replaced, and changes nothing.
    ///
    /// # Errors
    /// As [`Original::replace`] would have.
    pub fn check(&self) -> Result<(), ConfigError> {
        let size = self.bytes.as_ref().map_or(0, Vec::len);
        replace::check(&self.place(), size).map_err(|source| self.unwritten(source))
    }

    fn place(&self) -> ReplacePlace<'_> {
        ReplacePlace { file: &self.file, target: &self.target, mode: self.mode.as_ref() }
    }

    fn unwritten(&self, source: io::Error) -> ConfigError {
        ConfigError::Write { file: self.file.clone(), source }
    }
}
