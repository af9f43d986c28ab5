//! `manutop store use`: makes the configuration name another secret store.
//!
//! Invariants: a store that holds anything is not left: what is in it would be missed. The new store is known to work
//! before the file is changed, unless it waits for a passphrase and there is no terminal to ask on.

use std::sync::Arc;

use eyre::Report;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::cli::support::{passphrase, prompt, stores};
use crate::config;
use crate::config::StoreKind;
use crate::domain::ConnectionName;
use crate::secrets::error::StoreError;
use crate::secrets::worker::Secrets;
use crate::tokens::vault::Vault;

/// Switches to the store of this kind.
pub(crate) async fn run(files: &GlobalArgs, kind: StoreKind) -> Result<Exit, Report> {
    let mut session = Session::open(files)?;
    if session.config.store == kind {
        message!("{} in use already", name(kind));
        return Ok(Exit::Ok);
    }
    switch(&mut session, kind).await?;
    message!("restart dashboards and services that are still running: they use the old store");
    Ok(Exit::Ok)
}

/// Switches to the store of this kind, for this session and in the configuration.
pub(crate) async fn switch(session: &mut Session, kind: StoreKind) -> Result<(), CliError> {
    let file = session.paths.config_file.clone();
    config::can_set_store(&file, kind)?;
    let holders = holders(session).await?;
    if !holders.is_empty() {
        return Err(left_behind(session.config.store, kind, &holders));
    }
    let vault = open(session, kind).await?;
    config::set_store(&file, kind)?;
    message!("{} now says store = \"{}\"", file.display(), kind.word());
    session.vault = vault;
    session.config.store = kind;
    Ok(())
}

/// The connections of which the present store holds something, as far as that can be found out.
async fn holders(session: &Session) -> Result<Vec<ConnectionName>, CliError> {
    let vault = &session.vault;
    let journals = vault.names_in_journals().await?;
    if session.config.store == StoreKind::File {
        // Which ones, only the passphrase would show.
        let is_new = stores::is_new_encrypted(&session.paths)?;
        let all = session.config.connections.iter().map(|connection| connection.name.clone()).chain(journals);
        return Ok(if is_new { Vec::new() } else { all.collect() });
    }
    match vault.probe().await {
        Ok(()) => {}
        Err(StoreError::Unavailable { .. }) => return Ok(journals),
        Err(error) => return Err(error.into()),
    }
    let mut holders = Vec::new();
    for connection in &session.config.connections {
        let name = &connection.name;
        if journals.contains(name) || vault.client_secret(name).await?.is_some() {
            holders.push(name.clone());
        }
    }
    holders.extend(journals.into_iter().filter(|name| !holders.contains(name)).collect::<Vec<_>>());
    Ok(holders)
}

fn left_behind(present: StoreKind, wanted: StoreKind, holders: &[ConnectionName]) -> CliError {
    let names: Vec<_> = holders.iter().map(ConnectionName::as_str).collect();
    let place = match present {
        StoreKind::Keyring => "the keyring holds",
        StoreKind::File => "the encrypted files hold",
    };
    let message = format!(
        "{place} secrets of {}; move them with: manutop store migrate --to {}",
        names.join(", "),
        wanted.word()
    );
    CliError::new(Exit::Failed, message)
}

/// The vault with the other store, which works; a new encrypted one is made with the passphrase given or asked for.
async fn open(session: &Session, kind: StoreKind) -> Result<Vault, CliError> {
    let secrets = Secrets::new(stores::factory(kind, &session.paths, None));
    let vault = Vault::open(secrets, &session.paths.data_dir, Arc::clone(&session.clock))?;
    match kind {
        StoreKind::Keyring => vault.probe().await?,
        StoreKind::File => {
            let given = passphrase::given()?;
            if given.is_none() && !prompt::can_ask() {
                message!("the encrypted store asks for its passphrase when it is first used");
            } else {
                stores::open_encrypted(&vault, kind, given).await?;
            }
        }
    }
    Ok(vault)
}

fn name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Keyring => "the keyring is",
        StoreKind::File => "encrypted files are",
    }
}
