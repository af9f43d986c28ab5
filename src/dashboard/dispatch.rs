//! Keys on the main screen and in what is read there: from key to action to command.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::dashboard;
use crate::dashboard::action::Action;
use crate::dashboard::connections::marked;
use crate::dashboard::details::token_history::Inspected;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::{LoginDialog, Question, Screen, UnlockDialog};
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, command_palette, connection_form, dialogs, request_log, timeline, tour};
use crate::domain::{
    Activity, Command, ConnectionName, ConnectionView, CopyWhat, LoginView, Redirect, Severity, Status,
};

/// A key: by the table, else as typed text.
pub(crate) fn key(app: &mut App, key: &KeyEvent, now: DateTime<Utc>) -> Vec<Effect> {
    if let Some(action) = app.options.keymap.action(&app.scopes(), key) {
        if key.kind == KeyEventKind::Repeat && !action.repeats() {
            return Vec::new();
        }
        return act(app, action, now);
    }
    let ctrl_or_alt = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    // Both together are AltGr, which types ordinary characters.
    if let KeyCode::Char(character) = key.code
        && (ctrl_or_alt.is_empty() || ctrl_or_alt == KeyModifiers::CONTROL | KeyModifiers::ALT)
    {
        dialogs::update::type_text(app, character.encode_utf8(&mut [0; 4]), now);
    }
    Vec::new()
}

/// Pasted text goes into the field there is. Without one it is dropped: it may be anything.
pub(crate) fn paste(app: &mut App, text: &str, now: DateTime<Utc>) {
    if let Screen::Login(dialog) = &mut app.mode {
        dialog.typing = true;
        dialog.qr = false;
        dialog.field.clear();
    }
    match &app.mode {
        Screen::Form(_) => connection_form::update::paste(app, text),
        _ => dialogs::update::type_text(app, text, now),
    }
}

/// Carries out an action, wherever it came from.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match (action, &app.mode) {
        (Action::Suspend, _) => vec![Effect::Suspend],
        (Action::Quit, Screen::Confirm(Question::Quit)) => Vec::new(),
        (Action::Quit, _) if app.unsaved().is_empty() => vec![Effect::Quit],
        (Action::Quit, _) => {
            app.mode = Screen::Confirm(Question::Quit);
            Vec::new()
        }
        (Action::TourNext | Action::TourBack | Action::TourEnd, _) => tour::act(app, action, now),
        (
            Action::PreviousRequest | Action::NextRequest | Action::CopyRequest | Action::OpenExportMenu,
            Screen::Request { .. },
        ) => request_log::update::on_request(app, action),
        (_, Screen::Normal) => on_main(app, action, now),
        (_, Screen::Timeline) => timeline::act(app, action, now),
        (_, Screen::Help { .. } | Screen::Request { .. } | Screen::Connection { .. }) => on_viewer(app, action, now),
        _ => dialogs::update::act(app, action, now),
    }
}

fn on_main(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match action {
        Action::Up | Action::Down | Action::Top | Action::Bottom | Action::PageUp | Action::PageDown => {
            travel(app, app.pane, action);
        }
        Action::NextPane | Action::PreviousPane if !app.connections.all().is_empty() => {
            app.pane = if action == Action::NextPane { app.pane.next() } else { app.pane.previous() };
        }
        Action::Open => open(app),
        Action::Timeline if !app.connections.all().is_empty() => app.mode = Screen::Timeline,
        Action::Help => {
            app.mode = Screen::Help { scroll: 0 };
            app.timeline.revisit = false;
        }
        Action::Filter if !app.connections.all().is_empty() => {
            app.pane = Pane::Connections;
            app.mode = Screen::Filter;
        }
        Action::New => new_connection(app),
        Action::Quiet => {
            app.toggle_quiet();
            let text = if app.quiet { "quiet: no notifications, no bell" } else { "notifications are on" };
            app.say(None, Severity::Quiet, text, now);
        }
        Action::Freeze => app.requests.toggle_freeze(),
        Action::OpenPalette => command_palette::open(app, now),
        Action::OpenSortMenu | Action::SortBy(_) | Action::ToggleGroups | Action::Fold | Action::Unfold
            if !app.connections.all().is_empty() =>
        {
            arrange(app, action, now);
        }
        Action::Mark if app.pane == Pane::Connections => {
            app.connections.toggle_mark();
            travel(app, Pane::Connections, Action::Down);
        }
        Action::MarkAll => app.connections.toggle_all_marks(),
        Action::NextTheme => {
            let look = &mut app.options.look;
            look.theme = look.theme.next();
            let words = look.words();
            app.say(None, Severity::Quiet, words, now);
        }
        Action::Cancel if request_log::update::clear(app) => {}
        Action::Cancel => return cancel(app, now),
        Action::FilterLog
        | Action::ErrorsOnly
        | Action::OnlySelected
        | Action::CopyRequest
        | Action::OpenExportMenu
        | Action::Export(_) => return request_log::update::act(app, action, now),
        _ => return on_connection(app, action, now),
    }
    Vec::new()
}

