//! Whether an action does something now: dispatch asks it before it acts; footer, command line and help before they
//! offer a key.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::connections::marked;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, read_only, undo};
use crate::domain::{Activity, ConnectionView, LoginView, Redirect, Severity, Status};

/// Whether an action does something now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It does.
    Available,
    /// It does not, for a reason that the message line gives when its key is pressed.
    Refused(Severity, String),
    /// It does nothing here.
    Nothing,
}

use Availability::{Available, Nothing, Refused};

impl Availability {
    fn when(holds: bool) -> Self {
        if holds { Available } else { Nothing }
    }

    /// Whether it does something.
    #[must_use]
    pub fn is_available(&self) -> bool {
        *self == Available
    }
}

/// Whether an action does something on this screen, which may be one below the top: the palette and the help offer
/// what can be done there.
pub(crate) fn of(app: &App, screen: &Screen, action: Action, now: DateTime<Utc>) -> Availability {
    if app.read_only && read_only::forbids(app, screen, action) {
        return only_watches(app);
    }
    if marked::goes_to_marked(app, screen, action) {
        return Available;
    }
    if let Some(why) = app.subject_of(screen).and_then(|view| pending(app, view, action)) {
        return Refused(Severity::Quiet, why);
    }
    let has_table = !app.connections.all().is_empty();
    let is_main = *screen == Screen::Main;
    match action {
        Action::Filter | Action::NextPane | Action::PreviousPane | Action::Open | Action::Timeline if is_main => {
            Availability::when(has_table)
        }
        Action::OpenSortMenu
        | Action::SortBy(_)
        | Action::ToggleGroups
        | Action::Fold
        | Action::Unfold
        | Action::MarkAll
        | Action::ToggleAutoAll => Availability::when(has_table),
        Action::Mark => Availability::when(has_table && app.pane == Pane::Connections),
        Action::Freeze => {
            Availability::when(has_table && (app.requests.shown() > 0 || app.requests.frozen().is_some()))
        }
        Action::CopyRequest | Action::OpenExportMenu => {
            Availability::when(app.requests.shown() > 0 || matches!(screen, Screen::Request { .. }))
        }
        Action::Help => Availability::when(!matches!(screen, Screen::Help(_))),
        Action::Quit => {
            let is_asked = matches!(screen, Screen::Confirm(Question::Quit | Question::QuitPending));
            Availability::when(!is_asked)
        }
        Action::Undo => Availability::when(!app.pendings.is_empty()),
        Action::Unlock => Availability::when(app.passphrase.is_some() || app.offers_files),
        Action::Cancel if is_main => Availability::when(cancels_something(app, now)),
        Action::ShowQr => Availability::when(app.subject_of(screen).is_some_and(waits_for_a_paste)),
        Action::Login
        | Action::Refresh
        | Action::ForceRefresh
        | Action::ToggleAuto
        | Action::Edit
        | Action::Delete
        | Action::OpenFaultMenu => on_connection(app, screen),
        Action::RunCommand(number) if !gets_token(app, number) => on_connection(app, screen),
        Action::CopyAccessToken | Action::OpenCopyMenu | Action::Test | Action::Logout | Action::RunCommand(_) => {
            match on_connection(app, screen) {
                Available if copies_names(app, action) => Available,
                Available => app.subject_of(screen).map_or(Nothing, |view| with(app, view, action)),
                other => other,
            }
        }
        _ => Available,
    }
}

/// Keys of a connection need one; a group is none.
fn on_connection(app: &App, screen: &Screen) -> Availability {
    if *screen == Screen::Main && app.connections.selected_group().is_some() {
        let (mark, open) = (app.key(Action::Mark), app.key(Action::Open));
        return Refused(Severity::Quiet, format!("a group is selected: {mark} marks all of it, {open} folds it"));
    }
    Availability::when(app.subject_of(screen).is_some())
}

fn only_watches(app: &App) -> Availability {
    let key = app.key(Action::ToggleReadOnly);
    Refused(Severity::Quiet, format!("read-only: manutop only watches; {key} leaves this mode"))
}

/// Why an action has to wait for what can still be undone.
fn pending(app: &App, view: &ConnectionView, action: Action) -> Option<String> {
    let waits = matches!(action, Action::Login | Action::Edit | Action::Delete | Action::Logout);
    waits.then(|| undo::refusal(app, &view.name)).flatten()
}

/// Whether an action does something with a connection, wherever that is.
pub(crate) fn with(app: &App, view: &ConnectionView, action: Action) -> Availability {
    if app.read_only && read_only::forbids(app, &Screen::Main, action) {
        return only_watches(app);
    }
    if let Some(why) = pending(app, view, action) {
        return Refused(Severity::Quiet, why);
    }
    let needs_token = match action {
        Action::CopyAccessToken | Action::OpenCopyMenu | Action::Test | Action::Logout => true,
        Action::RunCommand(number) => gets_token(app, number),
        _ => false,
    };
    if needs_token && view.token().is_none() {
        let why = format!("there are no tokens; {} logs in", app.key(Action::Login));
        return Refused(Severity::Warning, why);
    }
    Available
}

/// Whether a command of the configuration is given the access token.
fn gets_token(app: &App, number: usize) -> bool {
    app.options.keymap.commands().get(number).is_some_and(|command| command.gets_access_token)
}

/// The copy menu copies the names of all marked connections, which needs no token.
fn copies_names(app: &App, action: Action) -> bool {
    action == Action::OpenCopyMenu && app.connections.marks().0 > 0
}

/// `Esc` on the main screen stops a wait for a lock, else clears the log's filter, the marks, or the filter.
fn cancels_something(app: &App, now: DateTime<Utc>) -> bool {
    let waits =
        app.connections.selected().is_some_and(|view| matches!(view.status(now), Status::WaitingForLock { .. }));
    waits || app.log_is_filtered() || app.connections.marks().0 > 0 || !app.connections.filter().is_empty()
}

/// A login whose browser may be on any device.
fn waits_for_a_paste(view: &ConnectionView) -> bool {
    matches!(&view.activity, Activity::LoggingIn(LoginView { redirect: Redirect::Pasted { .. }, .. }))
}
