//! The key table as it stands when nothing is rebound.

use std::borrow::Cow;

use crossterm::event::KeyCode;

use crate::dashboard::action::Action;
use crate::dashboard::connections::columns::Column;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::CopyWhat;
use crate::request_log::export::Format;

const fn bind(scope: Scope, keys: &'static [Key], action: Action, help: &'static str) -> KeyBinding {
    KeyBinding { scope, keys: Cow::Borrowed(keys), action, help, word: "", rank: u8::MAX }
}

const fn shown(mut binding: KeyBinding, word: &'static str, rank: u8) -> KeyBinding {
    binding.word = word;
    binding.rank = rank;
    binding
}

const ESC: Key = Key::plain(KeyCode::Esc);
const ENTER: Key = Key::plain(KeyCode::Enter);
const TAB: Key = Key::plain(KeyCode::Tab);
const UP: Key = Key::plain(KeyCode::Up);
const DOWN: Key = Key::plain(KeyCode::Down);
const LEFT: Key = Key::plain(KeyCode::Left);
const RIGHT: Key = Key::plain(KeyCode::Right);
const PAGE_UP: Key = Key::plain(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::plain(KeyCode::PageDown);
const HOME: Key = Key::plain(KeyCode::Home);
const END: Key = Key::plain(KeyCode::End);
const BACKSPACE: Key = Key::plain(KeyCode::Backspace);

/// The whole table, in the order of help and footer.
pub(crate) static BINDINGS: &[KeyBinding] = &[
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
            "log out: forget the tokens, keep the connection (asks)",
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
            "delete the connection, its tokens and its client secret (asks)",
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
    bind(Scope::Main, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::Main, &[Key::char('k'), UP], Action::Up, "up"),
    bind(Scope::Main, &[Key::char('g'), HOME], Action::Top, "first"),
    bind(Scope::Main, &[Key::char('G'), END], Action::Bottom, "last"),
    bind(Scope::Main, &[PAGE_DOWN], Action::PageDown, "a page down"),
    bind(Scope::Main, &[PAGE_UP], Action::PageUp, "a page up"),
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
        bind(Scope::Main, &[Key::char(':')], Action::OpenPalette, "find any command or connection by its name"),
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
    bind(Scope::Main, &[LEFT], Action::Fold, "fold the group"),
    bind(Scope::Main, &[RIGHT], Action::Unfold, "unfold the group"),
    shown(
        bind(Scope::Main, &[Key::char('f')], Action::Freeze, "freeze the request log, or let it go on"),
        "freeze",
        13,
    ),
    bind(Scope::Main, &[Key::char('m')], Action::Quiet, "quiet: no notifications and no bell, or both again"),
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
    shown(
        bind(Scope::Log, &[Key::char('/')], Action::FilterLog, "filter by words, @name, 4xx, 429, error"),
        "filter",
        3,
    ),
    shown(bind(Scope::Log, &[Key::char('E')], Action::ErrorsOnly, "only what failed, or everything"), "errors", 3),
    shown(
        bind(Scope::Log, &[Key::char('O')], Action::OnlySelected, "only the selected connection's, or everybody's"),
        "only one",
        4,
    ),
    bind(Scope::Log, &[Key::char('g'), HOME], Action::Top, "back to the newest, and follow what comes"),
    shown(bind(Scope::Log, &[Key::char('y')], Action::CopyRequest, "copy the request as a curl line"), "curl", 12),
    shown(
        bind(Scope::Log, &[Key::char('x')], Action::OpenExportMenu, "write the requests shown to a file"),
        "export",
        9,
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
    shown(
        bind(Scope::Request, &[LEFT, Key::char('K')], Action::PreviousRequest, "the request above it, a newer one"),
        "newer",
        1,
    ),
    shown(
        bind(Scope::Request, &[RIGHT, Key::char('J')], Action::NextRequest, "the request below it, an older one"),
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
    bind(Scope::Timeline, &[Key::char('0')], Action::ZoomReset, "as at first: from now, or the whole log"),
    bind(Scope::Timeline, &[LEFT], Action::Earlier, "earlier"),
    bind(Scope::Timeline, &[RIGHT], Action::Later, "later"),
    shown(
        bind(Scope::Timeline, &[TAB], Action::NextPane, "from what is to come to what was, and back"),
        "ahead/past",
        1,
    ),
    shown(
        bind(
            Scope::Timeline,
            &[Key::char('O')],
            Action::OnlySelected,
            "the past of the selected connection alone, or everybody's",
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
    bind(Scope::Timeline, &[Key::char('?')], Action::Help, "help"),
    shown(bind(Scope::Timeline, &[ESC, Key::char('T'), Key::char('q')], Action::Cancel, "close"), "close", 0),
    shown(bind(Scope::Filter, &[ENTER], Action::Accept, "keep the filter and go back to the table"), "keep", 0),
    shown(bind(Scope::Filter, &[ESC], Action::Cancel, "clear the filter"), "clear", 1),
    bind(Scope::Filter, &[DOWN], Action::Down, "down"),
    bind(Scope::Filter, &[UP], Action::Up, "up"),
    bind(Scope::Field, &[LEFT], Action::CursorLeft, "a character to the left"),
    bind(Scope::Field, &[RIGHT], Action::CursorRight, "a character to the right"),
    bind(Scope::Field, &[HOME, Key::ctrl('a')], Action::CursorStart, "to the beginning"),
    bind(Scope::Field, &[END, Key::ctrl('e')], Action::CursorEnd, "to the end"),
    bind(Scope::Field, &[BACKSPACE], Action::Erase, "erase the character before the cursor"),
    bind(Scope::Field, &[Key::plain(KeyCode::Delete)], Action::EraseNext, "erase the character under it"),
    bind(Scope::Field, &[Key::ctrl('w')], Action::EraseWord, "erase the word before it"),
    bind(Scope::Field, &[Key::ctrl('u')], Action::EraseAll, "erase everything"),
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
            "close the dialog, let the login wait; the login key shows it again",
        ),
        "hide",
        2,
    ),
    shown(
        bind(
            Scope::Login,
            &[Key::char('Q'), Key::ctrl('r')],
            Action::ShowQr,
            "the URL as a QR code, for a browser on another device",
        ),
        "QR code",
        5,
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
    shown(
        bind(
            Scope::LoginField,
            &[Key::ctrl('r')],
            Action::ShowQr,
            "the URL as a QR code, for a browser on another device",
        ),
        "QR code",
        3,
    ),
    bind(Scope::LoginField, &[BACKSPACE], Action::Erase, "erase the last character"),
    bind(Scope::LoginField, &[Key::ctrl('u')], Action::EraseAll, "empty the field"),
    bind(Scope::LoginField, &[DOWN], Action::Down, "scroll the URL down"),
    bind(Scope::LoginField, &[UP], Action::Up, "scroll the URL up"),
    shown(bind(Scope::LoginField, &[ESC], Action::Cancel, "cancel the login"), "cancel login", 0),
    shown(
        bind(
            Scope::LoginQr,
            &[ESC, ENTER, Key::char('q'), Key::char('Q'), Key::ctrl('r')],
            Action::Cancel,
            "back to the login dialog",
        ),
        "back",
        0,
    ),
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
    bind(Scope::CopyMenu, &[Key::char('n')], Action::CopyNames, "the name, or all marked names"),
    bind(Scope::CopyMenu, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::CopyMenu, &[Key::char('k'), UP], Action::Up, "up"),
    shown(bind(Scope::CopyMenu, &[ENTER], Action::Accept, "copy the marked one"), "copy", 1),
    shown(bind(Scope::CopyMenu, &[ESC, Key::char('q')], Action::Cancel, "close"), "close", 0),
    bind(Scope::Form, &[TAB, DOWN], Action::Down, "next row"),
    bind(Scope::Form, &[Key::plain(KeyCode::BackTab), UP], Action::Up, "row before"),
    shown(bind(Scope::Form, &[ENTER], Action::Accept, "next row; in the last one, save"), "next", 2),
    shown(bind(Scope::Form, &[Key::ctrl('s')], Action::Save, "save"), "save", 0),
    shown(bind(Scope::Form, &[ESC], Action::Cancel, "close without saving"), "cancel", 1),
    bind(Scope::SortMenu, &[Key::char('f')], Action::SortBy(None), "order of the file"),
    bind(Scope::SortMenu, &[Key::char('n')], Action::SortBy(Some(Column::Name)), "name"),
    bind(Scope::SortMenu, &[Key::char('t')], Action::SortBy(Some(Column::Title)), "title"),
    bind(Scope::SortMenu, &[Key::char('p')], Action::SortBy(Some(Column::Provider)), "provider"),
    bind(Scope::SortMenu, &[Key::char('s')], Action::SortBy(Some(Column::Status)), "status, the worst first"),
    bind(Scope::SortMenu, &[Key::char('a')], Action::SortBy(Some(Column::Access)), "end of the access token"),
    bind(Scope::SortMenu, &[Key::char('r')], Action::SortBy(Some(Column::Refresh)), "end of the refresh token"),
    bind(Scope::SortMenu, &[Key::char('u')], Action::SortBy(Some(Column::Auto)), "automatic refresh"),
    bind(Scope::SortMenu, &[Key::char('l')], Action::SortBy(Some(Column::Last)), "last result, failures first"),
    bind(Scope::SortMenu, &[Key::char('x')], Action::SortBy(Some(Column::Next)), "next refresh"),
    bind(Scope::SortMenu, &[Key::char('w')], Action::SortBy(Some(Column::Why)), "what stands in the way"),
    bind(Scope::SortMenu, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::SortMenu, &[Key::char('k'), UP], Action::Up, "up"),
    shown(bind(Scope::SortMenu, &[ENTER], Action::Accept, "sort by the chosen one; again: reverse"), "sort", 1),
    shown(bind(Scope::SortMenu, &[ESC, Key::char('q')], Action::Cancel, "close"), "close", 0),
    shown(bind(Scope::Palette, &[ENTER], Action::Accept, "do it, or go there"), "do it", 1),
    bind(Scope::Palette, &[DOWN, Key::ctrl('n')], Action::Down, "down"),
    bind(Scope::Palette, &[UP, Key::ctrl('p')], Action::Up, "up"),
    bind(Scope::Palette, &[PAGE_DOWN], Action::PageDown, "a page down"),
    bind(Scope::Palette, &[PAGE_UP], Action::PageUp, "a page up"),
    shown(bind(Scope::Palette, &[ESC], Action::Cancel, "close"), "close", 0),
    bind(Scope::ExportMenu, &[Key::char('h')], Action::Export(Format::Har), "HAR 1.2: browsers, proxies"),
    bind(Scope::ExportMenu, &[Key::char('l')], Action::Export(Format::JsonLines), "JSON lines: jq, scripts"),
    bind(Scope::ExportMenu, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::ExportMenu, &[Key::char('k'), UP], Action::Up, "up"),
    shown(bind(Scope::ExportMenu, &[ENTER], Action::Accept, "write the marked one"), "write", 1),
    shown(bind(Scope::ExportMenu, &[ESC, Key::char('q')], Action::Cancel, "close"), "close", 0),
    shown(bind(Scope::Unlock, &[ENTER], Action::Accept, "hand over the passphrase"), "unlock", 1),
    bind(Scope::Unlock, &[BACKSPACE], Action::Erase, "erase the last character"),
    bind(Scope::Unlock, &[Key::ctrl('u')], Action::EraseAll, "empty the field"),
    shown(
        bind(Scope::Unlock, &[ESC], Action::Cancel, "leave the store locked; the unlock key asks again"),
        "leave locked",
        0,
    ),
    shown(bind(Scope::Confirm, &[Key::char('y')], Action::Accept, "yes"), "yes", 1),
    shown(bind(Scope::Confirm, &[Key::char('n'), ESC, Key::char('q')], Action::Cancel, "no"), "no", 0),
    bind(Scope::Confirm, &[Key::char('l')], Action::Login, "log in instead of sending a refresh token again"),
    shown(
        bind(Scope::Demo, &[Key::char('F')], Action::OpenFaultMenu, "break something: see what manutop makes of it"),
        "faults",
        6,
    ),
    bind(Scope::FaultMenu, &[Key::char('a')], Action::Fault(FaultKind::AllWell), "all well again"),
    bind(
        Scope::FaultMenu,
        &[Key::char('l')],
        Action::Fault(FaultKind::RateLimit),
        "rate limit: 429 for this connection",
    ),
    bind(Scope::FaultMenu, &[Key::char('o')], Action::Fault(FaultKind::Outage), "outage: its provider answers 503"),
    bind(
        Scope::FaultMenu,
        &[Key::char('c')],
        Action::Fault(FaultKind::LostAnswer),
        "cut off: its next answer gets lost",
    ),
    bind(Scope::FaultMenu, &[Key::char('v')], Action::Fault(FaultKind::Revoked), "revoked: its refresh token"),
    bind(Scope::FaultMenu, &[Key::char('s')], Action::Fault(FaultKind::Slow), "slow: its provider takes 5 seconds"),
    bind(Scope::FaultMenu, &[Key::char('w')], Action::Fault(FaultKind::WrongSecret), "wrong client secret"),
    bind(Scope::FaultMenu, &[Key::char('u')], Action::Fault(FaultKind::KeyringLocked), "locked keyring"),
    bind(
        Scope::FaultMenu,
        &[Key::char('n')],
        Action::Fault(FaultKind::KeyringFull),
        "full keyring: takes no new tokens",
    ),
    bind(
        Scope::FaultMenu,
        &[Key::char('b')],
        Action::Fault(FaultKind::RolledBack),
        "backup restored: older tokens in the keyring",
    ),
    bind(
        Scope::FaultMenu,
        &[Key::char('h')],
        Action::Fault(FaultKind::LockHeld),
        "held lock: another process for 10 s",
    ),
    bind(
        Scope::FaultMenu,
        &[Key::char('e')],
        Action::Fault(FaultKind::ShortLived),
        "expiry: a token of 20 s, no refresh",
    ),
    bind(Scope::FaultMenu, &[Key::char('j'), DOWN], Action::Down, "down"),
    bind(Scope::FaultMenu, &[Key::char('k'), UP], Action::Up, "up"),
    shown(bind(Scope::FaultMenu, &[ENTER], Action::Accept, "do the marked one"), "break it", 1),
    shown(bind(Scope::FaultMenu, &[ESC, Key::char('q')], Action::Cancel, "close"), "close", 0),
    bind(
        Scope::Tour,
        &[Key::char(' '), Key::plain(KeyCode::Right)],
        Action::TourNext,
        "on to the next step; first does what this one asks for",
    ),
    bind(Scope::Tour, &[Key::plain(KeyCode::Left)], Action::TourBack, "back to the step before"),
    bind(Scope::TourMain, &[ENTER], Action::TourNext, "likewise"),
    bind(Scope::TourMain, &[ESC], Action::TourEnd, "end the tour (where a filter is set, clears that first)"),
];
