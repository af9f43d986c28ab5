//! The key table when nothing is rebound: keys of the main screen and of what fills the body.

use std::borrow::Cow;

use crossterm::event::KeyCode;

use crate::dashboard::action::Action;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Scope};

pub(super) const fn bind(scope: Scope, keys: &'static [Key], action: Action, help: &'static str) -> KeyBinding {
    KeyBinding {
        scope,
        keys: Cow::Borrowed(keys),
        action,
        help: Cow::Borrowed(help),
        word: Cow::Borrowed(""),
        rank: u8::MAX,
    }
}

pub(super) const fn shown(mut binding: KeyBinding, word: &'static str, rank: u8) -> KeyBinding {
    // A constant function drops nothing, and there is nothing to drop.
    std::mem::forget(std::mem::replace(&mut binding.word, Cow::Borrowed(word)));
    binding.rank = rank;
    binding
}

pub(super) const ESC: Key = Key::plain(KeyCode::Esc);
pub(super) const ENTER: Key = Key::plain(KeyCode::Enter);
pub(super) const TAB: Key = Key::plain(KeyCode::Tab);
pub(super) const UP: Key = Key::plain(KeyCode::Up);
pub(super) const DOWN: Key = Key::plain(KeyCode::Down);
pub(super) const LEFT: Key = Key::plain(KeyCode::Left);
pub(super) const RIGHT: Key = Key::plain(KeyCode::Right);
pub(super) const PAGE_UP: Key = Key::plain(KeyCode::PageUp);
pub(super) const PAGE_DOWN: Key = Key::plain(KeyCode::PageDown);
pub(super) const HOME: Key = Key::plain(KeyCode::Home);
pub(super) const END: Key = Key::plain(KeyCode::End);
pub(super) const BACKSPACE: Key = Key::plain(KeyCode::Backspace);

