//! The operating system's signals as one stream.
//!
//! Invariant: from [`Signals::listen`] on, SIGTERM, SIGHUP, SIGINT and SIGTSTP do not end or
//! stop the process by themselves: the loop answers them, after giving the terminal back. For a
//! service ([`Signals::listen_as_service`]) SIGHUP asks to reload the configuration.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

/// What a signal asks of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: save what is unsaved and leave.
    Quit,
    /// SIGINT: the same, unless another program has the terminal.
    Interrupt,
    /// SIGHUP where a window was closed: the same, without a terminal.
    HungUp,
    /// SIGHUP to a service: reload the configuration.
    Reload,
    /// SIGTSTP: stop until `fg`, see `TerminalGuard::suspend`.
    Suspend,
    /// SIGCONT: the terminal may have been used by others; redraw everything.
    Continued,
    /// SIGWINCH: the terminal has another size.
    Resized,
}

impl Signal {
    /// Whether it asks to leave.
    #[must_use]
    pub fn is_quit(self) -> bool {
        matches!(self, Self::Quit | Self::Interrupt | Self::HungUp)
    }
}

/// How long after the first request to leave others count as part of it. A service manager sends SIGTERM with SIGCONT
/// or SIGHUP, a closed terminal SIGHUP twice, a key that is held repeats itself.
const ECHO: Duration = Duration::from_secs(1);

/// What a request to leave, or to stop, amounts to while an answer is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuitRequest {
    /// The first one: what is unsaved is saved first.
    First,
    /// Part of the first one, or not deliberate.
    Echo,
    /// Another one, made by a person who wants it at once.
    Again,
}

/// Distinguishes a second, deliberate request from what comes with the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Insistence {
    first: Option<Instant>,
}

impl Insistence {
    /// The first request was made at this moment.
    #[must_use]
    pub fn since(first: Instant) -> Self {
        Self { first: Some(first) }
    }

    /// Whether there was no request yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.first.is_none()
    }

    /// Judges a request made by a key or a command.
    pub fn on_request(&mut self, now: Instant) -> QuitRequest {
        let Some(first) = self.first else {
            self.first = Some(now);
            return QuitRequest::First;
        };
        if now.saturating_duration_since(first) < ECHO { QuitRequest::Echo } else { QuitRequest::Again }
    }

    /// Judges a signal; `None` where it does not ask to leave. Only SIGTERM and SIGINT can insist: a terminal may hang
    /// up more than once.
    pub fn on_signal(&mut self, signal: Signal, now: Instant) -> Option<QuitRequest> {
        match signal {
            Signal::Quit | Signal::Interrupt => Some(self.on_request(now)),
            Signal::HungUp if self.first.is_none() => Some(self.on_request(now)),
            Signal::HungUp => Some(QuitRequest::Echo),
            Signal::Reload | Signal::Suspend | Signal::Continued | Signal::Resized => None,
        }
    }
}

/// Stops the process as Ctrl-Z asks, until it is continued; does nothing where there is no such thing.
///
/// # Errors
/// The process cannot be stopped.
pub fn stop() -> io::Result<()> {
    #[cfg(unix)]
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
    Ok(())
}

/// While this lives, SIGQUIT (`Ctrl-\`) is for the program that has the terminal, and does not end this process.
#[derive(Debug)]
pub(crate) struct QuitIgnored(());

#[cfg(unix)]
mod quit {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock};

    use signal_hook::SigId;
    use signal_hook::consts::SIGQUIT;
    use signal_hook::flag;

    /// Whether SIGQUIT ends the process, as it does by default.
    static ENDS: LazyLock<(Arc<AtomicBool>, io::Result<SigId>)> = LazyLock::new(|| {
        let ends = Arc::new(AtomicBool::new(true));
        (Arc::clone(&ends), flag::register_conditional_default(SIGQUIT, ends))
    });

    pub(super) fn set(ends: bool) -> io::Result<()> {
        let (flag, registered) = &*ENDS;
        registered.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        flag.store(ends, Ordering::SeqCst);
        Ok(())
    }
}

/// Leaves SIGQUIT to another program.
///
/// # Errors
/// The signal cannot be handled.
#[cfg_attr(not(unix), expect(clippy::unnecessary_wraps, reason = "fails on Unix"))]
pub(crate) fn ignore_quit() -> io::Result<QuitIgnored> {
    #[cfg(unix)]
    quit::set(false)?;
    Ok(QuitIgnored(()))
}

impl Drop for QuitIgnored {
    fn drop(&mut self) {
        // It was registered when this was made.
        #[cfg(unix)]
        let _ = quit::set(true);
    }
}

