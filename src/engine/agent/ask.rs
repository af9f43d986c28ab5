//! What a command asks.
//!
//! Invariant: a token is believed only if it comes from a process of the same user, in one piece,
//! within [`PATIENCE`]. Whatever else comes is no answer, and nothing is said about it.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::domain::{ConnectionName, Secret};
use crate::engine::AccessToken;
use crate::engine::agent::Peer;
use crate::engine::agent::wire::{AgentQuestion, PATIENCE, VERSION, read_line, same_user};
use crate::engine::connections::schedule;
use crate::tokens::data_dir::agent_socket;
use crate::tokens::record;

/// Asks the process that answers on this data directory for an access token that lives for `least`.
/// `config_file` is where the connection would be looked for.
pub async fn ask(
    data_dir: &Path,
    config_file: &Path,
    connection: &ConnectionName,
    least: Duration,
    now: DateTime<Utc>,
) -> Option<AccessToken> {
    let question = AgentQuestion {
        version: VERSION,
        connection: Cow::Borrowed(connection),
        // Rounded up: a token that lives for less is not what was asked for.
        least_ms: least.as_nanos().div_ceil(1_000_000).try_into().ok()?,
        config_file: config_file.to_str()?.into(),
    };
    let line = timeout(PATIENCE, exchange(data_dir, &question)).await.ok()??;
    let record = record::from_line("the agent's answer", &line).ok()?;
    let is_good = !record.access_token.is_empty()
        && !schedule::is_from_the_future(record.obtained_at, now)
        && record.remaining(now) >= TimeDelta::from_std(least).ok()?;
    is_good.then(|| AccessToken::of(&record))
}

/// The process that answers on this data directory.
pub async fn answers(data_dir: &Path) -> Option<Peer> {
    let stream = timeout(PATIENCE, UnixStream::connect(agent_socket(data_dir))).await.ok()?.ok()?;
    same_user(&stream)
}

/// One line there, one line back, whole.
async fn exchange(data_dir: &Path, question: &AgentQuestion<'_>) -> Option<Secret> {
    let mut stream = UnixStream::connect(agent_socket(data_dir)).await.ok()?;
    same_user(&stream)?;
    let mut line = serde_json::to_vec(question).ok()?;
    line.push(b'\n');
    stream.write_all(&line).await.ok()?;
    let answer = Secret::new(String::from_utf8(read_line(&mut stream).await?).ok()?);
    answer.expose().strip_suffix('\n').map(Secret::new)
}
