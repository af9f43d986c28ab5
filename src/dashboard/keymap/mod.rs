//! The keys: one table that feeds dispatch, footer, help screen and the README.
//!
//! Invariant: no key is handled anywhere else, but for characters typed into a text field, which
//! are what is left when the table has no answer. Within one scope no key occurs twice (tested).

pub mod brief;
pub mod key;
pub mod own_commands;
pub mod rebind;
pub mod table;
pub mod table_dialogs;

use std::borrow::Cow;
use std::fmt::Write as _;

use crossterm::event::KeyEvent;

use crate::dashboard::action::Action;
use crate::dashboard::keymap::key::Key;
use crate::domain::OwnCommand;

/// Where a binding applies. The present mode gives a list of scopes; the first match wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Always,
    /// The main screen: moving about and leaving.
    Main,
    /// The welcome, while there is no connection.
    Welcome,
    /// The request log, while its pane has the keyboard.
    Log,
    /// A logged request's details.
    Request,
    /// The timeline.
    Timeline,
    /// The menu of ways to write the requests to a file.
    ExportMenu,
    /// While a logout or a deletion can be taken back.
    Undo,
    /// The selected connection, in the table and in its full-screen details.
    Connection,
    /// Anything that is read and closed: help, details.
    Viewer,
    /// The help.
    Help,
    /// The login dialog while its field is not being typed into.
    Login,
    /// The login dialog's field for the pasted answer.
    LoginField,
    /// The login's URL as a QR code.
    LoginQr,
    /// The news that a login has failed.
    LoginFailed,
    /// The menu of things to copy.
    CopyMenu,
    /// The menu of orders.
    SortMenu,
    /// The menu of columns.
    Columns,
    /// The list of everything that can be done.
    Palette,
    /// A question to answer.
    Confirm,
    /// The filter while it is being typed.
    Filter,
    /// Any text field that is typed into.
    Field,
    /// The form of a connection.
    Form,
    /// The main screen and the details of a connection, in the demo.
    Demo,
    /// The demo's menu of things to break.
    FaultMenu,
    /// The guided tour, wherever nothing is typed.
    Tour,
    /// The guided tour, on the main screen.
    TourMain,
    /// The dialog that asks for the encrypted store's passphrase.
    Unlock,
}

impl Scope {
    /// Every scope, in the order of the help screen.
    pub const ALL: [Self; 28] = [
        Self::Connection,
        Self::Undo,
        Self::Main,
        Self::Welcome,
        Self::Log,
        Self::Always,
        Self::Viewer,
        Self::Help,
        Self::Request,
        Self::Timeline,
        Self::Filter,
        Self::Field,
        Self::Login,
        Self::LoginField,
        Self::LoginQr,
        Self::LoginFailed,
        Self::CopyMenu,
        Self::Form,
        Self::SortMenu,
        Self::Columns,
        Self::Palette,
        Self::ExportMenu,
        Self::Unlock,
        Self::Confirm,
        Self::Demo,
        Self::FaultMenu,
        Self::Tour,
        Self::TourMain,
    ];

    /// Whether its keys are the demo's alone.
    #[must_use]
    pub fn is_demo(self) -> bool {
        matches!(self, Self::Demo | Self::FaultMenu | Self::Tour | Self::TourMain)
    }

