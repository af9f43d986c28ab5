//! Renaming a connection: its tokens with their journal, its client secret and the
//! history of its tokens. Between [`Renaming::carry`] and [`Carried::empty_old`], the caller puts
//! the new name into the configuration.
//!
//! The steps, with both names' locks held throughout:
//!
//! 1. the old name's unsaved record is saved; the new name is free; client secret and history are copied
//! 2. the old name's journal says `Moving`: from here on that name can neither send nor erase
//! 3. the new name's journal gets the state that the old one's had, so that a token that was uncertain or refused
//!    stays so
//! 4. the record is saved under the new name, read back and compared: from here on that name can send
//! 5. the configuration has the new name
//! 6. the old name's items are removed; its journal keeps the mark of a logout, "given up to here"
//!
//! Invariants, wherever the process dies:
//!
//! - at no time can two names send one refresh token, no matter what the configuration says or a running
//!   process remembers: a name can only send what store and journal hold under it, and between 2
//!   and 4 neither does;
//! - the record is removed from the old name only after it was read back under the new one; `Moving` holds all that
//!   is needed to resume, from any step on;
//! - a name's generations only go up: over what an earlier connection left under the new name the
//!   record is raised, as a login's would be, and a login under the old name begins above the mark.
//!   That mark is removed when the connection that has the name then is removed;
//! - tokens or another client secret under the new name are neither overwritten nor used.

use thiserror::Error;

use crate::domain::{ConnectionName, LastRefusal, LostAnswer, Secret, TokenRecord};
use crate::fault_point;
use crate::fault_point::Step;
use crate::secrets::error::StoreError;
use crate::tokens::binding::SealBinding;
use crate::tokens::items::{client_secret_item, token_item};
use crate::tokens::journal::{Journal, JournalFile, Spending};
use crate::tokens::lock::HeldLock;
use crate::tokens::locked_connection::LockedConnection;
use crate::tokens::reconcile::Hazard;
use crate::tokens::record::fingerprint;
use crate::tokens::vault::Vault;
use crate::tokens::{damaged_journal, history, record};

/// A rename about to be made: both names' locks are held.
pub struct Renaming {
    vault: Vault,
    old: LockedConnection,
    new: LockedConnection,
    _client_secrets: HeldLock,
}

/// How far an earlier rename came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameProgress {
    /// There was none.
    None,
    /// It was interrupted; [`Renaming::carry`] resumes it.
    CutOff,
    /// It was completed, or there was a logout: the old name's tokens are given up.
    GivenUp,
}

/// The new name has everything, read back; the old one's can no longer be sent.
pub struct Carried {
    renaming: Renaming,
    arrives: Arriving,
}

/// What the journal of the new name begins with: the state, and the provider's last answer, so that
/// a dead token is as dead under the new name.
struct Arriving {
    journal: Journal,
    refusal: Option<LastRefusal>,
    recovered: Option<LostAnswer>,
}

impl Arriving {
    /// This state, with what is kept beside the old name's.
    fn with(journal: Journal, file: Option<JournalFile>) -> Self {
        let (refusal, recovered) = file.map_or((None, None), |file| (file.refusal, file.recovered));
        Self { journal, refusal, recovered }
    }

    /// The file with this state in it.
    fn beside(&self, journal: Journal) -> JournalFile {
        JournalFile { journal, refusal: self.refusal.clone(), recovered: self.recovered }
    }
}

/// What the new name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The generation of its tokens, if there are any.
    pub generation: Option<u64>,
    /// Whether its refresh token may have been replaced, as before.
    pub is_uncertain: bool,
    /// Whether it has a client secret in the store.
    pub has_client_secret: bool,
    /// Whether another client secret stays under the old name.
    pub left_client_secret: bool,
}

