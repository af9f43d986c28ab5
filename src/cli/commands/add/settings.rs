//! The options of `manutop add`: one for each key that a connection has in the configuration file,
//! made from the list that checker, form and file share.

use clap::builder::PossibleValuesParser;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::config::{ConfigField, Draft, FIELDS, FieldKind, fields};
use crate::domain::{ConnectionName, FieldFault};
use crate::oauth::providers;

/// What was given: keys, and their values as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(Vec<(&'static ConfigField, String)>);

/// The fields that are options; the name is an argument of its own.
fn options() -> impl Iterator<Item = &'static ConfigField> {
    FIELDS.iter().filter(|field| field.key != "name")
}

/// The name of a key's option, without its dashes. What is on by default has an option that disables it.
pub(crate) fn option(key: &str) -> String {
    let is_switch = FIELDS.iter().any(|field| field.key == key && field.kind == FieldKind::Switch);
    format!("{}{}", if is_switch { "no-" } else { "" }, key.replace('_', "-"))
}

fn arg(field: &'static ConfigField) -> Arg {
    // What is required and not given is asked for, or reported by the checker.
    let arg = Arg::new(field.key).long(option(field.key)).value_name(field.key.to_uppercase());
    match field.kind {
        FieldKind::Switch => arg.action(ArgAction::SetTrue).help(format!("Disable {}", within_a_sentence(field.help))),
        FieldKind::Provider => {
            let ids = providers::ALL.iter().map(|provider| provider.id);
            arg.value_parser(PossibleValuesParser::new(ids)).help(field.help)
        }
        FieldKind::Text | FieldKind::Url | FieldKind::Command => arg.help(field.help),
    }
}

/// A text without its initial capital, unless it begins with an abbreviation.
fn within_a_sentence(text: &str) -> String {
    match text.split_at_checked(1) {
        Some((first, rest)) if rest.starts_with(char::is_lowercase) => format!("{}{rest}", first.to_lowercase()),
        _ => text.to_owned(),
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        command.args(options().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |field: &'static ConfigField| {
            let text = match field.kind {
                FieldKind::Switch => matches.get_flag(field.key).then(|| "false".to_owned()),
                _ => matches.get_one::<String>(field.key).cloned(),
            };
            text.map(|text| (field, text))
        };
        Ok(Self(options().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Settings {
    /// The connection that these settings describe.
    pub(crate) fn draft(&self, name: Option<&ConnectionName>) -> Draft {
        let mut draft = Draft::default();
        draft.set("name", name.map_or("", ConnectionName::as_str));
        for (field, text) in &self.0 {
            draft.set(field.key, text.as_str());
        }
        draft
    }

    /// The settings that the provider does not support.
    pub(crate) fn foreign(&self, draft: &Draft) -> Vec<FieldFault> {
        let Some(provider) = draft.provider(providers::ALL) else { return Vec::new() };
        let own: Vec<_> = fields(provider).collect();
        let foreign = self.0.iter().filter(|(field, _)| !own.contains(field));
        foreign
            .map(|(field, _)| FieldFault {
                key: field.key,
                what: format!("not supported for {}; remove it", provider.label),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::default_text;

    #[test]
    fn whatever_is_a_switch_is_on_unless_it_is_switched_off() {
        for provider in providers::ALL {
            for field in fields(provider).filter(|field| field.kind == FieldKind::Switch) {
                assert_eq!(default_text(provider, field.key), Some("true"), "{}", field.key);
            }
        }
    }

    #[test]
    fn what_a_switch_disables_is_in_its_help() {
        assert_eq!(within_a_sentence("Automatic refresh"), "automatic refresh");
        assert_eq!(within_a_sentence("PKCE for the login"), "PKCE for the login");
    }

    #[test]
    fn every_key_is_an_option_and_reads_back() {
        let command = Settings::augment_args(Command::new("add"));
        let mut line = vec!["add".to_owned()];
        for field in options() {
            line.push(format!("--{}", option(field.key)));
            match field.kind {
                FieldKind::Switch => {}
                FieldKind::Provider => line.push("manu".into()),
                _ => line.push(format!("of {}", field.key)),
            }
        }
        let settings = Settings::from_arg_matches(&command.try_get_matches_from(line).unwrap()).unwrap();
        let draft = settings.draft(Some(&ConnectionName::new("x").unwrap()));
        for field in FIELDS {
            let wanted = match (field.key, field.kind) {
                ("name", _) => "x".to_owned(),
                (_, FieldKind::Switch) => "false".into(),
                (_, FieldKind::Provider) => "manu".into(),
                (key, _) => format!("of {key}"),
            };
            assert_eq!(draft.get(field.key), wanted);
        }
    }
}
