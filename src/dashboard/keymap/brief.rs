//! Short descriptions of actions, for the command line: the key table's help text where that is short enough, else the
//! text here.
//!
//! Invariant: none is wider than [`BRIEF`] columns, which the command line has on the smallest screen (tested).

use crate::dashboard::action::Action;
use crate::dashboard::keymap::KeyBinding;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::CopyWhat;

/// The most columns of a short description.
pub const BRIEF: usize = 28;

impl KeyBinding {
    /// What the keys do, in a few words.
    #[must_use]
    pub fn brief(&self) -> &str {
        shorter(self.action).unwrap_or(&self.help)
    }
}

/// The text for an action whose help is too long.
fn shorter(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Login => "log in",
        Action::Refresh => "refresh if due",
        Action::ForceRefresh => "refresh now",
        Action::ToggleAuto => "automatic refresh on or off",
        Action::ToggleAutoAll => "automatic refresh for all",
        Action::OpenCopyMenu => "copy a header, a curl line …",
        Action::Test => "call the API once",
        Action::Logout => "forget the tokens",
        Action::Edit => "edit its settings",
        Action::Delete => "delete it with its tokens",
        Action::Unlock => "unlock the encrypted store",
        Action::Open => "show all details",
        Action::Filter => "filter the connections",
        Action::OpenPalette => "type a command",
        Action::NextPane => "next pane",
        Action::Mark => "mark it, and go on",
        Action::MarkAll => "mark all, or none",
        Action::Freeze => "freeze the log, or go on",
        Action::Quiet => "notifications on or off",
        Action::NextTheme => "the next theme",
        Action::Timeline => "upcoming refreshes",
        Action::Cancel => "stop waiting, clear filters",
        Action::Help => "all keys",
        Action::Quit => "quit",
        Action::FilterLog => "filter the requests",
        Action::ErrorsOnly => "only failures, or all",
        Action::OnlySelected => "only the selected, or all",
        Action::CopyRequest => "copy the request as curl",
        Action::OpenExportMenu => "write requests to a file",
        Action::PreviousRequest => "the newer request",
        Action::NextRequest => "the older request",
        Action::ZoomReset => "from now, or the whole log",
        Action::Copy(CopyWhat::AuthorizationHeader) => "an Authorization header",
        Action::Copy(CopyWhat::RefreshToken) => "the refresh token",
        Action::CopyNames => "its name, or all marked",
        Action::ToggleMouse => "the mouse off or on",
        Action::ToggleReadOnly => "only watch, or not any more",
        Action::EditConfiguration => "edit the configuration file",
        Action::OpenFaultMenu => "break something",
        Action::StartTour => "the guided tour",
        Action::TakeTour => "the demo, with a guided tour",
        Action::Fault(kind) => fault(kind)?,
        _ => return None,
    })
}

fn fault(kind: FaultKind) -> Option<&'static str> {
    Some(match kind {
        FaultKind::RateLimit => "429 for this connection",
        FaultKind::Outage => "its provider answers 503",
        FaultKind::LostAnswer => "its next answer gets lost",
        FaultKind::Slow => "its provider takes 5 seconds",
        FaultKind::KeyringFull => "it takes no new tokens",
        FaultKind::RolledBack => "a backup is restored",
        FaultKind::LockHeld => "another process for 10 s",
        FaultKind::ShortLived => "a token of 20 s, no refresh",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::BRIEF;
    use crate::dashboard::action::Action;
    use crate::dashboard::keymap::{Keymap, Scope};

    #[test]
    fn every_short_description_of_a_command_fits_the_smallest_screen() {
        let commands = [Scope::Connection, Scope::Main, Scope::Log, Scope::Always, Scope::Request, Scope::Timeline];
        let menus =
            [Scope::Demo, Scope::Welcome, Scope::CopyMenu, Scope::SortMenu, Scope::ExportMenu, Scope::FaultMenu];
        let keymap = Keymap::default();
        for binding in commands.into_iter().chain(menus).flat_map(|scope| keymap.of(scope)) {
            let is_command = !binding.action.moves() && binding.action != Action::Accept;
            assert!(!is_command || binding.brief().width() <= BRIEF, "{:?}: {:?}", binding.action, binding.brief());
        }
    }
}
