//! A glance at a large configuration: what the first frame is drawn from while the whole file is
//! still being read.
//!
//! It is what an earlier run left in the data directory: an excerpt, with the connections that come
//! first. It counts only while the configuration file looks as it did then, and for nothing but
//! the eye: a frame later everything is there. So reading it is never an error; what is missing,
//! damaged or of another file or version is no glance. No secret is in a configuration, nor here.

use std::io;
use std::io::Write as _;
use std::path::Path;

use unicode_width::UnicodeWidthStr as _;

use crate::config;
use crate::config::{Config, Paths};
use crate::domain::{Connection, Provider};
use crate::platform::file_stamp::Stamp;
use crate::secrets::private_files::whole_text;

/// Its name in the data directory.
const FILE: &str = "glance";
/// So many connections come first: few screens have more lines. A configuration that has no more of
/// them is read as quickly itself.
const FIRST: usize = 128;
/// No glance is larger, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;

/// What is known of a configuration before it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// The configuration with some of its connections: the first ones, and those whose name and
    /// title need the most columns, so that no column grows when the others come.
    pub config: Config,
    /// How many connections it has in all.
    pub total: usize,
}

impl Glance {
    /// Reads what an earlier run left, if it is of this configuration file as it is now. Blocks on
    /// the disk, for as long as one small file takes.
    #[must_use]
    pub fn read(paths: &Paths, providers: &'static [&'static Provider]) -> Option<Self> {
        let text = whole_text(&paths.data_dir.join(FILE), MAX_SIZE)?;
        let (total, excerpt) = text.strip_prefix(&heading(Stamp::of(&paths.config_file)?))?.split_once('\n')?;
        let config = config::parse(excerpt, &paths.config_file, providers).ok()?;
        Some(Self { config, total: total.parse().ok()? })
    }
}

/// Leaves a glance at the configuration that was read from `file` when it looked like `stamp`, unless
/// it has been left. Where it cannot be written, the next start does without. Blocks on the disk.
pub fn leave(data_dir: &Path, file: &Path, stamp: Stamp, config: &Config) {
    let path = data_dir.join(FILE);
    let heading = heading(stamp);
    if config.connections.len() <= FIRST || whole_text(&path, MAX_SIZE).is_some_and(|text| text.starts_with(&heading)) {
        return;
    }
    let Ok(Some(text)) = config::read(file) else { return };
    let widest = widest(&config.connections);
    let excerpt = config::excerpt(&text, |place| place < FIRST || widest.contains(&Some(place)));
    if let Some(excerpt) = excerpt.filter(|_| Stamp::of(file) == Some(stamp)) {
        // Nothing depends on it.
        let _ = write(&path, &format!("{heading}{}\n{excerpt}", config.connections.len()));
    }
}

/// What a glance begins with; how many connections there are ends the line.
fn heading(stamp: Stamp) -> String {
    format!("manutop {} glance {stamp} ", env!("CARGO_PKG_VERSION"))
}

/// The places of the connection with the widest name, and of the one with the widest title.
fn widest(connections: &[Connection]) -> [Option<usize>; 2] {
    let widest = |width: fn(&Connection) -> usize| {
        connections.iter().enumerate().max_by_key(|(_, connection)| width(connection)).map(|(place, _)| place)
    };
    [
        widest(|connection| connection.name.as_str().width()),
        widest(|connection| connection.title.as_ref().map_or(0, |title| title.width())),
    ]
}

/// Replaces the file, for its owner alone. It need not survive a crash.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let mut file = tempfile::Builder::new().prefix(".glance-").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
