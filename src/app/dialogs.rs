//! Keys in dialogs: filter, login, questions.

use chrono::{DateTime, Utc};

use super::mode::{Mode, Question};
use super::{Action, App, Effect, Field, form, log_keys, menu, palette, press};
use crate::domain::{Activity, Command, ConnectionName, ConnectionView, CopyWhat, Severity};

/// Carries out an action in the dialog that has the keyboard.
pub(super) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match &app.mode {
        Mode::Filter => {
            in_filter(app, action, now);
            Vec::new()
        }
        Mode::LogFilter => {
            log_keys::in_filter(app, action);
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
        Mode::Menu(_) => menu::act(app, action, now),
        Mode::Palette(_) => palette::act(app, action, now),
        Mode::Confirm(question) => {
            let question = question.clone();
            let is_answer = matches!(action, Action::Accept | Action::Cancel);
            if is_answer || matches!((action, &question), (Action::Login, Question::SendAgain(_))) {
                app.mode = Mode::Normal;
            }
            match (action, question) {
                (Action::Accept, Question::SendAgain(connection)) => send_again(app, connection, now),
                (Action::Login, Question::SendAgain(connection)) => press::login(app, connection),
                (Action::Accept, question) => confirmed(question),
                (Action::Cancel, question) => declined(question),
                _ => Vec::new(),
            }
        }
        Mode::Unlock(_) => in_unlock(app, action),
        Mode::Form(_) => form::act(app, action, now),
        Mode::Normal | Mode::Timeline | Mode::Help { .. } | Mode::Connection { .. } | Mode::Request { .. } => {
            Vec::new()
        }
    }
}

/// Text goes into the field that takes it, if there is one.
pub(super) fn type_text(app: &mut App, text: &str, now: DateTime<Utc>) {
    match &mut app.mode {
        Mode::Filter => {
            app.filter.push(text);
            app.connections.set_filter(app.filter.text(), now);
        }
        Mode::Palette(_) => palette::typed(app, |field| field.push(text), now),
        Mode::LogFilter => app.requests.set_filter(|filter| filter.edit(|field| field.push(text))),
        Mode::Login(dialog) if dialog.typing && !dialog.qr => {
            dialog.field.push(text);
            dialog.refused = None;
        }
        Mode::Unlock(dialog) if !dialog.trying => {
            dialog.field.push_words(text);
            dialog.refused = None;
        }
        Mode::Form(_) => form::type_text(app, text),
        _ => {}
    }
}

fn in_unlock(app: &mut App, action: Action) -> Vec<Effect> {
    let Mode::Unlock(dialog) = &mut app.mode else { return Vec::new() };
    match action {
        Action::Accept => {
            return dialog.accept().map(|passphrase| Command::Unlock { passphrase }.into()).into_iter().collect();
        }
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Cancel => app.mode = Mode::Normal,
        _ => {}
    }
    Vec::new()
}

fn in_filter(app: &mut App, action: Action, now: DateTime<Utc>) {
    match action {
        Action::Accept => app.mode = Mode::Normal,
        Action::Cancel => {
            app.mode = Mode::Normal;
            app.set_filter(Field::default(), now);
        }
        Action::Up => app.connections.step(-1),
        Action::Down => app.connections.step(1),
        action => {
            if app.filter.act(action) && app.filter.text() != app.connections.filter() {
                app.connections.set_filter(app.filter.text(), now);
            }
        }
    }
}

fn in_login(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let Mode::Login(dialog) = &mut app.mode else { return Vec::new() };
    let connection = dialog.connection.clone();
    match action {
        Action::Copy(what) => return vec![Effect::Copy { connection, what }],
        Action::ReopenBrowser => return vec![Command::ReopenBrowser { connection }.into()],
        Action::ShowQr => dialog.qr = true,
        Action::Cancel if dialog.qr => dialog.qr = false,
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
            return vec![Command::FinishLogin { connection, pasted: dialog.field.secret() }.into()];
        }
        Action::Background => {
            app.mode = Mode::Normal;
            let key = app.options.keymap.label(Action::Login);
            app.say(Some(&connection), Severity::Busy, format!("the login goes on waiting; {key} shows it again"), now);
        }
        Action::Cancel => {
            app.mode = Mode::Normal;
            let waits = app.connections.get(&connection).map(|view| &view.activity);
            if matches!(waits, Some(Activity::LoggingIn(_))) {
                return vec![Command::Cancel { connection }.into()];
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Sends the refresh token again, if what the question was about is still so.
fn send_again(app: &mut App, connection: ConnectionName, now: DateTime<Utc>) -> Vec<Effect> {
    if app.connections.get(&connection).is_some_and(ConnectionView::is_uncertain) {
        return confirmed(Question::SendAgain(connection));
    }
    app.say(Some(&connection), Severity::Quiet, "it is no longer uncertain; nothing was sent", now);
    Vec::new()
}

fn confirmed(question: Question) -> Vec<Effect> {
    match question {
        Question::CopyRefreshToken(connection) => vec![Effect::Copy { connection, what: CopyWhat::RefreshToken }],
        Question::SendAgain(connection) => vec![Command::Refresh { connection, force: true }.into()],
        Question::Logout(connection) => vec![Command::Logout { connection }.into()],
        Question::LogoutMarked { connections, .. } => {
            connections.into_iter().map(|connection| Command::Logout { connection }.into()).collect()
        }
        Question::Delete(connection) => vec![Effect::Delete { connection }],
        Question::ReplaceSubject { connection, .. } => {
            vec![Command::ConfirmLogin { connection, replace: true }.into()]
        }
        Question::Quit => vec![Effect::Quit],
    }
}

/// A no changes nothing, but where somebody waits for it.
fn declined(question: Question) -> Vec<Effect> {
    match question {
        Question::ReplaceSubject { connection, .. } => {
            vec![Command::ConfirmLogin { connection, replace: false }.into()]
        }
        _ => Vec::new(),
    }
}
