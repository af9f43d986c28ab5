//! Keys in the menu of columns.

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::connections::column_menu::ColumnMenu;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;

/// Carries out an action in the menu.
pub(crate) fn act(app: &mut App, action: Action) -> Flow {
    let Screen::Columns(menu) = app.screens.top_mut() else { return Flow::NOTHING };
    match action {
        Action::Cancel => return Flow::CLOSE,
        Action::Up => menu.step(-1),
        Action::Down => menu.step(1),
        Action::MoveColumnUp => menu.carry(-1),
        Action::MoveColumnDown => menu.carry(1),
        Action::ToggleColumn => {
            if let Some((_, shown)) = menu.rows.get_mut(menu.choice) {
                *shown = !*shown;
            }
        }
        Action::ResetColumns => {
            app.columns.choose(None);
            *menu = ColumnMenu::new(app.columns.shown());
            return Flow::NOTHING;
        }
        _ => return Flow::NOTHING,
    }
    if !matches!(action, Action::Up | Action::Down) {
        app.columns.choose(Some(menu.shown()));
    }
    Flow::NOTHING
}
