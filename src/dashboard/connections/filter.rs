//! Keys while the connections' filter is typed.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::flow::Flow;
use crate::dashboard::widgets::text_field::TextField;

/// Carries out an action in the filter.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        Action::Accept => return Flow::CLOSE,
        Action::Cancel => {
            app.set_filter(TextField::default(), now);
            return Flow::CLOSE;
        }
        Action::Up => app.connections.step(-1),
        Action::Down => app.connections.step(1),
        action => {
            if app.filter.act(action) {
                apply(app, now);
            }
        }
    }
    Flow::NOTHING
}

/// Adds typed text.
pub(crate) fn type_text(app: &mut App, text: &str, now: DateTime<Utc>) {
    app.filter.push(text);
    apply(app, now);
}

fn apply(app: &mut App, now: DateTime<Utc>) {
    if app.filter.text() != app.connections.filter() {
        app.connections.set_filter(app.filter.text(), now);
    }
}
