//! The clipboard: one plain thread owns the desktop's clipboard for the life of the program,
//! because on X11 and Wayland the content is gone when its owner is.
//!
//! Invariants: the desktop is asked for nothing before the first copy; a copy is kept out of
//! clipboard histories; it is cleared only while it is still what was put there; a newer copy
//! replaces the plan to clear the older; no call waits longer than its bound, because a hung
//! display server hangs only that thread.
//!
//! Over SSH or without a display a copy goes to the terminal (OSC 52). That way is blind: the
//! terminal neither confirms nor reports whether the copy is still there. Clearing would therefore
//! destroy whatever the person copied since, so it is left alone, and
//! [`CopiedTo::Terminal`] should be shown without a promise to clear.

use std::future::Future;
use std::io::Write;
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::sync::oneshot;

use crate::domain::{CopiedTo, Secret};
use crate::platform::environment::Environment;
use crate::terminal::osc52;

/// How long a copy may take before the desktop counts as hung.
const PUT_TIMEOUT: Duration = Duration::from_secs(2);

/// Something that happened to the clipboard later on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipboardNote {
    /// A copy was cleared, because it was still there.
    Cleared,
    /// A copy that is still there could not be cleared; why, in plain words.
    ClearFailed(String),
}

/// The way to the clipboard's thread.
pub struct Clipboard {
    jobs: Option<Sender<ClipboardJob>>,
}

enum ClipboardJob {
    Put { text: Secret, clear_after: Option<Duration>, reply: oneshot::Sender<CopiedTo> },
    Close { done: Sender<()> },
}

impl Clipboard {
    /// Starts the thread, unless the environment says that copies go to the terminal. `notify`
    /// is called on that thread.
    pub fn start(environment: &Environment, notify: impl Fn(ClipboardNote) + Send + 'static) -> Self {
        if environment.ssh || !environment.display {
            return Self { jobs: None };
        }
        let (jobs, received) = mpsc::channel();
        let owner = Owner { desktop: None, copy: None, notify };
        // Without a thread there is no desktop clipboard, and copies go to the terminal.
        let started = thread::Builder::new().name("clipboard".into()).spawn(move || owner.run(&received));
        Self { jobs: started.is_ok().then_some(jobs) }
    }

    /// Puts a text on the desktop's clipboard and plans its clearing; `None` for not before
    /// quitting. [`CopiedTo::Terminal`] means that there is none: nothing was copied yet, and
    /// the caller hands the text to the terminal with [`send_to_terminal`].
    ///
    /// # Errors
    /// Says in plain words why there was no copy. It takes 2 s at most.
    pub fn put(
        &self,
        text: Secret,
        clear_after: Option<Duration>,
    ) -> impl Future<Output = Result<CopiedTo, String>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(ClipboardJob::Put { text, clear_after, reply }).is_ok());
        async move {
            match sent {
                None => return Ok(CopiedTo::Terminal),
                Some(false) => return Err("the clipboard's thread has ended".into()),
                Some(true) => {}
            }
            match tokio::time::timeout(PUT_TIMEOUT, answer).await {
                Ok(Ok(to)) => Ok(to),
                Ok(Err(_)) => Err("the clipboard's thread has ended".into()),
                Err(_) => Err("the desktop's clipboard does not answer".into()),
            }
        }
    }

    /// Clears what is still there and lets go of the desktop; waits no longer than `timeout`.
    /// A thread that hangs is left behind, and ends with the process.
    pub fn close(&mut self, timeout: Duration) {
        let Some(jobs) = self.jobs.take() else { return };
        let (done, finished) = mpsc::channel();
        if jobs.send(ClipboardJob::Close { done }).is_ok() {
            // Either it is done or it hangs; nothing more can be done in both cases.
            let _ = finished.recv_timeout(timeout);
        }
    }
}

#[cfg(test)]
impl Clipboard {
    /// One whose desktop never answers, and how often it was asked for a copy.
    pub(crate) fn hung() -> (Self, impl Fn() -> usize) {
        let (jobs, received) = mpsc::channel();
        (Self { jobs: Some(jobs) }, move || {
            received.try_iter().filter(|job| matches!(job, ClipboardJob::Put { .. })).count()
        })
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        self.close(Duration::from_millis(500));
    }
}

