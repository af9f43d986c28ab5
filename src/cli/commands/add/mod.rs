//! `manutop add`: a new connection, written by the form's own checker and writer.
//!
//! Invariants: nothing is written before everything is known to be right: the connection, the
//! store, the client secret. The client secret is stored first; where the file cannot be written
//! then, the store is put back as it was.

pub mod settings;

use std::io;
use std::io::{IsTerminal as _, Write as _};

use eyre::Report;
use serde_json::{Map, Value, json};

use crate::cli::commands::add::settings::{Settings, option};
use crate::cli::commands::secret;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::json;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::config;
use crate::config::{ChangeError, Config, Draft, FieldKind};
use crate::domain::{Connection, ConnectionName, FieldFault, Secret, SecretSource};
use crate::oauth::providers;

/// Add a connection, and store its client secret
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Connection name: unique; ASCII letters, digits, '-', '_' and '.'
    #[arg(value_hint = clap::ValueHint::Other)]
    name: ConnectionName,
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
        let session = Session::open(files)?;
        let draft = self.settings.draft(&self.name);
        let faults = self.settings.foreign(&draft);
        let checked = draft.check(&session.config.connections, providers::ALL);
        let connection = match (checked, faults.is_empty()) {
            (Ok(connection), true) => connection,
            (checked, _) => {
                let faults: Vec<_> = checked.err().into_iter().flatten().chain(faults).collect();
                return Err(refused(&self.name, &faults).into());
            }
        };
        // Checked before the secret is asked for: a connection that cannot be written down needs none.
        config::can_add_connection(&session.paths.config_file, &draft, providers::ALL)
            .map_err(|error| not_added(&self.name, error))?;
        let secret = self.secret(&session, &connection).await?;
        let is_stored = secret.is_some();
        let config = add(&session, &self.name, &draft, secret).await?;
        self.report(&session, &config, is_stored)
    }

    /// The client secret, where one is given and the connection takes it from the store.
    async fn secret(&self, session: &Session, connection: &Connection) -> Result<Option<Secret>, CliError> {
        let is_asked = io::stdin().is_terminal() && connection.client_secret == SecretSource::Store;
        if !self.client_secret_stdin && !is_asked {
            return Ok(None);
        }
        // Asked first: no one should type a secret that cannot be kept.
        session.open_store().await?;
        session.vault.probe().await?;
        let text = if self.client_secret_stdin {
            secret::from_standard_input()?
        } else {
            let text = secret::typed(format_args!("Client secret of {} (Enter for later): ", self.name))?;
            if text.expose().trim().is_empty() {
                return Ok(None);
            }
            text
        };
        secret::check(&text).map(Some)
    }

    fn report(&self, session: &Session, config: &Config, is_stored: bool) -> Result<Exit, Report> {
        let (name, file) = (&self.name, &session.paths.config_file);
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
            Some(connection) if connection.needs_browser() => {
                message!("log in with: manutop login {name}; or take over a refresh token with: manutop import {name}");
            }
            _ => message!("log in with: manutop login {name}"),
        }
        Ok(Exit::Ok)
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
        ChangeError::Refused(faults) => refused(name, &faults),
        error => CliError::new(Exit::Failed, error),
    }
}

fn refused(name: &ConnectionName, faults: &[FieldFault]) -> CliError {
    let lines = faults.iter().map(|fault| match fault.key {
        "" => fault.what.clone(),
        "name" => format!("NAME: {}", fault.what),
        key => format!("--{}: {}", option(key), fault.what),
    });
    let lines: Vec<_> = lines.collect();
    let stop = CliError::new(Exit::Usage, format!("{name} is not added:\n{}", lines.join("\n")));
    CliError { connection: Some(name.clone()), ..stop }
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
