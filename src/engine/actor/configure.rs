//! Another configuration while running, and the end of a connection.
//!
//! Invariants: work under way ends as it was begun, and what it received is saved, even where the
//! connection is no longer configured; a connection that did not change is not touched, and its
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
        for state in self.states.values_mut() {
            if !staying.contains(&state.connection.name) {
                state.is_leaving = true;
                // What is out is not torn by this; what only waits ends.
                cancel(state.work.as_ref());
            }
        }
        for connection in &connections {
            let connection = connection.clone();
            let name = connection.name.clone();
            if self.states.get(&name).is_some() {
                self.reconfigure(&name, connection);
            } else {
                self.welcome(connection);
            }
        }
        self.order = order;
        self.announce(Event::Configured { connections });
        self.follow_up();
        self.answer_snapshots();
    }

    fn welcome(&mut self, connection: Connection) {
        let name = connection.name.clone();
        let mut state = ConnectionState::new(connection);
        state.defers_to_leader = self.keepalive.is_some();
        self.states.insert(state);
        self.read_from_store(&name);
        self.publish(&name);
    }

    /// New settings for a connection that is there already, or was about to go.
    fn reconfigure(&mut self, name: &ConnectionName, connection: Connection) {
        let Some(state) = self.states.get_mut(name) else { return };
        let was_leaving = std::mem::take(&mut state.is_leaving);
        let before = Arc::clone(&state.connection);
        if *before == connection {
            if was_leaving {
                self.publish(name);
            }
            return;
        }
        let shown = ConnectionView::loading(&connection);
        state.view.title = shown.title;
        state.view.provider = shown.provider;
        state.view.needs_browser = shown.needs_browser;
        // The session's own switch counts on, unless it is this that the file changed.
        if before.auto_refresh != connection.auto_refresh {
            state.view.auto = connection.auto_refresh;
        }
        let is_same_to_servers = {
            let Connection { title, auto_refresh, .. } = &connection;
            Connection { title: title.clone(), auto_refresh: *auto_refresh, ..before.as_ref().clone() } == connection
        };
        state.configure(connection);
        if !is_same_to_servers {
            self.check_again(name);
        }
        self.publish(name);
    }

    /// The problem may be fixed: it is looked up again, and nothing else. Work under way ends
    /// first.
    fn check_again(&mut self, name: &ConnectionName) {
        let Some(state) = self.states.get_mut(name) else { return };
        if state.work.is_some() {
            state.is_outdated = true;
            return;
        }
        state.failures = 0;
        if state.record.is_some() || state.uncertain.is_some() {
            self.begin_reread(name);
        } else {
            state.retry_at = None;
            state.first_mint = None; // the same look finds whether one may be minted
            self.read_from_store(name);
        }
    }

    /// After every report: lets those go that were only waiting for their work to end, and looks
    /// again where work ended on settings that are not the present ones.
    pub(crate) fn follow_up(&mut self) {
        for name in self.states.stale() {
            let Some(state) = self.states.get_mut(&name) else { continue };
            state.is_outdated = false;
            if state.is_leaving {
                self.states.remove(&name);
                self.announce(EventKind::Removed.of(name));
            } else if !self.is_leaving() {
                self.check_again(&name);
            }
        }
        self.begin_imports();
    }

    /// Keeps a client secret; it may be there before its connection is. Leaving waits for it: who
    /// typed it will not type it again.
    pub(crate) fn set_client_secret(&mut self, name: ConnectionName, secret: Secret) {
        self.secrets_underway += 1;
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let result = match secret.as_client_secret() {
                Ok(secret) => {
                    context.vault.set_client_secret(&name, &secret).await.map_err(|error| error.with_advice())
                }
                Err(why) => Err(format!("the client secret {why}")),
            };
            context.report(TaskReport::ClientSecretSet(name, result));
        });
    }

    pub(crate) fn client_secret_set(&mut self, name: ConnectionName, result: Result<(), String>) {
        self.secrets_underway = self.secrets_underway.saturating_sub(1);
        let is_news = self.states.get(&name).is_some_and(|state| {
            let refused =
                matches!(state.view.problem, Some(Problem::NoClientSecret { .. } | Problem::Misconfigured { .. }));
            refused || state.work.is_some() || state.view.holding == Holding::Unknown
        });
        if result.is_ok() && is_news {
            self.check_again(&name);
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
        let Some(state) = self.states.get_mut(name) else { return };
        let cancel = CancellationToken::new();
        state.work = Some(Work::Remove(cancel.clone()));
        let (context, connection) = (Arc::clone(&self.context), Arc::clone(&state.connection));
        tokio::spawn(async move {
            let (result, revocation) =
                revoke::and_forget(&context, &connection, revoke::Forgetting::Everything, &cancel).await;
            context.report(TaskReport::Forgotten(connection.name.clone(), result, revocation));
        });
    }

    pub(crate) fn forgotten(&mut self, name: ConnectionName, result: Result<(), Problem>, revocation: Revocation) {
        if let Some(state) = self.states.get_mut(&name) {
            state.rest();
            state.first_mint = None;
            match &result {
                Ok(()) => {
                    state.hold(None, false);
                    state.uncertain = None;
                    state.succeed();
                }
                // The store shows how far it came.
                Err(Problem::Cancelled) => {}
                Err(_) => self.begin_reread(&name),
            }
            self.publish(&name);
        }
        self.announce(EventKind::Forgotten { result, revocation }.of(name));
    }
}
