//! Keys in the login dialog, and how a login begins.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::screen::Screen;
use crate::domain::{Activity, Command, ConnectionName, ConnectionView, LoginView, Redirect, Severity};

/// Begins a login, or shows the dialog of the one in progress.
pub(crate) fn begin(app: &mut App, connection: ConnectionName) -> Flow {
    if let Some(screen) = waiting(app, &connection) {
        return Flow::Open(screen);
    }
    app.logins_asked.insert(connection.clone());
    Flow::effect(Command::Login { connection })
}

/// The dialog of a connection's login, if that waits for a person, or the question it asks.
pub(crate) fn waiting(app: &App, connection: &ConnectionName) -> Option<Screen> {
    let view = app.connections.get(connection).map(|view: &ConnectionView| &view.activity);
    let Some(Activity::LoggingIn(LoginView { redirect, question, .. })) = view else { return None };
    if let Some(change) = question {
        let change = change.clone();
        return Some(Screen::Confirm(Question::ReplaceSubject { connection: connection.clone(), change }));
    }
    let typing = matches!(redirect, Redirect::Pasted { .. });
    Some(Screen::Login(LoginDialog::new(connection.clone(), typing)))
}

/// Carries out an action in the dialog.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let Screen::Login(dialog) = app.screens.top_mut() else { return Flow::NOTHING };
    let connection = dialog.connection.clone();
    match action {
        Action::Copy(what) => return Flow::effect(Effect::Copy { connection, what }),
        Action::ReopenBrowser => return Flow::effect(Command::ReopenBrowser { connection }),
        Action::ShowQr => dialog.qr = true,
        Action::Cancel if dialog.qr => dialog.qr = false,
        Action::EnterField => dialog.typing = true,
        Action::LeaveField => dialog.typing = false,
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Up => dialog.scroll = dialog.scroll.saturating_sub(1),
        Action::Down => dialog.scroll += 1,
        Action::Accept if dialog.field.is_empty() => dialog.refused = Some("nothing pasted yet".into()),
        Action::Accept => {
            dialog.refused = None;
            return Flow::effect(Command::FinishLogin { connection, pasted: dialog.field.secret() });
        }
        Action::Background => {
            let text = format!("the login is still waiting; {} shows it again", app.key(Action::Login));
            app.say(Some(&connection), Severity::Busy, text, now);
            return Flow::CLOSE;
        }
        Action::Cancel => {
            let activity = app.connections.get(&connection).map(|view| &view.activity);
            let waits = matches!(activity, Some(Activity::LoggingIn(_)));
            return Flow::Close(waits.then_some(Command::Cancel { connection }.into()).into_iter().collect());
        }
        _ => {}
    }
    Flow::NOTHING
}

/// Adds typed text, where the field has the keyboard.
pub(crate) fn type_text(dialog: &mut LoginDialog, text: &str) {
    if dialog.typing && !dialog.qr {
        dialog.field.push(text);
        dialog.refused = None;
    }
}

/// Puts pasted text in the place of what is in the field.
pub(crate) fn paste(dialog: &mut LoginDialog, text: &str) {
    dialog.typing = true;
    dialog.qr = false;
    dialog.field.clear();
    type_text(dialog, text);
}
