//! The commands there are: an action of the key table each, and a few that are no key.

use std::fmt::Write as _;

use crate::dashboard::action::Action;
use crate::dashboard::keymap::{KeyBinding, Keymap, Scope};

/// Where the commands of every screen are in the key table, in the order of the list.
const EVERYWHERE: [Scope; 5] = [Scope::Undo, Scope::Connection, Scope::Main, Scope::Log, Scope::Always];
/// Where the commands of some screens are.
const SOMEWHERE: [Scope; 4] = [Scope::Request, Scope::Timeline, Scope::Demo, Scope::Welcome];

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandKind {
    /// The action.
    Act(Action),
    /// Selects a connection.
    Go,
    /// Shows the request log, filtered.
    Log,
    /// Changes the theme.
    Theme,
}

/// What follows a command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing.
    None,
    /// The name of a connection; without one, the selected or the marked ones.
    Connection,
    /// The name of a connection.
    Place,
    /// An item of this menu; without one, the menu opens.
    Item(Scope),
    /// A theme.
    Theme,
    /// Words to filter by; without them, they are asked for, or the filter stays.
    Words,
}

impl Argument {
    /// How it is written in the list; in brackets where it may be left out.
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Connection => "[NAME]",
            Self::Place => "NAME",
            Self::Item(Scope::SortMenu) => "[COLUMN]",
            Self::Item(Scope::ExportMenu) => "[FORMAT]",
            Self::Item(_) => "[WHAT]",
            Self::Theme => "THEME",
            Self::Words => "[WORDS]",
        }
    }

    /// Whether a command does something without it.
    pub(crate) fn is_optional(self) -> bool {
        !matches!(self, Self::Place | Self::Theme)
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineCommand<'a> {
    /// What it is called.
    pub name: String,
    /// What else it is called.
    pub aliases: &'static [&'static str],
    /// What it does.
    pub kind: CommandKind,
    /// What follows its name.
    pub argument: Argument,
    /// The line of the key table, where it is an action.
    pub binding: Option<&'a KeyBinding>,
    /// What it does, in a few words.
    pub brief: &'a str,
}

impl LineCommand<'_> {
    /// Whether it is called exactly like this, in any case, with `-` or `_`.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        let word = plain(word);
        self.name == word || self.aliases.contains(&word.as_str())
    }

    /// The first of its keys, as it is written.
    pub(crate) fn key(&self) -> String {
        self.binding.map(first_key).unwrap_or_default()
    }
}

/// The first key of a binding, as it is written.
pub(crate) fn first_key(binding: &KeyBinding) -> String {
    binding.keys.first().map(|key| key.label()).unwrap_or_default()
}

/// A word as names are written.
pub(crate) fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// The commands on a screen that has these scopes: its own first.
pub(crate) fn of<'a>(keymap: &'a Keymap, scopes: &[Scope]) -> Vec<LineCommand<'a>> {
    let own = SOMEWHERE.into_iter().filter(|scope| scopes.contains(scope));
    let mut commands: Vec<LineCommand> = Vec::new();
    for binding in own.chain(EVERYWHERE).flat_map(|scope| keymap.of(scope)) {
        let kind = CommandKind::Act(binding.action);
        if !is_left_out(binding.action) && commands.iter().all(|known| known.kind != kind) {
            let (name, aliases) = (binding.command(), binding.aliases());
            let argument = argument(binding);
            commands.push(LineCommand {
                name,
                aliases,
                kind,
                argument,
                binding: Some(binding),
                brief: binding.brief(),
            });
        }
    }
    let own = |name: &str, aliases, kind, argument, brief| {
        let name = name.to_owned();
        LineCommand { name, aliases, kind, argument, binding: None, brief }
    };
    commands.extend([
        own("go", &["goto", "select", "cd"], CommandKind::Go, Argument::Place, "select a connection"),
        own("log", &["logs", "requests"], CommandKind::Log, Argument::Words, "to the requests"),
        own("theme", &["colorscheme", "colourscheme"], CommandKind::Theme, Argument::Theme, "change the colours"),
    ]);
    commands
}

/// The menu that an action opens.
pub(crate) fn menu_of(action: Action) -> Option<Scope> {
    match action {
        Action::OpenSortMenu => Some(Scope::SortMenu),
        Action::OpenCopyMenu => Some(Scope::CopyMenu),
        Action::OpenExportMenu => Some(Scope::ExportMenu),
        Action::OpenFaultMenu => Some(Scope::FaultMenu),
        _ => None,
    }
}

fn argument(binding: &KeyBinding) -> Argument {
    let is_of_all = matches!(binding.action, Action::ToggleAutoAll | Action::Unlock);
    match (menu_of(binding.action), binding.scope, binding.action) {
        (Some(scope), ..) => Argument::Item(scope),
        (None, Scope::Connection, _) if !is_of_all => Argument::Connection,
        (None, _, Action::Open) => Argument::Connection,
        (None, _, Action::Filter) => Argument::Words,
        _ => Argument::None,
    }
}

/// What is of no use on a command line: moving about, and the command line itself.
fn is_left_out(action: Action) -> bool {
    use Action as A;
    action.moves()
        || matches!(action, A::NextPane | A::PreviousPane | A::Fold | A::Unfold | A::OpenPalette)
        || matches!(action, A::Cancel | A::Accept | A::Earlier | A::Later)
}

/// All commands as Markdown, for the documentation.
#[must_use]
pub fn markdown(keymap: &Keymap) -> String {
    let mut text = String::from("| command | | aliases |\n| --- | --- | --- |\n");
    let mut commands = of(keymap, &[]);
    for command in of(keymap, &SOMEWHERE) {
        if commands.iter().all(|known| known.kind != command.kind) {
            commands.push(command);
        }
    }
    for command in commands {
        let placeholder = command.argument.placeholder();
        let space = if placeholder.is_empty() { "" } else { " " };
        let aliases: Vec<_> = command.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let aliases = if aliases.is_empty() { String::new() } else { format!("{} ", aliases.join(", ")) };
        let _ = writeln!(text, "| `{}{space}{placeholder}` | {} | {aliases}|", command.name, command.brief);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_commands_share_a_name_or_an_alias() {
        let keymap = Keymap::default();
        let commands = of(&keymap, &SOMEWHERE);
        let names: Vec<_> = commands.iter().flat_map(|c| c.aliases.iter().copied().chain([c.name.as_str()])).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| plain(name) == *name), "{names:?}");
    }

    #[test]
    fn no_two_items_of_a_menu_share_a_name_or_an_alias() {
        let keymap = Keymap::default();
        for scope in [Scope::SortMenu, Scope::CopyMenu, Scope::ExportMenu, Scope::FaultMenu] {
            let items = keymap.of(scope).filter(|item| !is_left_out(item.action));
            let names: Vec<_> =
                items.flat_map(|c| c.aliases().iter().map(|&a| a.to_owned()).chain([c.argument()])).collect();
            let different: BTreeSet<_> = names.iter().collect();
            assert_eq!(different.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn names_are_those_of_the_actions() {
        let keymap = Keymap::default();
        let commands = of(&keymap, &[]);
        for name in ["login", "force-refresh", "auto", "auto-all", "copy", "sort", "export", "groups", "next-theme"] {
            assert!(commands.iter().any(|command| command.name == name), "{name}");
        }
        for (alias, name) in [("q", "quit"), ("Refresh!", "force-refresh"), ("DETAILS", "open"), ("rm", "delete")] {
            assert_eq!(commands.iter().find(|command| command.is_called(alias)).unwrap().name, name);
        }
    }
}
