//! `[[commands]]` tables: programs of the user's on keys. Whether a key is free, the dashboard's keymap knows.

use std::time::Duration;

use toml::de::DeTable;

use crate::config::section::{FaultCollector, Section};
use crate::config::text::{near_miss, position, quoted};
use crate::domain::own_command::{PLACEHOLDERS, placeholders};
use crate::domain::{CommandTerminal, OwnCommand, Written};

/// The keys of a command.
pub(super) const KEYS: &[&str] = &["key", "name", "argv", "secrets", "terminal", "timeout_seconds"];

const EXAMPLE: &str = r#"["/home/ada/bin/pull", "{connection}"]"#;
/// The most columns of a name: it stands in the footer.
const LONGEST_NAME: usize = 24;
/// How long a command in the background may run, where it does not say.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The most there can be.
const MOST: usize = 64;

/// Every command without fault; the others leave their faults in the report.
pub(super) fn read(report: &mut FaultCollector<'_>, text: &str, tables: &[(usize, &DeTable<'_>)]) -> Vec<OwnCommand> {
    if let Some((header, _)) = tables.get(MOST) {
        report.add(*header, "commands".into(), format!("more than {MOST} commands; remove some"));
    }
    let read = |(number, (header, table)): (usize, &(usize, &DeTable<'_>))| {
        let name = table.get("name").and_then(|name| name.get_ref().as_str()).map(quoted);
        let label = name.unwrap_or_else(|| (number + 1).to_string());
        command(&mut Section::of_command(table, *header, label, report), text)
    };
    tables.iter().take(MOST).enumerate().filter_map(read).collect()
}

fn command(section: &mut Section<'_, '_>, text: &str) -> Option<OwnCommand> {
    section.refuse_unknown_keys(KEYS);
    let key = section.required_string("key", "\"F5\"").map(|key| {
        let (line, column) = position(text, section.place_of("key"));
        Written { text: key.to_owned(), line, column }
    });
    let name = name(section);
    let argv = argv(section);
    let gets_access_token = secrets(section);
    let terminal = terminal(section);
    Some(OwnCommand { key: key?, name: name?, argv: argv?, gets_access_token, terminal: terminal? })
}

fn name(section: &mut Section<'_, '_>) -> Option<String> {
    use unicode_width::UnicodeWidthStr as _;
    let name = section.required_string("name", "\"pull orders\"")?.trim();
    if name.width() > LONGEST_NAME || name.chars().any(char::is_control) {
        section.fault("name", format!("must be one line of at most {LONGEST_NAME} columns: it stands in the footer"));
        return None;
    }
    Some(name.to_owned())
}

fn argv(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    if section.is_absent("argv") {
        section.fault("argv", format!("missing; add a line such as argv = {EXAMPLE}"));
    }
    let argv = section.strings("argv", EXAMPLE)?;
    let program = argv.first().map_or("", |program| program.trim());
    let unknown = argv.iter().flat_map(|word| placeholders(word)).find(|name| !PLACEHOLDERS.contains(name));
    let fault = if program.is_empty() {
        format!("names no program; set for example {EXAMPLE}")
    } else if program.starts_with('~') {
        "no shell reads it, so ~ means nothing; write the whole path".to_owned()
    } else if let Some(name) = unknown {
        let meant = near_miss(name, &PLACEHOLDERS).map(|meant| format!("; did you mean {{{meant}}}?"));
        let known = || format!("; known are {}", PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", "));
        format!("has an unknown placeholder{}", meant.unwrap_or_else(known))
    } else {
        return Some(argv);
    };
    section.fault("argv", fault);
    None
}

/// Whether the program gets the access token.
fn secrets(section: &mut Section<'_, '_>) -> bool {
    let Some(wanted) = section.strings("secrets", "[\"access_token\"]") else { return false };
    for word in &wanted {
        match word.as_str() {
            "access_token" => {}
            "refresh_token" => section.fault(
                "secrets",
                "no program gets the refresh token: using it elsewhere can end the login; \"access_token\" is possible",
            ),
            _ => section.fault("secrets", "can only be [\"access_token\"], or [] for none"),
        }
    }
    !wanted.is_empty()
}

fn terminal(section: &mut Section<'_, '_>) -> Option<CommandTerminal> {
    let timeout = section.seconds("timeout_seconds", 1..=86_400).map_or(TIMEOUT, Duration::from_secs);
    match section.string("terminal") {
        None | Some("background") => Some(CommandTerminal::Background(timeout)),
        Some("foreground") => {
            section.refuse_keys(&["timeout_seconds"], "only for terminal = \"background\"; remove the line");
            Some(CommandTerminal::Foreground)
        }
        Some(_) => {
            section.fault("terminal", "must be \"background\" or \"foreground\" (in the dashboard's place)");
            None
        }
    }
}
