//! What the user wrote down: the configuration file, read and checked; and changed: the store in
//! use, after a move ([`set_store`]), and single connections, by a form ([`Draft`]).
//!
//! Invariants: a [`Config`] that exists is complete and allowed (unique names, known providers,
//! `https` or loopback endpoints), and was read from a file that no other user could change; every fault names file, line, column and key; no message
//! repeats a value that could be a secret.

mod change_error;
mod commands;
mod comments;
mod connection;
mod draft;
mod edit;
mod error;
mod fields;
mod in_place;
mod keys;
mod original;
mod paths;
mod present;
mod replace;
mod replace_place;
mod section;
mod text;
mod urls;
mod view;

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

pub use crate::config::change_error::ChangeError;
pub use crate::config::draft::{Draft, settings};
pub use crate::config::edit::{
    add_connection, can_add_connection, can_remove_connection, can_rename_connection, can_set_store, change_connection,
    remove_connection, rename_connection, set_store,
};
pub use crate::config::error::{ConfigError, ConfigFault};
pub use crate::config::fields::{ConfigField, FIELDS, FieldKind, default_text, fields, suggested_text};
pub use crate::config::in_place::{Copies, interrupted};
pub use crate::config::original::Original;
pub use crate::config::paths::Paths;
use crate::config::section::{FaultCollector, Section};
pub use crate::config::view::COLUMNS;
use crate::domain::{
    AfterLostAnswer, Colours, Connection, DEFAULT_LOG_LIMIT, OwnCommand, Provider, Rebinding, ThemeName,
};
pub(crate) use crate::local_server::is_loopback;
use crate::trust;
use crate::trust::Purpose;

/// The largest configuration file that is read, in bytes.
pub const MAX_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// A mebibyte, in bytes.
const MIB: u64 = 1024 * 1024;

const KEYS: &[&str] = &[
    "store",
    "clipboard_clear_seconds",
    "login_timeout_seconds",
    "notify",
    "bell",
    "on_event",
    "token_socket",
    "after_lost_answer",
    "theme",
    "colors",
    "columns",
    "request_log_mib",
    "mouse",
    "read_only",
    "keys",
    "commands",
    "connections",
];

const ON_EVENT_EXAMPLE: &str = r#"["/home/ada/bin/notify-team"]"#;

/// Every key there is, for the documentation to be held against: the file's own, those of a
/// connection, those of a command.
pub fn known_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().chain(fields::KEYS).chain(commands::KEYS).copied()
}

/// The configuration file, complete with defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct Config {
    /// Where tokens and client secrets are kept.
    pub store: StoreKind,
    /// The connections, in the order of the file.
    pub connections: Vec<Connection>,
    /// After how long a copied secret is cleared from the clipboard; `None` for never.
    pub clipboard_clear: Option<Duration>,
    /// How long a login waits for a person.
    pub login_timeout: Duration,
    /// How the dashboard notifies of a connection that needs a person.
    pub notify: NotifySettings,
    /// Whether it rings the terminal's bell with it.
    pub bell: bool,
    /// The program, and its arguments, that is run for each event; `None` runs none.
    pub on_event: Option<Vec<String>>,
    /// What happens after a refresh token was sent and its answer lost, where a connection does not say.
    pub after_lost_answer: AfterLostAnswer,
    /// Whether dashboard and keepalive service give commands the tokens they hold, from their start on.
    pub token_socket: bool,
    /// How the dashboard is to look.
    pub theme: ThemeName,
    /// Colours on top of the theme.
    pub colors: Colours,
    /// The columns of the dashboard's table, from left to right; `None` for those that fit.
    pub columns: Option<Vec<String>>,
    /// How large the request log on disk may grow, in bytes.
    pub request_log: u64,
    /// Whether the dashboard reports the mouse to itself at its start.
    pub mouse: bool,
    /// Whether the dashboard only watches.
    pub read_only: bool,
    /// Which keys do what instead of the built-in ones, in the order of the file. Not checked yet:
    /// what they mean the dashboard's keymap knows.
    pub keys: Vec<Rebinding>,
    /// Programs of the user's on keys, in the order of the file.
    pub commands: Vec<OwnCommand>,
}

