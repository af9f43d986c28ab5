//! Commands, carried out or refused.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::{Activity, Command, ConnectionName, EventKind, Secret};
use crate::engine::actor::{Actor, cancel};
use crate::engine::connections::state::{ConnectionState, Work};
use crate::engine::work::context::TaskReport;
use crate::engine::work::refresh::decide::Need;
use crate::engine::work::{access, inspect, login, revoke, test};

impl Actor {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Login { connection } => self.login(&connection),
            Command::FinishLogin { connection, pasted } => {
                self.pass_to_login(&connection, login::LoginInput::Pasted(pasted));
            }
            Command::ConfirmLogin { connection, replace } => {
                self.pass_to_login(&connection, login::LoginInput::Confirm(replace));
            }
            Command::ReopenBrowser { connection } => self.pass_to_login(&connection, login::LoginInput::Reopen),
            Command::Cancel { connection } => {
                cancel(self.states.get(&connection).and_then(|state| state.work.as_ref()));
            }
            Command::Refresh { connection, force } => {
                self.refresh(&connection, if force { Need::New } else { Need::NotDue }, None);
            }
            Command::ForceIfSure { connection } => self.refresh(&connection, Need::NewIfSure, None),
            Command::AskAgain => self.ask_again(),
            Command::SetAuto { connection, on } => self.set_auto(&connection, on),
            Command::SetAutoAll { on } => {
                for name in self.order.clone() {
                    self.set_auto(&name, on);
                }
            }
            Command::TakeOver => self.take_over(),
            Command::StandDown => self.stand_down(),
            Command::Test { connection } => self.test(&connection),
            Command::Inspect { connection } => self.inspect(connection),
            Command::Logout { connection } => self.logout(&connection),
            Command::CheckStore => self.check_store(),
            Command::UseFiles => self.use_files(),
            Command::Unlock { passphrase } => self.unlock(passphrase),
            Command::Configure { connections, login_timeout } => self.configure(connections, login_timeout),
            Command::SetClientSecret { connection, secret } => self.set_client_secret(connection, secret),
            Command::Import { connection, refresh_token } => self.import(connection, &refresh_token),
            Command::Remove { connection } => self.remove(&connection),
        }
    }

    pub(crate) fn refuse(&self, connection: &ConnectionName, why: impl Into<String>) {
        self.announce(EventKind::Refused { why: why.into() }.of(connection.clone()));
    }

    /// The state, if it is there and at rest; otherwise says why nothing is begun.
    pub(super) fn idle(&mut self, name: &ConnectionName) -> Option<&mut ConnectionState> {
        if let Some(busy) = self.busy_with(name) {
            self.refuse(name, busy);
            return None;
        }
        self.states.get_mut(name)
    }

    /// Why nothing can be begun now; `None` where it can.
    pub(crate) fn busy_with(&self, name: &ConnectionName) -> Option<&'static str> {
        let Some(state) = self.states.get(name) else { return Some("there is no such connection") };
        match &state.work {
            _ if state.is_leaving => Some("it is no longer in the configuration"),
            None => None,
            Some(Work::Refresh(..)) => Some("a refresh is under way"),
            Some(Work::Reread(_)) => Some("the store is being read"),
            Some(Work::Login(..)) => Some("a login is under way"),
            Some(Work::Import(_)) => Some("an import is under way"),
            Some(Work::Test) => Some("a test is under way"),
            Some(Work::Logout(_)) => Some("a logout is under way"),
            Some(Work::Remove(_)) => Some("it is being removed"),
        }
    }

    pub(super) fn login(&mut self, name: &ConnectionName) {
        let Some(state) = self.idle(name) else { return };
        if !state.connection.needs_browser() {
            return self.refresh(name, Need::NotDue, None);
        }
        let cancel = CancellationToken::new();
        let (input, inputs) = mpsc::channel(8);
        state.work = Some(Work::Login(cancel.clone(), input));
        let connection = Arc::clone(&state.connection);
        let login = login::login(Arc::clone(&self.context), connection, self.login_timeout, inputs, cancel);
        self.spawn_ending(name, login);
    }

    pub(super) fn pass_to_login(&mut self, name: &ConnectionName, input: login::LoginInput) {
        match self.states.get(name).and_then(|state| state.work.as_ref()) {
            Some(Work::Login(_, inputs)) => {
                // A full channel means that answers are pasted faster than the login reads them.
                let _ = inputs.try_send(input);
            }
            _ => self.refuse(name, "no login is under way"),
        }
    }

    pub(super) fn set_auto(&mut self, name: &ConnectionName, on: bool) {
        if let Some(state) = self.states.get_mut(name) {
            state.view.auto = on;
            self.publish(name);
        }
    }

    pub(super) fn test(&mut self, name: &ConnectionName) {
        let now = self.context.now();
        let Some(state) = self.idle(name) else { return };
        match access::access_token(state, now) {
            Err(why) => self.refuse(name, why),
            Ok(token) => self.begin_test(name, token),
        }
    }

    pub(super) fn begin_test(&mut self, name: &ConnectionName, token: Secret) {
        let since = self.context.now();
        if let Some(state) = self.states.get_mut(name) {
            state.work = Some(Work::Test);
            state.view.activity = Activity::Testing { since };
            let refresh_token = state.record.as_ref().and_then(|record| record.refresh_token.as_ref());
            let refresh_token = refresh_token.map(|refresh| refresh.token.clone());
            tokio::spawn(test::test_call(
                Arc::clone(&self.context),
                Arc::clone(&state.connection),
                token,
                refresh_token,
            ));
            self.publish(name);
        }
    }

    pub(super) fn inspect(&self, name: ConnectionName) {
        let Some(state) = self.states.get(&name) else {
            return self.refuse(&name, "there is no such connection");
        };
        let token = state.record.as_ref().map(|record| record.access_token.clone());
        tokio::spawn(inspect::inspect(Arc::clone(&self.context), name, token));
    }

    pub(super) fn logout(&mut self, name: &ConnectionName) {
        let Some(state) = self.idle(name) else { return };
        let cancel = CancellationToken::new();
        state.work = Some(Work::Logout(cancel.clone()));
        let connection = Arc::clone(&state.connection);
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let (result, revocation) =
                revoke::and_forget(&context, &connection, revoke::Forgetting::Tokens, &cancel).await;
            context.report(TaskReport::LoggedOut(connection.name.clone(), result, revocation));
        });
    }

    pub(super) fn unlock(&self, passphrase: Secret) {
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let result = context.vault.unlock(passphrase).await;
            context.report(TaskReport::Unlocked(result));
        });
    }
}
