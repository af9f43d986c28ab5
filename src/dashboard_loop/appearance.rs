//! What the configuration says of keys and colours, made into what the dashboard takes: at the
//! start, and whenever the file is read again.

use std::ffi::OsString;
use std::path::Path;

use crate::config::{Config, ConfigError, ConfigFault};
use crate::dashboard::keymap::Keymap;
use crate::domain::{Depth, OwnCommand, Rebinding};

/// The keymap with the configuration's changes ([`Config::keys`]) and commands ([`Config::commands`]); `file` is only
/// named in errors.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that is wrong with them, in the order of the file.
pub fn keymap(keys: &[Rebinding], commands: &[OwnCommand], file: &Path) -> Result<Keymap, ConfigError> {
    Keymap::configured(keys, commands).map_err(|refusals| {
        let fault = |refusal: crate::dashboard::keymap::rebind::RebindError| ConfigFault {
            line: refusal.line,
            column: refusal.column,
            key: refusal.setting,
            what: refusal.what,
        };
        let mut faults: Vec<ConfigFault> = refusals.into_iter().map(fault).collect();
        faults.sort();
        ConfigError::Invalid { file: file.to_owned(), faults }
    })
}

/// Checks the keys of a configuration, see [`keymap`].
///
/// # Errors
/// As [`keymap`].
pub fn check_keys(config: &Config, file: &Path) -> Result<(), ConfigError> {
    keymap(&config.keys, &config.commands, file).map(drop)
}

/// How many colours the terminal has, by what the environment says. Nothing but what a terminal
/// is known for counts: one that has 256 colours and does not say so gets along with 16.
#[must_use]
pub fn depth(variable: impl Fn(&str) -> Option<OsString>) -> Depth {
    // <https://no-color.org>: present and not empty.
    if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return Depth::None;
    }
    let many = text(&variable, "TERM").contains("256color");
    if many || has_exact_colours(variable) { Depth::Many } else { Depth::Sixteen }
}

/// Whether the terminal shows every shade, by what the environment says.
#[must_use]
pub fn has_exact_colours(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_direct = text(&variable, "TERM").ends_with("-direct") || !text(&variable, "WT_SESSION").is_empty();
    is_direct || matches!(text(&variable, "COLORTERM").as_str(), "truecolor" | "24bit")
}

fn text(variable: impl Fn(&str) -> Option<OsString>, name: &str) -> String {
    variable(name).and_then(|value| value.into_string().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_says_so_has_many_colours() {
        for (variables, wanted) in [
            (&[][..], Depth::Sixteen),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "linux"), ("COLORTERM", "yes")], Depth::Sixteen),
            (&[("TERM", "xterm-256color")], Depth::Many),
            (&[("TERM", "xterm-direct")], Depth::Many),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], Depth::Many),
            (&[("WT_SESSION", "1")], Depth::Many),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Depth::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Depth::Many),
        ] {
            let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            assert_eq!(depth(get), wanted, "{variables:?}");
        }
    }
}
