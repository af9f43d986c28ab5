//! Fetches a connection's client secret: from the store, or from the command configured.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::domain::{Connection, Problem, Reason, Secret, SecretSource};
use crate::engine::work::context::{Context, store_problem};
use crate::oauth::redact::excerpt;
use crate::platform::child_process::{CREDENTIALS_DIRECTORY, ChildCommand as _};
use crate::platform::limits;

/// How long the command may take; a person may have to touch a key.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long is read on after the program has ended, where another holds its output open.
const DRAIN: Duration = Duration::from_millis(200);
/// The most that is kept of what it prints, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// The client secret of a connection.
pub(crate) async fn fetch(context: &Context, connection: &Connection) -> Result<Secret, Problem> {
    match &connection.client_secret {
        SecretSource::Store => context
            .vault
            .client_secret(&connection.name)
            .await
            .map_err(|error| store_problem(&error))?
            .ok_or_else(|| Problem::NoClientSecret { name: connection.name.to_string() }),
        SecretSource::Command(words) => tokio::time::timeout(TIMEOUT, run(words))
            .await
            .unwrap_or_else(|_| Err(Reason::ours(format!("took longer than {} s", TIMEOUT.as_secs()))))
            // Passing, like a locked keyring: the program may ask a vault that opens in a while.
            .map_err(|why| Problem::Retrying { at: None, why: of_command(&words[0], &why) }),
    }
}

/// The program is named to the person at manutop only.
fn of_command(program: &str, why: &Reason) -> Reason {
    Reason::withheld(
        format!("client_secret_command `{program}` {why}"),
        format!("client_secret_command {}", why.public()),
    )
}

/// Runs a program without a shell and takes the first line it prints.
async fn run(words: &[String]) -> Result<Secret, Reason> {
    let mut command = Command::new(&words[0]);
    let mut child = command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        // In a unit of systemd the client secret may be a credential beside the passphrase.
        .start_keeping(&[CREDENTIALS_DIRECTORY])
        .map_err(|error| Reason::ours(limits::explained(format!("cannot be started: {error}"))))?;
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let read = async { tokio::join!(collect(&mut stdout, &mut printed), collect(&mut stderr, &mut complaint)) };
    let status =
        ended(&mut child, read).await.map_err(|error| Reason::ours(format!("cannot be waited for: {error}")))?;
    let printed = String::from_utf8(printed).map(Secret::new);
    let line = printed.as_ref().map(first_line);
    if !status.success() {
        // What it complains of may repeat what it was about to print.
        let line = line.unwrap_or_default();
        let complaint = excerpt(&String::from_utf8_lossy(&complaint), &[&line], 120);
        let failed = format!("failed ({status})");
        return Err(Reason::withheld(format!("{failed} {complaint}").trim_end(), failed.clone()));
    }
    let line = line.map_err(|_| Reason::from("printed something that is no text"))?;
    if line.is_empty() { Err("printed nothing".into()) } else { Ok(line) }
}

fn first_line(printed: &Secret) -> Secret {
    Secret::new(printed.expose().lines().next().unwrap_or_default().trim())
}

/// Waits for the program itself. What it has printed until then is read; a process that it leaves
/// behind may hold its output open for as long as it likes.
async fn ended(child: &mut Child, read: impl Future) -> io::Result<ExitStatus> {
    let mut read = pin!(read);
    tokio::select! {
        _ = &mut read => child.wait().await,
        status = child.wait() => {
            // What is in the pipes takes no time; their end may never come.
            let _ = tokio::time::timeout(DRAIN, read).await;
            status
        }
    }
}

/// Reads to the end and keeps as much as is of use: a full pipe would hold the program up. An
/// error is an end, too: what is missing then is noticed.
async fn collect(from: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) {
    let _ = from.take(MAX_OUTPUT).read_to_end(into).await;
    let _ = tokio::io::copy(from, &mut tokio::io::sink()).await;
}

#[cfg(test)]
mod tests {
    use super::{of_command, run};

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
    async fn failures_are_distinguished() {
        assert!(run(&words("echo no key >&2; exit 3")).await.unwrap_err().to_string().contains("no key"));
        assert_eq!(run(&words("true")).await.unwrap_err(), "printed nothing".into());
        assert!(run(&["/nonexistent/program".to_owned()]).await.unwrap_err().to_string().contains("cannot be started"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn in_public_the_program_s_name_and_its_complaint_are_left_out() {
        let failed = run(&words("echo hunter2 >&2; exit 3")).await.unwrap_err();
        let why = of_command("/home/ada/secret-of", &failed);
        let full = why.to_string();
        assert!(full.contains("/home/ada/secret-of") && full.contains("hunter2"), "{why}");
        assert_eq!(why.public(), "client_secret_command failed (exit status: 3)");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_program_s_own_end_counts_not_that_of_its_output() {
        for (script, secret) in [
            ("sleep 300 & echo s3cret", Ok("s3cret")),
            ("echo s3cret; sleep 300 2>&1 & exit 0", Ok("s3cret")),
            ("(sleep 300; echo late) & exit 0", Err("printed nothing")),
            ("sleep 300 & echo locked >&2; exit 2", Err("failed (exit status: 2) locked")),
        ] {
            let began = std::time::Instant::now();
            let printed = run(&words(script)).await;
            assert!(began.elapsed() < std::time::Duration::from_secs(30), "{script}");
            let printed = printed.map(|secret| secret.expose().to_owned()).map_err(|why| why.to_string());
            assert_eq!(printed, secret.map(str::to_owned).map_err(str::to_owned), "{script}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_closes_its_output_is_waited_for_all_the_same() {
        assert!(
            run(&words("echo s3cret; exec >&- 2>&-; sleep 0.1; exit 3"))
                .await
                .unwrap_err()
                .to_string()
                .contains("exit status: 3")
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn more_output_than_is_read_holds_nothing_up() {
        let lots = "echo s3cret; head -c 300000 /dev/zero | tr '\\0' x";
        assert_eq!(run(&words(lots)).await.unwrap().expose(), "s3cret");
    }
}
