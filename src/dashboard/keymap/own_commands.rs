//! The commands of the configuration as lines of the key table: they work wherever a connection's keys do.

use std::borrow::Cow;

use crate::dashboard::action::Action;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::domain::{CommandTerminal, OwnCommand};

/// Commands leave a narrow footer after what is used daily.
const RANK: u8 = 5;

/// The line of the command with this number, on this key, if it has one.
pub(super) fn binding(command: &OwnCommand, number: usize, key: Option<Key>) -> KeyBinding {
    KeyBinding {
        scope: Scope::Connection,
        keys: Cow::Owned(Vec::from_iter(key)),
        action: Action::RunCommand(number),
        help: Cow::Owned(help(command)),
        word: Cow::Owned(command.name.clone()),
        rank: RANK,
    }
}

/// What is said of a command where a fault of its key is reported.
pub(super) fn setting(name: &str) -> String {
    format!("key of command \"{name}\"")
}

/// Puts the lines from `built_in` on behind those of the connection.
pub(super) fn sort_in(bindings: &mut Vec<KeyBinding>, built_in: usize) {
    let own = bindings.split_off(built_in);
    let end = bindings.iter().rposition(|binding| binding.scope == Scope::Connection).map_or(0, |last| last + 1);
    bindings.splice(end..end, own);
}

fn help(command: &OwnCommand) -> String {
    let program = command.argv.first().map_or("", String::as_str);
    let program = program.rsplit('/').next().unwrap_or(program);
    let token = if command.gets_access_token { " with the access token" } else { "" };
    let place = match command.terminal {
        CommandTerminal::Background(_) => "",
        CommandTerminal::Foreground => ", in the terminal",
    };
    format!("{}: runs {program}{token}{place}", command.name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::dashboard::action::Action;
    use crate::dashboard::keymap::{Keymap, Scope};
    use crate::domain::{CommandTerminal, OwnCommand, Rebinding, Written};

    fn written(text: &str) -> Written {
        Written { text: text.into(), line: 3, column: 7 }
    }

    fn command(key: &str, name: &str) -> OwnCommand {
        OwnCommand {
            key: written(key),
            name: name.into(),
            argv: vec!["/home/ada/bin/pull-orders".into()],
            gets_access_token: true,
            terminal: CommandTerminal::Background(Duration::from_secs(1)),
        }
    }

    fn refused(changes: &[Rebinding], commands: &[OwnCommand]) -> Vec<String> {
        let refusals = Keymap::configured(changes, commands).expect_err("refused");
        refusals.iter().map(|r| format!("{}:{} {}: {}", r.line, r.column, r.setting, r.what)).collect()
    }

    #[test]
    fn a_command_is_a_key_of_the_connection_behind_the_built_in_ones() {
        let keymap = Keymap::configured(&[], &[command("F5", "pull"), command("x", "push")]).unwrap();
        let own: Vec<_> = keymap.of(Scope::Connection).skip(Keymap::default().of(Scope::Connection).count()).collect();
        let actions: Vec<_> = own.iter().map(|binding| binding.action).collect();
        assert_eq!(actions, [Action::RunCommand(0), Action::RunCommand(1)]);
        assert_eq!(own[0].help, "pull: runs pull-orders with the access token");
        assert_eq!(keymap.label(Action::RunCommand(1)), "x");
        assert!(!keymap.is_rebound(own[0]));
    }

    #[test]
    fn a_key_that_is_taken_or_none_is_refused_with_its_place_and_the_other() {
        assert_eq!(
            refused(&[], &[command("r", "pull")]),
            [
                r#"3:7 key of command "pull": r is keys.connection.refresh already, which works at the same time; give one of them another key"#
            ]
        );
        assert_eq!(
            refused(&[], &[command("F5", "pull"), command("F5", "push")]),
            [
                r#"3:7 key of command "push": F5 is key of command "pull" already, which works at the same time; give one of them another key"#
            ]
        );
        assert_eq!(
            refused(&[], &[command("Spcae", "pull")]),
            [r#"3:7 key of command "pull": is no key; did you mean space?"#]
        );
        let other = Rebinding { scope: written("main"), action: written("filter"), keys: vec![written("F5")] };
        assert_eq!(refused(&[other], &[command("F5", "pull")]).len(), 1);
    }

    #[test]
    fn a_key_that_was_rebound_is_free() {
        let away = Rebinding { scope: written("connection"), action: written("refresh"), keys: vec![written("F6")] };
        assert!(Keymap::configured(&[away], &[command("r", "pull")]).is_ok());
    }
}
