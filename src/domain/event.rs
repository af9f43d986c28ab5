//! Events: what happened, in the past tense. The engine and the program around it announce them.

use crate::domain::connection::{Connection, ConnectionName};
use crate::domain::connection_event::{ConnectionEvent, EventKind};
use crate::domain::history::KeepaliveProcess;
use crate::domain::host_event::HostEvent;
use crate::domain::log::LogEntry;
use crate::domain::reason::Reason;
use crate::domain::view::ConnectionView;

/// Something that happened. No event carries a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something happened to a connection.
    Connection(ConnectionEvent),
    /// The program around the engine noticed something.
    Host(HostEvent),
    /// A connection's state changed; this is the whole new state.
    Changed(Box<ConnectionView>),
    /// One HTTP exchange was made.
    RequestLogged(Box<LogEntry>),
    /// The engine works with these connections from now on, in this order. One that is missing may still
    /// have work under way: [`EventKind::Removed`] announces its end.
    Configured {
        /// All of them, in the configuration's order.
        connections: Vec<Connection>,
    },
    /// The encrypted store waits for its passphrase.
    PassphraseAsked {
        /// Whether to choose one, because there is no store yet.
        new: bool,
        /// Why the passphrase given at startup was refused.
        refused: Option<Reason>,
    },
    /// No keyring can be reached, and encrypted files can take its place ([`Command::UseFiles`](crate::domain::Command)).
    /// [`Event::StoreChanged`] follows.
    FilesOffered,
    /// The passphrase opened the encrypted store (`Ok`), or did not (`Err`: why).
    UnlockEnded(Result<(), String>),
    /// Another `manutop keepalive` leads and refreshes automatically from now on, or none does any more.
    KeepaliveChanged(Option<KeepaliveProcess>),
    /// The secret store answers (`Ok`), or does not (`Err`: why, and what to do).
    StoreChanged(Result<(), Reason>),
}

impl From<ConnectionEvent> for Event {
    fn from(event: ConnectionEvent) -> Self {
        Self::Connection(event)
    }
}

impl From<HostEvent> for Event {
    fn from(event: HostEvent) -> Self {
        Self::Host(event)
    }
}

impl Event {
    /// What happened to a connection, if the event is about one.
    #[must_use]
    pub fn kind(&self) -> Option<&EventKind> {
        match self {
            Self::Connection(event) => Some(&event.kind),
            _ => None,
        }
    }
}

impl EventKind {
    /// The event of this connection.
    #[must_use]
    pub fn of(self, connection: ConnectionName) -> Event {
        Event::Connection(ConnectionEvent { connection, kind: self })
    }
}
