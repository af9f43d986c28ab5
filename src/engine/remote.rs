//! Commands and questions to a running engine from elsewhere.

#[cfg(unix)]
use chrono::TimeDelta;
use tokio::sync::{mpsc, oneshot};

use crate::domain::{Command, ConnectionView};
#[cfg(unix)]
use crate::domain::{ConnectionName, TokenRecord};
use crate::engine::messages::{EngineMessage, ReplySender};

/// Hands commands to an engine from elsewhere, without keeping it alive. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    pub(super) asks: mpsc::WeakUnboundedSender<EngineMessage>,
}

impl Remote {
    /// Hands over a command; nothing happens where the engine has ended.
    pub fn send(&self, command: Command) {
        if let Some(asks) = self.asks.upgrade() {
            let _ = asks.send(EngineMessage::Command(command));
        }
    }

    /// All connections as they stand, in the configuration's order, whatever the store does: an
    /// engine that is alive answers at once. `None` where it has ended.
    pub async fn snapshot(&self) -> Option<Vec<ConnectionView>> {
        answered(&self.asks.upgrade()?, |reply| EngineMessage::Snapshot { reply }).await
    }

    /// Has the engine look at once at what another process has changed.
    #[cfg(unix)]
    pub(super) fn poll_other_processes(&self) {
        if let Some(asks) = self.asks.upgrade() {
            let _ = asks.send(EngineMessage::PollOtherProcesses);
        }
    }

    /// The record whose access token lives for `least`, if the connection has no problem at all.
    #[cfg(unix)]
    pub(super) async fn fresh(&self, connection: &ConnectionName, least: TimeDelta) -> Option<TokenRecord> {
        answered(&self.asks.upgrade()?, |reply| EngineMessage::Fresh { connection: connection.clone(), least, reply })
            .await?
    }
}

/// Asks, and waits for the answer; `None` where the engine has ended.
pub(super) async fn answered<T>(
    asks: &mpsc::UnboundedSender<EngineMessage>,
    ask: impl FnOnce(ReplySender<T>) -> EngineMessage,
) -> Option<T> {
    let (reply, mut answer) = oneshot::channel();
    asks.send(ask(reply)).ok()?;
    tokio::select! {
        biased;
        answer = &mut answer => answer.ok(),
        // A question that comes in the very moment in which the engine ends is never looked at, nor
        // thrown away as long as another can be asked.
        () = asks.closed() => answer.try_recv().ok(),
    }
}
