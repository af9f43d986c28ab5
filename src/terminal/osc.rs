//! What is sent to a terminal beyond drawing: its title, a notification, a link.
//!
//! Invariants: a text cannot end its sequence or begin another, for it has no control character;
//! nothing is sent to a terminal that is known to print what it does not understand.
//!
//! The title is saved on the terminal's own stack and taken back from there (XTWINOPS 22 and 23,
//! xterm and most others). A notification is OSC 9, which iTerm2, kitty, `WezTerm`, Ghostty, foot,
//! Warp and Contour show and others ignore. `ConEmu` and Windows Terminal read a number there as an
//! order of their own, so a text never begins with one. tmux hands it on only where its
//! `allow-passthrough` is on, and drops it silently where not.

use std::env;

use crate::domain::text::neutralise;

/// Puts the title on the terminal's stack.
pub const SAVE_TITLE: &str = "\x1b[22;2t";
/// Takes the title back from the terminal's stack.
pub const GIVE_TITLE_BACK: &str = "\x1b[23;2t";
/// Has the terminal report when its colours turn dark or light (mode 2031: Contour, Ghostty, kitty, foot, VTE, tmux).
pub const FOLLOW_BACKGROUND: &str = "\x1b[?2031h";
/// Ends that.
pub const UNFOLLOW_BACKGROUND: &str = "\x1b[?2031l";
/// Asks for such a report now; terminals that do not know the mode do not answer.
pub const ASK_DARK_OR_LIGHT: &str = "\x1b[?996n";
/// The longest title, in characters.
const LONGEST_TITLE: usize = 120;
/// The longest notification, in characters.
const LONGEST_NOTICE: usize = 250;

/// The longest address of a link, in bytes: what terminals are known to take.
const LONGEST_LINK: usize = 2083;

/// Whether the terminal swallows what it does not understand. The Linux console prints parts of
/// it, a dumb terminal all.
#[must_use]
pub fn is_understood() -> bool {
    cfg!(windows) || env::var("TERM").is_ok_and(|term| !matches!(term.as_str(), "" | "dumb" | "linux"))
}

/// Sets the window's title (OSC 2).
#[must_use]
pub fn title(text: &str) -> String {
    format!("\x1b]2;{}\x1b\\", neutralise(text, LONGEST_TITLE))
}

/// Has the terminal notify (OSC 9); `in_tmux` wraps it for the terminal around tmux.
#[must_use]
pub fn notification(text: &str, in_tmux: bool) -> String {
    let text = neutralise(text, LONGEST_NOTICE);
    if in_tmux {
        format!("\x1bPtmux;\x1b\x1b]9;manutop: {text}\x07\x1b\\")
    } else {
        format!("\x1b]9;manutop: {text}\x1b\\")
    }
}

/// Begins a link to an address (OSC 8); all of it that is drawn until [`END_LINK`] is one link, in however many pieces.
/// `None` where the address has what no link may have.
#[must_use]
pub fn begin_link(url: &str) -> Option<String> {
    let is_plain = url.len() <= LONGEST_LINK && url.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    (is_plain && !url.is_empty()).then(|| format!("\x1b]8;id=manutop;{url}\x1b\\"))
}

/// Ends a link.
pub const END_LINK: &str = "\x1b]8;;\x1b\\";

#[cfg(test)]
mod tests {
    use super::{END_LINK, begin_link, notification, title};

    #[test]
    fn only_a_plain_address_becomes_a_link() {
        let link = begin_link("https://auth.example/authorize?state=x%20y").unwrap();
        assert_eq!(link, "\x1b]8;id=manutop;https://auth.example/authorize?state=x%20y\x1b\\");
        for hostile in
            ["", "https://a.example/\x1b\\\x1b]52;c;AAAA\x07", "https://a.example/ü", "a b", "a\nb", "\u{9c}"]
        {
            assert_eq!(begin_link(hostile), None, "{hostile:?}");
        }
        assert_eq!(begin_link(&"x".repeat(3000)), None, "terminals pass over longer ones, or cut them");
        assert!(END_LINK.starts_with("\x1b]8;;"));
    }

    #[test]
    fn no_text_ends_its_sequence_or_begins_another() {
        let hostile = "4;1;50\x07\x1b]52;c;AAAA\x1b\\ \u{9c}\u{9d}2;x\n";
        for (sequence, own) in
            [(title(hostile), 2), (notification(hostile, false), 2), (notification(hostile, true), 5)]
        {
            assert_eq!(sequence.chars().filter(|c| c.is_control()).count(), own, "{sequence:?}");
        }
        assert!(notification(hostile, false).starts_with("\x1b]9;m"));
    }

    #[test]
    fn texts_are_bounded() {
        assert!(title(&"x".repeat(9999)).chars().count() < 140);
        assert!(notification(&"x".repeat(9999), true).chars().count() < 290);
    }
}
