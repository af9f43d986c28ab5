//! Modes: which dialog or view has the keyboard. Exactly one at a time.
//!
//! Invariant: a pasted answer holds an authorization code, so it lives in a [`PasteField`], which
//! is wiped on drop and never shows what matters of it.

use std::fmt;

use secrecy::zeroize::Zeroizing;

use crate::dashboard::command_palette::Palette;
use crate::dashboard::connection_form::Form;
use crate::dashboard::details::token_history::Inspected;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::keymap::Scope;
use crate::domain::{ConnectionName, LogEntry, Secret, SubjectChange};

/// Which dialog or view has the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// None: the main screen, or the welcome.
    Normal,
    /// The filter is being typed.
    Filter,
    /// The request log's filter is being typed.
    LogFilter,
    /// The help screen.
    Help {
        /// The first line shown.
        scroll: usize,
    },
    /// A connection's details, full screen.
    Connection {
        /// Whose.
        connection: ConnectionName,
        /// The first line shown.
        scroll: usize,
        /// What the engine told of its tokens.
        inspected: Inspected,
    },
    /// A logged request's details. The entry is a copy: the log may forget it meanwhile.
    Request {
        /// The request.
        entry: Box<LogEntry>,
        /// The first line shown.
        scroll: usize,
    },
    /// The timeline, full screen.
    Timeline,
    /// The dialog of a login that waits for a person.
    Login(LoginDialog),
    /// The news that a login, or an import, has failed.
    LoginFailed {
        /// Whether it was the import of a refresh token.
        is_import: bool,
        /// Whose.
        connection: ConnectionName,
        /// Why, in plain words.
        why: String,
    },
    /// A menu: things to copy, say.
    Menu(Menu),
    /// The form of a connection.
    Form(Box<Form>),
    /// The list of everything that can be done.
    Palette(Palette),
    /// A question to answer with yes or no.
    Confirm(Question),
    /// The passphrase of the encrypted store is being typed.
    Unlock(UnlockDialog),
}

/// A question asked before something that cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Copy the most valuable secret there is?
    CopyRefreshToken(ConnectionName),
    /// Send the refresh token again whose answer was lost?
    SendAgain(ConnectionName),
    /// Forget the tokens?
    Logout(ConnectionName),
    /// Forget everything of the connection and take it out of the configuration?
    Delete(ConnectionName),
    /// Forget the tokens of all that are marked?
    LogoutMarked {
        /// Those that have tokens.
        connections: Vec<ConnectionName>,
        /// How many of these the filter or a folded group hides.
        hidden: usize,
    },
    /// The login came back as somebody else: replace the tokens held?
    ReplaceSubject {
        /// Whose login.
        connection: ConnectionName,
        /// Who, before and now.
        change: Box<SubjectChange>,
    },
    /// Leave although tokens are not in the store yet?
    Quit,
}

/// The dialog of a login under way. What it waits for is in the connection's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDialog {
    /// Whose login.
    pub connection: ConnectionName,
    /// The answer pasted so far.
    pub field: PasteField,
    /// Whether typed characters go into the field.
    pub typing: bool,
    /// Why the last answer was refused.
    pub refused: Option<String>,
    /// The first line of the URL shown.
    pub scroll: usize,
    /// Whether the URL is shown as a QR code, over everything.
    pub qr: bool,
}

impl LoginDialog {
    /// An empty dialog.
    #[must_use]
    pub fn new(connection: ConnectionName, typing: bool) -> Self {
        Self { connection, field: PasteField::default(), typing, refused: None, scroll: 0, qr: false }
    }
}

/// The dialog that asks for the passphrase of the encrypted store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockDialog {
    /// Whether it is chosen, because there is no store yet: then it is asked for twice.
    pub new: bool,
    /// What was typed so far.
    pub field: PasteField,
    /// The passphrase as it was chosen, while it is asked for the second time.
    pub chosen: Option<PasteField>,
    /// Whether it was handed over and is being tried, which takes a moment.
    pub trying: bool,
    /// Why the last one did not do.
    pub refused: Option<String>,
}

impl UnlockDialog {
    /// An empty dialog.
    #[must_use]
    pub fn new(new: bool, refused: Option<String>) -> Self {
        Self { new, field: PasteField::default(), chosen: None, trying: false, refused }
    }

    /// Hands over what was typed: the passphrase to try, or `None` where it is asked for (again).
    pub(crate) fn accept(&mut self) -> Option<Secret> {
        if self.trying {
            return None;
        }
        let typed = std::mem::take(&mut self.field);
        self.refused = None;
        match (self.new, self.chosen.take()) {
            _ if typed.is_empty() => self.refused = Some("an empty passphrase protects nothing".into()),
            (true, None) => self.chosen = Some(typed),
            (true, Some(chosen)) if chosen != typed => {
                self.refused = Some("the two were not the same; choose it again".into());
            }
            _ => {
                self.trying = true;
                return Some(typed.secret());
            }
        }
        None
    }
}