/// Opens the form of a new connection.
pub(crate) fn new_connection(app: &mut App) {
    if let Some(form) = connection_form::update::opened(app, None) {
        app.mode = Screen::Form(Box::new(form));
    }
}

fn on_viewer(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let page = dashboard::layout::areas(app.size, app.shape())
        .map_or(1, |areas| usize::from(dashboard::layout::inner(areas.body).height));
    let scroll = app.scroll_mut();
    match action {
        Action::Up => *scroll = scroll.saturating_sub(1),
        Action::Down => *scroll += 1,
        Action::Top => *scroll = 0,
        // Brought back to the last page once the message has been taken in.
        Action::Bottom => *scroll = usize::MAX,
        Action::PageUp => *scroll = scroll.saturating_sub(page),
        Action::PageDown => *scroll = scroll.saturating_add(page),
        Action::Cancel => {
            request_log::update::close(app);
            let revisit = std::mem::take(&mut app.timeline.revisit);
            app.mode = if revisit { Screen::Timeline } else { Screen::Normal };
        }
        _ => return on_connection(app, action, now),
    }
    Vec::new()
}

/// Moves within a pane of the main screen.
pub(crate) fn travel(app: &mut App, pane: Pane, action: Action) {
    let rect = dashboard::layout::areas(app.size, app.shape()).and_then(|panes| match pane {
        Pane::Connections => Some(panes.connections),
        Pane::Details => panes.details,
        Pane::Requests => panes.requests,
    });
    let height = rect.map_or(1, |rect| isize::try_from(dashboard::layout::rows(rect).height).unwrap_or(1).max(1));
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -height,
        Action::PageDown => height,
        Action::Top => isize::MIN,
        _ => isize::MAX,
    };
    let has_table = !app.connections.all().is_empty();
    match pane {
        Pane::Connections if has_table => {
            app.connections.step(by);
            app.scroll = 0;
        }
        Pane::Requests if has_table && action == Action::Top => app.requests.follow(),
        Pane::Requests if has_table => app.requests.step(by),
        _ => app.scroll = app.scroll.saturating_add_signed(by),
    }
}

fn open(app: &mut App) {
    let next = match app.pane {
        Pane::Requests => request_log::update::details(app),
        Pane::Connections | Pane::Details if app.connections.selected_group().is_some() => {
            let folded = app.connections.selected_group().is_some_and(|group| group.folded);
            app.connections.fold(!folded);
            None
        }
        Pane::Connections | Pane::Details => {
            let selected = app.connections.selected().map(|view| view.name.clone());
            selected.map(|connection| Screen::Connection { connection, scroll: 0, inspected: Inspected::default() })
        }
    };
    if let Some(mode) = next {
        app.mode = mode;
        app.timeline.revisit = false;
    }
}

/// `Esc` on the main screen: stops a wait for a lock, else clears the marks, else the filter.
fn cancel(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    if let Some(view) = app.connections.selected()
        && matches!(view.status(now), Status::WaitingForLock { .. })
    {
        return vec![Command::Cancel { connection: view.name.clone() }.into()];
    }
    if app.connections.marks().0 > 0 {
        app.connections.unmark_all();
    } else {
        app.set_filter(TextField::default(), now);
    }
    Vec::new()
}

/// Orders and groups of the table.
fn arrange(app: &mut App, action: Action, now: DateTime<Utc>) {
    match action {
        Action::OpenSortMenu => {
            let mut menu = Menu::new(Scope::SortMenu, None);
            let present = Action::SortBy(app.connections.order().by);
            let choice = menu.items(&app.options.keymap).position(|item| item.action == present);
            menu.choice = choice.unwrap_or(0);
            app.mode = Screen::Menu(menu);
        }
        Action::SortBy(column) => app.connections.sort_by(column, now),
        Action::ToggleGroups => app.connections.toggle_groups(),
        action => app.connections.fold(action == Action::Fold),
    }
}

