//! What is kept: directories, the secret store, client secrets, tokens, the servers' clocks.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::commands::doctor::Check;
use crate::cli::support::session::Session;
use crate::domain::clock::rfc3339;
use crate::domain::{AfterLostAnswer, Connection, LogEntry, LostAnswer, Problem, SecretSource};
use crate::engine::agent::Peer;
use crate::engine::{agent, current_refusal};
use crate::request_log::segments::RequestLog;
use crate::secrets::secret_store::Elsewhere;
use crate::tokens::reconcile::{Hazard, TokenState};

/// A clock off by more than this makes countdowns misleading.
const WORTH_TELLING_S: u64 = 30;
/// How many of the newest log entries are looked through for the servers' clocks.
const LOG_TAIL: usize = 1000;

pub(crate) async fn checks(session: &Session) -> Vec<Check> {
    let mut checks = vec![directory("data directory", &session.paths.data_dir)];
    for part in ["journals", "locks"] {
        checks.push(directory(part, &session.paths.data_dir.join(part)));
    }
    checks.push(agent(session).await);
    let store = store(session).await;
    let answers = store.advice.is_none();
    checks.push(store);
    for connection in &session.config.connections {
        // A store that does not answer is reported once.
        if answers {
            checks.extend(client_secret(session, connection).await);
            checks.push(tokens(session, connection).await);
            checks.extend(left_behind(session, connection).await);
        }
    }
    checks.extend(clocks(&session.paths.data_dir));
    checks
}

fn directory(name: &str, dir: &Path) -> Check {
    let shown = dir.display();
    match std::fs::metadata(dir) {
        Err(error) => Check::fail(
            name,
            format!("{shown}: {error}"),
            "fix the permissions of its parent, or use another with --data-dir",
        ),
        Ok(found) if !found.is_dir() => Check::fail(name, format!("{shown} is not a directory"), "move it elsewhere"),
        Ok(found) => match readable_by_others(&found) {
            Some(mode) => Check::warn(name, format!("{shown} has mode {mode:03o}"), format!("chmod 700 {shown}")),
            None => match tempfile::tempfile_in(dir) {
                Ok(_) => Check::ok(name, format!("{shown} is private and writable")),
                Err(error) => Check::fail(
                    name,
                    format!("{shown} cannot be written to: {error}"),
                    "free some space, or fix its permissions",
                ),
            },
        },
    }
}