/// A one-line field for the final URL or the bare code.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PasteField(Zeroizing<String>);

impl PasteField {
    /// The longest text taken, in bytes: the longest answer that is looked at, and what wraps it.
    pub const MAX: usize = 20 * 1024;

    /// Adds typed or pasted text. White space stays: it tells a wrapped
    /// URL from words that were pasted by mistake.
    pub fn push(&mut self, text: &str) {
        self.take(text.chars().filter(|c| matches!(c, '\t' | '\n' | '\r') || !c.is_control()));
    }

    /// Adds typed or pasted text of a passphrase, blanks included.
    pub fn push_words(&mut self, text: &str) {
        self.take(text.chars().filter(|c| !c.is_control()));
    }

    fn take(&mut self, text: impl Iterator<Item = char>) {
        // Room for everything at once: growing would leave copies of the code behind.
        if self.0.capacity() < Self::MAX {
            let mut roomy = Zeroizing::new(String::with_capacity(Self::MAX));
            roomy.push_str(&self.0);
            self.0 = roomy;
        }
        for character in text {
            if self.0.len() + character.len_utf8() > Self::MAX {
                break;
            }
            self.0.push(character);
        }
    }

    /// Erases the last character.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Empties the field.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer, to be handed over.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.as_str())
    }

    /// What may be shown of a passphrase: a dot a character, up to a bound.
    #[must_use]
    pub fn dots(&self) -> String {
        "•".repeat(self.0.chars().count().min(40))
    }

    /// What may be shown: a URL up to its query, and how much there is. A bare code is all dots.
    #[must_use]
    pub fn masked(&self) -> String {
        // A wrapped URL is one without its line breaks.
        let length = self.0.chars().filter(|c| !c.is_whitespace()).count();
        let is_url = self.0.starts_with("http://") || self.0.starts_with("https://");
        let open = if is_url { self.0.split(['?', '#']).next().unwrap_or_default() } else { "" };
        let hidden = length.saturating_sub(open.chars().filter(|c| !c.is_whitespace()).count());
        let dots = "•".repeat(hidden.min(12));
        match length {
            0 => String::new(),
            _ => format!("{}{dots} ({length} characters)", crate::domain::text::neutralise(open, 60)),
        }
    }
}

impl fmt::Debug for PasteField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasteField({} bytes)", self.0.len())
    }
}

impl Screen {
    /// The scopes whose keys work, the most special first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let own: &[Scope] = match self {
            Self::Normal => &[Scope::Main, Scope::Connection],
            Self::Filter | Self::LogFilter => &[Scope::Filter, Scope::Field],
            Self::Help { .. } => &[Scope::Viewer],
            Self::Request { .. } => &[Scope::Request, Scope::Viewer],
            Self::Timeline => &[Scope::Timeline, Scope::Connection],
            Self::Connection { .. } => &[Scope::Viewer, Scope::Connection],
            Self::Login(LoginDialog { qr: true, .. }) => &[Scope::LoginQr],
            Self::Login(LoginDialog { typing: true, .. }) => &[Scope::LoginField],
            Self::Login(_) => &[Scope::Login],
            Self::LoginFailed { .. } => &[Scope::LoginFailed],
            Self::Menu(menu) => &[menu.scope],
            Self::Form(_) => &[Scope::Form, Scope::Field],
            Self::Palette(_) => &[Scope::Palette, Scope::Field],
            Self::Confirm(_) => &[Scope::Confirm],
            Self::Unlock(_) => &[Scope::Unlock],
        };
        debug_assert!(
            own.iter().all(|one| own.iter().all(|other| one.works_with(*other))),
            "{own:?} work together, and Scope::works_with does not know it"
        );
        own.iter().copied().chain([Scope::Always]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::PasteField;

    #[test]
    fn a_pasted_url_shows_where_it_leads_but_not_its_code() {
        let mut field = PasteField::default();
        field.push("https://www.getpostman.com/oauth2/callback?code=s3cr3t\n&state=xyz");
        assert_eq!(field.masked(), "https://www.getpostman.com/oauth2/callback•••••••••••• (64 characters)");
        let kept = field.secret();
        assert_eq!(kept.expose(), "https://www.getpostman.com/oauth2/callback?code=s3cr3t\n&state=xyz");
        assert!(!format!("{field:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_bare_code_is_all_dots() {
        let mut field = PasteField::default();
        field.push("abc");
        assert_eq!(field.masked(), "••• (3 characters)");
        field.pop();
        field.pop();
        field.pop();
        assert_eq!(field.masked(), "");
    }

    #[test]
    fn the_field_takes_no_more_than_its_bound() {
        let mut field = PasteField::default();
        field.push(&"x".repeat(PasteField::MAX * 2));
        assert_eq!(field.secret().expose().len(), PasteField::MAX);
    }
}
