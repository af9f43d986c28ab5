//! Keys that act on all marked connections at once, and what they say of it: above all, how many
//! of the marked are out of sight.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;
use crate::domain::{Command, ConnectionName, ConnectionView, Severity};
use crate::format::time::count;

/// Whether an action on the present screen goes to the marked connections. The full-screen
/// details are of one connection, and so are the keys there.
pub(crate) fn goes_to_marked(app: &App, screen: &Screen, action: Action) -> bool {
    let on_many = matches!(
        action,
        Action::Refresh | Action::ForceRefresh | Action::ToggleAuto | Action::Test | Action::Logout | Action::CopyNames
    );
    on_many && *screen == Screen::Main && app.connections.marks().0 > 0
}

/// Carries out an action on all marked connections.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let needs_token = matches!(action, Action::Test | Action::Logout);
    // Sending a refresh token that may have been replaced is decided for one connection at a time.
    let is_left_out = |view: &ConnectionView| action == Action::ForceRefresh && view.is_uncertain();
    let marked = app.connections.marked().filter(|view| !needs_token || view.token().is_some());
    let marked = marked.filter(|view| !is_left_out(view));
    let uncertain = app.connections.marked().filter(|view| is_left_out(view)).count();
    let on = action == Action::ToggleAuto && !app.connections.marked().all(|view| view.auto);
    // Automatic refresh is set alike for all, so those that have it so already are left alone.
    let wanted = marked.filter(|view| action != Action::ToggleAuto || view.auto != on);
    let names: Vec<ConnectionName> = wanted.map(|view: &ConnectionView| view.name.clone()).collect();
    let (all, hidden) = app.connections.marks();
    if names.is_empty() {
        let why = if uncertain > 0 {
            "all of the marked are uncertain: force them one by one"
        } else {
            "none of the marked has tokens"
        };
        app.say(None, Severity::Warning, why, now);
        return Flow::NOTHING;
    }
    let verb = match action {
        Action::Refresh => "refresh",
        Action::ForceRefresh => "forced refresh",
        Action::Test => "test",
        Action::CopyNames => return Flow::effect(Effect::CopyNames(names)),
        Action::Logout => {
            let hidden = names.iter().filter(|name| !app.connections.is_in_sight(name)).count();
            return Flow::Open(Screen::Confirm(Question::LogoutMarked { connections: names, hidden }));
        }
        _ if on => "automatic refresh on",
        _ => "automatic refresh off",
    };
    let of_them = if hidden == 0 { String::new() } else { format!(", {hidden} of them hidden") };
    let without = if uncertain > 0 {
        format!("; {uncertain} uncertain left out, to be forced one by one")
    } else if needs_token && names.len() < all {
        format!("; {} without tokens left out", all - names.len())
    } else {
        String::new()
    };
    app.say(
        None,
        Severity::Quiet,
        format!("{verb}: {}{of_them}{without}", count(all - uncertain, "marked connection")),
        now,
    );
    let command = |connection| match action {
        Action::Refresh => Command::Refresh { connection, force: false },
        Action::ForceRefresh => Command::ForceIfSure { connection },
        Action::Test => Command::Test { connection },
        _ => Command::SetAuto { connection, on },
    };
    Flow::Done(names.into_iter().map(|connection| command(connection).into()).collect())
}
