//! The screens, and the stack of those that are open.
//!
//! Invariants: the main screen is always below all others; the one on top has the keyboard; closing it shows the one
//! below as it was.

use crate::dashboard::command_palette::Palette;
use crate::dashboard::connection_form::Form;
use crate::dashboard::connections::column_menu::ColumnMenu;
use crate::dashboard::details::inspected::Inspected;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::help::HelpScreen;
use crate::dashboard::keymap::Scope;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::unlock::UnlockDialog;
use crate::domain::{ConnectionName, LogEntry};

/// A screen: what can have the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// The connections with details and request log, or the welcome.
    Main,
    /// The connections' filter, while it is typed.
    Filter,
    /// The request log's filter, while it is typed.
    LogFilter,
    /// Every key there is.
    Help(HelpScreen),
    /// All details of a connection.
    Details {
        /// Whose.
        connection: ConnectionName,
        /// The first line shown.
        scroll: usize,
        /// What the engine reported about its tokens.
        inspected: Inspected,
    },
    /// A logged request. The entry is a copy: the log may drop it meanwhile.
    Request {
        /// The request.
        entry: Box<LogEntry>,
        /// The first line shown.
        scroll: usize,
    },
    /// The next hours of every connection, and the past of the request log.
    Timeline,
    /// A login that waits for a person.
    Login(LoginDialog),
    /// A login, or an import, that failed.
    LoginFailed {
        /// Whether it was the import of a refresh token.
        is_import: bool,
        /// Whose.
        connection: ConnectionName,
        /// Why, in plain words.
        why: String,
    },
    /// A menu: what can be copied, for example.
    Menu(Menu),
    /// The menu of columns.
    Columns(ColumnMenu),
    /// The settings of a connection.
    Form(Box<Form>),
    /// Every command, found by a few letters.
    Palette(Palette),
    /// A question to answer with yes or no.
    Confirm(Question),
    /// The passphrase of the encrypted store, while it is typed.
    Unlock(UnlockDialog),
}

impl Screen {
    /// All details of a connection, from their first line.
    #[must_use]
    pub fn details(connection: ConnectionName) -> Self {
        Self::Details { connection, scroll: 0, inspected: Inspected::default() }
    }

    /// Whether it fills the body, so that nothing below it is drawn.
    #[must_use]
    pub fn fills_the_body(&self) -> bool {
        match self {
            Self::Main | Self::Help(_) | Self::Details { .. } | Self::Request { .. } | Self::Timeline => true,
            Self::Filter
            | Self::LogFilter
            | Self::Login(_)
            | Self::LoginFailed { .. }
            | Self::Menu(_)
            | Self::Columns(_)
            | Self::Form(_)
            | Self::Palette(_)
            | Self::Confirm(_)
            | Self::Unlock(_) => false,
        }
    }

    /// The connection it is about; none where that is whichever is selected, and where it is about no connection.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::Details { connection, .. }
            | Self::LoginFailed { connection, .. }
            | Self::Menu(Menu { connection: Some(connection), .. })
            | Self::Login(LoginDialog { connection, .. }) => Some(connection),
            Self::Confirm(question) => question.connection(),
            Self::Form(form) => form.changes(),
            Self::Main
            | Self::Filter
            | Self::LogFilter
            | Self::Help(_)
            | Self::Request { .. }
            | Self::Timeline
            | Self::Menu(_)
            | Self::Columns(_)
            | Self::Palette(_)
            | Self::Unlock(_) => None,
        }
    }

    /// Whether keys on it act on the selected connection.
    #[must_use]
    pub fn acts_on_the_selection(&self) -> bool {
        let is_menu_of_all = matches!(self, Self::Menu(Menu { connection: None, .. }));
        is_menu_of_all
            || matches!(self, Self::Main | Self::Filter | Self::LogFilter | Self::Timeline | Self::Palette(_))
    }

    /// Whether another screen may open on top of it that was not asked for.
    #[must_use]
    pub fn may_be_covered(&self) -> bool {
        matches!(self, Self::Main | Self::Timeline | Self::Details { .. })
    }

    /// The scopes whose keys work on it, the most special first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let own: &[Scope] = match self {
            Self::Main => &[Scope::Main, Scope::Connection],
            Self::Filter | Self::LogFilter | Self::Help(HelpScreen { typing: true, .. }) => {
                &[Scope::Filter, Scope::Field]
            }
            Self::Help(_) => &[Scope::Help, Scope::Viewer],
            Self::Request { .. } => &[Scope::Request, Scope::Viewer],
            Self::Timeline => &[Scope::Timeline, Scope::Connection],
            Self::Details { .. } => &[Scope::Viewer, Scope::Connection],
            Self::Login(LoginDialog { qr: true, .. }) => &[Scope::LoginQr],
            Self::Login(LoginDialog { typing: true, .. }) => &[Scope::LoginField],
            Self::Login(_) => &[Scope::Login],
            Self::LoginFailed { .. } => &[Scope::LoginFailed],
            Self::Menu(menu) => &[menu.scope],
            Self::Columns(_) => &[Scope::Columns],
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

