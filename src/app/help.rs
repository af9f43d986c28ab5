//! The help screen, made of the key table.

use super::Options;
use super::keymap::Scope;
use super::sheet::{Line, Sheet, Tone};

/// Every key there is, by where it works; the demo's own keys in the demo alone.
#[must_use]
pub fn sheet(options: &Options) -> Sheet {
    let mut lines = Vec::new();
    for scope in Scope::ALL.into_iter().filter(|scope| options.demo || !scope.is_demo()) {
        if !lines.is_empty() {
            lines.push(Line::blank());
        }
        lines.push(Line::new("", scope.title(), Tone::Heading));
        lines.extend(options.keymap.of(scope).map(|binding| {
            let mark = if options.keymap.is_rebound(binding) { " *" } else { "" };
            Line::new(format!("{}{mark}", binding.labels()), binding.help, Tone::Key)
        }));
    }
    lines.push(Line::blank());
    lines.push(Line::new("", "Mouse", Tone::Heading));
    let mouse = [
        ("click", "selects a row or a pane; on a key's word in the footer or a dialog, presses it"),
        ("", "on a heading, sorts by that column; on a count in the first line, shows only those"),
        ("", "beside a menu, closes it"),
        ("double click", "shows details; on a group, folds it"),
        ("wheel", "moves in the pane, menu or list under the pointer"),
    ];
    lines.extend(mouse.map(|(what, does)| Line::new(what, does, Tone::Key)));
    if options.keymap.bindings().iter().any(|binding| options.keymap.is_rebound(binding)) {
        lines.push(Line::blank());
        lines.push(Line::new("*", "set in the configuration", Tone::Key));
    }
    Sheet { lines, label_width: 14 }
}