/// Why a connection was not renamed.
#[derive(Debug, Error)]
pub enum RenameError {
    /// Store, journal or lock could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An earlier connection's tokens are kept under the new name.
    #[error(
        "tokens of an earlier connection are kept under the name {name}; choose another name, or add that connection \
         again and log it out"
    )]
    TokensThere {
        /// The new name.
        name: ConnectionName,
    },
    /// What an earlier connection left under the new name cannot be read.
    #[error(
        "what an earlier connection left under the name {name} cannot be used ({why}); choose another name, or add that \
         connection again and log it out"
    )]
    DamageThere {
        /// The new name.
        name: ConnectionName,
        /// What is wrong with it.
        why: StoreError,
    },
    /// Another client secret is kept under the new name.
    #[error(
        "another client secret is stored under the name {name}; choose another name, or remove it with: manutop secret \
         rm {name}"
    )]
    ClientSecretThere {
        /// The new name.
        name: ConnectionName,
    },
    /// The store does not hold the newest record, so there is none to move.
    #[error("the store holds generation {stored}, but {mark} has been saved")]
    RolledBack {
        /// The generation in the store; 0 if there is none.
        stored: u64,
        /// The newest generation ever saved.
        mark: u64,
    },
}

impl Renaming {
    /// Takes both names' locks. `on_wait` is called with the holder that has to be waited for. Waits without
    /// limit; dropping the future gives up cleanly. Nothing is changed yet.
    ///
    /// # Errors
    /// What keeps the store from being used, or the locks from being taken.
    pub async fn begin(
        vault: Vault,
        old: &ConnectionName,
        new: &ConnectionName,
        mut on_wait: impl FnMut(&ConnectionName, Option<u32>),
    ) -> Result<Self, StoreError> {
        vault.probe().await?;
        // In one order, so that two renames that cross do not wait for each other for ever.
        let (first, second) = (old.min(new), old.max(new));
        let first = vault.lock(first, |pid| on_wait(first, pid)).await?;
        let second = vault.lock(second, |pid| on_wait(second, pid)).await?;
        let (old, new) = if first.name() == old { (first, second) } else { (second, first) };
        let client_secrets = vault.hold_client_secrets().await?;
        fault_point::pass(Step::RenameBegun);
        Ok(Self { vault, old, new, _client_secrets: client_secrets })
    }

    /// How far an earlier rename to this name came.
    ///
    /// # Errors
    /// `Renaming` if it was to another name; or the journal cannot be read.
    pub async fn progress(&self) -> Result<RenameProgress, StoreError> {
        Ok(match self.vault.journal(self.old.name()).await? {
            Some(Journal::Moving { to, .. }) if to == *self.new.name() => RenameProgress::CutOff,
            Some(Journal::Moving { to, .. }) => {
                return Err(StoreError::Renaming { name: self.old.name().clone(), to });
            }
            Some(journal) if journal.is_forgotten() => RenameProgress::GivenUp,
            _ => RenameProgress::None,
        })
    }

    /// Copies everything to the new name and reads it back; resumes a rename that was interrupted.
    ///
    /// # Errors
    /// [`RenameError`]. Nothing is lost then, and another attempt resumes.
    pub async fn carry(mut self) -> Result<Carried, RenameError> {
        let file = self.vault.journal_file(self.old.name()).await?;
        let arrives = match file.as_ref().map(|file| file.journal.clone()) {
            Some(Journal::Moving { to, arrives }) if to == *self.new.name() => {
                self.copy_client_secret().await?; // it may have been set since
                Arriving::with(*arrives, file)
            }
            _ => self.depart().await?,
        };
        self.arrive(&arrives).await?;
        fault_point::pass(Step::RenameArrived);
        Ok(Carried { renaming: self, arrives })
    }

