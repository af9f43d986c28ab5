//! Read-only mode: the dashboard only watches.
//!
//! Invariants: while it is on, no action sends a request or changes a connection or the configuration, wherever it came
//! from; the engine starts nothing either. It is left by a person who was asked, never by itself.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::domain::{Command, Severity};

/// Whether an action on a screen does what a dashboard that only watches must not.
pub(crate) fn forbids(app: &App, screen: &Screen, action: Action) -> bool {
    match action {
        Action::Login
        | Action::Refresh
        | Action::ForceRefresh
        | Action::ToggleAuto
        | Action::ToggleAutoAll
        | Action::Test
        | Action::Logout
        | Action::RunCommand(_)
        | Action::New
        | Action::Edit
        | Action::EditConfiguration
        | Action::Delete
        | Action::Save
        | Action::ReopenBrowser
        | Action::OpenFaultMenu
        | Action::Fault(_) => true,
        // A store that is opened is read; one whose passphrase is chosen is made.
        Action::Unlock => app.passphrase == Some(true),
        Action::Accept => match screen {
            Screen::Confirm(
                Question::CopyRefreshToken(_) | Question::LeaveReadOnly | Question::Quit | Question::QuitPending,
            ) => false,
            Screen::Confirm(_) | Screen::Form(_) | Screen::Login(_) => true,
            Screen::Menu(menu) => menu.scope == Scope::FaultMenu,
            Screen::Unlock(_) => app.passphrase == Some(true),
            _ => false,
        },
        _ => false,
    }
}

/// Enters the mode, or asks whether to leave it.
pub(crate) fn toggle(app: &mut App, now: DateTime<Utc>) -> Flow {
    if app.read_only {
        return Flow::Open(Screen::Confirm(Question::LeaveReadOnly));
    }
    app.watch_only();
    let key = app.key(Action::ToggleReadOnly);
    app.say(None, Severity::Quiet, format!("read-only: manutop only watches; {key} leaves this mode"), now);
    Flow::effect(Command::StandDown)
}

/// Leaves the mode; a person has been asked.
pub(crate) fn leave(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    app.read_only = false;
    app.say(None, Severity::Quiet, "read-only mode is off: automatic refresh works again", now);
    vec![Command::TakeOver.into()]
}

impl App {
    /// Only watches from now on. What is open and could change something closes.
    pub fn watch_only(&mut self) {
        self.read_only = true;
        self.pendings.clear();
        self.screens.close_where(|screen| {
            matches!(screen, Screen::Form(_) | Screen::Confirm(_) | Screen::Login(_) | Screen::LoginFailed { .. })
        });
    }

    /// Whether it only watches.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }
}