    /// Its stable name in the configuration, never changed once released.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Main => "main",
            Self::Connection => "connection",
            Self::Undo => "undo",
            Self::Viewer => "viewer",
            Self::Help => "help",
            Self::Login => "login",
            Self::LoginField => "login_field",
            Self::LoginQr => "login_qr",
            Self::LoginFailed => "login_failed",
            Self::CopyMenu => "copy_menu",
            Self::SortMenu => "sort_menu",
            Self::Columns => "columns",
            Self::ExportMenu => "export_menu",
            Self::Palette => "palette",
            Self::Log => "log",
            Self::Welcome => "welcome",
            Self::Request => "request",
            Self::Timeline => "timeline",
            Self::Form => "form",
            Self::Confirm => "confirm",
            Self::Filter => "filter",
            Self::Field => "field",
            Self::Unlock => "unlock",
            Self::Demo => "demo",
            Self::FaultMenu => "fault_menu",
            Self::Tour => "tour",
            Self::TourMain => "tour_main",
        }
    }

    /// Whether its keys work while text is typed: a character bound there could not be typed.
    #[must_use]
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Always | Self::Filter | Self::Field | Self::LoginField | Self::Unlock | Self::Form | Self::Palette
        )
    }

    /// Whether keys of both work at the same time in some mode, so that one could hide the other.
    #[must_use]
    pub fn works_with(self, other: Self) -> bool {
        /// Every two that a mode has together, besides [`Scope::Always`].
        const TOGETHER: [(Scope, Scope); 11] = [
            (Scope::Main, Scope::Connection),
            (Scope::Viewer, Scope::Connection),
            (Scope::Viewer, Scope::Request),
            (Scope::Viewer, Scope::Help),
            (Scope::Timeline, Scope::Connection),
            (Scope::Demo, Scope::Main),
            (Scope::Demo, Scope::Connection),
            (Scope::Demo, Scope::Viewer),
            (Scope::Filter, Scope::Field),
            (Scope::Form, Scope::Field),
            (Scope::Palette, Scope::Field),
        ];
        let always = self == Self::Always || other == Self::Always;
        self == other || always || TOGETHER.contains(&(self, other)) || TOGETHER.contains(&(other, self))
    }

    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Everywhere",
            Self::Main => "Main screen",
            Self::Welcome => "Welcome, without connections",
            Self::Log => "Request log, in its pane",
            Self::Request => "Details of a request",
            Self::Timeline => "Timeline",
            Self::ExportMenu => "Write the requests shown to a file",
            Self::Connection => "Selected connection",
            Self::Undo => "After a logout or a deletion",
            Self::Viewer => "Help and details",
            Self::Help => "Help",
            Self::Login => "Login dialog",
            Self::LoginField => "Login dialog, in the paste field",
            Self::LoginQr => "QR code of the login URL",
            Self::LoginFailed => "After a failed login",
            Self::CopyMenu => "Copy menu",
            Self::SortMenu => "Sort menu",
            Self::Columns => "Columns",
            Self::Palette => "Command line",
            Self::Confirm => "Questions",
            Self::Filter => "Filter, while typing",
            Self::Field => "Text fields",
            Self::Form => "Form of a connection",
            Self::Unlock => "Passphrase",
            Self::Demo => "In the demo",
            Self::FaultMenu => "Break something",
            Self::Tour => "Guided tour",
            Self::TourMain => "Guided tour, on the main screen",
        }
    }
}

/// The whole table when nothing is rebound, in the order of help and footer.
pub(crate) fn defaults() -> impl Iterator<Item = &'static KeyBinding> {
    table::SCREENS.iter().chain(table_dialogs::DIALOGS)
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// Where it applies.
    pub scope: Scope,
    /// The keys that do it; the first is the one that is shown where there is little room.
    pub keys: Cow<'static, [Key]>,
    /// What they do.
    pub action: Action,
    /// What they do, for people.
    pub help: Cow<'static, str>,
    /// The word in the footer; empty where it is not shown there.
    pub word: Cow<'static, str>,
    /// Which words leave a narrow footer first: the greatest number.
    pub rank: u8,
}

impl KeyBinding {
    /// The keys as they are written: `j ↓`; a dash where it has none.
    #[must_use]
    pub fn labels(&self) -> String {
        if self.keys.is_empty() {
            return "—".into();
        }
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

/// The keys as they are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<KeyBinding>,
    /// The commands of the configuration; their bindings are among the others.
    commands: Vec<OwnCommand>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: defaults().cloned().collect(), commands: Vec::new() }
    }
}

impl Keymap {
    /// Every binding, in the order of help and footer.
    #[must_use]
    pub fn bindings(&self) -> &[KeyBinding] {
        &self.bindings
    }

