//! Fetches a connection's client secret: from the store, or from the command configured.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::tools::{Tools, store_problem};
use crate::domain::{Connection, NOT_FOR_CHILDREN, Problem, Secret, SecretSource};
use crate::oauth::redact::excerpt;

/// How long the command may take; a person may have to touch a key.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The most that is read of what it prints, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// The client secret of a connection.
pub(super) async fn fetch(tools: &Tools, connection: &Connection) -> Result<Secret, Problem> {
    match &connection.client_secret {
        SecretSource::Store => tools
            .vault
            .client_secret(&connection.name)
            .await
            .map_err(|error| store_problem(&error))?
            .ok_or_else(|| Problem::NoClientSecret { name: connection.name.to_string() }),
        SecretSource::Command(words) => tokio::time::timeout(TIMEOUT, run(words))
            .await
            .unwrap_or_else(|_| Err(format!("took longer than {} s", TIMEOUT.as_secs())))
            .map_err(|why| Problem::Misconfigured { why: format!("client_secret_command `{}` {why}", words[0]) }),
    }
}

/// Runs a program without a shell and takes the first line it prints.
async fn run(words: &[String]) -> Result<Secret, String> {
    let mut command = Command::new(&words[0]);
    for variable in NOT_FOR_CHILDREN {
        command.env_remove(variable);
    }
    let mut child = command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (stdout.take(MAX_OUTPUT), stderr.take(MAX_OUTPUT));
    let (read, _, status) =
        tokio::join!(stdout.read_to_end(&mut printed), stderr.read_to_end(&mut complaint), child.wait());
    read.map_err(|error| format!("cannot be read: {error}"))?;
    let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
    if !status.success() {
        let complaint = excerpt(&String::from_utf8_lossy(&complaint), &[], 120);
        return Err(format!("failed ({status}) {complaint}").trim_end().to_owned());
    }
    let printed = Secret::new(String::from_utf8(printed).map_err(|_| "printed something that is no text".to_owned())?);
    let line = printed.expose().lines().next().unwrap_or_default().trim();
    if line.is_empty() { Err("printed nothing".into()) } else { Ok(Secret::new(line)) }
}

#[cfg(test)]
mod tests {
    use super::run;

    fn words(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(String::from).to_vec()
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_first_line_is_the_secret() {
        assert_eq!(run(&words("echo ' s3cret '; echo login: x")).await.unwrap().expose(), "s3cret");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn failures_are_told_apart() {
        assert!(run(&words("echo no key >&2; exit 3")).await.unwrap_err().contains("no key"));
        assert_eq!(run(&words("true")).await.unwrap_err(), "printed nothing");
        assert!(run(&["/nonexistent/program".to_owned()]).await.unwrap_err().contains("cannot be started"));
    }
}
