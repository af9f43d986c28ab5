//! The welcome: what to do while there is no connection yet.

use crate::dashboard::DashboardOptions;
use crate::dashboard::action::Action;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone};
use crate::domain::text::neutralise;

/// A complete configuration of one connection with each kind of grant.
const EXAMPLE: &str = r#"[[connections]]
name = "factory"
provider = "manu"
client_id = "..."
redirect_uri = "http://127.0.0.1:8400/callback"

[[connections]]
name = "hr-sync"
provider = "manus"
client_id = "tm_..."
"#;

/// How to add the first connection.
#[must_use]
pub fn sheet(options: &DashboardOptions) -> Sheet {
    let heading = |text: &str| SheetLine::new("", text, Tone::Heading);
    let key = |action, text: &str| SheetLine::new(options.keymap.label(action), text, Tone::Step);
    let mut lines = vec![
        heading("Welcome to manutop. There are no connections yet."),
        key(Action::New, "add one: a form asks for what is needed, the client secret included"),
        key(Action::Help, "every key there is"),
        key(Action::Quit, "quit"),
        SheetLine::blank(),
        heading("Only looking? Servers and connections without an account:"),
        SheetLine::new("", "manutop demo", Tone::Literal),
        SheetLine::blank(),
        heading("Or write your connections into this file; it is read as soon as it is saved:"),
        SheetLine::new("", neutralise(&options.config_file.display().to_string(), 500), Tone::Literal),
    ];
    lines.extend(EXAMPLE.lines().map(|line| SheetLine::new("", line, Tone::Literal)));
    lines.extend([
        SheetLine::blank(),
        heading("and give each its client secret; it goes into the secret store, not into the file:"),
        SheetLine::new("", "manutop secret set factory", Tone::Literal),
        SheetLine::blank(),
        heading("Then log in, or take over a refresh token from Postman or another program:"),
        SheetLine::new("", "manutop login factory", Tone::Literal),
        SheetLine::new("", "manutop import factory", Tone::Literal),
    ]);
    Sheet { lines, label_width: 3 }
}

#[cfg(test)]
mod tests {
    use super::EXAMPLE;
    use crate::domain::ConnectionName;

    #[test]
    fn the_example_is_toml_with_one_connection_of_each_provider() {
        let table: toml::Table = EXAMPLE.parse().unwrap();
        let connections = table["connections"].as_array().unwrap();
        let providers: Vec<_> = connections.iter().map(|c| c["provider"].as_str().unwrap()).collect();
        assert_eq!(providers, ["manu", "manus"]);
        assert!(connections.iter().all(|c| ConnectionName::new(c["name"].as_str().unwrap()).is_ok()));
    }
}
