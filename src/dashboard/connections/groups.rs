//! What the details pane says of a selected group.

use crate::dashboard::action::Action;
use crate::dashboard::connections::rows::Block;
use crate::dashboard::fuzzy::severity_word;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::domain::Severity;
use crate::format::time::count;

/// Every severity, the worst first.
pub const WORST_FIRST: [Severity; 5] =
    [Severity::Bad, Severity::Warning, Severity::Busy, Severity::Good, Severity::Quiet];

/// The group in numbers, and which keys do something with it.
#[must_use]
pub fn sheet(block: &Block, keymap: &Keymap) -> Sheet {
    let title = block.provider.map_or("", |provider| provider.title);
    let mut lines = vec![SheetLine::new("", format!("{title}: {}", count(block.size(), "connection")), Tone::Heading)];
    for severity in WORST_FIRST {
        let number = block.severities[severity as usize];
        if number > 0 {
            lines.push(SheetLine::new("", format!("{number} {}", severity_word(severity)), Tone::Status(severity)));
        }
    }
    lines.push(SheetLine::blank());
    let fold = if block.folded { "unfold it" } else { "fold it" };
    lines.push(SheetLine::new(keymap.label(Action::Open), fold, Tone::Key));
    lines.push(SheetLine::new(keymap.label(Action::Mark), "mark all of it; then keys act on these", Tone::Key));
    Sheet { lines, label_width: 7 }
}
