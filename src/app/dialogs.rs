//! Keys in dialogs: filter, login, copy menu, questions.

use chrono::{DateTime, Utc};

use super::mode::{COPY_CHOICES, Mode, Question};
use super::{Action, App, press};
use crate::domain::{Activity, Command, ConnectionName, CopyWhat, Severity};

/// The longest filter taken, in characters.
const LONGEST_FILTER: usize = 64;

/// Carries out an action in the dialog that has the keyboard.
pub(super) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Command> {
    match &app.mode {
        Mode::Filter => {
            in_filter(app, action, now);
            Vec::new()
        }
        Mode::Login(_) => in_login(app, action, now),
        Mode::LoginFailed { connection, .. } => {
            let connection = connection.clone();
            if matches!(action, Action::Login | Action::Cancel) {
                app.mode = Mode::Normal;
            }
            if action == Action::Login { press::login(app, connection) } else { Vec::new() }
        }
        Mode::CopyMenu { connection, choice } => {
            let (connection, choice) = (connection.clone(), *choice);
            in_copy_menu(app, action, connection, choice)
        }
        Mode::Confirm(question) => {
            let question = question.clone();
            if matches!(action, Action::Accept | Action::Cancel) {
                app.mode = Mode::Normal;
            }
            if action == Action::Accept { vec![confirmed(question)] } else { Vec::new() }
        }
        Mode::Unlock(_) => in_unlock(app, action),
        Mode::Normal | Mode::Help { .. } | Mode::Connection { .. } | Mode::Request { .. } => Vec::new(),
    }
}

/// Text goes into the field that takes it, if there is one.
pub(super) fn type_text(app: &mut App, text: &str, now: DateTime<Utc>) {
    match &mut app.mode {
        Mode::Filter => {
            let typed = text.chars().filter(|c| !c.is_control());
            let filter = app.connections.filter().chars().chain(typed).take(LONGEST_FILTER).collect();
            app.connections.set_filter(filter, now);
        }
        Mode::Login(dialog) if dialog.typing => {
            dialog.field.push(text);
            dialog.refused = None;
        }
        Mode::Unlock(dialog) if !dialog.trying => {
            dialog.field.push_words(text);
            dialog.refused = None;
        }
        _ => {}
    }
}

fn in_unlock(app: &mut App, action: Action) -> Vec<Command> {
    let Mode::Unlock(dialog) = &mut app.mode else { return Vec::new() };
    match action {
        Action::Accept => {
            return dialog.accept().map(|passphrase| Command::Unlock { passphrase }).into_iter().collect();
        }
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Cancel => app.mode = Mode::Normal,
        _ => {}
    }
    Vec::new()
}

fn in_filter(app: &mut App, action: Action, now: DateTime<Utc>) {
    let mut filter = app.connections.filter().to_owned();
    match action {
        Action::Accept => {
            app.mode = Mode::Normal;
            return;
        }
        Action::Cancel => {
            app.mode = Mode::Normal;
            filter.clear();
        }
        Action::Erase => drop(filter.pop()),
        Action::EraseAll => filter.clear(),
        Action::Up => return app.connections.step(-1),
        Action::Down => return app.connections.step(1),
        _ => return,
    }
    app.connections.set_filter(filter, now);
}

fn in_login(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Command> {
    let Mode::Login(dialog) = &mut app.mode else { return Vec::new() };
    let connection = dialog.connection.clone();
    match action {
        Action::Copy(what) => return vec![Command::Copy { connection, what }],
        Action::ReopenBrowser => return vec![Command::ReopenBrowser { connection }],
        Action::EnterField => dialog.typing = true,
        Action::LeaveField => dialog.typing = false,
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Up => dialog.scroll = dialog.scroll.saturating_sub(1),
        Action::Down => dialog.scroll += 1,
        Action::Accept if dialog.field.is_empty() => {
            dialog.refused = Some("nothing pasted yet".into());
        }
        Action::Accept => {
            dialog.refused = None;
            return vec![Command::FinishLogin { connection, pasted: dialog.field.secret() }];
        }
        Action::Background => {
            app.mode = Mode::Normal;
            app.say(Some(&connection), Severity::Busy, "the login goes on waiting; l shows it again", now);
        }
        Action::Cancel => {
            app.mode = Mode::Normal;
            let waits = app.connections.get(&connection).map(|view| &view.activity);
            if matches!(waits, Some(Activity::LoggingIn(_))) {
                return vec![Command::Cancel { connection }];
            }
        }
        _ => {}
    }
    Vec::new()
}

fn in_copy_menu(app: &mut App, action: Action, connection: ConnectionName, choice: usize) -> Vec<Command> {
    let last = COPY_CHOICES.len() - 1;
    match action {
        Action::Up => app.mode = Mode::CopyMenu { connection, choice: choice.saturating_sub(1) },
        Action::Down => app.mode = Mode::CopyMenu { connection, choice: (choice + 1).min(last) },
        Action::Copy(what) => return copy(app, connection, what),
        Action::Accept => return copy(app, connection, COPY_CHOICES[choice.min(last)]),
        Action::Cancel => app.mode = Mode::Normal,
        _ => {}
    }
    Vec::new()
}

/// The refresh token is worth two years of access, so copying it asks first.
fn copy(app: &mut App, connection: ConnectionName, what: CopyWhat) -> Vec<Command> {
    if what == CopyWhat::RefreshToken {
        app.mode = Mode::Confirm(Question::CopyRefreshToken(connection));
        return Vec::new();
    }
    app.mode = Mode::Normal;
    vec![Command::Copy { connection, what }]
}

fn confirmed(question: Question) -> Command {
    match question {
        Question::CopyRefreshToken(connection) => Command::Copy { connection, what: CopyWhat::RefreshToken },
        Question::Logout(connection) => Command::Logout { connection },
        Question::Quit => Command::Quit,
    }
}
