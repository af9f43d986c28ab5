//! Keys of the help.

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::flow::Flow;
use crate::dashboard::reading;
use crate::dashboard::screen::Screen;

/// Carries out an action in the help. `Esc` clears the search first, then closes.
pub(crate) fn act(app: &mut App, action: Action) -> Flow {
    let Screen::Help(help) = app.screens.top_mut() else { return Flow::NOTHING };
    match action {
        Action::Filter => help.typing = true,
        Action::Accept if help.typing => help.typing = false,
        Action::Cancel if help.typing || !help.search.text().is_empty() => {
            help.search.clear();
            help.typing = false;
            help.scroll = 0;
        }
        action if help.typing && help.search.act(action) => help.scroll = 0,
        action => return reading::act(app, action),
    }
    Flow::NOTHING
}
