//! The keys: one table that feeds dispatch, footer, help screen and the README.
//!
//! Invariant: no key is handled anywhere else, but for characters typed into a text field, which
//! are what is left when the table has no answer. Within one scope no key occurs twice (tested).

use std::fmt::Write as _;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;
use crate::domain::CopyWhat;

/// Where a binding applies. The present mode gives a list of scopes; the first match wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Always,
    /// The main screen: moving about and leaving.
    Main,
    /// The selected connection, in the table and in its full-screen details.
    Connection,
    /// Anything that is read and closed: help, details.
    Viewer,
    /// The login dialog while its field is not being typed into.
    Login,
    /// The login dialog's field for the pasted answer.
    LoginField,
    /// The news that a login has failed.
    LoginFailed,
    /// The menu of things to copy.
    CopyMenu,
    /// A question to answer.
    Confirm,
    /// The filter while it is being typed.
    Filter,
    /// The dialog that asks for the encrypted store's passphrase.
    Unlock,
}

impl Scope {
    /// Every scope, in the order of the help screen.
    pub const ALL: [Self; 11] = [
        Self::Connection,
        Self::Main,
        Self::Always,
        Self::Viewer,
        Self::Filter,
        Self::Login,
        Self::LoginField,
        Self::LoginFailed,
        Self::CopyMenu,
        Self::Unlock,
        Self::Confirm,
    ];

    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Always => "Everywhere",
            Self::Main => "Main screen",
            Self::Connection => "Selected connection",
            Self::Viewer => "Help and details",
            Self::Login => "Login dialog",
            Self::LoginField => "Login dialog, in the paste field",
            Self::LoginFailed => "After a failed login",
            Self::CopyMenu => "Copy menu",
            Self::Confirm => "Questions",
            Self::Filter => "Filter, while typing",
            Self::Unlock => "Passphrase",
        }
    }
}

/// A key with its modifiers, as the table writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

impl Key {
    const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    const fn char(character: char) -> Self {
        Self::plain(KeyCode::Char(character))
    }

    const fn ctrl(character: char) -> Self {
        Self { code: KeyCode::Char(character), ctrl: true }
    }

    /// Shift is already in the character (`R`) or in the code (`BackTab`), so it is not compared;
    /// a key with Alt or Super is somebody else's.
    fn matches(self, event: &KeyEvent) -> bool {
        let other = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER;
        self.code == event.code
            && self.ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && !event.modifiers.intersects(other)
    }