    /// Blocks the old name; returns what the journal of the new one begins with.
    async fn depart(&mut self) -> Result<Arriving, RenameError> {
        let state = self.old.recover().await?;
        if !state.saved {
            return Err(state.unsaved_because.unwrap_or(StoreError::Unsaved { generation: state.mark }).into());
        }
        if let Some(Hazard::RolledBack { stored, mark }) = state.hazard {
            return Err(RenameError::RolledBack { stored, mark });
        }
        let left_there = self.mark_left_there().await?;
        if let (ours, Some(theirs)) = self.client_secrets().await?
            && ours != Some(theirs)
        {
            return Err(RenameError::ClientSecretThere { name: self.new.name().clone() });
        }
        self.copy_client_secret().await?;
        let (from, to) =
            (self.vault.data_dir().history(self.old.name()), self.vault.data_dir().history(self.new.name()));
        self.new.on_disk(move || history::copy(&from, &to)).await?;
        self.new.preflight().await?;
        fault_point::pass(Step::RenamePrepared);
        let present = self.present(state.record.as_ref()).await?;
        let sent = present.generation();
        let arrives = match sent {
            generation if left_there > 0 && left_there >= generation => {
                present.with_generation(left_there.saturating_add(1))
            }
            _ => present,
        };
        let arrives = self.bound_to_new(arrives, sent).await?;
        let moving = Journal::Moving { to: self.new.name().clone(), arrives: Box::new(arrives.clone()) };
        let arriving = Arriving::with(arrives, self.vault.journal_file(self.old.name()).await?);
        self.old.write_file(arriving.beside(moving)).await?;
        fault_point::pass(Step::RenameDeparted);
        Ok(arriving)
    }

    /// The journal with its unread answer bound to the new name. One that cannot be opened any more, or belongs
    /// elsewhere, stays as it is: it is as useless under the new name.
    async fn bound_to_new(&self, mut arrives: Journal, sent: u64) -> Result<Journal, StoreError> {
        let generation = arrives.generation();
        let Journal::Spending(Spending { unread: Some(sealed), .. }) = &mut arrives else { return Ok(arrives) };
        match self.old.unread(sent, sealed).await {
            Ok(answer) => {
                let identity = self.vault.identity().await?;
                let bound = SealBinding::unread(self.new.name(), generation).seal(&identity, &answer);
                *sealed = bound.unwrap_or_else(|| std::mem::take(sealed));
            }
            Err(StoreError::Corrupt { .. } | StoreError::Misplaced { .. }) => {}
            Err(why) => return Err(why),
        }
        Ok(arrives)
    }

    /// The generation mark that an earlier connection left under the new name; 0 without one.
    async fn mark_left_there(&mut self) -> Result<u64, RenameError> {
        // This also finishes a logout that was interrupted. A history there may be a copy of ours.
        let state = match self.new.recover_by_journal().await {
            Err(why) if why.is_replaceable() => {
                return Err(RenameError::DamageThere { name: self.new.name().clone(), why });
            }
            state => state?,
        };
        if state.record.is_some() || self.stored(&self.new).await?.is_some() {
            return Err(RenameError::TokensThere { name: self.new.name().clone() });
        }
        Ok(state.mark)
    }

    /// Copies the client secret to the new name, if that has none.
    async fn copy_client_secret(&self) -> Result<(), StoreError> {
        match self.client_secrets().await? {
            (Some(ours), None) => self.vault.secrets().set(&client_secret_item(self.new.name()), &ours).await,
            _ => Ok(()),
        }
    }

    /// The old name's client secret and the new one's.
    async fn client_secrets(&self) -> Result<(Option<Secret>, Option<Secret>), StoreError> {
        let of = async |connection: &LockedConnection| {
            self.vault.secrets().get(&client_secret_item(connection.name())).await
        };
        Ok((of(&self.old).await?, of(&self.new).await?))
    }

    /// The old name's journal, or what it should say: settling it may have failed.
    async fn present(&self, record: Option<&TokenRecord>) -> Result<Journal, StoreError> {
        let journal = self.vault.journal(self.old.name()).await?;
        let is_of = |journal: &Journal, record: &TokenRecord| {
            journal.generation() == record.generation && *journal.fingerprint() == fingerprint(record)
        };
        Ok(match (record, journal) {
            (Some(record), Some(spending @ Journal::Spending(_))) if is_of(&spending, record) => spending,
            (Some(record), _) => Journal::settled(record),
            (None, Some(given_up)) => given_up.forgotten(),
            (None, None) => Journal::of_nothing(),
        })
    }

