//! Runs the program that the configuration names for each event.
//!
//! Invariants: no shell reads anything; the program has the JSON object on its standard input and
//! nothing secret in its environment; one runs at a time, in the order of the events; what waits
//! is bounded, and what does not fit is dropped and counted; one that takes too long is killed
//! with whatever it has started. It lives on a thread of its own: even a start that hangs (a
//! network file system) holds up nothing else.

use std::process::Stdio;
use std::time::Duration;
use std::{io, thread};

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::domain::text::neutralise;
use crate::platform::bounded_run;
use crate::platform::bounded_run::{Ended, NotEnded};
use crate::platform::limits;

/// How many events may wait.
pub(crate) const MOST_WAITING: usize = 64;
/// How long one run may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest complaint repeated, in characters.
const LONGEST_COMPLAINT: usize = 120;

/// The way to the thread that runs the program.
pub(crate) struct Hook {
    events: Option<Sender<Value>>,
    ended: oneshot::Receiver<()>,
    dropped: bool,
}

impl Hook {
    /// Starts the thread. `report` is called there after each run, with what went wrong in it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        words: Vec<String>,
        timeout: Option<Duration>,
        report: impl Fn(Result<(), String>) + Send + 'static,
    ) -> io::Result<Self> {
        let (events, mut waiting) = mpsc::channel::<Value>(MOST_WAITING);
        let (done, ended) = oneshot::channel();
        let timeout = timeout.unwrap_or(TIMEOUT);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("on_event".into()).spawn(move || {
            runtime.block_on(async {
                while let Some(event) = waiting.recv().await {
                    report(run(&words, &event, timeout).await);
                }
            });
            // The receiver is gone where the program has ended meanwhile.
            let _ = done.send(());
        })?;
        Ok(Self { events: Some(events), ended, dropped: false })
    }

    /// Hands an event over, without waiting.
    ///
    /// # Errors
    /// Too many wait already; said for the first that is dropped, until one fits again.
    pub(crate) fn send(&mut self, event: Value) -> Result<(), String> {
        let Some(events) = &self.events else { return Ok(()) };
        match events.try_send(event) {
            Ok(()) => self.dropped = false,
            Err(TrySendError::Full(_)) if !self.dropped => {
                self.dropped = true;
                return Err(format!("{MOST_WAITING} events wait already; it is too slow, and events are dropped"));
            }
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {}
        }
        Ok(())
    }

    /// Takes no more events, and gives those that wait so much time. What still runs then keeps
    /// running.
    pub(crate) async fn close(&mut self, patience: Duration) {
        self.events = None;
        // Either way there is nothing more to do.
        let _ = tokio::time::timeout(patience, &mut self.ended).await;
    }
}

/// Runs the program once.
async fn run(words: &[String], event: &Value, timeout: Duration) -> Result<(), String> {
    let name = neutralise(words.first().map_or("", String::as_str), LONGEST_COMPLAINT);
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.iter().skip(1)).stdout(Stdio::null()).stderr(Stdio::piped());
    match bounded_run::run(&mut command, Some(format!("{event}\n").as_bytes()), timeout).await {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(Ended { status, last_line }) => {
            let complaint = neutralise(&last_line, LONGEST_COMPLAINT);
            Err(format!("{name} failed ({status}) {complaint}").trim_end().to_owned())
        }
        Err(NotEnded::NotStarted(error)) => Err(limits::explained(format!("{name} cannot be started: {error}"))),
        Err(NotEnded::Lost(error)) => Err(format!("{name} cannot be waited for: {error}")),
        Err(NotEnded::Killed) => Err(format!("{name} took longer than {} s and was ended", timeout.as_secs())),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use serde_json::json;

    use super::*;

    fn words(script: &str, directory: &Path) -> Vec<String> {
        ["sh", "-c", script, &directory.display().to_string()].map(String::from).to_vec()
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn each_event_is_one_run_in_order_with_the_object_on_its_standard_input() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, results) = mpsc::channel();
        let script = "echo noise; echo more >&2; cat >> \"$0/events\"";
        let mut hook = Hook::start(words(script, directory.path()), None, move |r| sender.send(r).unwrap()).unwrap();
        for number in 0..5 {
            hook.send(json!({ "number": number })).unwrap();
        }
        hook.close(PATIENCE).await;
        let text = std::fs::read_to_string(directory.path().join("events")).unwrap();
        let lines: Vec<_> = (0..5).map(|number| json!({ "number": number }).to_string()).collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), lines);
        assert_eq!(results.iter().collect::<Vec<_>>(), vec![Ok(()); 5]);
    }

    #[tokio::test]
    async fn failures_are_reported_with_the_last_line_and_without_escape_sequences() {
        let nowhere = Path::new("/");
        let run = |script| run_words(words(script, nowhere));
        assert_eq!(
            run("echo one >&2; printf 'no \\033[2Jroute\\n' >&2; exit 3").await.unwrap_err(),
            "sh failed (exit status: 3) no \u{fffd}[2Jroute"
        );
        assert_eq!(run("exit 0").await, Ok(()));
        let missing = run_words(vec!["/no/such/program".into()]).await.unwrap_err();
        assert!(missing.starts_with("/no/such/program cannot be started"), "{missing}");
    }

    async fn run_words(words: Vec<String>) -> Result<(), String> {
        run(&words, &json!({}), PATIENCE).await
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_its_children_and_the_next_one_runs() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // The pipe's end is read once no process holds it open.
        let all_gone = std::thread::spawn(move || std::fs::read(pipe).unwrap());
        let script = "exec 9>\"$0/pipe\"; sh -c 'sleep 1000; true' & wait";
        let why = run(&words(script, directory.path()), &json!({}), Duration::from_secs(2)).await.unwrap_err();
        assert_eq!(why, "sh took longer than 2 s and was ended");
        assert_eq!(all_gone.join().unwrap(), b"");
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_dropping_is_said_once() {
        let directory = tempfile::tempdir().unwrap();
        let script = "until [ -e \"$0/go\" ]; do sleep 0.02; done";
        let mut hook = Hook::start(words(script, directory.path()), None, |_| {}).unwrap();
        let sent: Vec<_> = (0..MOST_WAITING + 9).map(|number| hook.send(json!(number))).collect();
        assert_eq!(sent.iter().filter(|result| result.is_err()).count(), 1);
        std::fs::write(directory.path().join("go"), "").unwrap();
        hook.close(PATIENCE).await;
        assert_eq!(hook.send(json!("too late")), Ok(()));
    }
}
