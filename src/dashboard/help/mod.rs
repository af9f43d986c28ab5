//! The help screen, made of the key table.

pub mod welcome;

use chrono::{DateTime, Utc};

use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::dashboard::{App, availability};

/// Every key there is, by where it works; the demo's own keys in the demo alone. Keys of the screen below that do
/// nothing now are dimmed.
pub(crate) fn sheet(app: &App, now: DateTime<Utc>) -> Sheet {
    let options = &app.options;
    let below = app.screens.below(|screen| matches!(screen, Screen::Help { .. }));
    let scopes = below.scopes();
    let mut lines = Vec::new();
    for scope in Scope::ALL.into_iter().filter(|scope| options.demo || !scope.is_demo()) {
        if !lines.is_empty() {
            lines.push(SheetLine::blank());
        }
        lines.push(SheetLine::new("", scope.title(), Tone::Heading));
        lines.extend(options.keymap.of(scope).map(|binding| {
            let mark = if options.keymap.is_rebound(binding) { " *" } else { "" };
            let is_idle = scopes.contains(&scope) && !availability::of(app, below, binding.action, now).is_available();
            let tone = if is_idle { Tone::Dim } else { Tone::Key };
            SheetLine::new(format!("{}{mark}", binding.labels()), &*binding.help, tone)
        }));
    }
    lines.push(SheetLine::blank());
    lines.push(SheetLine::new("", "Mouse", Tone::Heading));
    let mouse = [
        ("click", "selects a row or a pane; on a key's word in the footer or a dialog, presses it"),
        ("", "on a heading, sorts by that column; on a count in the first line, shows only those"),
        ("", "beside a menu, closes it"),
        ("double click", "shows details; on a group, folds it"),
        ("wheel", "moves in the pane, menu or list under the pointer"),
    ];
    lines.extend(mouse.map(|(what, does)| SheetLine::new(what, does, Tone::Key)));
    if options.keymap.bindings().iter().any(|binding| options.keymap.is_rebound(binding)) {
        lines.push(SheetLine::blank());
        lines.push(SheetLine::new("*", "set in the configuration", Tone::Key));
    }
    Sheet { lines, label_width: 14 }
}
