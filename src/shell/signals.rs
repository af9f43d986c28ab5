//! The operating system's signals as one stream of wishes.
//!
//! Invariant: from [`Signals::listen`] on, SIGTERM, SIGHUP, SIGINT and SIGTSTP do not end or
//! stop the process by themselves: the loop answers them, after giving the terminal back. For a
//! service ([`Signals::listen_as_service`]) SIGHUP asks to read the configuration anew.

use std::io;

/// What a signal asks of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGINT, and SIGHUP where a window was closed: save what is owed and leave.
    Quit,
    /// SIGHUP to a service: read the configuration anew.
    Reload,
    /// SIGTSTP: stop until `fg`, see `TerminalGuard::suspend`.
    Suspend,
    /// SIGCONT: the terminal may have been used by others; draw everything anew.
    Continued,
    /// SIGWINCH: the terminal has another size.
    Resized,
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

#[cfg(unix)]
pub use unix::Signals;

#[cfg(not(unix))]
pub use other::Signals;

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{self, SignalKind};

    use super::{Signal, io};

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
            Self::listen_with(Signal::Quit)
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
                _ = self.interrupt.recv() => Signal::Quit,
                _ = self.stop.recv() => Signal::Suspend,
                _ = self.continued.recv() => Signal::Continued,
                _ = self.resized.recv() => Signal::Resized,
            }
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Signal, io};

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
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    use signal_hook::low_level::raise;

    use super::{Signal, Signals};

    #[tokio::test]
    async fn each_signal_becomes_its_wish() {
        let mut signals = Signals::listen().unwrap();
        for (signal, wish) in [
            (SIGTERM, Signal::Quit),
            (SIGHUP, Signal::Quit),
            (SIGINT, Signal::Quit),
            (SIGTSTP, Signal::Suspend),
            (SIGCONT, Signal::Continued),
            (SIGWINCH, Signal::Resized),
        ] {
            raise(signal).unwrap();
            assert_eq!(signals.next().await, wish, "signal {signal}");
        }
        let mut service = Signals::listen_as_service().unwrap();
        raise(SIGHUP).unwrap();
        assert_eq!(service.next().await, Signal::Reload);
    }
}
