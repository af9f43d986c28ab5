//! Keys that act on the connection a screen is about, or on all that are marked.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::connection_form::update::opened;
use crate::dashboard::connections::marked;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, login, unlock};
use crate::domain::{Command, ConnectionName, CopyWhat, Severity};

/// Carries out an action on the connection that the top screen is about; it is available.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        Action::ToggleAutoAll => return toggle_auto_of_all(app, now),
        Action::Unlock => return unlock::update::opened(app).map_or(Flow::NOTHING, Flow::Open),
        _ if marked::goes_to_marked(app, app.screens.top(), action) => return marked::act(app, action, now),
        _ => {}
    }
    let Some(view) = app.subject() else { return Flow::NOTHING };
    let connection = view.name.clone();
    let others = app.connections.marks().0 > usize::from(app.connections.is_marked(&connection));
    if action == Action::Login && app.screens.is_main() && others {
        app.say(Some(&connection), Severity::Quiet, "one login at a time: of this one, not of all marked", now);
    }
    with(app, connection, action, now)
}

/// Carries out an action on this connection, whatever is selected or marked.
pub(crate) fn with(app: &mut App, connection: ConnectionName, action: Action, now: DateTime<Utc>) -> Flow {
    let Some(view) = app.connections.get(&connection) else { return Flow::NOTHING };
    match action {
        Action::Login => login::update::begin(app, connection),
        Action::Open => Flow::Open(Screen::details(connection)),
        Action::CopyNames => Flow::effect(Effect::CopyNames(vec![connection])),
        Action::ForceRefresh if view.is_uncertain() => ask(Question::SendAgain(connection)),
        // A refresh token that may have been replaced is not sent before a person has seen that.
        Action::ForceRefresh => Flow::effect(Command::ForceIfSure { connection }),
        Action::Refresh => Flow::effect(Command::Refresh { connection, force: false }),
        Action::ToggleAuto => toggle_auto(app, connection, now),
        Action::ToggleFavourite => toggle_favourite(app, &connection, now),
        Action::CopyAccessToken => Flow::effect(Effect::Copy { connection, what: CopyWhat::AccessToken }),
        Action::Test => Flow::effect(Command::Test { connection }),
        Action::RunCommand(number) => run_command(app, &connection, number, now),
        Action::OpenCopyMenu => menu(Scope::CopyMenu, connection),
        Action::OpenFaultMenu => menu(Scope::FaultMenu, connection),
        Action::Edit => {
            opened(app, Some(&connection)).map_or(Flow::NOTHING, |form| Flow::Open(Screen::Form(Box::new(form))))
        }
        Action::Delete => ask(Question::Delete(connection)),
        Action::Logout => ask(Question::Logout(connection)),
        _ => Flow::NOTHING,
    }
}

/// The form of a new connection.
pub(crate) fn new_connection(app: &App) -> Flow {
    opened(app, None).map_or(Flow::NOTHING, |form| Flow::Open(Screen::Form(Box::new(form))))
}

fn ask(question: Question) -> Flow {
    Flow::Open(Screen::Confirm(question))
}

fn menu(scope: Scope, connection: ConnectionName) -> Flow {
    Flow::Open(Screen::Menu(Menu::new(scope, Some(connection))))
}

fn toggle_favourite(app: &mut App, connection: &ConnectionName, now: DateTime<Utc>) -> Flow {
    let on = app.connections.toggle_favourite(connection);
    let text = if on { "★ favourite: stays above the others" } else { "no longer a favourite" };
    app.say(Some(connection), Severity::Quiet, text, now);
    Flow::NOTHING
}

/// Has a command of the configuration run with the connection.
fn run_command(app: &mut App, connection: &ConnectionName, number: usize, now: DateTime<Utc>) -> Flow {
    let configured = app.configured.iter().find(|configured| configured.name == *connection);
    let command = app.options.keymap.commands().get(number);
    let (Some(configured), Some(command)) = (configured, command) else { return Flow::NOTHING };
    let run = command.of(configured);
    app.say(Some(connection), Severity::Quiet, format!("{}: started", run.name), now);
    Flow::effect(Effect::RunCommand(Box::new(run)))
}

fn toggle_auto(app: &mut App, connection: ConnectionName, now: DateTime<Utc>) -> Flow {
    let on = app.connections.get(&connection).is_some_and(|view| !view.auto);
    let text = if on { "automatic refresh on" } else { "automatic refresh off" };
    app.say(Some(&connection), Severity::Quiet, text, now);
    Flow::effect(Command::SetAuto { connection, on })
}

fn toggle_auto_of_all(app: &mut App, now: DateTime<Utc>) -> Flow {
    let on = app.connections.auto_on() < app.connections.all().len();
    let text = if on { "automatic refresh on for all" } else { "automatic refresh off for all" };
    app.say(None, Severity::Quiet, text, now);
    Flow::effect(Command::SetAutoAll { on })
}