#[cfg(not(unix))]
pub use other::Signals;
#[cfg(unix)]
pub use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix;
    use tokio::signal::unix::SignalKind;

    use super::Signal;

    /// A stream of the signals that came.
    #[derive(Debug)]
    pub struct Signals {
        terminate: unix::Signal,
        hang_up: unix::Signal,
        interrupt: unix::Signal,
        stop: unix::Signal,
        continued: unix::Signal,
        resized: unix::Signal,
        hung_up: Signal,
    }

    impl Signals {
        /// Begins to listen. To be called on a tokio runtime.
        ///
        /// # Errors
        /// When a handler cannot be installed.
        pub fn listen() -> io::Result<Self> {
            Self::listen_with(Signal::HungUp)
        }

        /// Begins to listen as a service, which has no window that could be closed.
        ///
        /// # Errors
        /// When a handler cannot be installed.
        pub fn listen_as_service() -> io::Result<Self> {
            Self::listen_with(Signal::Reload)
        }

        fn listen_with(hung_up: Signal) -> io::Result<Self> {
            let listen = |signal| unix::signal(SignalKind::from_raw(signal));
            Ok(Self {
                terminate: listen(signal_hook::consts::SIGTERM)?,
                hang_up: listen(signal_hook::consts::SIGHUP)?,
                interrupt: listen(signal_hook::consts::SIGINT)?,
                stop: listen(signal_hook::consts::SIGTSTP)?,
                continued: listen(signal_hook::consts::SIGCONT)?,
                resized: listen(signal_hook::consts::SIGWINCH)?,
                hung_up,
            })
        }

        /// Waits for the next signal. Nothing is lost when the wait is given up.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => Signal::Quit,
                _ = self.hang_up.recv() => self.hung_up,
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.stop.recv() => Signal::Suspend,
                _ = self.continued.recv() => Signal::Continued,
                _ = self.resized.recv() => Signal::Resized,
            }
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use super::Signal;

    /// A stream of the signals that came: Ctrl-C only.
    #[derive(Debug)]
    pub struct Signals(());

    impl Signals {
        /// Begins to listen.
        ///
        /// # Errors
        /// None here.
        pub fn listen() -> io::Result<Self> {
            Ok(Self(()))
        }

        /// Begins to listen as a service.
        ///
        /// # Errors
        /// None here.
        pub fn listen_as_service() -> io::Result<Self> {
            Self::listen()
        }

        /// Waits for the next signal.
        pub async fn next(&mut self) -> Signal {
            if tokio::signal::ctrl_c().await.is_err() {
                // There is nothing to listen to, so nothing ever comes.
                std::future::pending::<()>().await;
            }
            Signal::Quit
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::time::Duration;

    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    use signal_hook::low_level::raise;
    use tokio::time::Instant;

    use super::{Insistence, QuitRequest, Signal, Signals};

    #[test]
    fn only_a_later_and_deliberate_request_insists() {
        let (start, soon, later) = (Instant::now(), Duration::from_millis(300), Duration::from_secs(5));
        for first in [Signal::Quit, Signal::HungUp] {
            let mut insistence = Insistence::default();
            assert_eq!(insistence.on_signal(first, start), Some(QuitRequest::First));
            for (signal, after, request) in [
                (Signal::Quit, soon, Some(QuitRequest::Echo)),
                (Signal::HungUp, soon, Some(QuitRequest::Echo)),
                (Signal::HungUp, later, Some(QuitRequest::Echo)),
                (Signal::Resized, later, None),
                (Signal::Continued, later, None),
                (Signal::Suspend, later, None),
                (Signal::Quit, later, Some(QuitRequest::Again)),
            ] {
                assert_eq!(insistence.on_signal(signal, start + after), request, "{first:?}, then {signal:?}");
            }
        }
    }

    #[tokio::test]
    async fn each_signal_is_translated() {
        let mut signals = Signals::listen().unwrap();
        for (signal, request) in [
            (SIGTERM, Signal::Quit),
            (SIGHUP, Signal::HungUp),
            (SIGINT, Signal::Interrupt),
            (SIGTSTP, Signal::Suspend),
            (SIGCONT, Signal::Continued),
            (SIGWINCH, Signal::Resized),
        ] {
            raise(signal).unwrap();
            assert_eq!(signals.next().await, request, "signal {signal}");
        }
        let mut service = Signals::listen_as_service().unwrap();
        raise(SIGHUP).unwrap();
        assert_eq!(service.next().await, Signal::Reload);
    }
}
