//! Logging out and deleting, which a person can take back for some seconds.
//!
//! Invariants: until the time has passed nothing has been done, so that a program that ends meanwhile, however it does,
//! leaves every connection as it was. The time is counted in ticks: while the program is stopped, and while it asks
//! whether to quit, none passes. It never runs in read-only mode.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::domain::{Command, ConnectionName, Severity};
use crate::format::time::count;

/// How long it can be taken back, in seconds.
pub const SECONDS: u8 = 8;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Forget the tokens.
    Logout,
    /// Forget everything, and take the connection out of the configuration.
    Delete,
}

/// Connections that are about to be logged out or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    removal: Removal,
    connections: Vec<ConnectionName>,
    seconds: u8,
}

/// Everything that can be taken back, the latest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pendings(Vec<Pending>);

impl Removal {
    /// What it does, in a sentence.
    fn verb(self) -> &'static str {
        match self {
            Self::Logout => "logging out",
            Self::Delete => "deleting",
        }
    }

    fn effect(self, connection: ConnectionName) -> Effect {
        match self {
            Self::Logout => Command::Logout { connection }.into(),
            Self::Delete => Effect::Delete { connection },
        }
    }
}

impl Pendings {
    /// Whether there is nothing to take back.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is about to happen to a connection, and in how many seconds.
    pub(crate) fn of(&self, connection: &ConnectionName) -> Option<(Removal, u8)> {
        let pending = self.0.iter().find(|pending| pending.connections.contains(connection))?;
        Some((pending.removal, pending.seconds))
    }

    /// All these connections.
    pub(crate) fn names(&self) -> Vec<&ConnectionName> {
        self.0.iter().flat_map(|pending| &pending.connections).collect()
    }

    /// Keeps all of them.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps one, which is gone, or which has new tokens that no one wanted to lose.
    pub(crate) fn forget(&mut self, connection: &ConnectionName) {
        for pending in &mut self.0 {
            pending.connections.retain(|name| name != connection);
        }
        self.0.retain(|pending| !pending.connections.is_empty());
    }

    /// Takes back what the connection is part of; the latest where it is part of none.
    fn take(&mut self, connection: Option<&ConnectionName>) -> Option<Pending> {
        let own = connection.and_then(|name| self.0.iter().position(|pending| pending.connections.contains(name)));
        let at = own.or_else(|| self.0.len().checked_sub(1))?;
        Some(self.0.remove(at))
    }

    /// A second has passed: what is due now.
    fn tick(&mut self) -> Vec<Effect> {
        let mut due = Vec::new();
        self.0.retain_mut(|pending| {
            pending.seconds = pending.seconds.saturating_sub(1);
            if pending.seconds == 0 {
                let names = std::mem::take(&mut pending.connections);
                due.extend(names.into_iter().map(|name| pending.removal.effect(name)));
            }
            pending.seconds > 0
        });
        due
    }
}

/// Begins to wait with what a person has confirmed.
pub(crate) fn begin(app: &mut App, removal: Removal, mut connections: Vec<ConnectionName>, now: DateTime<Utc>) {
    connections.retain(|name| app.pendings.of(name).is_none());
    let (one, many) = match &connections[..] {
        [] => return,
        [one] => (Some(one.clone()), String::new()),
        many => (None, format!("{}: ", count(many.len(), "connection"))),
    };
    app.pendings.0.push(Pending { removal, connections, seconds: SECONDS });
    let key = key(app);
    let text = format!("{many}{} in {SECONDS} s; {key} undoes it", removal.verb());
    app.say(one.as_ref(), Severity::Warning, text, now);
}

/// Takes back what the selected connection is part of, else the latest.
pub(crate) fn undo(app: &mut App, now: DateTime<Utc>) -> Flow {
    let selected = app.subject().map(|view| view.name.clone());
    if let Some(Pending { connections, .. }) = app.pendings.take(selected.as_ref()) {
        let (one, text) = match &connections[..] {
            [one] => (Some(one.clone()), "kept: nothing was done".to_owned()),
            many => (None, format!("{} kept: nothing was done", count(many.len(), "connection"))),
        };
        // It answers the warning that stands there.
        app.message = None;
        app.say(one.as_ref(), Severity::Good, text, now);
    }
    Flow::NOTHING
}

/// A second has passed.
pub(crate) fn tick(app: &mut App) -> Vec<Effect> {
    let is_asked = matches!(app.screens.top(), Screen::Confirm(Question::QuitPending));
    if is_asked || app.read_only { Vec::new() } else { app.pendings.tick() }
}

/// Why a connection cannot be changed now: it is about to be logged out or deleted.
pub(crate) fn refusal(app: &App, connection: &ConnectionName) -> Option<String> {
    let (removal, seconds) = app.pendings.of(connection)?;
    Some(format!("{} in {seconds} s; {} undoes it", removal.verb(), key(app)))
}

/// What stands in the status column meanwhile.
pub(crate) fn status(app: &App, connection: &ConnectionName) -> Option<String> {
    let (removal, _) = app.pendings.of(connection)?;
    let word = match removal {
        Removal::Logout => "logout",
        Removal::Delete => "removing",
    };
    Some(format!("{word}… {} undo", key(app)))
}

/// When it happens, for the question before it.
pub(crate) fn notice(app: &App) -> String {
    format!("It happens in {SECONDS} seconds; until then {} takes it back.", key(app))
}

fn key(app: &App) -> String {
    app.options.keymap.label_in(Scope::Undo, Action::Undo)
}