    /// Its name on a key cap: `R`, `Ctrl-C`, `PgUp`, `↓`.
    #[must_use]
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".into(),
            KeyCode::Char(character) if self.ctrl => character.to_ascii_uppercase().to_string(),
            KeyCode::Char(character) => character.to_string(),
            KeyCode::Up => "↑".into(),
            KeyCode::Down => "↓".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            KeyCode::BackTab => "Shift-Tab".into(),
            code => format!("{code:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it applies.
    pub scope: Scope,
    /// The keys that do it; the first is the one that is shown where there is little room.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// What they do, for people.
    pub help: &'static str,
    /// The word in the footer; empty where it is not shown there.
    pub word: &'static str,
    /// Which words leave a narrow footer first: the greatest number.
    pub rank: u8,
}

impl Binding {
    /// The keys as they are written: `j ↓`.
    #[must_use]
    pub fn labels(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

const fn bind(scope: Scope, keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding { scope, keys, action, help, word: "", rank: u8::MAX }
}

const fn shown(binding: Binding, word: &'static str, rank: u8) -> Binding {
    Binding { word, rank, ..binding }
}

const ESC: Key = Key::plain(KeyCode::Esc);
const ENTER: Key = Key::plain(KeyCode::Enter);
const TAB: Key = Key::plain(KeyCode::Tab);
const UP: Key = Key::plain(KeyCode::Up);
const DOWN: Key = Key::plain(KeyCode::Down);
const PAGE_UP: Key = Key::plain(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::plain(KeyCode::PageDown);
const HOME: Key = Key::plain(KeyCode::Home);
const END: Key = Key::plain(KeyCode::End);
const BACKSPACE: Key = Key::plain(KeyCode::Backspace);

/// The whole table, in the order of help and footer.
pub static BINDINGS: &[Binding] = &[
    shown(
        bind(
            Scope::Connection,
            &[Key::char('l')],
            Action::Login,
            "log in: with the browser, or by minting; shows a login under way",
        ),
        "login",
        1,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('r')], Action::Refresh, "refresh, unless the access token is fresh"),
        "refresh",
        2,
    ),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('R')],
            Action::ForceRefresh,
            "refresh now, fresh or not: one key, one exchange",
        ),
        "force",
        6,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('a')], Action::ToggleAuto, "automatic refresh on or off, for this session"),
        "auto",
        5,
    ),
    bind(Scope::Connection, &[Key::char('A')], Action::ToggleAutoAll, "the same for every connection"),
    shown(bind(Scope::Connection, &[Key::char('c')], Action::CopyAccessToken, "copy the access token"), "copy", 4),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('C')],
            Action::OpenCopyMenu,
            "copy something else: header, curl line, refresh token",
        ),
        "copy as",
        10,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('t')], Action::Test, "test: one real API call with the access token"),
        "test",
        8,
    ),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('o')],
            Action::Logout,
            "log out: forget the tokens, keep the connection (asks)",
        ),
        "logout",
        12,
    ),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('u')],
            Action::Unlock,
            "unlock the encrypted store: asks for its passphrase",
        ),
        "unlock",
        0,
    ),
    bind(Scope::Main, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::Main, &[Key::char('k'), UP], Action::Up, "up"),
    bind(Scope::Main, &[Key::char('g'), HOME], Action::Top, "first"),
    bind(Scope::Main, &[Key::char('G'), END], Action::Bottom, "last"),
    bind(Scope::Main, &[PAGE_DOWN], Action::PageDown, "a page down"),
    bind(Scope::Main, &[PAGE_UP], Action::PageUp, "a page up"),
    shown(
        bind(Scope::Main, &[ENTER], Action::Open, "details of the connection, or of the request in the log"),
        "details",
        9,
    ),
    shown(bind(Scope::Main, &[TAB], Action::NextPane, "next pane"), "pane", 11),
    bind(Scope::Main, &[Key::plain(KeyCode::BackTab)], Action::PreviousPane, "previous pane"),
    shown(bind(Scope::Main, &[Key::char('/')], Action::Filter, "filter by name, provider or status"), "filter", 7),
    shown(
        bind(Scope::Main, &[Key::char('f')], Action::Freeze, "freeze the request log, or let it go on"),
        "freeze",
        13,
    ),
    shown(bind(Scope::Main, &[ESC], Action::Cancel, "stop waiting for a lock; clear the filter"), "cancel", 0),
    shown(bind(Scope::Main, &[Key::char('?')], Action::Help, "this help"), "help", 0),
    shown(
        bind(
            Scope::Main,
            &[Key::char('q')],
            Action::Quit,
            "quit (asks only while tokens are not saved in the store yet)",
        ),
        "quit",
        3,
    ),
    bind(Scope::Always, &[Key::ctrl('c')], Action::Quit, "quit, likewise"),
    bind(Scope::Always, &[Key::ctrl('z')], Action::Suspend, "back to the shell until fg"),
    bind(Scope::Viewer, &[Key::char('j'), DOWN], Action::Down, "scroll down"),
    bind(Scope::Viewer, &[Key::char('k'), UP], Action::Up, "scroll up"),
    bind(Scope::Viewer, &[Key::char('g'), HOME], Action::Top, "to the beginning"),
    bind(Scope::Viewer, &[Key::char('G'), END], Action::Bottom, "to the end"),
    bind(Scope::Viewer, &[PAGE_DOWN, Key::char(' ')], Action::PageDown, "a page down"),
    bind(Scope::Viewer, &[PAGE_UP], Action::PageUp, "a page up"),
    shown(bind(Scope::Viewer, &[ESC, ENTER, Key::char('q'), Key::char('?')], Action::Cancel, "close"), "close", 0),
    shown(bind(Scope::Filter, &[ENTER], Action::Accept, "keep the filter and go back to the table"), "keep", 0),
    shown(bind(Scope::Filter, &[ESC], Action::Cancel, "clear the filter"), "clear", 1),
    bind(Scope::Filter, &[BACKSPACE], Action::Erase, "erase the last character"),
    bind(Scope::Filter, &[Key::ctrl('u')], Action::EraseAll, "erase everything"),
    bind(Scope::Filter, &[DOWN], Action::Down, "down"),
    bind(Scope::Filter, &[UP], Action::Up, "up"),
    shown(bind(Scope::Login, &[Key::char('c')], Action::Copy(CopyWhat::LoginUrl), "copy the URL"), "copy URL", 1),
    shown(bind(Scope::Login, &[Key::char('o')], Action::ReopenBrowser, "open the browser (again)"), "open browser", 3),
    shown(
        bind(
            Scope::Login,
            &[Key::char('p'), TAB],
            Action::EnterField,
            "type the answer into the field (pasting works at any time)",
        ),
        "type answer",
        4,
    ),
    shown(
        bind(
            Scope::Login,
            &[Key::char('b')],
            Action::Background,
            "close the dialog, let the login wait; l shows it again",
        ),
        "hide",
        2,
    ),
    bind(Scope::Login, &[ENTER], Action::Accept, "hand over what was pasted"),
    bind(Scope::Login, &[Key::char('j'), DOWN], Action::Down, "scroll the URL down"),
    bind(Scope::Login, &[Key::char('k'), UP], Action::Up, "scroll the URL up"),
    shown(bind(Scope::Login, &[ESC], Action::Cancel, "cancel the login"), "cancel login", 0),
    shown(bind(Scope::LoginField, &[ENTER], Action::Accept, "hand over the final URL or the code"), "send", 1),
    shown(
        bind(Scope::LoginField, &[TAB], Action::LeaveField, "leave the field: the dialog's other keys work again"),
        "more keys",
        2,
    ),
    bind(Scope::LoginField, &[BACKSPACE], Action::Erase, "erase the last character"),
    bind(Scope::LoginField, &[Key::ctrl('u')], Action::EraseAll, "empty the field"),
    bind(Scope::LoginField, &[DOWN], Action::Down, "scroll the URL down"),
    bind(Scope::LoginField, &[UP], Action::Up, "scroll the URL up"),
    shown(bind(Scope::LoginField, &[ESC], Action::Cancel, "cancel the login"), "cancel login", 0),
    shown(bind(Scope::LoginFailed, &[Key::char('l')], Action::Login, "try again"), "try again", 1),
    shown(bind(Scope::LoginFailed, &[ESC, ENTER, Key::char('q')], Action::Cancel, "close"), "close", 0),
    bind(Scope::CopyMenu, &[Key::char('a')], Action::Copy(CopyWhat::AccessToken), "the access token"),
    bind(
        Scope::CopyMenu,
        &[Key::char('h')],
        Action::Copy(CopyWhat::AuthorizationHeader),
        "an Authorization header with it",
    ),
    bind(Scope::CopyMenu, &[Key::char('u')], Action::Copy(CopyWhat::CurlLine), "a curl line with it"),
    bind(Scope::CopyMenu, &[Key::char('r')], Action::Copy(CopyWhat::RefreshToken), "the refresh token (asks first)"),
    bind(Scope::CopyMenu, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::CopyMenu, &[Key::char('k'), UP], Action::Up, "up"),
    shown(bind(Scope::CopyMenu, &[ENTER], Action::Accept, "copy the marked one"), "copy", 1),
    shown(bind(Scope::CopyMenu, &[ESC, Key::char('q')], Action::Cancel, "close"), "close", 0),
    shown(bind(Scope::Unlock, &[ENTER], Action::Accept, "hand over the passphrase"), "unlock", 1),
    bind(Scope::Unlock, &[BACKSPACE], Action::Erase, "erase the last character"),
    bind(Scope::Unlock, &[Key::ctrl('u')], Action::EraseAll, "empty the field"),
    shown(bind(Scope::Unlock, &[ESC], Action::Cancel, "leave the store locked; u asks again"), "leave locked", 0),
    shown(bind(Scope::Confirm, &[Key::char('y')], Action::Accept, "yes"), "yes", 1),
    shown(bind(Scope::Confirm, &[Key::char('n'), ESC, Key::char('q')], Action::Cancel, "no"), "no", 0),
];

