//! The vault: where the tokens of all connections are kept. Reading needs no lock; whoever wants
//! to change something takes a connection's [`LockedConnection`].
//!
//! Invariant: no call touches the keyring before it is asked something that only the keyring
//! knows, and none blocks the calling thread: files are read and written on blocking tasks, the
//! secret store on its own thread.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::domain::{Clock, ConnectionName, KeepaliveProcess, Rotation, Secret, TokenRecord};
use crate::platform::file_stamp::Stamp;
use crate::secrets::error::StoreError;
use crate::secrets::private_files;
use crate::secrets::worker::Secrets;
use crate::tokens::binding::SealBinding;
use crate::tokens::journal::{Journal, JournalFile};
use crate::tokens::journal_stamps::{JournalChange, JournalStamp};
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::{Hazard, ReceivedTokens, Repair, TokenState, judge, needs_opening, received};
use crate::tokens::seal::Identity;
use crate::tokens::{binding, history, lock, record, status_snapshot};

/// Guards the making of the identity. No connection's name begins with a dot.
const IDENTITY_LOCK: &str = ".identity.lock";

/// Guards every change of a client secret, so that none is made while all are being moved.
const CLIENT_SECRETS_LOCK: &str = ".client-secrets.lock";

/// Held by the keeper that leads.
const KEEPER_LOCK: &str = ".keeper.lock";

/// Held while the overview is written.
const OVERVIEW_LOCK: &str = ".overview.lock";

/// Held by the process that gives commands its access tokens.
const AGENT_LOCK: &str = ".agent.lock";

/// Where it does. It lies among the locks, where nobody else has access.
const AGENT_SOCKET: &str = ".agent.sock";

/// The directory of the locks within the data directory.
const LOCKS: &str = "locks";

/// Whoever holds one of these locks is done within a few rounds of the store; longer is a hang.
const SHORT_WAIT: Duration = Duration::from_secs(30);

/// A directory's time of change has the grain of the kernel's clock tick: a second change within
/// it would go unseen, so one this fresh is looked at once more.
const GRAIN: chrono::TimeDelta = chrono::TimeDelta::milliseconds(100);

/// Where the tokens of all connections are kept. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    secrets: Secrets,
    journals: PathBuf,
    locks: PathBuf,
    /// Made with the first generation that is remembered.
    history: PathBuf,
    overview: PathBuf,
    clock: Arc<dyn Clock>,
    identity: Mutex<Option<Arc<Identity>>>,
}

/// The right to be the one process that does something on a data directory: refresh as the keeper,
/// or answer commands. Dropping it gives it up.
#[derive(Debug)]
pub struct Leadership {
    _lock: lock::Held,
}

/// The state of the journals as it was last looked at; see [`Vault::changed_since`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen(Option<SystemTime>);

/// The socket on which a process gives commands its access tokens.
#[must_use]
pub fn agent_socket(data_dir: &Path) -> PathBuf {
    data_dir.join(LOCKS).join(AGENT_SOCKET)
}

