//! Keys on the main screen.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::connections::actions::new_connection;
use crate::dashboard::connections::column_menu::ColumnMenu;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, layout, read_only, request_log};
use crate::domain::{Command, Severity, Status};

/// Carries out an action on the main screen.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        action if action.moves() => travel(app, app.pane, action),
        Action::NextPane => app.pane = app.pane.next(),
        Action::PreviousPane => app.pane = app.pane.previous(),
        Action::Open => return open(app),
        Action::Timeline => return Flow::Open(Screen::Timeline),
        Action::Filter => {
            app.pane = Pane::Connections;
            return Flow::Open(Screen::Filter);
        }
        Action::New => return new_connection(app),
        Action::TryDemo | Action::TakeTour => {
            return Flow::effect(Effect::OpenDemo { tour: action == Action::TakeTour });
        }
        Action::Quiet => {
            app.toggle_quiet();
            let text = if app.quiet { "quiet: no notifications, no bell" } else { "notifications are on" };
            app.say(None, Severity::Quiet, text, now);
        }
        Action::ToggleMouse => return toggle_mouse(app, now),
        Action::ToggleReadOnly => return read_only::toggle(app, now),
        Action::EditConfiguration => return Flow::effect(Effect::EditConfiguration),
        Action::Freeze => app.requests.toggle_freeze(),
        Action::OpenSortMenu => return open_sort_menu(app),
        Action::OpenColumns => return Flow::Open(Screen::Columns(ColumnMenu::new(app.columns.shown()))),
        Action::ResetView => app.reset_view(now),
        Action::SortBy(column) => app.connections.sort_by(column, now),
        Action::ToggleGroups => app.connections.toggle_groups(),
        Action::Fold | Action::Unfold => app.connections.fold(action == Action::Fold),
        Action::Mark => {
            app.connections.toggle_mark();
            travel(app, Pane::Connections, Action::Down);
        }
        Action::MarkAll => app.connections.toggle_all_marks(),
        Action::NextTheme => {
            app.options.appearance.theme = app.options.appearance.theme.next();
            app.say(None, Severity::Quiet, app.options.appearance.words(), now);
        }
        Action::Cancel => return cancel(app, now),
        Action::FilterLog
        | Action::ErrorsOnly
        | Action::OnlySelected
        | Action::CopyRequest
        | Action::OpenExportMenu
        | Action::Export(_) => return request_log::update::act(app, action, now),
        _ => return Flow::Pass,
    }
    Flow::NOTHING
}

fn toggle_mouse(app: &mut App, now: DateTime<Utc>) -> Flow {
    app.mouse = !app.mouse;
    let key = app.key(Action::ToggleMouse);
    let text = if app.mouse {
        "the mouse is on".to_owned()
    } else {
        format!("the mouse is off: select with the terminal; {key} switches it on")
    };
    app.say(None, Severity::Quiet, text, now);
    Flow::effect(Effect::Mouse(app.mouse))
}

/// Moves within a pane.
pub(crate) fn travel(app: &mut App, pane: Pane, action: Action) {
    let rect = layout::areas(app.size, app.shape()).and_then(|panes| match pane {
        Pane::Connections => Some(panes.connections),
        Pane::Details => panes.details,
        Pane::Requests => panes.requests,
    });
    let by = action.distance(rect.map_or(1, |rect| layout::rows(rect).height.into()));
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

/// Opens what is selected; a group folds or unfolds.
fn open(app: &mut App) -> Flow {
    if app.pane == Pane::Requests {
        return request_log::update::details(app).map_or(Flow::NOTHING, Flow::Open);
    }
    if let Some(group) = app.connections.selected_group() {
        let folded = group.folded;
        app.connections.fold(!folded);
        return Flow::NOTHING;
    }
    app.connections.selected().map_or(Flow::NOTHING, |view| Flow::Open(Screen::details(view.name.clone())))
}

/// Stops a wait for a lock, else clears the log's filter, the marks, or the filter.
fn cancel(app: &mut App, now: DateTime<Utc>) -> Flow {
    if request_log::update::clear(app) {
        return Flow::NOTHING;
    }
    if let Some(view) = app.connections.selected()
        && matches!(view.status(now), Status::WaitingForLock { .. })
    {
        return Flow::effect(Command::Cancel { connection: view.name.clone() });
    }
    if app.connections.marks().0 > 0 {
        app.connections.unmark_all();
    } else {
        app.set_filter(TextField::default(), now);
    }
    Flow::NOTHING
}

fn open_sort_menu(app: &App) -> Flow {
    let mut menu = Menu::new(Scope::SortMenu, None);
    let present = Action::SortBy(app.connections.order().by);
    let choice = menu.items(&app.options.keymap).position(|item| item.action == present);
    menu.choice = choice.unwrap_or(0);
    Flow::Open(Screen::Menu(menu))
}