/// What a key does in the given scopes; the first scope that knows it wins.
#[must_use]
pub fn action(scopes: &[Scope], key: &KeyEvent) -> Option<Action> {
    scopes.iter().find_map(|scope| {
        let binding = BINDINGS.iter().find(|b| b.scope == *scope && b.keys.iter().any(|k| k.matches(key)));
        binding.map(|b| b.action)
    })
}

/// The first key of an action, as it is written: for sentences such as "l logs in".
#[must_use]
pub fn label(action: Action) -> String {
    let binding = BINDINGS.iter().find(|binding| binding.action == action);
    binding.map_or_else(String::new, |binding| binding.keys[0].label())
}

/// The table as Markdown, for the README.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for scope in Scope::ALL {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = write!(text, "| {} | |\n| --- | --- |\n", scope.title());
        for binding in BINDINGS.iter().filter(|binding| binding.scope == scope) {
            let keys: Vec<_> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
            let _ = writeln!(text, "| {} | {} |", keys.join(" "), binding.help);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for (at, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[at + 1..] {
                let clash = binding.keys.iter().find(|key| other.keys.contains(key));
                assert!(binding.scope != other.scope || clash.is_none(), "{:?}: {clash:?}", binding.scope);
            }
        }
    }

    #[test]
    fn every_binding_has_a_key_and_a_help_text() {
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty() && !binding.help.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn a_capital_letter_is_found_with_and_without_its_shift() {
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            let key = KeyEvent::new(KeyCode::Char('R'), modifiers);
            assert_eq!(action(&[Scope::Connection], &key), Some(Action::ForceRefresh));
        }
        let alt = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::ALT);
        assert_eq!(action(&[Scope::Connection], &alt), None);
    }

    #[test]
    fn the_readme_table_names_every_binding() {
        let text = markdown();
        let lines = text.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(lines, BINDINGS.len());
        assert!(text.contains("| `j` `↓` | down |"), "{text}");
    }
}
