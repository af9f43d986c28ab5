//! The welcome: what this is and where to begin, while there is no connection yet.

use crate::dashboard::DashboardOptions;
use crate::dashboard::action::Action;
use crate::dashboard::keymap::Scope;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::domain::text::neutralise;

/// What manutop is, and the keys to begin with.
#[must_use]
pub fn sheet(options: &DashboardOptions) -> Sheet {
    let text = |text: &str| SheetLine::new("", text, Tone::Wide);
    let key = |scope, action, text: &str| SheetLine::new(options.keymap.label_in(scope, action), text, Tone::Step);
    let mut lines = vec![
        text(
            "manutop keeps OAuth connections to Manu Online and Manus alive: it refreshes access tokens in time and never \
             loses a refresh token.",
        ),
        SheetLine::blank(),
        key(Scope::Main, Action::New, "add a connection"),
    ];
    if !options.demo {
        lines.extend([
            key(Scope::Welcome, Action::TryDemo, "try the demo: built-in servers, no account needed"),
            key(Scope::Welcome, Action::TakeTour, "take the tour: the demo, explained step by step"),
        ]);
    }
    lines.extend([
        SheetLine::blank(),
        text("Configuration file, made with the first connection:"),
        SheetLine::new("", neutralise(&options.config_file.display().to_string(), 500), Tone::Command),
    ]);
    Sheet { lines, label_width: 3 }
}
