//! The help screen, made of the key table.

use super::keymap::{Keymap, Scope};
use super::sheet::{Line, Sheet, Tone};

/// Every key there is, by where it works.
#[must_use]
pub fn sheet(keymap: &Keymap) -> Sheet {
    let mut lines = Vec::new();
    for scope in Scope::ALL {
        if !lines.is_empty() {
            lines.push(Line::blank());
        }
        lines.push(Line::new("", scope.title(), Tone::Heading));
        lines.extend(keymap.of(scope).map(|binding| Line::new(binding.labels(), binding.help, Tone::Key)));
    }
    lines.push(Line::blank());
    lines.push(Line::new("", "Mouse", Tone::Heading));
    lines.push(Line::new("click", "selects a row or a pane; on a word in the footer, presses its key", Tone::Key));
    lines.push(Line::new("wheel", "moves in the pane under the pointer", Tone::Key));
    Sheet { lines, label_width: 14 }
}