/// Keys that act on the selected connection, or on all that are marked.
pub(crate) fn on_connection(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    if action == Action::ToggleAutoAll {
        return toggle_all(app, now);
    }
    if action == Action::Unlock {
        if let Some(new) = app.passphrase {
            app.mode = Screen::Unlock(UnlockDialog::new(new, None));
        }
        return Vec::new();
    }
    if marked::goes_to_marked(app, action) {
        return marked::act(app, action, now);
    }
    if app.mode == Screen::Normal && app.connections.selected_group().is_some() {
        let (mark, open) = (app.options.keymap.label(Action::Mark), app.options.keymap.label(Action::Open));
        app.say(None, Severity::Quiet, format!("a group is selected: {mark} marks all of it, {open} folds it"), now);
        return Vec::new();
    }
    let Some(view) = app.subject() else { return Vec::new() };
    let connection = view.name.clone();
    let has_token = view.token().is_some();
    match action {
        Action::Login => {
            let others = app.connections.marks().0 > usize::from(app.connections.is_marked(&connection));
            if app.mode == Screen::Normal && others {
                app.say(Some(&connection), Severity::Quiet, "one login at a time: of this one, not of all marked", now);
            }
            return login(app, connection);
        }
        Action::CopyNames => return vec![Effect::CopyNames(vec![connection])],
        Action::ForceRefresh if view.is_uncertain() => app.mode = Screen::Confirm(Question::SendAgain(connection)),
        // A refresh token that may have been replaced is not sent before somebody has seen that.
        Action::ForceRefresh => return vec![Command::ForceIfSure { connection }.into()],
        Action::Refresh => return vec![Command::Refresh { connection, force: false }.into()],
        Action::ToggleAuto => {
            let on = !view.auto;
            let text = if on { "automatic refresh on" } else { "automatic refresh off" };
            app.say(Some(&connection), Severity::Quiet, text, now);
            return vec![Command::SetAuto { connection, on }.into()];
        }
        Action::CopyAccessToken if has_token => {
            return vec![Effect::Copy { connection, what: CopyWhat::AccessToken }];
        }
        Action::Test if has_token => return vec![Command::Test { connection }.into()],
        Action::OpenCopyMenu if has_token || app.connections.marks().0 > 0 => {
            app.mode = Screen::Menu(Menu::new(Scope::CopyMenu, Some(connection)));
        }
        Action::Edit => {
            if let Some(form) = connection_form::update::opened(app, Some(&connection)) {
                app.mode = Screen::Form(Box::new(form));
            }
        }
        Action::Delete => app.mode = Screen::Confirm(Question::Delete(connection)),
        Action::OpenFaultMenu => app.mode = Screen::Menu(Menu::new(Scope::FaultMenu, Some(connection))),
        Action::Logout if has_token => app.mode = Screen::Confirm(Question::Logout(connection)),
        Action::CopyAccessToken | Action::OpenCopyMenu | Action::Test | Action::Logout => {
            let text = format!("there are no tokens; {} logs in", app.key(Action::Login));
            app.say(Some(&connection), Severity::Warning, text, now);
        }
        _ => {}
    }
    Vec::new()
}

fn toggle_all(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    let all = app.connections.all().len();
    if all == 0 {
        return Vec::new();
    }
    let on = app.connections.auto_on() < all;
    let text = if on { "automatic refresh on for all" } else { "automatic refresh off for all" };
    app.say(None, Severity::Quiet, text, now);
    vec![Command::SetAutoAll { on }.into()]
}

/// Begins a login, or shows the dialog of the one under way.
pub(crate) fn login(app: &mut App, connection: ConnectionName) -> Vec<Effect> {
    if show_login(app, &connection) {
        return Vec::new();
    }
    app.logins_asked.insert(connection.clone());
    vec![Command::Login { connection }.into()]
}

/// Opens the dialog if that connection's login waits for a person, or the question it asks.
pub(crate) fn show_login(app: &mut App, connection: &ConnectionName) -> bool {
    let view = app.connections.get(connection).map(|view: &ConnectionView| &view.activity);
    let Some(Activity::LoggingIn(LoginView { redirect, question, .. })) = view else { return false };
    if let Some(change) = question {
        let change = change.clone();
        app.mode = Screen::Confirm(Question::ReplaceSubject { connection: connection.clone(), change });
        return true;
    }
    let typing = matches!(redirect, Redirect::Pasted { .. });
    app.mode = Screen::Login(LoginDialog::new(connection.clone(), typing));
    true
}
