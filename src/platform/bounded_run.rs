//! One run of another program without a terminal: bounded in time and in what is kept of its output, and killed with
//! whatever it has started if it takes too long.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::platform::child_process::ChildCommand as _;

/// How much is kept of the end of an output, in bytes.
const KEPT: usize = 16 * 1024;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// The last line that is not blank: of the standard output, or after a failure of the standard error; of the other
    /// one where there is none. As the program wrote it: it may hold anything.
    pub(crate) last_line: String,
}

/// Why it did not end by itself.
#[derive(Debug)]
pub(crate) enum NotEnded {
    /// It cannot be started.
    NotStarted(io::Error),
    /// It cannot be waited for.
    Lost(io::Error),
    /// It took too long, and was killed.
    Killed,
}

/// Runs a program. What it is given on its standard input is `input`; which outputs are listened to, its maker has set.
pub(crate) async fn run(command: &mut Command, input: Option<&[u8]>, timeout: Duration) -> Result<Ended, NotEnded> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    // A group of its own: a Ctrl-C in the terminal is not meant for it, and all of it can be ended.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.start().map_err(NotEnded::NotStarted)?;
    if let Ok(ended) = tokio::time::timeout(timeout, attend(&mut child, input)).await {
        return ended.map_err(NotEnded::Lost);
    }
    kill(&mut child).await;
    Err(NotEnded::Killed)
}

/// Hands the input over and waits for the end.
async fn attend(child: &mut Child, input: Option<&[u8]>) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let hand_over = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A program that does not read it does not need it.
            let _ = stdin.write_all(input).await;
        }
    };
    let (mut said, mut complaint) = (Vec::new(), Vec::new());
    let listen = async { tokio::join!(keep_end(stdout, &mut said), keep_end(stderr, &mut complaint)) };
    let ((), status) = tokio::join!(hand_over, async {
        // Something left behind may hold the streams open: its words are waited for no longer
        // than the program itself runs.
        tokio::pin!(listen);
        tokio::select! {
            biased;
            _ = &mut listen => child.wait().await,
            status = child.wait() => status,
        }
    });
    let status = status?;
    let (first, second) = if status.success() { (&said, &complaint) } else { (&complaint, &said) };
    let last_line = last_line(first).or_else(|| last_line(second)).unwrap_or_default();
    Ok(Ended { status, last_line })
}

/// Reads to the end, and keeps the last of it.
async fn keep_end(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut bytes = vec![0; 4096];
    // What cannot be read is not repeated.
    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
        kept.extend_from_slice(&bytes[..length]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

fn last_line(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Kills it with all that it has started.
async fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        // It may have ended this very moment.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill().await;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn last_line_of(script: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(&mut command, None, Duration::from_secs(20)).await.expect("it runs").last_line
    }

    #[tokio::test]
    async fn the_last_line_is_of_the_output_or_after_a_failure_of_the_complaint() {
        assert_eq!(last_line_of("echo one; echo two; echo; echo three >&2").await, "two");
        assert_eq!(last_line_of("echo one; echo two >&2; exit 1").await, "two");
        assert_eq!(last_line_of("echo one >&2").await, "one");
        assert_eq!(last_line_of("echo one; exit 1").await, "one");
        assert_eq!(last_line_of("true").await, "");
    }

    #[tokio::test]
    async fn an_output_of_any_length_ends_and_its_end_is_kept() {
        let script =
            "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; echo end";
        assert_eq!(last_line_of(script).await, "end");
        assert_eq!(last_line_of("head -c 100000 /dev/zero | tr '\\0' a").await.len(), KEPT);
    }
}
