//! A small configuration out of a large one: the same settings, a few of its connections.

use toml::{Table, Value};

/// The text of a configuration as `text` is, with those connections alone whose place in the file
/// `keep` takes; `None` where `text` is none. Comments and the order of keys are lost.
#[must_use]
pub fn excerpt(text: &str, mut keep: impl FnMut(usize) -> bool) -> Option<String> {
    let mut document: Table = text.strip_prefix('\u{feff}').unwrap_or(text).parse().ok()?;
    if let Value::Array(connections) = document.get_mut("connections")? {
        let mut places = 0..;
        connections.retain(|_| places.next().is_some_and(&mut keep));
    }
    toml::to_string(&document).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, parse};
    use crate::oauth::providers;

    fn read(text: &str) -> Config {
        parse(text, Path::new("config.toml"), providers::ALL).unwrap()
    }

    #[test]
    fn settings_stay_and_only_some_connections_do() {
        let connection = |name: &str| {
            format!(
                "[[connections]]\nname = \"{name}\"\nprovider = \"manus\"\ntitle = \"=\\\"{name}\\\"\"\nclient_id = \"x\"\n"
            )
        };
        let text = ["a", "b", "c"].map(connection).join("# a comment\n");
        let text = format!("\u{feff}theme = \"dark\"\nbell = true\n{text}[keys.main]\nquit = [\"Q\", \"ctrl-x\"]\n");
        let (whole, part) = (read(&text), read(&excerpt(&text, |place| place != 1).unwrap()));
        assert_eq!(part.connections, [whole.connections[0].clone(), whole.connections[2].clone()]);
        assert_eq!(part.keys.len(), whole.keys.len());
        assert_eq!((part.theme, part.bell), (whole.theme, whole.bell));
    }

    #[test]
    fn there_is_none_of_what_is_no_configuration_with_connections() {
        assert_eq!(excerpt("connections = [", |_| true), None);
        assert_eq!(excerpt("theme = \"dark\"", |_| true), None);
    }
}