/// Hands a text to the terminal's clipboard (OSC 52). There is no answer.
///
/// # Errors
/// When the terminal cannot be written to, or could not take the text.
pub fn send_to_terminal(terminal: &mut impl Write, text: &Secret) -> io::Result<()> {
    let sequence = osc52::sequence(text).map_err(io::Error::other)?;
    terminal.write_all(sequence.expose().as_bytes())?;
    terminal.flush()
}

/// What the thread owns.
struct Owner<N> {
    desktop: Option<arboard::Clipboard>,
    /// The copy that may still be there.
    copy: Option<Held>,
    notify: N,
}

struct Held {
    text: Secret,
    due: Option<Instant>,
}

impl<N: Fn(ClipboardNote)> Owner<N> {
    fn run(mut self, jobs: &Receiver<ClipboardJob>) {
        let done = loop {
            match self.next(jobs) {
                Ok(ClipboardJob::Put { text, clear_after, reply }) => {
                    let to = self.put(text, clear_after);
                    // The caller gave up waiting and informed the person that there is no copy.
                    if reply.send(to).is_err() {
                        self.clear();
                    }
                }
                Ok(ClipboardJob::Close { done }) => break Some(done),
                Err(RecvTimeoutError::Timeout) => self.clear(),
                Err(RecvTimeoutError::Disconnected) => break None,
            }
        };
        self.clear();
        drop(self.desktop);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// The next job, or a timeout when the copy is due to be cleared.
    fn next(&self, jobs: &Receiver<ClipboardJob>) -> Result<ClipboardJob, RecvTimeoutError> {
        match self.copy.as_ref().and_then(|copy| copy.due) {
            Some(due) => jobs.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Makes the copy. A desktop that does not take it is as good as none.
    fn put(&mut self, text: Secret, clear_after: Option<Duration>) -> CopiedTo {
        // A connection to a display server that was restarted stays broken: try a new one.
        let taken = self.desktop.as_mut().is_some_and(|desktop| set(desktop, &text).is_ok()) || self.put_again(&text);
        let due = clear_after.and_then(|after| Instant::now().checked_add(after));
        self.copy = taken.then_some(Held { text, due });
        if taken { CopiedTo::Clipboard } else { CopiedTo::Terminal }
    }

    fn put_again(&mut self, text: &Secret) -> bool {
        self.desktop = None; // gone before the new one comes: they share a connection
        self.desktop = arboard::Clipboard::new().ok();
        self.desktop.as_mut().is_some_and(|desktop| set(desktop, text).is_ok())
    }

    fn clear(&mut self) {
        let (Some(copy), Some(desktop)) = (self.copy.take(), self.desktop.as_mut()) else { return };
        // What cannot be read back as text is not ours any more.
        if desktop.get_text().map(Secret::new).ok().as_ref() != Some(&copy.text) {
            return;
        }
        (self.notify)(match desktop.clear() {
            Ok(()) => ClipboardNote::Cleared,
            Err(error) => ClipboardNote::ClearFailed(error.to_string()),
        });
    }
}

/// Puts a text on the clipboard, marked so that clipboard managers keep no history of it.
fn set(desktop: &mut arboard::Clipboard, text: &Secret) -> Result<(), arboard::Error> {
    kept_out_of_history(desktop.set()).text(text.expose())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn kept_out_of_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "macos")]
fn kept_out_of_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(windows)]
fn kept_out_of_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    use arboard::SetExtWindows;
    set.exclude_from_monitoring().exclude_from_cloud().exclude_from_history()
}

#[cfg(test)]
mod tests {
    use super::Clipboard;
    use crate::domain::{CopiedTo, Secret};
    use crate::platform::environment::Environment;

    #[tokio::test]
    async fn over_ssh_or_without_a_display_copies_go_to_the_terminal() {
        for (ssh, display) in [(true, true), (true, false), (false, false)] {
            let environment = Environment { ssh, display, browser: None };
            let clipboard = Clipboard::start(&environment, |note| panic!("{note:?}"));
            assert_eq!(clipboard.put(Secret::new("x"), None).await, Ok(CopiedTo::Terminal));
        }
    }
}