/// Keys of the main screen and of what fills the body.
pub(super) static SCREENS: &[KeyBinding] = &[
    shown(
        bind(Scope::Connection, &[Key::char('l')], Action::Login, "log in (browser, or client credentials)"),
        "login",
        1,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('r')], Action::Refresh, "refresh, unless the access token is fresh"),
        "refresh",
        2,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('R')], Action::ForceRefresh, "refresh now, even if still valid"),
        "force",
        7,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('a')], Action::ToggleAuto, "automatic refresh on or off, for this session"),
        "auto",
        9,
    ),
    bind(
        Scope::Connection,
        &[Key::char('A')],
        Action::ToggleAutoAll,
        "automatic refresh on or off for every connection",
    ),
    shown(bind(Scope::Connection, &[Key::char('c')], Action::CopyAccessToken, "copy the access token"), "copy", 4),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('C')],
            Action::OpenCopyMenu,
            "copy something else: header, curl line, refresh token, names",
        ),
        "copy as",
        11,
    ),
    shown(
        bind(Scope::Connection, &[Key::char('t')], Action::Test, "test: one real API call with the access token"),
        "test",
        10,
    ),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('o')],
            Action::Logout,
            "log out: forget the tokens, keep the connection (asks; can be undone)",
        ),
        "logout",
        12,
    ),
    shown(bind(Scope::Connection, &[Key::char('e')], Action::Edit, "edit the connection's settings"), "edit", 15),
    shown(
        bind(
            Scope::Connection,
            &[Key::char('d')],
            Action::Delete,
            "delete the connection, its tokens and its client secret (asks; can be undone)",
        ),
        "delete",
        17,
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
    bind(Scope::Connection, &[Key::char('b')], Action::ToggleFavourite, "★ favourite, kept on top"),
    shown(bind(Scope::Undo, &[Key::char('u')], Action::Undo, "undo it, within 8 seconds"), "undo", 0),
    bind(Scope::Main, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::Main, &[Key::char('k'), UP], Action::Up, "up"),
    bind(Scope::Main, &[Key::char('g'), HOME], Action::Top, "first"),
    bind(Scope::Main, &[Key::char('G'), END], Action::Bottom, "last"),
    bind(Scope::Main, &[PAGE_DOWN], Action::PageDown, "a page down"),
    bind(Scope::Main, &[PAGE_UP], Action::PageUp, "a page up"),
    bind(Scope::Main, &[Key::ctrl('d')], Action::HalfPageDown, "half a page down"),
    bind(Scope::Main, &[Key::ctrl('u')], Action::HalfPageUp, "half a page up"),
    shown(
        bind(
            Scope::Main,
            &[ENTER],
            Action::Open,
            "details of the connection, or of the request in the log; folds a group",
        ),
        "details",
        9,
    ),
    shown(bind(Scope::Main, &[TAB], Action::NextPane, "next pane"), "pane", 8),
    bind(Scope::Main, &[Key::plain(KeyCode::BackTab)], Action::PreviousPane, "previous pane"),
    shown(bind(Scope::Main, &[Key::char('n')], Action::New, "new connection"), "new", 6),
    shown(
        bind(
            Scope::Main,
            &[Key::char('/')],
            Action::Filter,
            "filter by letters of the name, by provider or status; is:bad by how bad",
        ),
        "filter",
        8,
    ),
    shown(
        bind(
            Scope::Main,
            &[Key::char(':')],
            Action::OpenPalette,
            "command line: any command, or a connection to go to",
        ),
        "commands",
        5,
    ),
    shown(bind(Scope::Main, &[Key::char('s')], Action::OpenSortMenu, "sort by a column"), "sort", 13),
    shown(
        bind(
            Scope::Main,
            &[Key::char(' ')],
            Action::Mark,
            "mark, and go on: refresh, auto, test and log out then act on all marked",
        ),
        "mark",
        14,
    ),
    bind(Scope::Main, &[Key::char('*')], Action::MarkAll, "mark all that are shown, or none of them"),
    shown(bind(Scope::Main, &[Key::char('p')], Action::ToggleGroups, "group by provider, or not"), "group", 15),
    bind(Scope::Main, &[Key::char('v')], Action::OpenColumns, "choose and order columns"),
    bind(Scope::Main, &[Key::char('V')], Action::ResetView, "reset order, filter, columns"),
    bind(Scope::Main, &[LEFT, Key::char('H')], Action::Fold, "fold the group"),
    bind(Scope::Main, &[RIGHT, Key::char('L')], Action::Unfold, "unfold the group"),
    shown(
        bind(Scope::Main, &[Key::char('f')], Action::Freeze, "freeze the request log, or let it go on"),
        "freeze",
        13,
    ),
    bind(Scope::Main, &[Key::char('m')], Action::Quiet, "quiet: no notifications and no bell, or both again"),
    bind(Scope::Main, &[Key::char('M')], Action::ToggleMouse, "mouse off, for the terminal's own selection, or on"),
    bind(Scope::Main, &[Key::char('W')], Action::ToggleReadOnly, "read-only: only watch; leaving it asks"),
    bind(Scope::Main, &[Key::ctrl('e')], Action::EditConfiguration, "edit the configuration file, in $EDITOR"),
    bind(Scope::Main, &[Key::ctrl('t')], Action::NextTheme, "the next theme, for this session"),
    shown(
        bind(
            Scope::Main,
            &[Key::char('T')],
            Action::Timeline,
            "timeline: the next hours of every connection, and how long requests took",
        ),
        "timeline",
        14,
    ),
    shown(
        bind(Scope::Main, &[ESC], Action::Cancel, "stop waiting for a lock; clear the marks; clear the filter"),
        "cancel",
        0,
    ),
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
    shown(bind(Scope::Welcome, &[Key::char('d')], Action::TryDemo, "try the demo"), "demo", 1),
    shown(bind(Scope::Welcome, &[Key::char('t')], Action::TakeTour, "try the demo, with a guided tour"), "tour", 2),
    shown(
        bind(Scope::Log, &[Key::char('/')], Action::FilterLog, "filter by words, @name, 4xx, 429, error"),
        "filter",
        3,
    ),
    shown(bind(Scope::Log, &[Key::char('E')], Action::ErrorsOnly, "only what failed, or everything"), "errors", 3),
    shown(
        bind(Scope::Log, &[Key::char('O')], Action::OnlySelected, "only the selected connection, or all"),
        "only one",
        4,
    ),
    bind(Scope::Log, &[Key::char('g'), HOME], Action::Top, "to the newest, and follow"),
    shown(bind(Scope::Log, &[Key::char('y')], Action::CopyRequest, "copy the request as a curl line"), "curl", 12),
    shown(
        bind(Scope::Log, &[Key::char('x')], Action::OpenExportMenu, "write the requests shown to a file"),
        "export",
        9,
    ),
    bind(Scope::Always, &[Key::ctrl('c')], Action::Quit, "quit"),
    bind(Scope::Always, &[Key::ctrl('z')], Action::Suspend, "back to the shell until fg"),
    bind(Scope::Viewer, &[Key::char('j'), DOWN], Action::Down, "scroll down"),
    bind(Scope::Viewer, &[Key::char('k'), UP], Action::Up, "scroll up"),
    bind(Scope::Viewer, &[Key::char('g'), HOME], Action::Top, "to the beginning"),
    bind(Scope::Viewer, &[Key::char('G'), END], Action::Bottom, "to the end"),
    bind(Scope::Viewer, &[PAGE_DOWN, Key::char(' ')], Action::PageDown, "a page down"),
    bind(Scope::Viewer, &[PAGE_UP], Action::PageUp, "a page up"),
    bind(Scope::Viewer, &[Key::ctrl('d')], Action::HalfPageDown, "half a page down"),
    bind(Scope::Viewer, &[Key::ctrl('u')], Action::HalfPageUp, "half a page up"),
    shown(bind(Scope::Viewer, &[ESC, ENTER, Key::char('q')], Action::Cancel, "close"), "close", 0),
    bind(Scope::Viewer, &[Key::char(':')], Action::OpenPalette, "command line"),
    shown(bind(Scope::Help, &[Key::char('/')], Action::Filter, "search"), "search", 1),
    bind(Scope::Help, &[Key::char('?')], Action::Cancel, "clear the search, or close"),
    shown(
        bind(
            Scope::Request,
            &[LEFT, Key::char('h'), Key::char('K')],
            Action::PreviousRequest,
            "the request above it, a newer one",
        ),
        "newer",
        1,
    ),
    shown(
        bind(
            Scope::Request,
            &[RIGHT, Key::char('l'), Key::char('J')],
            Action::NextRequest,
            "the request below it, an older one",
        ),
        "older",
        2,
    ),
    shown(bind(Scope::Request, &[Key::char('y')], Action::CopyRequest, "copy it as a curl line"), "curl", 3),
    shown(
        bind(Scope::Request, &[Key::char('x')], Action::OpenExportMenu, "write it and all others shown to a file"),
        "export",
        4,
    ),
    shown(
        bind(Scope::Timeline, &[Key::char('+'), Key::char('=')], Action::ZoomIn, "less time, in more detail"),
        "nearer",
        1,
    ),
    shown(bind(Scope::Timeline, &[Key::char('-')], Action::ZoomOut, "more time"), "farther", 1),
    bind(Scope::Timeline, &[Key::char('0')], Action::ZoomReset, "reset: from now, or the whole log"),
    bind(Scope::Timeline, &[LEFT, Key::char('H')], Action::Earlier, "earlier"),
    bind(Scope::Timeline, &[RIGHT, Key::char('L')], Action::Later, "later"),
    shown(bind(Scope::Timeline, &[TAB], Action::NextPane, "switch between upcoming and past"), "ahead/past", 1),
    shown(
        bind(
            Scope::Timeline,
            &[Key::char('O')],
            Action::OnlySelected,
            "the past of the selected connection only, or of all",
        ),
        "only one",
        4,
    ),
    shown(bind(Scope::Timeline, &[ENTER], Action::Open, "details of the connection"), "details", 5),
    bind(Scope::Timeline, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::Timeline, &[Key::char('k'), UP], Action::Up, "up"),
    bind(Scope::Timeline, &[Key::char('g'), HOME], Action::Top, "first"),
    bind(Scope::Timeline, &[Key::char('G'), END], Action::Bottom, "last"),
    bind(Scope::Timeline, &[PAGE_DOWN], Action::PageDown, "a page down"),
    bind(Scope::Timeline, &[PAGE_UP], Action::PageUp, "a page up"),
    bind(Scope::Timeline, &[Key::ctrl('d')], Action::HalfPageDown, "half a page down"),
    bind(Scope::Timeline, &[Key::ctrl('u')], Action::HalfPageUp, "half a page up"),
    bind(Scope::Timeline, &[Key::char('?')], Action::Help, "help"),
    bind(Scope::Timeline, &[Key::char(':')], Action::OpenPalette, "command line"),
    shown(bind(Scope::Timeline, &[ESC, Key::char('T'), Key::char('q')], Action::Cancel, "close"), "close", 0),
    // Behind the keys of what is read.
    shown(bind(Scope::Viewer, &[Key::char('?')], Action::Help, "help"), "help", 19),
];
