//! `manutop store`: which store is used. `migrate` moves everything to the other store, and makes the configuration
//! name it.

use std::sync::Arc;

use eyre::Report;

use crate::cli::commands::store_use;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::{message, waiting};
use crate::cli::support::{passphrase, stores};
use crate::config;
use crate::config::StoreKind;
use crate::secrets::worker::Secrets;
use crate::tokens::migrate::{Migration, Moved};
use crate::tokens::vault::Vault;

/// Choose the secret store: the keyring, or encrypted files
#[derive(Debug, clap::Subcommand)]
pub enum StoreCommand {
    /// Switch to a store while the present one holds nothing
    Use {
        /// The store
        store: StoreName,
    },
    /// Move everything and switch the configuration to the new store; run it again to resume
    Migrate {
        /// The new store
        #[arg(long)]
        to: StoreName,
    },
}

/// A store, as it is named on the command line and in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreName {
    /// The desktop's keyring
    Keyring,
    /// Encrypted files in the data directory
    File,
}

impl From<StoreName> for StoreKind {
    fn from(name: StoreName) -> Self {
        match name {
            StoreName::Keyring => Self::Keyring,
            StoreName::File => Self::File,
        }
    }
}

impl StoreCommand {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        match self {
            Self::Use { store } => store_use::run(files, store.into()).await,
            Self::Migrate { to } => run(files, to.into()).await,
        }
    }
}

/// Moves everything to the store of this kind. Doing it again finishes a move that was cut off.
async fn run(files: &GlobalArgs, kind: StoreKind) -> Result<Exit, Report> {
    let session = Session::open(files)?;
    let is_finishing = session.config.store == kind;
    if !is_finishing {
        check(&session, kind)?;
    }
    let from = open(&session, kind.other()).await?;
    let to = open(&session, kind).await?;
    let names: Vec<_> = session.config.connections.iter().map(|connection| connection.name.clone()).collect();
    let held = Migration::begin(from, to, is_finishing, &names, waiting).await.map_err(CliError::from)?;
    let copied = held.copy().await.map_err(|error| {
        let message = format!("nothing was removed; {}", error.with_advice());
        CliError::new(Exit::StoreUnavailable, message)
    })?;
    let word = kind.word();
    let file = session.paths.config_file.display();
    if !is_finishing {
        config::set_store(&session.paths.config_file, kind).map_err(|error| {
            let message = format!(
                "everything is copied, nothing was removed, but the configuration could not be changed: {error}\n\
                 Set store = \"{word}\" in it yourself, then run this command again to remove the old copies"
            );
            CliError::new(Exit::Failed, message)
        })?;
        message!("{file} now says store = \"{word}\"");
    }
    let moved = copied.remove_source().await.map_err(|error| {
        let message = format!(
            "everything is in the new store and in use, but the old copies could not all be removed: {}; \
             run this command again to resume",
            error.with_advice()
        );
        CliError::new(Exit::StoreUnavailable, message)
    })?;
    report(&moved, kind, is_finishing);
    Ok(Exit::Ok)
}

/// Makes sure that the configuration can name the new store, before anything is moved.
fn check(session: &Session, kind: StoreKind) -> Result<(), CliError> {
    config::can_set_store(&session.paths.config_file, kind).map_err(|error| {
        let word = kind.word();
        let message = format!(
            "nothing was moved: {error}\nOr write store = \"{word}\" where the file comes from, then run this \
             command again, which moves everything"
        );
        CliError::new(Exit::Failed, message)
    })
}

/// The vault of this session's data directory with the store of this kind.
async fn open(session: &Session, kind: StoreKind) -> Result<Vault, CliError> {
    let secrets = Secrets::new(stores::factory(kind, &session.paths, None));
    let vault = Vault::open(secrets, &session.paths.data_dir, Arc::clone(&session.clock))?;
    let given = if session.config.store == StoreKind::File { session.passphrase.clone() } else { passphrase::given()? };
    stores::open_encrypted(&vault, kind, given).await?;
    Ok(vault)
}

fn report(moved: &Moved, kind: StoreKind, is_finishing: bool) {
    let (place, other) = match kind {
        StoreKind::File => ("encrypted files", "keyring"),
        StoreKind::Keyring => ("keyring", "encrypted files"),
    };
    message!(
        "the {place} hold the tokens of {} connections and {} client secrets; the {other} hold none of them",
        moved.tokens,
        moved.client_secrets
    );
    for item in &moved.left {
        message!("{item}: another one was left in the {other}; the one in the {place} counts");
    }
    if !is_finishing {
        message!("restart dashboards and services that are still running: they use the old store");
    }
}
