//! Keys in questions, menus, and after a failed login.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;
use crate::dashboard::undo::Removal;
use crate::dashboard::{App, login, read_only, tour, undo};
use crate::domain::{Command, ConnectionName, ConnectionView, CopyWhat, Severity};

/// Carries out an action in a question.
pub(crate) fn on_question(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let Screen::Confirm(question) = app.screens.top() else { return Flow::NOTHING };
    match (action, question.clone()) {
        (Action::Accept, Question::SendAgain(connection)) => send_again(app, connection, now),
        (Action::Login, Question::SendAgain(connection)) => login::update::begin(app, connection).in_place(),
        (Action::Accept, Question::LeaveReadOnly) => Flow::Close(read_only::leave(app, now)),
        (Action::Accept, Question::Logout(connection)) => wait(app, Removal::Logout, vec![connection], now),
        (Action::Accept, Question::LogoutMarked { connections, .. }) => wait(app, Removal::Logout, connections, now),
        (Action::Accept, Question::Delete(connection)) => wait(app, Removal::Delete, vec![connection], now),
        (Action::Accept, Question::Quit | Question::QuitPending) => {
            app.pendings.clear();
            Flow::Close(vec![Effect::Quit])
        }
        (Action::Accept, Question::UseFiles) => {
            app.wants_files = true;
            Flow::Close(accepted(Question::UseFiles))
        }
        (Action::Accept, question) => Flow::Close(accepted(question)),
        (Action::Cancel, question) => Flow::Close(declined(question)),
        _ => Flow::NOTHING,
    }
}

/// A logout or a deletion that was confirmed: it can be taken back for a while.
fn wait(app: &mut App, removal: Removal, connections: Vec<ConnectionName>, now: DateTime<Utc>) -> Flow {
    undo::begin(app, removal, connections, now);
    Flow::CLOSE
}

/// Carries out an action after a failed login.
pub(crate) fn on_failed_login(app: &mut App, action: Action) -> Flow {
    let Screen::LoginFailed { connection, .. } = app.screens.top() else { return Flow::NOTHING };
    let connection = connection.clone();
    match action {
        Action::Login => login::update::begin(app, connection).in_place(),
        Action::Cancel => Flow::CLOSE,
        _ => Flow::NOTHING,
    }
}

/// Sends the refresh token again, if what the question was about is still so.
fn send_again(app: &mut App, connection: ConnectionName, now: DateTime<Utc>) -> Flow {
    if app.connections.get(&connection).is_some_and(ConnectionView::is_uncertain) {
        return Flow::Close(accepted(Question::SendAgain(connection)));
    }
    app.say(Some(&connection), Severity::Quiet, "it is no longer uncertain; nothing was sent", now);
    Flow::CLOSE
}

fn accepted(question: Question) -> Vec<Effect> {
    match question {
        Question::CopyRefreshToken(connection) => vec![Effect::Copy { connection, what: CopyWhat::RefreshToken }],
        Question::SendAgain(connection) => vec![Command::Refresh { connection, force: true }.into()],
        Question::ReplaceSubject { connection, .. } => {
            vec![Command::ConfirmLogin { connection, replace: true }.into()]
        }
        Question::UseFiles => vec![Effect::UseFiles],
        // These change the state.
        Question::Logout(_)
        | Question::LogoutMarked { .. }
        | Question::Delete(_)
        | Question::LeaveReadOnly
        | Question::QuitPending
        | Question::Quit => Vec::new(),
    }
}

/// A no changes nothing, except where the engine waits for the answer.
fn declined(question: Question) -> Vec<Effect> {
    match question {
        Question::ReplaceSubject { connection, .. } => {
            vec![Command::ConfirmLogin { connection, replace: false }.into()]
        }
        _ => Vec::new(),
    }
}

/// Carries out an action in a menu.
pub(crate) fn on_menu(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let Screen::Menu(menu) = app.screens.top_mut() else { return Flow::NOTHING };
    let keymap = &app.options.keymap;
    match action {
        action if action.moves() => {
            let count = menu.items(keymap).count();
            let choice = menu.choice.saturating_add_signed(action.distance(count));
            menu.choice = choice.min(count.saturating_sub(1));
        }
        Action::Accept => {
            let chosen = menu.items(keymap).nth(menu.choice).map(|binding| binding.action);
            let connection = menu.connection.clone();
            return chosen.map_or(Flow::NOTHING, |action| choose(app, action, connection, now));
        }
        Action::Cancel => return Flow::CLOSE,
        chosen => {
            let connection = menu.connection.clone();
            return choose(app, chosen, connection, now);
        }
    }
    Flow::NOTHING
}

fn choose(app: &mut App, action: Action, connection: Option<ConnectionName>, now: DateTime<Utc>) -> Flow {
    match (action, connection) {
        // The refresh token is worth two years of access, so copying it asks first.
        (Action::Copy(CopyWhat::RefreshToken), Some(connection)) => {
            Flow::Replace(Screen::Confirm(Question::CopyRefreshToken(connection)))
        }
        (Action::Copy(what), Some(connection)) => Flow::Close(vec![Effect::Copy { connection, what }]),
        (Action::Fault(kind), Some(connection)) => Flow::Close(tour::fault_menu::play(app, connection, kind, now)),
        (Action::CopyNames, Some(connection)) if app.connections.marks().0 == 0 => {
            Flow::Close(vec![Effect::CopyNames(vec![connection])])
        }
        (action, _) => Flow::Run(vec![action]),
    }
}