impl Vault {
    /// Opens the vault, making its directories for their owner alone. Touches no keyring.
    ///
    /// # Errors
    /// `Io` if a directory cannot be made, `Untrusted` if one belongs to another user or others could
    /// replace what is kept in the data directory.
    pub fn open(secrets: Secrets, data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (journals, locks) = (data_dir.join("journals"), data_dir.join(LOCKS));
        private_files::data_dir(data_dir)?;
        private_files::private_dir(&journals)?;
        private_files::private_dir(&locks)?;
        let (history, overview) = (data_dir.join("history"), data_dir.join(status_snapshot::FILE));
        let identity = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { secrets, journals, locks, history, overview, clock, identity }) })
    }

    /// Says whether the secret store is reachable and unlocked, without raising a prompt.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`, `TimedOut`.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.inner.secrets.probe().await
    }

    /// Writes an item of its own to the secret store, reads it back and removes it; says how long
    /// that took.
    ///
    /// # Errors
    /// The store cannot be reached, is locked, or does not keep what it is given.
    pub async fn rehearse(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        let secrets = &self.inner.secrets;
        secrets.probe().await?;
        // One per process, so that two rehearsals never meet.
        let item = format!("rehearsal-{}", std::process::id());
        secrets.set(&item, &Secret::new("rehearsal")).await?;
        secrets.delete(&item).await?;
        Ok(started.elapsed())
    }

    /// Opens a secret store that waits for a passphrase; one that needs none says yes. On first
    /// use the passphrase is the one the store has from then on. May take many seconds.
    ///
    /// # Errors
    /// `WrongPassphrase`, `Refused` if it is empty, or whatever keeps the store from being opened.
    pub async fn unlock(&self, passphrase: Secret) -> Result<(), StoreError> {
        self.inner.secrets.unlock(passphrase).await
    }

    /// The client secret that was set for a connection.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn client_secret(&self, name: &ConnectionName) -> Result<Option<Secret>, StoreError> {
        self.inner.secrets.get(&client_secret_item(name)).await
    }

    /// Sets a connection's client secret, reads it back and compares. A rotation never touches it.
    ///
    /// # Errors
    /// `Refused` if it is empty or not printable ASCII (RFC 6749 Appendix A.2); else any of
    /// [`StoreError`] but those of files.
    pub async fn set_client_secret(&self, name: &ConnectionName, secret: &Secret) -> Result<(), StoreError> {
        let _held = self.hold_client_secrets().await?;
        self.inner.secrets.set(&client_secret_item(name), secret).await
    }

    /// Removes a connection's client secret; says whether there was one.
    ///
    /// # Errors
    /// Any of [`StoreError`] but those of files.
    pub async fn remove_client_secret(&self, name: &ConnectionName) -> Result<bool, StoreError> {
        let _held = self.hold_client_secrets().await?;
        let item = client_secret_item(name);
        let existed = match self.inner.secrets.get(&item).await {
            // What cannot be read can be removed.
            Err(StoreError::Corrupt { .. } | StoreError::LockedElsewhere { .. }) => true,
            found => found?.is_some(),
        };
        self.inner.secrets.delete(&item).await?;
        Ok(existed)
    }

    /// Where a connection stands, without its lock: changes nothing and waits for nobody. A token
    /// that another process is spending at this moment is no hazard yet.
    ///
    /// # Errors
    /// `Corrupt`, `NewerFormat`, or whatever keeps journal or store from being read.
    pub async fn read(&self, name: &ConnectionName) -> Result<TokenState, StoreError> {
        self.read_stamped(name).await.map(|(standing, _)| standing)
    }

    /// The same, and how the journal looked before it was read; see [`Vault::changes`].
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub async fn read_stamped(&self, name: &ConnectionName) -> Result<(TokenState, Option<Stamp>), StoreError> {
        let path = self.journal_path(name);
        let (stamp, mut before) = on_disk(move || Ok((Stamp::of(&path), JournalFile::read(&path)?))).await?;
        loop {
            let (mut standing, _) = self.weigh(name, before.as_ref()).await?;
            let Some(hazard) = &standing.hazard else { return Ok((standing, stamp)) };
            let (is_uncertain, path) = (matches!(hazard, Hazard::Uncertain { .. }), self.lock_path(name));
            let is_under_way = on_disk(move || Ok(lock::is_held(&path))).await?;
            let after = self.journal_file(name).await?;
            if after == before {
                if is_uncertain && is_under_way {
                    standing.hazard = None;
                }
                return Ok((standing, stamp));
            }
            // Somebody saved between our two looks: the hazard may be of our own making.
            before = after;
        }
    }

    /// What the journals say that have changed since they were known; the others are not read.
    /// Costs a `stat` for each, and the secret store is not touched.
    pub async fn changes(&self, known: Vec<JournalStamp>) -> Vec<JournalChange> {
        let vault = self.clone();
        let look = move || Ok(known.into_iter().filter_map(|known| known.change(&vault)).collect());
        on_disk(look).await.unwrap_or_default()
    }

    /// How a connection's newest generations came to be, at most fifty, newest first. A logout
    /// leaves it: it is history.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn history(&self, name: &ConnectionName) -> Result<Vec<Rotation>, StoreError> {
        let path = self.history_path(name);
        on_disk(move || history::read(&path)).await
    }

    /// Removes that history, with the connection.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub async fn remove_history(&self, name: &ConnectionName) -> Result<(), StoreError> {
        let path = self.history_path(name);
        on_disk(move || history::remove(&path)).await
    }

    /// Takes news into the overview of the data directory; see [`overview`]. Says whether that could
    /// be done: it cannot while another process does so, or the disk is full.
    pub async fn note_overview(&self, news: status_snapshot::SnapshotChanges) -> bool {
        let inner = Arc::clone(&self.inner);
        let noted = on_disk(move || {
            let Some(_held) = lock::take(&inner.locks.join(OVERVIEW_LOCK))? else { return Ok(false) };
            status_snapshot::merge(&inner.overview, &news, &journal_files(&inner.journals)?).map(|()| true)
        });
        noted.await.unwrap_or(false)
    }

    /// Whether nobody has replaced a record or given it up: the journal is settled on this very one.
    /// The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn is_newest(&self, name: &ConnectionName, record: &TokenRecord) -> Result<bool, StoreError> {
        Ok(matches!(
            self.journal(name).await?,
            Some(Journal::Settled { generation, fingerprint, forgotten: false })
                if generation == record.generation && fingerprint == record::fingerprint(record)
        ))
    }

    /// The generation up to which a logout has given up the tokens, where that is the journal's
    /// last word. The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn forgotten(&self, name: &ConnectionName) -> Result<Option<u64>, StoreError> {
        Ok(match self.journal(name).await? {
            Some(Journal::Settled { generation, forgotten: true, .. }) => Some(generation),
            _ => None,
        })
    }

    /// The name that a connection's tokens are on their way to, while or after a rename that was cut
    /// off. The secret store is not touched.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn moving_to(&self, name: &ConnectionName) -> Result<Option<ConnectionName>, StoreError> {
        Ok(match self.journal(name).await? {
            Some(Journal::Moving { to, .. }) => Some(to),
            _ => None,
        })
    }

    /// Takes a connection's lock, waiting for whoever holds it: another process, or another lease
    /// in this one. `on_wait` is told the holder's PID when it has to wait, and again whenever the
    /// holder changes. Waits without limit; dropping the future gives up cleanly.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub async fn lock(
        &self,
        name: &ConnectionName,
        on_wait: impl FnMut(Option<u32>),
    ) -> Result<LockedConnection, StoreError> {
        let held = lock::wait(self.lock_path(name), on_wait).await?;
        Ok(LockedConnection::new(self.clone(), name.clone(), held))
    }

    /// Whether any journal changed since `seen` was last brought here, by this process or another;
    /// brings `seen` up to date. Costs one `stat`; the first time it says yes. A change a moment
    /// ago is reported twice, so that none within the file system's grain is missed.
    pub fn changed_since(&self, seen: &mut Seen) -> bool {
        let changed = std::fs::metadata(&self.inner.journals).and_then(|journals| journals.modified()).ok();
        let is_new = seen.0.is_none() || changed != seen.0;
        let age = changed.map(|changed| self.inner.clock.now() - chrono::DateTime::from(changed));
        let may_change_unseen = age.is_none_or(|age| age.abs() < GRAIN);
        *seen = Seen(changed.filter(|_| !may_change_unseen));
        is_new
    }

    /// Takes the keepers' lock, of which there is one for each data directory. Blocks its thread
    /// until the lock is had, by a call that the kernel ends when the holder dies; `on_wait` is
    /// told first of a holder, with its process ID where it can be read.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub fn lead(&self, on_wait: impl FnOnce(Option<u32>)) -> Result<Leadership, StoreError> {
        lock::block(&self.inner.locks.join(KEEPER_LOCK), on_wait).map(|held| Leadership { _lock: held })
    }

    /// Takes the right to answer commands, as [`Vault::lead`] takes the keepers'.
    ///
    /// # Errors
    /// `Io` if the lock file cannot be opened or locked.
    pub fn answer_alone(&self) -> Result<Leadership, StoreError> {
        lock::block(&self.inner.locks.join(AGENT_LOCK), |_| {}).map(|held| Leadership { _lock: held })
    }

    /// Where commands are answered; see [`agent_socket`].
    #[must_use]
    pub fn agent_socket(&self) -> PathBuf {
        self.inner.locks.join(AGENT_SOCKET)
    }

    /// The keeper that leads, if one does that is not this process.
    /// Costs an `open` and a try of the lock, and blocks as long as those do.
    #[must_use]
    pub fn keeper(&self) -> Option<KeepaliveProcess> {
        let holder = lock::holder_of(&self.inner.locks.join(KEEPER_LOCK))?;
        (holder.pid != Some(std::process::id())).then_some(KeepaliveProcess { pid: holder.pid })
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn journal_path(&self, name: &ConnectionName) -> PathBuf {
        self.inner.journals.join(format!("{name}.json"))
    }

    pub(crate) fn history_path(&self, name: &ConnectionName) -> PathBuf {
        self.inner.history.join(format!("{name}.jsonl"))
    }

    fn lock_path(&self, name: &ConnectionName) -> PathBuf {
        self.inner.locks.join(format!("{name}.lock"))
    }

    /// The connections that left a journal, whether they are configured or not.
    pub(crate) async fn names_in_journals(&self) -> Result<Vec<ConnectionName>, StoreError> {
        let dir = self.inner.journals.clone();
        on_disk(move || Ok(journal_files(&dir)?.iter().filter_map(|name| ConnectionName::new(name).ok()).collect()))
            .await
    }

    pub(crate) async fn journal(&self, name: &ConnectionName) -> Result<Option<Journal>, StoreError> {
        Ok(self.journal_file(name).await?.map(|file| file.journal))
    }

    pub(crate) async fn journal_file(&self, name: &ConnectionName) -> Result<Option<JournalFile>, StoreError> {
        let path = self.journal_path(name);
        on_disk(move || JournalFile::read(&path)).await
    }

    /// Weighs a journal against the store, opening what it holds sealed if need be. What is on its
    /// way to another name is nobody's to weigh.
    pub(crate) async fn weigh(
        &self,
        name: &ConnectionName,
        file: Option<&JournalFile>,
    ) -> Result<(TokenState, Repair), StoreError> {
        let journal = file.map(|file| &file.journal);
        if let Some(Journal::Moving { to, .. }) = journal {
            return Err(StoreError::Renaming { name: name.clone(), to: to.clone() });
        }
        let item = token_item(name);
        let stored = match self.token_line(name, journal).await {
            Ok(line) => line.map(|line| record::from_line(&item, &line)).transpose()?,
            Err(why) => return self.weigh_without_store(name, journal, why),
        };
        let received = match needs_opening(journal, stored.as_ref()) {
            Some(received) => {
                let binding = SealBinding::record(name, received.generation);
                Some(self.opened_record(name, received, &self.open_sealed(binding, received.sealed).await?)?)
            }
            None => None,
        };
        let (mut standing, owed) = judge(journal, stored, received);
        standing.refusal = file.and_then(|file| file.refusal.clone());
        standing.recovered = file.and_then(|file| file.recovered);
        Ok((standing, owed))
    }

    /// The store is out of reach: a record that waits in the journal is the newest all the same.
    fn weigh_without_store(
        &self,
        name: &ConnectionName,
        journal: Option<&Journal>,
        why: StoreError,
    ) -> Result<(TokenState, Repair), StoreError> {
        let Some(received) = journal.and_then(received) else { return Err(why) };
        // Another identity may open it; only the store knows.
        let opened = self.cached_identity().and_then(|identity| identity.open(received.sealed));
        let Some(opened) = opened else { return Err(why) };
        let item = self.journal_path(name).display().to_string();
        let line = SealBinding::record(name, received.generation).content(&item, &opened)?;
        let (standing, _) = judge(journal, None, Some(self.opened_record(name, received, &line)?));
        Ok((TokenState { unsaved_because: Some(why), ..standing }, Repair::Nothing))
    }

    /// The record in an opened seal, if it is the one that the journal names.
    fn opened_record(
        &self,
        name: &ConnectionName,
        received: ReceivedTokens<'_>,
        line: &Secret,
    ) -> Result<TokenRecord, StoreError> {
        let item = self.journal_path(name).display().to_string();
        let record = record::from_line(&item, line)?;
        if record.generation == received.generation && record::fingerprint(&record) == *received.fingerprint {
            return Ok(record);
        }
        Err(binding::misplaced(&item, "its sealed record is not the one that it names"))
    }

    /// The identity in memory, for the calls that use it; see `identity.rs`.
    pub(crate) fn identity_in_memory(&self) -> &Mutex<Option<Arc<Identity>>> {
        &self.inner.identity
    }

    /// Takes one of the locks that are nobody's for long.
    async fn hold(&self, file: &str, what: &'static str) -> Result<lock::Held, StoreError> {
        tokio::time::timeout(SHORT_WAIT, lock::wait(self.inner.locks.join(file), |_| {}))
            .await
            .map_err(|_| StoreError::TimedOut { what, after: SHORT_WAIT })?
    }

    /// Keeps everybody else from making an identity.
    pub(crate) async fn hold_identity(&self) -> Result<lock::Held, StoreError> {
        self.hold(IDENTITY_LOCK, "the lock on the identity").await
    }

    /// Keeps everybody else from changing client secrets.
    pub(crate) async fn hold_client_secrets(&self) -> Result<lock::Held, StoreError> {
        self.hold(CLIENT_SECRETS_LOCK, "the lock on the client secrets").await
    }
}

pub(crate) fn token_item(name: &ConnectionName) -> String {
    format!("{name}/token")
}

pub(crate) fn client_secret_item(name: &ConnectionName) -> String {
    format!("{name}/client-secret")
}

/// What the journals in a directory are called, without their ending.
fn journal_files(dir: &Path) -> Result<HashSet<String>, StoreError> {
    let failed = |error| StoreError::io("read", dir, error);
    let mut names = HashSet::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".json")).map(str::to_owned));
    }
    Ok(names)
}

/// Runs file work where a slow disk stalls nobody.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError::unavailable("the program is shutting down")),
    }
}