/// How the dashboard notifies of a connection that needs a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NotifySettings {
    /// By the desktop, and where there is none by the terminal.
    #[default]
    Desktop,
    /// By the terminal (OSC 9).
    Terminal,
    /// Not beyond the screen.
    Off,
}

/// Where tokens and client secrets are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StoreKind {
    /// The desktop's keyring.
    #[default]
    Keyring,
    /// An encrypted file in the data directory. Only ever chosen by the user.
    File,
}

impl StoreKind {
    /// The word for it in the configuration file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    /// The kind that is not this one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Keyring => Self::File,
            Self::File => Self::Keyring,
        }
    }
}

impl Default for Config {
    /// What an empty file means.
    fn default() -> Self {
        Self {
            store: StoreKind::default(),
            connections: Vec::new(),
            clipboard_clear: Some(Duration::from_secs(45)),
            login_timeout: Duration::from_secs(300),
            notify: NotifySettings::default(),
            bell: false,
            on_event: None,
            token_socket: true,
            after_lost_answer: AfterLostAnswer::default(),
            theme: ThemeName::default(),
            colors: Colours::NONE,
            columns: None,
            request_log: DEFAULT_LOG_LIMIT,
            mouse: true,
            read_only: false,
            keys: Vec::new(),
            commands: Vec::new(),
        }
    }
}

/// Reads and checks the configuration file; `None` when there is no such file.
///
/// # Errors
/// When the file exists and cannot be read, could be changed by other users, is too large, is not UTF-8, or has faults.
pub fn load(file: &Path, providers: &'static [&'static Provider]) -> Result<Option<Config>, ConfigError> {
    read(file)?.map(|text| parse(&text, file, providers)).transpose()
}

/// Reads the text of the configuration file; `None` when there is no such file.
///
/// # Errors
/// When the file exists and cannot be read, could be changed by other users, is too large, or is not UTF-8.
pub fn read(file: &Path) -> Result<Option<String>, ConfigError> {
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { file: file.to_owned(), source }),
    };
    trust::check(file, Purpose::Configuration)?;
    let mut bytes = Vec::new();
    opened
        .take(MAX_FILE_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(ConfigError::TooLarge { file: file.to_owned() });
    }
    String::from_utf8(in_place::whole(file, bytes)).map(Some).map_err(|error| {
        let before = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let (line, column) = text::position(&before, before.len());
        ConfigError::NotUtf8 { file: file.to_owned(), line, column }
    })
}

/// The keys that the text of a configuration file asks for, and the commands on keys of their own, whatever else is
/// wrong with it; none where it is no TOML.
#[must_use]
pub fn keys_in(text: &str) -> (Vec<Rebinding>, Vec<OwnCommand>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut report = FaultCollector::new(text);
    let tables = section::tables(&mut report, document.get_ref(), "commands", "command");
    let commands = commands::read(&mut report, text, &tables);
    (keys::read(&mut report, text, document.get_ref()), commands)
}

/// Checks the text of a configuration file; `file` is only named in errors.
///
/// # Errors
/// [`ConfigError::Invalid`] with every fault found, in the order of the file.
pub fn parse(text: &str, file: &Path, providers: &'static [&'static Provider]) -> Result<Config, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    // A document that was guessed together from broken text would only breed misleading faults.
    let result = if syntax_errors.is_empty() {
        check(text, document.get_ref(), providers)
    } else {
        Err(error::syntax_faults(text, &syntax_errors))
    };
    result.map_err(|faults| ConfigError::Invalid { file: file.to_owned(), faults })
}

