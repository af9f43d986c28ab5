//! Another configuration while running, and the end of a connection.
//!
//! Invariants: work under way ends as it was begun, and what it received is saved, even where the
//! connection is configured no more; a connection that did not change is not touched, and its
//! record not read; a table that vanished from the file costs no token.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::{
    Connection, ConnectionName, ConnectionView, Event, EventKind, Holding, Problem, Revocation, Secret,
};
use crate::engine::actor::{Actor, cancel};
use crate::engine::connections::state::{ConnectionState, Work};
use crate::engine::work::context::TaskReport;
use crate::engine::work::revoke;

impl Actor {
    /// Takes over these connections in place of those there are.
    pub(crate) fn configure(&mut self, connections: Vec<Connection>, login_timeout: Duration) {
        self.login_timeout = login_timeout;
        let order: Vec<_> = connections.iter().map(|connection| connection.name.clone()).collect();
        let staying: HashSet<_> = order.iter().collect();
        for slot in self.slots.values_mut() {
            if !staying.contains(&slot.connection.name) {
                slot.is_leaving = true;
                // What is out is not torn by this; what only waits ends.
                cancel(slot.work.as_ref());
            }
        }
        for connection in &connections {
            let connection = connection.clone();
            let name = connection.name.clone();
            if self.slots.get(&name).is_some() {
                self.reconfigure(&name, connection);
            } else {
                self.welcome(connection);
            }
        }
        self.order = order;
        self.announce(Event::Configured { connections });
        self.follow_up();
        self.satisfy_curiosity();
    }

    fn welcome(&mut self, connection: Connection) {
        let name = connection.name.clone();
        let mut slot = ConnectionState::new(connection);
        slot.goes_second = self.keepalive.is_some();
        self.slots.insert(slot);
        self.read_from_store(&name);
        self.publish(&name);
    }

    /// New settings for a connection that is there already, or was about to go.
    fn reconfigure(&mut self, name: &ConnectionName, connection: Connection) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        let was_leaving = std::mem::take(&mut slot.is_leaving);
        let before = Arc::clone(&slot.connection);
        if *before == connection {
            if was_leaving {
                self.publish(name);
            }
            return;
        }
        let shown = ConnectionView::loading(&connection);
        slot.view.title = shown.title;
        slot.view.provider = shown.provider;
        slot.view.needs_browser = shown.needs_browser;
        // The session's own switch counts on, unless it is this that the file changed.
        if before.auto_refresh != connection.auto_refresh {
            slot.view.auto = connection.auto_refresh;
        }
        let is_same_to_servers = {
            let Connection { title, auto_refresh, .. } = &connection;
            Connection { title: title.clone(), auto_refresh: *auto_refresh, ..before.as_ref().clone() } == connection
        };
        slot.configure(connection);
        if !is_same_to_servers {
            self.look_anew(name);
        }
        self.publish(name);
    }

    /// What stood in the way may be mended: it is looked for anew, and only that. Work under way
    /// is let end first.
    fn look_anew(&mut self, name: &ConnectionName) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        if slot.work.is_some() {
            slot.is_outdated = true;
            return;
        }
        slot.failures = 0;
        if slot.record.is_some() || slot.uncertain.is_some() {
            self.begin_reread(name);
        } else {
            slot.retry_at = None;
            slot.first_mint = None; // whether one may be minted is told by the same look
            self.read_from_store(name);
        }
    }

    /// After every report: lets those go that were only waiting for their work to end, and looks
    /// anew where work ended on settings that are not the present ones.
    pub(crate) fn follow_up(&mut self) {
        for name in self.slots.stale() {
            let Some(slot) = self.slots.get_mut(&name) else { continue };
            slot.is_outdated = false;
            if slot.is_leaving {
                self.slots.remove(&name);
                self.announce(EventKind::Removed.of(name));
            } else if !self.is_leaving() {
                self.look_anew(&name);
            }
        }
        self.begin_imports();
    }

    /// Keeps a client secret; it may be there before its connection is. Leaving waits for it: who
    /// typed it will not type it again.
    pub(crate) fn set_client_secret(&mut self, name: ConnectionName, secret: Secret) {
        self.secrets_underway += 1;
        let tools = Arc::clone(&self.tools);
        tokio::spawn(async move {
            let result = match secret.as_client_secret() {
                Ok(secret) => tools.vault.set_client_secret(&name, &secret).await.map_err(|error| error.with_advice()),
                Err(why) => Err(format!("the client secret {why}")),
            };
            tools.note(TaskReport::ClientSecretSet(name, result));
        });
    }

    pub(crate) fn client_secret_set(&mut self, name: ConnectionName, result: Result<(), String>) {
        self.secrets_underway = self.secrets_underway.saturating_sub(1);
        let is_news = self.slots.get(&name).is_some_and(|slot| {
            let refused =
                matches!(slot.view.problem, Some(Problem::NoClientSecret { .. } | Problem::Misconfigured { .. }));
            refused || slot.work.is_some() || slot.view.holding == Holding::Unknown
        });
        if result.is_ok() && is_news {
            self.look_anew(&name);
        }
        self.announce(EventKind::ClientSecretSet { result }.of(name));
    }

    /// Forgets all there is of a connection. The configuration is its owner's to change.
    pub(crate) fn remove(&mut self, name: &ConnectionName) {
        if let Some(busy) = self.busy_with(name) {
            let busy = Problem::Retrying { at: None, why: busy.into() };
            return self
                .announce(EventKind::Forgotten { result: Err(busy), revocation: Revocation::None }.of(name.clone()));
        }
        let Some(slot) = self.slots.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        slot.work = Some(Work::Remove(cancel.clone()));
        let (tools, connection) = (Arc::clone(&self.tools), Arc::clone(&slot.connection));
        tokio::spawn(async move {
            let (result, revocation) =
                revoke::and_forget(&tools, &connection, revoke::Forgetting::Everything, &cancel).await;
            tools.note(TaskReport::Forgotten(connection.name.clone(), result, revocation));
        });
    }

    pub(crate) fn forgotten(&mut self, name: ConnectionName, result: Result<(), Problem>, revocation: Revocation) {
        if let Some(slot) = self.slots.get_mut(&name) {
            slot.rest();
            slot.first_mint = None;
            match &result {
                Ok(()) => {
                    slot.hold(None, false);
                    slot.uncertain = None;
                    slot.succeed();
                }
                // How far it came is told by the store.
                Err(Problem::Cancelled) => {}
                Err(_) => self.begin_reread(&name),
            }
            self.publish(&name);
        }
        self.announce(EventKind::Forgotten { result, revocation }.of(name));
    }
}
