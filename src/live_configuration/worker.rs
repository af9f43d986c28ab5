//! The thread of the live configuration: reads and writes the file.
//!
//! Invariant: it touches the file only here, one job at a time.

use std::path::Path;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use crate::config;
use crate::config::{ChangeError, Config, ConfigError, Draft, StoreKind};
use crate::domain::{ConnectionName, FieldFault};
use crate::live_configuration::{ConfigurationJob, ConfigurationReport, ConfigurationSource, FileReport, Typed};
use crate::platform::file_stamp::Stamp;
use crate::platform::file_watch::Watch;

/// A changed file is read after it has not changed for so long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// A file that keeps changing is read after this time.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The file's thread.
pub(super) struct ConfigurationWorker {
    pub(super) source: ConfigurationSource,
    /// As last reported.
    pub(super) last: Result<Config, String>,
    /// Whether there has been a file.
    pub(super) is_there: bool,
    /// `None` where it is not watched.
    pub(super) watch: Option<Watch>,
    pub(super) reports: UnboundedSender<ConfigurationReport>,
}

impl ConfigurationWorker {
    pub(super) fn watch(&mut self, wake: mpsc::Sender<ConfigurationJob>) {
        let watch = Watch::start(&self.source.file, move || {
            // The receiver is gone once the dashboard quits.
            let _ = wake.send(ConfigurationJob::Look);
        });
        match watch {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => self.report(FileReport::Unwatched(error.to_string())),
        }
    }

    pub(super) fn run(mut self, jobs: &mpsc::Receiver<ConfigurationJob>) {
        // It may have changed since the first reading.
        if self.source.stamp.is_none() || self.source.stamp != Stamp::of(&self.source.file) {
            self.look();
        }
        let mut waiting: Option<(Instant, Instant)> = None;
        loop {
            let job = match waiting {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some((first, last)) => {
                    let until = (last + QUIET).min(first + LONGEST_WAIT);
                    jobs.recv_timeout(until.saturating_duration_since(Instant::now()))
                }
            };
            match job {
                Ok(ConfigurationJob::Look) => {
                    let now = Instant::now();
                    waiting = Some((waiting.map_or(now, |(first, _)| first), now));
                }
                Ok(ConfigurationJob::Reload) => self.reload(),
                Ok(ConfigurationJob::Save(draft, typed)) => self.save(&draft, typed),
                Ok(ConfigurationJob::Try(connection)) => self.try_deleting(connection),
                Ok(ConfigurationJob::Delete(connection)) => self.delete(connection),
                Ok(ConfigurationJob::UseFiles) => self.use_files(),
                Err(RecvTimeoutError::Timeout) => {
                    waiting = None;
                    self.follow();
                    self.look();
                }
                Ok(ConfigurationJob::End) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn report(&self, report: FileReport) {
        let _ = self.reports.send(ConfigurationReport(report));
    }

    fn follow(&mut self) {
        if let Some(Err(error)) = self.watch.as_mut().map(Watch::follow) {
            self.report(FileReport::Unwatched(error.to_string()));
        }
    }

    /// Reads the file, and reports it if it differs from the last reading.
    fn look(&mut self) {
        if let Some(read) = self.read().filter(|read| *read != self.last) {
            self.last.clone_from(&read);
            self.report(FileReport::Read(read));
        }
    }

    /// Reads the file, and reports it in any case.
    fn reload(&mut self) {
        let read = self.read().unwrap_or_else(|| self.last.clone());
        self.last.clone_from(&read);
        self.report(FileReport::Read(read));
    }

    /// What the file says; `None` while there never was one.
    fn read(&mut self) -> Option<Result<Config, String>> {
        self.source.stamp = Stamp::of(&self.source.file);
        Some(match config::load(&self.source.file, self.source.providers) {
            Ok(Some(config)) => {
                self.is_there = true;
                let checked = (self.source.check_keys)(&config, &self.source.file);
                checked.map(|()| config).map_err(|error| format!("not applied: {}", words(&error)))
            }
            // Without a file at the start the configuration is empty. A file that vanishes is being
            // replaced or was deleted by mistake: the connections stay.
            Ok(None) if !self.is_there => return None,
            Ok(None) => Err(format!("{} is gone; its last contents stay in use", file_name(&self.source.file))),
            Err(error) => Err(format!("not applied: {}", words(&error))),
        })
    }

    fn save(&mut self, draft: &Draft, typed: Typed) {
        let saved = match (typed.fault(), draft.changes()) {
            (Some(fault), _) => Err(vec![fault]),
            (None, Some(name)) => {
                config::change_connection(&self.source.file, name, draft, self.source.providers).map_err(field_faults)
            }
            (None, None) => {
                config::add_connection(&self.source.file, draft, self.source.providers).map_err(field_faults)
            }
        };
        let result = saved.inspect(|config| self.wrote(config));
        self.report(FileReport::Saved { connection: draft.get("name").to_owned(), typed, result });
    }

    fn try_deleting(&self, connection: ConnectionName) {
        let tried = config::can_remove_connection(&self.source.file, &connection, self.source.providers);
        let result = match tried {
            // It has been removed from the file already; the rest can follow.
            Ok(()) | Err(ChangeError::Gone { .. }) => Ok(()),
            Err(ChangeError::File(error)) => Err(words(&error)),
            Err(error) => Err(error.to_string()),
        };
        self.report(FileReport::Tried { connection, result });
    }

    fn delete(&mut self, connection: ConnectionName) {
        let removed = config::remove_connection(&self.source.file, &connection, self.source.providers);
        let result = match removed {
            Ok(config) => Ok(config),
            // Another process was quicker.
            Err(ChangeError::Gone { .. }) => {
                self.look();
                self.last.clone()
            }
            Err(ChangeError::File(error)) => Err(words(&error)),
            Err(error) => Err(error.to_string()),
        };
        let result = result.inspect(|config| self.wrote(config));
        self.report(FileReport::Deleted { connection, result });
    }

    fn use_files(&mut self) {
        let chosen = config::set_store(&self.source.file, StoreKind::File).map_err(|error| words(&error));
        let result = match chosen {
            Ok(()) => self.read().unwrap_or_else(|| Err("the file is gone".into())),
            Err(why) => Err(why),
        };
        let result = result.inspect(|config| self.wrote(config));
        self.report(FileReport::FilesChosen(result));
    }

    /// Notes that the file now holds what we wrote.
    fn wrote(&mut self, config: &Config) {
        let was_faulty = self.last.is_err();
        self.is_there = true;
        self.last = Ok(config.clone());
        if was_faulty {
            self.report(FileReport::Read(Ok(config.clone())));
        }
        self.follow();
    }
}

fn field_faults(error: ChangeError) -> Vec<FieldFault> {
    match error {
        ChangeError::Refused(faults) => faults,
        ChangeError::File(error) => vec![FieldFault::of_all(words(&error))],
        error @ ChangeError::Gone { .. } => vec![FieldFault::of_all(error.to_string())],
    }
}

/// The first fault in one line, with its place in the file.
fn words(error: &ConfigError) -> String {
    match error {
        ConfigError::Invalid { file, faults } => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            match faults.len() {
                1 => format!("{}:{first}", file_name(file)),
                several => format!("{} has {several} faults; {first}", file_name(file)),
            }
        }
        error => error.to_string(),
    }
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
