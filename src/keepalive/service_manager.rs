//! Messages to the service manager, by the protocol of `sd_notify(3)`: one datagram for each thing,
//! in order. Without a manager that asks for them, nothing is sent.
//!
//! Invariant: a manager that does not read blocks nothing: a thread of its own sends.

use std::time::Duration;

#[cfg(unix)]
use sd_notify::NotifyState;

/// The way to the service manager.
pub struct ServiceManager {
    #[cfg(unix)]
    speaker: Option<speaker::Speaker>,
}

#[cfg(unix)]
impl ServiceManager {
    /// Begins to speak, if there is a manager that listens.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let is_wanted = std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty());
        Ok(Self { speaker: is_wanted.then(speaker::Speaker::start).transpose()? })
    }

    /// How often the manager wants a heartbeat at least: half of its timeout.
    #[must_use]
    pub fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|timeout| timeout / 2).filter(|interval| !interval.is_zero())
    }

    /// All is up; also the end of reloading.
    pub fn ready(&self) {
        self.send(&[NotifyState::Ready]);
    }

    /// The configuration is being reloaded.
    pub fn reloading(&self) {
        // Needed where the unit says Type=notify-reload; on Linux the clock always answers.
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now]),
            Err(_) => self.send(&[NotifyState::Reloading]),
        }
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.send(&[NotifyState::Stopping]);
    }

    /// The end takes longer: the manager is to wait so much longer before it kills, counted from now. Without
    /// effect before [`ServiceManager::stopping`]; it has to be said again before that time is over.
    pub fn needs_time(&self, time: Duration) {
        self.send(&[NotifyState::ExtendTimeoutUsec(u32::try_from(time.as_micros()).unwrap_or(u32::MAX))]);
    }

    /// The status, in one line.
    pub fn status(&self, words: &str) {
        self.send(&[NotifyState::Status(words)]);
    }

    /// A heartbeat.
    pub fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    fn send(&self, states: &[NotifyState]) {
        if let Some(speaker) = &self.speaker {
            speaker.say(states.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    }
}

#[cfg(unix)]
mod speaker {
    use std::sync::mpsc;
    use std::sync::mpsc::{Receiver, Sender};
    use std::time::Duration;
    use std::{io, thread};

    use sd_notify::NotifyState;

    /// How long the end waits for the last word to be said.
    const LAST_WORD: Duration = Duration::from_secs(1);

    pub(crate) struct Speaker {
        words: Option<Sender<String>>,
        /// Disconnected once the thread has ended.
        ended: Receiver<()>,
    }

    impl Speaker {
        pub(crate) fn start() -> io::Result<Self> {
            let (words, waiting) = mpsc::channel::<String>();
            let (running, ended) = mpsc::channel();
            thread::Builder::new().name("notify".into()).spawn(move || {
                while let Ok(words) = waiting.recv() {
                    // A manager that went away needs no message.
                    let _ = sd_notify::notify(&[NotifyState::Custom(&words)]);
                }
                drop(running);
            })?;
            Ok(Self { words: Some(words), ended })
        }

        pub(crate) fn say(&self, words: String) {
            if let Some(speaker) = &self.words {
                // The thread ends after this handle only.
                let _ = speaker.send(words);
            }
        }
    }

    impl Drop for Speaker {
        fn drop(&mut self) {
            self.words = None;
            let _ = self.ended.recv_timeout(LAST_WORD);
        }
    }
}

/// Elsewhere no service manager speaks this protocol.
#[cfg(not(unix))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "used on Unix")]
impl ServiceManager {
    /// Does nothing here.
    ///
    /// # Errors
    /// None here.
    pub fn start() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// No manager waits for a heartbeat here.
    #[must_use]
    pub fn watchdog() -> Option<Duration> {
        None
    }

    /// Does nothing here.
    pub fn ready(&self) {}

    /// Does nothing here.
    pub fn reloading(&self) {}

    /// Does nothing here.
    pub fn stopping(&self) {}

    /// Does nothing here.
    pub fn needs_time(&self, _time: Duration) {}

    /// Does nothing here.
    pub fn status(&self, _words: &str) {}

    /// Does nothing here.
    pub fn alive(&self) {}
}
