//! What the details pane says of a selected group.

use super::Action;
use super::arrangement::Block;
use super::finder::severity_word;
use super::keymap::Keymap;
use super::sheet::{Line, Sheet, Tone};
use super::words::count;
use crate::domain::Severity;

/// Every severity, the worst first.
pub const WORST_FIRST: [Severity; 5] =
    [Severity::Bad, Severity::Warning, Severity::Busy, Severity::Good, Severity::Quiet];

/// The group in numbers, and which keys do something with it.
#[must_use]
pub fn sheet(block: &Block, keymap: &Keymap) -> Sheet {
    let title = block.provider.map_or("", |provider| provider.title);
    let mut lines = vec![Line::new("", format!("{title}: {}", count(block.size(), "connection")), Tone::Heading)];
    for severity in WORST_FIRST {
        let number = block.severities[severity as usize];
        if number > 0 {
            lines.push(Line::new("", format!("{number} {}", severity_word(severity)), Tone::Status(severity)));
        }
    }
    lines.push(Line::blank());
    let fold = if block.folded { "unfold it" } else { "fold it" };
    lines.push(Line::new(keymap.label(Action::Open), fold, Tone::Key));
    lines.push(Line::new(keymap.label(Action::Mark), "mark all of it; then keys act on these", Tone::Key));
    Sheet { lines, label_width: 7 }
}