/// The open screens: the main screen, and what was opened on top of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screens {
    main: Screen,
    opened: Vec<Screen>,
}

impl Default for Screens {
    fn default() -> Self {
        Self { main: Screen::Main, opened: Vec::new() }
    }
}

impl Screens {
    /// The one that has the keyboard.
    #[must_use]
    pub fn top(&self) -> &Screen {
        self.opened.last().unwrap_or(&self.main)
    }

    /// The one that has the keyboard, to be changed.
    pub fn top_mut(&mut self) -> &mut Screen {
        self.opened.last_mut().unwrap_or(&mut self.main)
    }

    /// The highest one that is none of these.
    #[must_use]
    pub fn below(&self, is_above: impl Fn(&Screen) -> bool) -> &Screen {
        self.opened.iter().rev().find(|screen| !is_above(screen)).unwrap_or(&self.main)
    }

    /// Whether the main screen has the keyboard.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.opened.is_empty()
    }

    /// What is drawn, from the lowest to the highest: nothing below the last that fills the body.
    pub fn visible(&self) -> impl Iterator<Item = &Screen> {
        let hidden = self.opened.iter().rposition(Screen::fills_the_body).map_or(0, |at| at + 1);
        std::iter::once(&self.main).chain(&self.opened).skip(hidden)
    }

    /// Opens a screen on top.
    pub fn open(&mut self, screen: Screen) {
        self.opened.push(screen);
    }

    /// Closes the top one; the main screen stays.
    pub fn close(&mut self) {
        self.opened.pop();
    }

    /// Puts another screen in the place of the top one; on the main screen, opens it.
    pub fn replace(&mut self, screen: Screen) {
        self.close();
        self.open(screen);
    }

    /// Closes all but the main screen.
    pub fn close_all(&mut self) {
        self.opened.clear();
    }

    /// Closes the lowest screen of this kind and all that were opened on top of it; whether there was one.
    pub fn close_where(&mut self, is: impl FnMut(&Screen) -> bool) -> bool {
        let found = self.opened.iter().position(is);
        if let Some(at) = found {
            self.opened.truncate(at);
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{HelpScreen, Screen, Screens};

    #[test]
    fn closing_shows_the_screen_below_and_never_closes_the_main_one() {
        let mut screens = Screens::default();
        screens.open(Screen::Timeline);
        screens.open(Screen::Help(HelpScreen::default()));
        screens.close();
        assert_eq!(screens.top(), &Screen::Timeline);
        screens.close();
        screens.close();
        assert!(screens.is_main());
    }

    #[test]
    fn what_was_opened_on_a_screen_closes_with_it() {
        let mut screens = Screens::default();
        screens.open(Screen::Timeline);
        screens.open(Screen::Help(HelpScreen::default()));
        assert!(screens.close_where(|screen| *screen == Screen::Timeline));
        assert!(screens.is_main());
        assert!(!screens.close_where(|screen| *screen == Screen::Main), "it is always there");
    }

    #[test]
    fn nothing_below_a_screen_that_fills_the_body_is_drawn() {
        let mut screens = Screens::default();
        screens.open(Screen::Filter);
        assert_eq!(screens.visible().collect::<Vec<_>>(), [&Screen::Main, &Screen::Filter]);
        screens.open(Screen::Timeline);
        assert_eq!(screens.visible().collect::<Vec<_>>(), [&Screen::Timeline]);
    }
}
