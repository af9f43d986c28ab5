//! Keys in dialogs: filter, login, questions.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::dialogs::menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::screen::{Question, Screen};
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, command_palette, connection_form, dispatch, request_log};
use crate::domain::{Activity, Command, ConnectionName, ConnectionView, CopyWhat, Severity};

/// Carries out an action in the dialog that has the keyboard.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match &app.mode {
        Screen::Filter => {
            in_filter(app, action, now);
            Vec::new()
        }
        Screen::LogFilter => {
            request_log::update::in_filter(app, action);
            Vec::new()
        }
        Screen::Login(_) => in_login(app, action, now),
        Screen::LoginFailed { connection, .. } => {
            let connection = connection.clone();
            if matches!(action, Action::Login | Action::Cancel) {
                app.mode = Screen::Normal;
            }
            if action == Action::Login { dispatch::login(app, connection) } else { Vec::new() }
        }
        Screen::Menu(_) => menu::act(app, action, now),
        Screen::Palette(_) => command_palette::act(app, action, now),
        Screen::Confirm(question) => {
            let question = question.clone();
            let is_answer = matches!(action, Action::Accept | Action::Cancel);
            if is_answer || matches!((action, &question), (Action::Login, Question::SendAgain(_))) {
                app.mode = Screen::Normal;
            }
            match (action, question) {
                (Action::Accept, Question::SendAgain(connection)) => send_again(app, connection, now),
                (Action::Login, Question::SendAgain(connection)) => dispatch::login(app, connection),
                (Action::Accept, question) => confirmed(question),
                (Action::Cancel, question) => declined(question),
                _ => Vec::new(),
            }
        }
        Screen::Unlock(_) => in_unlock(app, action),
        Screen::Form(_) => connection_form::update::act(app, action, now),
        Screen::Normal
        | Screen::Timeline
        | Screen::Help { .. }
        | Screen::Connection { .. }
        | Screen::Request { .. } => Vec::new(),
    }
}

/// Text goes into the field that takes it, if there is one.
pub(crate) fn type_text(app: &mut App, text: &str, now: DateTime<Utc>) {
    match &mut app.mode {
        Screen::Filter => {
            app.filter.push(text);
            app.connections.set_filter(app.filter.text(), now);
        }
        Screen::Palette(_) => command_palette::typed(app, |field| field.push(text), now),
        Screen::LogFilter => app.requests.edit_filter(|field| field.push(text)),
        Screen::Login(dialog) if dialog.typing && !dialog.qr => {
            dialog.field.push(text);
            dialog.refused = None;
        }
        Screen::Unlock(dialog) if !dialog.trying => {
            dialog.field.push_words(text);
            dialog.refused = None;
        }
        Screen::Form(_) => connection_form::update::type_text(app, text),
        _ => {}
    }
}

fn in_unlock(app: &mut App, action: Action) -> Vec<Effect> {
    let Screen::Unlock(dialog) = &mut app.mode else { return Vec::new() };
    match action {
        Action::Accept => {
            return dialog.accept().map(|passphrase| Command::Unlock { passphrase }.into()).into_iter().collect();
        }
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Cancel => app.mode = Screen::Normal,
        _ => {}
    }
    Vec::new()
}

fn in_filter(app: &mut App, action: Action, now: DateTime<Utc>) {
    match action {
        Action::Accept => app.mode = Screen::Normal,
        Action::Cancel => {
            app.mode = Screen::Normal;
            app.set_filter(TextField::default(), now);
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
    let Screen::Login(dialog) = &mut app.mode else { return Vec::new() };
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
            app.mode = Screen::Normal;
            let key = app.options.keymap.label(Action::Login);
            app.say(Some(&connection), Severity::Busy, format!("the login goes on waiting; {key} shows it again"), now);
        }
        Action::Cancel => {
            app.mode = Screen::Normal;
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
