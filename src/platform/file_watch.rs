//! Watches a file for changes, wherever its links lead.
//!
//! What is watched are directories: editors replace files. Nothing is polled. A directory that is
//! not there yet is waited for in the nearest one that is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// So many links are followed; systems follow no more.
const MOST_LINKS: usize = 40;

/// A watch on one file. Dropping it ends it.
pub struct Watch {
    watcher: RecommendedWatcher,
    file: PathBuf,
    /// The file under all its names.
    places: Arc<Mutex<Vec<PathBuf>>>,
    dirs: BTreeSet<PathBuf>,
}

impl Watch {
    /// Begins to watch; `changed` is called on a thread of its own, more often than there are
    /// changes.
    ///
    /// # Errors
    /// The system lets nothing be watched.
    pub fn start(file: &Path, changed: impl Fn() + Send + 'static) -> notify::Result<Self> {
        let places = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&places);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let places = known.lock().unwrap_or_else(PoisonError::into_inner);
            // An error is no news of the file, but it may stand for news that were lost.
            if event.map_or(true, |event| is_about(&event, &places)) {
                changed();
            }
        })?;
        let mut watch = Self { watcher, file: file.to_owned(), places, dirs: BTreeSet::new() };
        watch.follow()?;
        Ok(watch)
    }

    /// Looks again where the file is; to be called after every change, and before it is read.
    ///
    /// # Errors
    /// As [`Watch::start`].
    pub fn follow(&mut self) -> notify::Result<()> {
        loop {
            let places = places(&self.file);
            let dirs = nearest_dirs(&places);
            *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
            for gone in &self.dirs {
                // A directory that was replaced is another one under the same name: it is left, too.
                let _ = self.watcher.unwatch(gone);
            }
            self.dirs.clear();
            for dir in dirs {
                self.watcher.watch(&dir, RecursiveMode::NonRecursive)?;
                self.dirs.insert(dir);
            }
            // What came or went before it was watched is not reported.
            if self.dirs == nearest_dirs(&self::places(&self.file)) {
                return Ok(());
            }
        }
    }
}

/// Whether an event may be one of the file's. Reading it, as we do ourselves, is none.
fn is_about(event: &Event, places: &[PathBuf]) -> bool {
    let is_reading = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    // A directory on the way to the file counts, too: it may have come, gone, or been replaced.
    let is_on_the_way = |path: &PathBuf| places.iter().any(|place| place.starts_with(path));
    !is_reading && (event.need_rescan() || event.paths.iter().any(is_on_the_way))
}

/// The file, and all that its links lead to; each as named and without links in its directory.
fn places(file: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let mut place = file.to_owned();
    for _ in 0..MOST_LINKS {
        let (Some(dir), Some(name)) = (place.parent(), place.file_name()) else { break };
        places.push(place.clone());
        places.extend(std::fs::canonicalize(dir).map(|dir| dir.join(name)));
        match std::fs::read_link(&place) {
            Ok(target) => place = dir.join(target),
            Err(_) => break,
        }
    }
    places
}

/// For each place the directory it is in, or the nearest one that is there.
fn nearest_dirs(places: &[PathBuf]) -> BTreeSet<PathBuf> {
    places.iter().filter_map(|place| nearest_dir(place)).collect()
}

fn nearest_dir(place: &Path) -> Option<PathBuf> {
    place.ancestors().skip(1).find(|dir| dir.is_dir()).map(Path::to_owned)
}