fn check(
    text: &str,
    document: &DeTable<'_>,
    providers: &'static [&'static Provider],
) -> Result<Config, Vec<ConfigFault>> {
    let mut report = FaultCollector::new(text);
    let mut top = Section::new(document, 0, None, &mut report);
    let defaults = Config::default();
    top.refuse_unknown_keys(KEYS);
    let store = store_kind(&mut top);
    let clipboard_clear = top
        .seconds("clipboard_clear_seconds", 0..=86_400)
        .map_or(defaults.clipboard_clear, |seconds| (seconds > 0).then(|| Duration::from_secs(seconds)));
    let login_timeout =
        top.seconds("login_timeout_seconds", 10..=3600).map_or(defaults.login_timeout, Duration::from_secs);
    let notify = notify(&mut top);
    let bell = top.boolean("bell").unwrap_or(defaults.bell);
    let token_socket = top.boolean("token_socket").unwrap_or(defaults.token_socket);
    let after_lost_answer = connection::after_lost_answer(&mut top).unwrap_or(defaults.after_lost_answer);
    let on_event = on_event(&mut top);
    let theme = theme(&mut top);
    let columns = view::columns(&mut top);
    let request_log =
        top.number("request_log_mib", 4..=4096, "MiB").map_or(defaults.request_log, |mebibytes| mebibytes * MIB);
    let mouse = top.boolean("mouse").unwrap_or(defaults.mouse);
    let read_only = top.boolean("read_only").unwrap_or(defaults.read_only);
    let tables = section::tables(&mut report, document, "connections", "connection");
    let connections = connections(&mut report, &tables, after_lost_answer, providers);
    let keys = keys::read(&mut report, text, document);
    let tables = section::tables(&mut report, document, "commands", "command");
    let commands = commands::read(&mut report, text, &tables);
    let colors = view::colours(&mut report, document);
    let faults = report.into_faults();
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Config {
        store,
        connections,
        clipboard_clear,
        login_timeout,
        notify,
        bell,
        on_event,
        after_lost_answer,
        token_socket,
        theme,
        colors,
        columns,
        request_log,
        mouse,
        read_only,
        keys,
        commands,
    })
}

fn notify(top: &mut Section<'_, '_>) -> NotifySettings {
    match top.string("notify") {
        None | Some("desktop") => NotifySettings::Desktop,
        Some("terminal") => NotifySettings::Terminal,
        Some("off") => NotifySettings::Off,
        Some(_) => {
            top.fault("notify", "must be \"desktop\", \"terminal\" or \"off\"");
            NotifySettings::default()
        }
    }
}

fn on_event(top: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let command = top.strings("on_event", ON_EVENT_EXAMPLE)?;
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        top.fault("on_event", format!("names no program; set for example {ON_EVENT_EXAMPLE}, or remove it"));
        return None;
    }
    Some(command)
}

fn store_kind(top: &mut Section<'_, '_>) -> StoreKind {
    match top.string("store") {
        None | Some("keyring") => StoreKind::Keyring,
        Some("file") => StoreKind::File,
        Some(_) => {
            top.fault("store", "must be \"keyring\" or \"file\" (encrypted)");
            StoreKind::Keyring
        }
    }
}

fn theme(top: &mut Section<'_, '_>) -> ThemeName {
    let theme = top.string("theme").map_or(Ok(ThemeName::default()), str::parse);
    theme.unwrap_or_else(|why| {
        top.fault("theme", why);
        ThemeName::default()
    })
}

/// Every connection without fault; the others leave their faults in the report.
fn connections(
    report: &mut FaultCollector<'_>,
    tables: &[(usize, &DeTable<'_>)],
    after_lost_answer: AfterLostAnswer,
    providers: &'static [&'static Provider],
) -> Vec<Connection> {
    let mut places_of_names = HashMap::new();
    let mut connections = Vec::new();
    for (header, table) in tables {
        let label = table.get("name").and_then(|name| name.get_ref().as_str()).map(text::quoted);
        let mut section = Section::new(table, *header, label, report);
        let connection = connection::read(&mut section, after_lost_answer, providers);
        if let Some(name) = section.string_quietly("name") {
            let place = section.place_of("name");
            // Names become file names, and many file systems do not distinguish case.
            let first = *places_of_names.entry(name.to_ascii_lowercase()).or_insert(place);
            if first != place {
                let (first, line) = (section.line(first), section.line(place));
                section.fault(
                    "name",
                    format!(
                        "is already the name of the connection on line {first} (upper and lower case count as the \
                         same); give the one on line {line} another"
                    ),
                );
            }
        }
        connections.extend(connection);
    }
    connections
}
