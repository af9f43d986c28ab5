//! `manutop add`: a new connection, written by the form's own checker and writer.
//!
//! Invariants: nothing is written before everything is known to be right: the connection, the
//! store, the client secret. The client secret is stored first; where the file cannot be written
//! then, the store is put back as it was.

mod questions;
pub mod settings;

use std::io;
use std::io::{IsTerminal as _, Write as _};

use eyre::Report;
use serde_json::{Map, Value, json};

use crate::cli::commands::add::settings::{Settings, option};
use crate::cli::commands::login::LoginArgs;
use crate::cli::commands::{secret, store_use};
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::cli::support::{json, prompt};
use crate::config;
use crate::config::{ChangeError, Config, Draft, FieldKind, StoreKind};
use crate::domain::{Connection, ConnectionName, FieldFault, Secret, SecretSource};
use crate::oauth::providers;
use crate::secrets::error::StoreError;

/// Add a connection, and store its client secret
///
/// On a terminal it asks for what is required and not given.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Connection name: unique; ASCII letters, digits, '-', '_' and '.'
    #[arg(value_hint = clap::ValueHint::Other)]
    name: Option<ConnectionName>,
    #[command(flatten)]
    settings: Settings,
    /// Read the client secret from standard input instead of a prompt
    #[arg(long, conflicts_with = "client_secret_command")]
    client_secret_stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AddArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let mut session = Session::open(files)?;
        let mut draft = self.settings.draft(self.name.as_ref());
        let may_ask = prompt::can_ask() && !self.json && !self.client_secret_stdin;
        let is_asked = may_ask && questions::complete(&mut draft, &session.config.connections)?;
        let faults = self.settings.foreign(&draft);
        let checked = draft.check(&session.config.connections, providers::ALL);
        let connection = match (checked, faults.is_empty()) {
            (Ok(connection), true) => connection,
            (checked, _) => {
                let faults: Vec<_> = checked.err().into_iter().flatten().chain(faults).collect();
                return Err(refused(self.name.as_ref(), &faults).into());
            }
        };
        let name = connection.name.clone();
        // Checked before the secret is asked for: a connection that cannot be written down needs none.
        config::can_add_connection(&session.paths.config_file, &draft, providers::ALL)
            .map_err(|error| not_added(&name, error))?;
        let secret = self.secret(&mut session, &connection, may_ask).await?;
        let is_stored = secret.is_some();
        let config = add(&session, &name, &draft, secret).await?;
        self.report(&session, &name, &config, (is_stored, is_asked))?;
        if is_asked && is_stored && questions::agreed(&format!("Log {name} in now?"))? {
            drop(session);
            return LoginArgs::of(name).run(files).await;
        }
        Ok(Exit::Ok)
    }

    /// The client secret, where one is given and the connection takes it from the store.
    async fn secret(
        &self,
        session: &mut Session,
        connection: &Connection,
        may_ask: bool,
    ) -> Result<Option<Secret>, CliError> {
        let is_asked = io::stdin().is_terminal() && connection.client_secret == SecretSource::Store;
        if !self.client_secret_stdin && !is_asked {
            return Ok(None);
        }
        // Asked first: no one should type a secret that cannot be kept.
        session.open_store().await?;
        match session.vault.probe().await {
            Err(StoreError::Unavailable { .. }) if may_ask && session.config.store == StoreKind::Keyring => {
                message!("no keyring can be reached in this session, as is usual over SSH, in WSL and in containers");
                if !questions::agreed("Keep secrets in encrypted files instead?")? {
                    return Ok(None);
                }
                store_use::switch(session, StoreKind::File).await?;
            }
            reached => reached?,
        }
        let text = if self.client_secret_stdin {
            secret::from_standard_input()?
        } else {
            let text = secret::typed(format_args!("Client secret of {} (Enter for later): ", connection.name))?;
            if text.expose().trim().is_empty() {
                return Ok(None);
            }
            text
        };
        secret::check(&text).map(Some)
    }

    fn report(
        &self,
        session: &Session,
        name: &ConnectionName,
        config: &Config,
        (is_stored, is_asked): (bool, bool),
    ) -> Result<(), Report> {
        let file = &session.paths.config_file;
        let connection = config.connections.iter().find(|connection| connection.name == *name);
        if self.json {
            let file = file.to_string_lossy();
            let connection = connection.map(as_json);
            json::print(json!({ "connection": connection, "config_file": file, "client_secret_stored": is_stored }))?;
        } else {
            writeln!(io::stdout(), "{name}: added to {}", file.display())?;
        }
        let takes_from_store = connection.is_some_and(|connection| connection.client_secret == SecretSource::Store);
        if takes_from_store && !is_stored {
            message!("set its client secret with: manutop secret set {name}");
        }
        match connection {
            // A question comes instead.
            _ if is_asked && is_stored => {}
            Some(connection) if connection.needs_browser() => {
                message!("log in with: manutop login {name}; or take over a refresh token with: manutop import {name}");
            }
            _ => message!("log in with: manutop login {name}"),
        }
        Ok(())
    }
}

/// Stores the client secret and writes the connection, or neither.
async fn add(
    session: &Session,
    name: &ConnectionName,
    draft: &Draft,
    secret: Option<Secret>,
) -> Result<Config, CliError> {
    let write = || config::add_connection(&session.paths.config_file, draft, providers::ALL);
    let not_written = |error| not_added(name, error);
    let Some(secret) = secret else { return write().map_err(not_written) };
    // One of the same name that was taken out of the file may have left one.
    let before = session.vault.client_secret(name).await?;
    session.vault.set_client_secret(name, &secret).await?;
    let error = match write() {
        Ok(config) => return Ok(config),
        Err(error) => not_written(error),
    };
    let undone = match before {
        Some(before) => session.vault.set_client_secret(name, &before).await,
        None => session.vault.remove_client_secret(name).await.map(drop),
    };
    if let Err(why) = undone {
        message!("the client secret of {name} is still in the secret store: {}", why.with_advice());
    }
    Err(error)
}

fn not_added(name: &ConnectionName, error: ChangeError) -> CliError {
    match error {
        ChangeError::Refused(faults) => refused(Some(name), &faults),
        error => CliError::new(Exit::Failed, error),
    }
}

fn refused(name: Option<&ConnectionName>, faults: &[FieldFault]) -> CliError {
    let lines = faults.iter().map(|fault| match fault.key {
        "" => fault.what.clone(),
        "name" => format!("NAME: {}", fault.what),
        key => format!("--{}: {}", option(key), fault.what),
    });
    let lines: Vec<_> = lines.collect();
    let whose = name.map_or("the connection", ConnectionName::as_str);
    let stop = CliError::new(Exit::Usage, format!("{whose} is not added:\n{}", lines.join("\n")));
    CliError { connection: name.cloned(), ..stop }
}

/// A connection as it is configured, its provider's own values included.
fn as_json(connection: &Connection) -> Value {
    let settings = config::settings(connection).map(|(field, text)| {
        let value = match field.kind {
            FieldKind::Switch => text.map(|text| Value::from(text == "true")),
            FieldKind::Command => text.map(|text| Value::from(shlex::split(&text).unwrap_or_default())),
            FieldKind::Text | FieldKind::Provider | FieldKind::Url => text.map(Value::from),
        };
        (field.key.to_owned(), value.into())
    });
    Value::Object(settings.collect::<Map<_, Value>>())
}
