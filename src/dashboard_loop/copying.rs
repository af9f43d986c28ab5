//! Copying: a secret goes from the engine to the clipboard or the terminal, never through the
//! dashboard's state.

use std::pin::Pin;
use std::time::Duration;

use crate::domain::{ConnectionName, CopiedTo, CopyWhat, Event, HostEvent, LogEntry, Secret};
use crate::engine::Engine;
use crate::platform::clipboard::{Clipboard, ClipboardNote};
use crate::request_log::export::curl::curl;

/// What is to be copied.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// Something of a connection.
    Of {
        /// Which connection.
        connection: ConnectionName,
        /// What of it.
        what: CopyWhat,
    },
    /// Names of connections, one a line.
    Names(Vec<ConnectionName>),
    /// A logged request as a `curl` command line, which holds no secret.
    Request {
        /// Whose.
        connection: ConnectionName,
        /// The line.
        text: Secret,
    },
}

impl Wanted {
    /// A logged request.
    pub(crate) fn request(entry: &LogEntry) -> Self {
        Self::Request { connection: entry.connection.clone(), text: Secret::new(curl(entry)) }
    }

    /// The event that reports that it was copied.
    pub(crate) fn copied(&self, to: CopiedTo, cleared_after: Option<Duration>) -> Event {
        match self {
            Self::Of { connection, what } => {
                Event::Host(HostEvent::Copied { connection: connection.clone(), what: *what, to, cleared_after })
            }
            Self::Names(names) => Event::Host(HostEvent::NamesCopied(Ok((names.len(), to)))),
            Self::Request { connection, .. } => Event::Host(HostEvent::Copied {
                connection: connection.clone(),
                what: CopyWhat::CurlLine,
                to,
                cleared_after,
            }),
        }
    }

    /// The event that reports that it was not.
    pub(crate) fn failed(&self, why: String) -> Event {
        match self {
            Self::Of { connection, .. } | Self::Request { connection, .. } => {
                Event::Host(HostEvent::CopyFailed { connection: connection.clone(), why })
            }
            Self::Names(_) => Event::Host(HostEvent::NamesCopied(Err(why))),
        }
    }

    /// Login URLs and names are no secrets that must vanish while a person looks for a place to
    /// paste them in.
    fn vanishes(&self) -> bool {
        matches!(self, Self::Of { what, .. } if *what != CopyWhat::LoginUrl)
    }

    async fn text(&self, engine: &Engine) -> Result<Secret, String> {
        match self {
            Self::Of { connection, what } => engine.reveal(connection, *what).await,
            Self::Request { text, .. } => Ok(text.clone()),
            Self::Names(names) => {
                let lines: Vec<_> = names.iter().map(ConnectionName::as_str).collect();
                Ok(Secret::new(lines.join("\n")))
            }
        }
    }
}

/// What came of a copy, and what is left to do.
pub(crate) enum Copying {
    /// Done, or failed: to be reported.
    Finished(Event),
    /// There is no desktop: the terminal is to be given this (OSC 52).
    ByTerminal(Secret),
}

/// A copy under way.
pub(crate) struct PendingCopy {
    wanted: Wanted,
    /// What the clipboard was asked for; nothing yet while the text is being revealed.
    asked: Option<Asked>,
}

struct Asked {
    text: Secret,
    cleared_after: Option<Duration>,
    answer: Pin<Box<dyn Future<Output = Result<CopiedTo, String>> + Send>>,
}

impl PendingCopy {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self { wanted, asked: None }
    }

    /// What is wanted.
    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Continues until the end; `clear_after` is `None` where copies are never cleared. A wait that
    /// is given up is continued by the next: the clipboard is asked once, and its bound counts
    /// from then, however often something else wakes the waiting task.
    pub(crate) async fn end(
        &mut self,
        engine: &Engine,
        clipboard: &Clipboard,
        clear_after: Option<Duration>,
    ) -> Copying {
        let asked = match &mut self.asked {
            Some(asked) => asked,
            asked @ None => {
                let text = match self.wanted.text(engine).await {
                    Ok(text) => text,
                    Err(why) => return Copying::Finished(self.wanted.failed(why)),
                };
                let cleared_after = clear_after.filter(|_| self.wanted.vanishes());
                let answer = Box::pin(clipboard.put(text.clone(), cleared_after));
                asked.insert(Asked { text, cleared_after, answer })
            }
        };
        match asked.answer.as_mut().await {
            Ok(CopiedTo::Clipboard) => Copying::Finished(self.wanted.copied(CopiedTo::Clipboard, asked.cleared_after)),
            Ok(CopiedTo::Terminal) => Copying::ByTerminal(asked.text.clone()),
            Err(why) => Copying::Finished(self.wanted.failed(why)),
        }
    }
}

/// What happened to a copy later, as an event.
pub(crate) fn clipboard_event(note: ClipboardNote) -> Event {
    match note {
        ClipboardNote::Cleared => Event::Host(HostEvent::ClipboardCleared),
        ClipboardNote::ClearFailed(why) => Event::Host(HostEvent::ClipboardNotCleared { why }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Copying, PendingCopy, Wanted};
    use crate::dashboard::fixtures::name;
    use crate::domain::{Event, HostEvent, Program, SystemClock};
    use crate::engine::{Browser, Engine, Opened, Parts};
    use crate::platform::clipboard::Clipboard;
    use crate::secrets::memory::MemoryStore;
    use crate::secrets::worker::Secrets;
    use crate::tokens::vault::Vault;

    struct NoBrowser;

    impl Browser for NoBrowser {
        fn open(&self, _: &str) -> Result<Opened, String> {
            Err("no test opens one".into())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_clipboard_is_asked_once_and_given_up_however_often_the_wait_is_interrupted() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let vault = Vault::open(Secrets::new(MemoryStore::new().factory()), dir.path(), clock.clone()).unwrap();
        let (connections, browser, login_timeout) = (Vec::new(), Arc::new(NoBrowser), Duration::from_secs(1));
        let parts = Parts {
            connections,
            vault,
            clock,
            browser,
            program: Program::Command,
            automatic: false,
            login_timeout,
            lost_pause: chrono::TimeDelta::seconds(5),
        };
        let (engine, _events) = Engine::start(parts).unwrap();
        let (clipboard, puts) = Clipboard::hung();
        let mut copy = PendingCopy::new(Wanted::Names(vec![name("factory")]));
        let mut interrupted = 0;
        let copying = loop {
            tokio::select! {
                copying = copy.end(&engine, &clipboard, None) => break copying,
                () = tokio::time::sleep(Duration::from_millis(900)) => interrupted += 1,
            }
            assert!(interrupted < 10, "it is never given up");
        };
        let Copying::Finished(Event::Host(HostEvent::NamesCopied(Err(why)))) = copying else { panic!("it hangs") };
        assert!(why.contains("does not answer"), "{why}");
        assert_eq!((interrupted, puts()), (2, 1));
    }
}