    /// Copies the record to the new name, unless it was there already and may have been refreshed since.
    async fn arrive(&mut self, arriving: &Arriving) -> Result<(), RenameError> {
        let arrives = &arriving.journal;
        let (ours, there) = (self.stored(&self.old).await?, self.stored(&self.new).await?);
        let generation = arrives.generation();
        if let Some(there) = there {
            let is_it = there.generation == generation && fingerprint(&there) == *arrives.fingerprint();
            let is_its_client_s = ours.is_none_or(|ours| ours.client_id == there.client_id);
            let may_be_of_it = is_its_client_s && (is_it || there.generation > generation);
            let name = self.new.name().clone();
            return if may_be_of_it { Ok(()) } else { Err(RenameError::TokensThere { name }) };
        }
        let theirs = self.vault.journal(self.new.name()).await?;
        let was_given_up = |theirs: &Journal| theirs.generation() == generation && theirs.is_forgotten();
        if theirs.is_some_and(|theirs| theirs.generation() > generation || was_given_up(&theirs)) {
            return Ok(());
        }
        self.new.write_file(arriving.beside(arrives.clone())).await?;
        fault_point::pass(Step::RenameAwaited);
        let Some(record) = ours.filter(|_| !arrives.is_forgotten()) else { return Ok(()) };
        if fingerprint(&record) != *arrives.fingerprint() {
            let why = "it is not the record that was about to be moved".into();
            return Err(StoreError::Corrupt { item: token_item(self.old.name()), why }.into());
        }
        let record = TokenRecord { generation, ..record };
        let item = token_item(self.new.name());
        self.vault.secrets().set(&item, &record::to_line(&record)).await?;
        // And again the way that all others read it.
        let (state, _) = self.vault.load_state(self.new.name(), Some(&arrives.clone().into())).await?;
        if state.record == Some(record) { Ok(()) } else { Err(StoreError::NotReadBack { item }.into()) }
    }

    /// The record in the store under a name.
    async fn stored(&self, connection: &LockedConnection) -> Result<Option<TokenRecord>, StoreError> {
        let item = token_item(connection.name());
        let journal = self.vault.journal(connection.name()).await?;
        let line = self.vault.token_line(connection.name(), journal.as_ref()).await?;
        line.map(|line| record::from_line(&item, &line)).transpose()
    }
}

impl Carried {
    /// Empties the old name. To be called only once the configuration has the new one.
    ///
    /// # Errors
    /// What keeps something from being removed; another attempt resumes.
    pub async fn empty_old(self) -> Result<Renamed, StoreError> {
        fault_point::pass(Step::RenameConfigured);
        let Self { renaming, arrives } = self;
        let Renaming { vault, old, new, .. } = &renaming;
        let (ours, theirs) = renaming.client_secrets().await?;
        // One that was set since belongs to a future connection of that name.
        let left_client_secret = ours.is_some() && theirs.is_some() && ours != theirs;
        if !left_client_secret {
            vault.secrets().delete(&client_secret_item(old.name())).await?;
        }
        vault.secrets().delete(&token_item(old.name())).await?;
        let path = vault.data_dir().history(old.name());
        let (from, to) = (vault.data_dir().journal(old.name()), vault.data_dir().journal(new.name()));
        old.on_disk(move || {
            damaged_journal::move_asides(&from, &to);
            history::remove(&path)
        })
        .await?;
        fault_point::pass(Step::RenameEmptied);
        old.write(arrives.journal.forgotten()).await?;
        fault_point::pass(Step::RenameDone);
        let file = vault.journal_file(new.name()).await?;
        let (state, _) = vault.load_state(new.name(), file.as_ref()).await?;
        Ok(Renamed {
            generation: state.record.map(|record| record.generation),
            is_uncertain: matches!(state.hazard, Some(Hazard::Uncertain { .. })),
            has_client_secret: theirs.is_some(),
            left_client_secret,
        })
    }
}
