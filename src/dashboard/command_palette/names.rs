//! Names of commands, and their aliases.
//!
//! A name is the action's id without the words that say how the dashboard does it, so an action in the key table is a
//! command without being named again. Invariant: no two commands share a name or an alias (tested).

use crate::dashboard::action::Action;
use crate::dashboard::connections::column::Column;
use crate::dashboard::keymap::KeyBinding;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::CopyWhat;
use crate::request_log::export::Format;

impl KeyBinding {
    /// Its name on the command line.
    #[must_use]
    pub fn command(&self) -> String {
        if let Action::RunCommand(_) = self.action {
            return self.word.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
        }
        let id = self.action.id();
        let id = id.strip_prefix("open_").or_else(|| id.strip_prefix("toggle_")).unwrap_or(id);
        id.strip_suffix("_menu").unwrap_or(id).replace('_', "-")
    }

    /// Its name behind the command that opens its menu: `name` of `sort name`.
    #[must_use]
    pub fn argument(&self) -> String {
        let id = self.action.id();
        let verbs = ["sort_by_", "export_", "copy_"];
        verbs.iter().find_map(|verb| id.strip_prefix(verb)).unwrap_or(id).replace('_', "-")
    }

    /// Other names for it, which people know from elsewhere.
    #[must_use]
    pub fn aliases(&self) -> &'static [&'static str] {
        match self.action {
            Action::Quit => &["q", "q!", "qa", "wq", "exit"],
            Action::Suspend => &["stop", "bg"],
            Action::Help => &["h", "keys"],
            Action::Open => &["details", "info", "describe"],
            Action::Login => &["signin"],
            Action::Logout => &["signout"],
            Action::Refresh => &["renew"],
            Action::ForceRefresh => &["refresh!", "force"],
            Action::ToggleAuto => &["auto-refresh"],
            Action::CopyAccessToken => &["token", "yank"],
            Action::CopyRequest | Action::Copy(CopyWhat::CurlLine) => &["curl"],
            Action::Test => &["call", "ping"],
            Action::New => &["add", "create"],
            Action::Edit => &["e", "settings"],
            Action::Delete => &["rm", "remove"],
            Action::Filter => &["find", "search"],
            Action::FilterLog => &["log-filter", "grep"],
            Action::ErrorsOnly => &["errors", "failures"],
            Action::ToggleGroups => &["group"],
            Action::Timeline => &["tl"],
            Action::Freeze => &["pause"],
            Action::Quiet => &["mute"],
            Action::OpenExportMenu => &["write", "save"],
            Action::OpenFaultMenu => &["break", "faults"],
            Action::SortBy(None) => &["config"],
            Action::SortBy(Some(Column::Access)) => &["expires", "expiry", "access", "ends"],
            Action::SortBy(Some(Column::Refresh)) => &["refresh", "login-ends"],
            Action::SortBy(Some(Column::Why)) => &["problem"],
            Action::SortBy(Some(Column::Last)) => &["result"],
            Action::Copy(CopyWhat::AccessToken) => &["token", "access"],
            Action::Copy(CopyWhat::AuthorizationHeader) => &["header"],
            Action::Copy(CopyWhat::RefreshToken) => &["refresh"],
            Action::CopyNames => &["name"],
            Action::Export(Format::JsonLines) => &["json", "jsonl", "ndjson"],
            Action::Fault(FaultKind::AllWell) => &["none", "fix"],
            _ => &[],
        }
    }
}