#[cfg(unix)]
fn readable_by_others(found: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(found.permissions().mode() & 0o777).filter(|mode| mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_found: &std::fs::Metadata) -> Option<u32> {
    None
}

/// Who gives commands tokens. This is optional.
async fn agent(session: &Session) -> Check {
    let socket = session.vault.agent_socket();
    let found = match agent::answers(&session.paths.data_dir).await {
        Some(Peer { pid: Some(pid) }) => format!("process {pid} provides tokens to commands"),
        Some(Peer { pid: None }) => "another process provides tokens to commands".into(),
        None if session.config.token_socket => "no process is listening; commands read the store themselves".into(),
        None => "switched off by token_socket = false".into(),
    };
    Check::ok("token socket", format!("{}: {found}", socket.display()))
}

async fn store(session: &Session) -> Check {
    let name = "secret store";
    match session.vault.rehearse().await {
        Ok(took) => Check::ok(
            name,
            format!("reachable, unlocked, writable; written, read back and removed in {} ms", took.as_millis()),
        ),
        Err(error) => Check::fail(name, error.to_string(), error.advice()),
    }
}

async fn client_secret(session: &Session, connection: &Connection) -> Option<Check> {
    let name = format!("{}: client secret", connection.name);
    match &connection.client_secret {
        SecretSource::Command(words) => Some(Check::ok(name, format!("comes from the command `{}`", words[0]))),
        SecretSource::Store => match session.vault.client_secret(&connection.name).await {
            Ok(Some(_)) => Some(Check::ok(name, "stored")),
            Ok(None) => {
                Some(Check::warn(name, "missing", format!("set it with: manutop secret set {}", connection.name)))
            }
            Err(error) => Some(Check::fail(name, error.to_string(), error.advice())),
        },
    }
}

async fn tokens(session: &Session, connection: &Connection) -> Check {
    let name = format!("{}: tokens", connection.name);
    let login = format!("log in with: manutop login {}", connection.name);
    let newest = session.vault.newest_in_history(&connection.name).await.unwrap_or(0);
    match session.vault.read(&connection.name).await {
        Err(error) if error.is_replaceable() => Check::fail(name, error.to_string(), login),
        Err(error) => Check::fail(name, error.to_string(), error.advice()),
        Ok(TokenState { mark, .. }) if mark < newest => {
            Check::fail(name, format!("store and journal know generation {mark}, but {newest} was saved before"), login)
        }
        Ok(TokenState { hazard: Some(Hazard::RolledBack { stored, mark }), .. }) => {
            Check::fail(name, format!("the store holds generation {stored}, but {mark} was saved before"), login)
        }
        Ok(standing) => match refused(session, connection, &standing).await {
            Some(check) => check,
            None => kept(name, connection, standing),
        },
    }
}

/// What the provider said last, as long as it stands.
async fn refused(session: &Session, connection: &Connection, standing: &TokenState) -> Option<Check> {
    let refusal = current_refusal(&session.vault, connection, standing).await?;
    let problem = refusal.problem(session.clock.now())?;
    let (check, name) = (format!("{}: tokens", connection.name), &connection.name);
    let found = format!("{problem}, since {}", rfc3339(refusal.at));
    Some(match problem {
        Problem::NeedsLogin { .. } => Check::fail(check, found, format!("log in with: manutop login {name}")),
        Problem::Misconfigured { .. } => {
            let advice = format!(
                "compare client ID and secret with the provider's; set the secret with: manutop secret set {name}"
            );
            Check::fail(check, found, advice)
        }
        _ => Check::warn(check, found, "nothing to do: manutop retries"),
    })
}

/// What store and journal hold where nothing worse prevents reading them.
fn kept(name: String, connection: &Connection, standing: TokenState) -> Check {
    let login = format!("log in with: manutop login {}", connection.name);
    match standing {
        TokenState { hazard: Some(Hazard::Uncertain { lost, .. }), .. } => lost_answer(name, connection, lost),
        TokenState { record: None, .. } => Check::warn(name, "none", login),
        TokenState { record: Some(record), saved: false, .. } => Check::warn(
            name,
            format!("generation {} is in the journal only", record.generation),
            "start manutop: it saves them once the store answers",
        ),
        TokenState { record: Some(record), .. } => Check::ok(name, format!("generation {}, saved", record.generation)),
    }
}

/// The refresh token was sent, and no answer is known.
fn lost_answer(name: String, connection: &Connection, lost: LostAnswer) -> Check {
    let found = format!("{lost}; the refresh token may have been replaced");
    let connection_name = &connection.name;
    let advice = match connection.after_lost_answer {
        AfterLostAnswer::Retry => "nothing to do: manutop sends the refresh token again".to_owned(),
        AfterLostAnswer::Ask => format!(
            "log in again with: manutop login {connection_name} (safe), or send the token again with: manutop refresh \
             {connection_name} --force --yes (the provider may revoke all tokens of this login)"
        ),
    };
    Check::warn(name, found, advice)
}

/// What is kept of it beside what is used: damaged journals, items in other keyrings.
async fn left_behind(session: &Session, Connection { name, .. }: &Connection) -> Vec<Check> {
    let mut checks = Vec::new();
    for aside in session.vault.kept_aside(name).await {
        let found = format!("a damaged journal was replaced and is kept in {}", aside.display());
        let advice = "delete it once the connection works; with a sealed record in it, it can still be rescued";
        checks.push(Check::warn(format!("{name}: journal"), found, advice));
    }
    for Elsewhere { item, place, is_locked } in session.vault.elsewhere(name).await.unwrap_or_default() {
        let state = if is_locked { "locked " } else { "" };
        let found = format!("the {state}keyring {place:?} holds a copy of {item}; the default keyring comes first");
        let advice = format!("delete that copy from {place:?} in the desktop's password manager");
        checks.push(Check::warn(format!("{name}: keyring"), found, advice));
    }
    checks
}

/// The servers' clocks as their last answers reported them, from the request log; nothing is sent for it.
fn clocks(data_dir: &Path) -> Vec<Check> {
    let entries = match RequestLog::tail(data_dir, LOG_TAIL) {
        Ok(entries) => entries,
        Err(error) => {
            return vec![Check::warn("request log", error.to_string(), "fix the permissions of requests.jsonl")];
        }
    };
    let newest: BTreeMap<&str, &LogEntry> =
        entries.iter().filter(|entry| entry.clock_skew().is_some()).map(|entry| (entry.host.as_str(), entry)).collect();
    newest.into_iter().filter_map(|(host, entry)| Some(clock(host, entry.clock_skew()?.num_seconds()))).collect()
}

fn clock(host: &str, ahead: i64) -> Check {
    let name = format!("clock of {host}");
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let found = format!("{} s {side} this machine's at its last answer", ahead.unsigned_abs());
    if ahead.unsigned_abs() < WORTH_TELLING_S {
        Check::ok(name, found)
    } else {
        Check::warn(name, found, "set this machine's clock (NTP): countdowns depend on it")
    }
}
