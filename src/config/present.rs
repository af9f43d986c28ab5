//! The configuration file as it is now, and its replacement.
//!
//! Invariant: it is replaced as a whole, durably, with its mode, where a link leads to (see
//! `replace`); a new one is for its owner alone. Byte order mark and line ends stay.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use toml_edit::DocumentMut;

use crate::config::change_error::ChangeError;
use crate::config::replace_place::ReplacePlace;
use crate::config::{Config, ConfigError, MAX_FILE_SIZE, in_place, parse, replace, text};
use crate::domain::Provider;
use crate::trust;
use crate::trust::Purpose;

/// The file as it is now.
pub(super) struct Present {
    /// As it was named.
    file: PathBuf,
    /// Where links lead to.
    target: PathBuf,
    text: String,
    /// `None` where there is no file yet.
    mode: Option<Permissions>,
}

/// The byte order mark that some editors begin a file with.
const MARK: &str = "\u{feff}";

impl Present {
    pub(super) fn read(file: &Path) -> Result<Self, ConfigError> {
        trust::check(file, Purpose::Configuration)?;
        let unread = |source| ConfigError::Read { file: file.to_owned(), source };
        let (target, text, mode) = match fs::canonicalize(file) {
            Ok(target) => {
                let bytes = in_place::whole(file, fs::read(&target).map_err(unread)?);
                let not_text = |_| unread(io::Error::from(ErrorKind::InvalidData));
                let text = String::from_utf8(bytes).map_err(not_text)?;
                let mode = fs::metadata(&target).map_err(unread)?.permissions();
                (target, text, Some(mode))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => (file.to_owned(), String::new(), None),
            Err(error) => return Err(unread(error)),
        };
        Ok(Self { file: file.to_owned(), target, text, mode })
    }

    /// The text of the file; empty where there is none.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn unwritten(&self, source: io::Error) -> ConfigError {
        ConfigError::Write { file: self.file.clone(), source }
    }

    /// The file as a document.
    ///
    /// # Errors
    /// It is no TOML.
    pub(super) fn document(&self) -> Result<DocumentMut, ConfigError> {
        let (mark, body) = self.text.strip_prefix(MARK).map_or(("", self.text.as_str()), |body| (MARK, body));
        body.parse().map_err(|error: toml_edit::TomlError| {
            let offset = error.span().map_or(0, |span| span.start + mark.len());
            let (line, column) = text::position(&self.text, offset);
            self.unwritten(io::Error::other(format!("line {line}, column {column} is not valid TOML")))
        })
    }

    /// Replaces the file, if the document means the configuration that it should.
    pub(super) fn replace_checked(
        &self,
        document: &DocumentMut,
        meant: Config,
        providers: &'static [&'static Provider],
    ) -> Result<Config, ChangeError> {
        self.put(&self.checked(document, &meant, providers)?)?;
        Ok(meant)
    }

    /// The document's text, if it means the configuration that it should.
    pub(super) fn checked(
        &self,
        document: &DocumentMut,
        meant: &Config,
        providers: &'static [&'static Provider],
    ) -> Result<String, ConfigError> {
        let new = self.finished(&document.to_string());
        match parse(&new, &self.file, providers) {
            Ok(read) if read == *meant && new.len() as u64 <= MAX_FILE_SIZE => Ok(new),
            _ => {
                let why = "this change cannot be made automatically; make it in an editor";
                Err(self.unwritten(io::Error::other(why)))
            }
        }
    }

    /// Makes sure that the file can be replaced by this document, and changes nothing.
    pub(super) fn check(&self, document: &DocumentMut) -> Result<(), ConfigError> {
        let size = self.text.len().max(self.finished(&document.to_string()).len());
        replace::check(&self.place(), size).map_err(|source| self.unwritten(source))
    }

    /// Replaces the file by a document.
    pub(super) fn replace(&self, body: &str) -> Result<(), ConfigError> {
        self.put(&self.finished(body))
    }

    /// A document's text with the mark and the line ends of the file.
    fn finished(&self, body: &str) -> String {
        let mark = if self.text.starts_with(MARK) { MARK } else { "" };
        format!("{mark}{}", text::with_line_ends_of(self.text.trim_start_matches(MARK), body))
    }

    fn put(&self, text: &str) -> Result<(), ConfigError> {
        replace::put(&self.place(), text).map_err(|source| self.unwritten(source))
    }

    fn place(&self) -> ReplacePlace<'_> {
        ReplacePlace { file: &self.file, target: &self.target, mode: self.mode.as_ref() }
    }
}