    /// The commands of the configuration, in its order: [`Action::RunCommand`] counts them.
    #[must_use]
    pub fn commands(&self) -> &[OwnCommand] {
        &self.commands
    }

    /// The bindings of one scope.
    pub fn of(&self, scope: Scope) -> impl Iterator<Item = &KeyBinding> {
        self.bindings.iter().filter(move |binding| binding.scope == scope)
    }

    /// What a key does in the given scopes; the first scope that knows it wins.
    #[must_use]
    pub fn action(&self, scopes: &[Scope], key: &KeyEvent) -> Option<Action> {
        scopes.iter().find_map(|scope| {
            let binding = self.of(*scope).find(|binding| binding.keys.iter().any(|own| own.matches(key)));
            binding.map(|binding| binding.action)
        })
    }

    /// The first key of an action, as it is written: for sentences such as "l logs in". Where the
    /// action is in several scopes, the first of the table counts.
    #[must_use]
    pub fn label(&self, action: Action) -> String {
        label(self.bindings.iter().find(|binding| binding.action == action))
    }

    /// The same in one scope.
    #[must_use]
    pub fn label_in(&self, scope: Scope, action: Action) -> String {
        label(self.of(scope).find(|binding| binding.action == action))
    }

    /// The table as Markdown, for the README.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for scope in Scope::ALL {
            if !text.is_empty() {
                text.push('\n');
            }
            let _ = write!(text, "| {} | |\n| --- | --- |\n", scope.title());
            for binding in self.of(scope) {
                let keys: Vec<_> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
                let _ = writeln!(text, "| {} | {} |", keys.join(" "), binding.help);
            }
        }
        text
    }
}

/// The first key of a binding; so that a sentence stays one where it has none, words for that.
fn label(binding: Option<&KeyBinding>) -> String {
    let key = binding.and_then(|binding| binding.keys.first());
    key.map_or_else(|| "no key".into(), |key| key.label())
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        let keymap = Keymap::default();
        for (at, binding) in keymap.bindings().iter().enumerate() {
            for other in &keymap.bindings()[at + 1..] {
                let clash = binding.keys.iter().find(|key| other.keys.contains(key));
                assert!(binding.scope != other.scope || clash.is_none(), "{:?}: {clash:?}", binding.scope);
            }
        }
    }

    #[test]
    fn every_binding_has_a_key_and_a_help_text() {
        for binding in Keymap::default().bindings() {
            assert!(!binding.keys.is_empty() && !binding.help.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn a_capital_letter_is_found_with_and_without_its_shift() {
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            let key = KeyEvent::new(KeyCode::Char('R'), modifiers);
            assert_eq!(Keymap::default().action(&[Scope::Connection], &key), Some(Action::ForceRefresh));
        }
        let alt = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::ALT);
        assert_eq!(Keymap::default().action(&[Scope::Connection], &alt), None);
    }

    #[test]
    fn no_character_is_bound_where_text_is_typed() {
        for binding in Keymap::default().bindings() {
            let types = binding.keys.iter().any(|key| key.types());
            assert!(!(types && binding.scope.takes_text()), "{binding:?}");
        }
    }

    /// They are in people's configurations: one that changes breaks them.
    #[test]
    fn the_names_of_scopes_and_actions_stay_as_they_are() {
        let keymap = Keymap::default();
        let line = |scope: Scope| {
            let mut actions: Vec<_> = keymap.of(scope).map(|binding| binding.action.id()).collect();
            let all = actions.len();
            actions.sort_unstable();
            actions.dedup();
            assert_eq!(actions.len(), all, "an action is twice in {scope:?}");
            format!("{}: {}\n", scope.id(), actions.join(" "))
        };
        insta::assert_snapshot!("ids", Scope::ALL.map(line).concat());
    }

    #[test]
    fn the_readme_table_names_every_binding() {
        let keymap = Keymap::default();
        let text = keymap.markdown();
        let lines = text.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(lines, keymap.bindings().len());
        assert!(text.contains("| `j` `↓` | down |"), "{text}");
    }
}
