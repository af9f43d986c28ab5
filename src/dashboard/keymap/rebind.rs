//! The keymap as configured: the table with other keys, checked.
//!
//! Invariants of every keymap made here: no key hides another that works at the same time, save
//! where the table itself means it so; every dialog can be left and answered; Ctrl-C quits; what
//! text can be typed into takes every character.

use std::borrow::Cow;

use crate::dashboard::action::Action;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Keymap, Scope, defaults, own_commands};
use crate::domain::text::near_miss;
use crate::domain::{OwnCommand, Rebinding, Written};

/// Why a key cannot have the function it was given, and where that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebindError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The setting: `keys.main.filter`.
    pub setting: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl RebindError {
    fn new(at: &Written, setting: String, what: impl Into<String>) -> Self {
        Self { line: at.line, column: at.column, setting, what: what.into() }
    }
}

impl Keymap {
    /// The table with these changes.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn rebound(changes: &[Rebinding]) -> Result<Self, Vec<RebindError>> {
        Self::configured(changes, &[])
    }

    /// The table with these changes, and with these commands.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn configured(changes: &[Rebinding], commands: &[OwnCommand]) -> Result<Self, Vec<RebindError>> {
        let mut keymap = Self::default();
        let mut refusals = Vec::new();
        let mut taken = Vec::new();
        for change in changes {
            match place(&keymap, change) {
                Ok(at) => {
                    let keys = keys(&keymap.bindings[at], change, &mut refusals);
                    keymap.bindings[at].keys = Cow::Owned(keys.iter().map(|(key, _)| *key).collect());
                    taken.push((at, keys));
                }
                // Every line of an unknown scope has the same fault.
                Err(refusal) if refusals.contains(&refusal) => {}
                Err(refusal) => refusals.push(refusal),
            }
        }
        let built_in = keymap.bindings.len();
        for (number, command) in commands.iter().enumerate() {
            let refuse = |why| refusals.push(RebindError::new(&command.key, own_commands::setting(&command.name), why));
            let key = Key::parse(&command.key.text).map_err(refuse).ok();
            taken.push((keymap.bindings.len(), key.map(|key| (key, &command.key)).into_iter().collect()));
            keymap.bindings.push(own_commands::binding(command, number, key));
        }
        keymap.commands = commands.to_vec();
        for (nth, (at, keys)) in taken.iter().enumerate() {
            // Two changes that conflict are reported once, at the later one.
            let later: Vec<usize> = taken[nth + 1..].iter().map(|(at, _)| *at).collect();
            refusals.extend(keys.iter().filter_map(|(key, word)| clash(&keymap, *at, *key, word, &later)));
        }
        own_commands::sort_in(&mut keymap.bindings, built_in);
        if refusals.is_empty() { Ok(keymap) } else { Err(refusals) }
    }

    /// Whether a binding has other keys than the table gives it.
    #[must_use]
    pub fn is_rebound(&self, binding: &KeyBinding) -> bool {
        default_of(binding).is_some_and(|default| default.keys != binding.keys)
    }
}

fn default_of(binding: &KeyBinding) -> Option<&'static KeyBinding> {
    defaults().find(|default| default.scope == binding.scope && default.action == binding.action)
}

fn setting(binding: &KeyBinding) -> String {
    if matches!(binding.action, Action::RunCommand(_)) {
        return own_commands::setting(&binding.word);
    }
    format!("keys.{}.{}", binding.scope.id(), binding.action.id())
}

/// Where in the keymap the binding stands that is to change.
fn place(keymap: &Keymap, change: &Rebinding) -> Result<usize, RebindError> {
    let scopes = Scope::ALL.map(Scope::id);
    let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.id() == change.scope.text) else {
        let what = unknown("no place where keys work", &change.scope.text, &scopes);
        return Err(RebindError::new(&change.scope, "keys".into(), what));
    };
    let found = keymap.bindings.iter().position(|b| b.scope == scope && b.action.id() == change.action.text);
    found.ok_or_else(|| {
        let actions: Vec<&str> = keymap.of(scope).map(|binding| binding.action.id()).collect();
        let what = unknown("nothing that keys do there", &change.action.text, &actions);
        RebindError::new(&change.action, format!("keys.{}", scope.id()), what)
    })
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match near_miss(word, known) {
        Some(meant) => format!("this is {what}; did you mean {meant}?"),
        None => format!("this is {what}; known are {}", known.join(", ")),
    }
}

/// The keys of a change that can be bound there, each with its word.
fn keys<'c>(binding: &KeyBinding, change: &'c Rebinding, refusals: &mut Vec<RebindError>) -> Vec<(Key, &'c Written)> {
    let mut keys: Vec<(Key, &Written)> = Vec::new();
    let before = refusals.len();
    for word in &change.keys {
        let why = match Key::parse(&word.text) {
            Err(why) => why,
            Ok(key) if keys.iter().any(|(other, _)| *other == key) => "is in this list twice".into(),
            Ok(key) if key.types() && binding.scope.takes_text() => {
                "could not be typed any more; use one with Ctrl or Alt, or one such as F5".into()
            }
            Ok(key) => {
                keys.push((key, word));
                continue;
            }
        };
        refusals.push(RebindError::new(word, setting(binding), why));
    }
    // A list that is short of a faulty key is not to be blamed for that too.
    if before == refusals.len()
        && let Some(why) = lost(binding, &keys)
    {
        refusals.push(RebindError::new(&change.action, setting(binding), why));
    }
    keys
}

/// What could not be done any more if the binding had these keys alone.
fn lost(binding: &KeyBinding, keys: &[(Key, &Written)]) -> Option<&'static str> {
    let has_ctrl_c = keys.iter().any(|(key, _)| *key == Key::ctrl('c'));
    match (binding.scope, binding.action) {
        (Scope::Always, Action::Quit) if !has_ctrl_c => Some("Ctrl-C always quits; add it to the list"),
        (Scope::Main, _) => None,
        (_, Action::Cancel) if keys.is_empty() => Some("needs a key: there would be no way out"),
        (_, Action::Accept) if keys.is_empty() => Some("needs a key: there would be no way to answer"),
        _ => None,
    }
}

/// What prevents the binding at `at` from having this key; bindings in `later` say so themselves.
fn clash(keymap: &Keymap, at: usize, key: Key, word: &Written, later: &[usize]) -> Option<RebindError> {
    let own = &keymap.bindings[at];
    let has = |binding: &KeyBinding| binding.keys.contains(&key);
    let in_the_way = |(place, other): &(usize, &KeyBinding)| {
        *place != at && !later.contains(place) && other.scope.works_with(own.scope) && has(other)
    };
    let (_, other) = keymap.bindings.iter().enumerate().find(in_the_way)?;
    // What the table means so is no fault of the change.
    if default_of(own).is_some_and(has) && default_of(other).is_some_and(has) {
        return None;
    }
    let what = format!(
        "{} is {} already, which works at the same time; give one of them another key",
        key.label(),
        setting(other)
    );
    Some(RebindError::new(word, setting(own), what))
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    fn written(text: &str, column: usize) -> Written {
        Written { text: text.into(), line: 1, column }
    }

    /// A change as the line `scope.action = [keys]`; its words have the columns 1, 2, 3 and on.
    fn change(scope: &str, action: &str, keys: &[&str]) -> Rebinding {
        let keys = keys.iter().enumerate().map(|(at, key)| written(key, at + 3)).collect();
        Rebinding { scope: written(scope, 1), action: written(action, 2), keys }
    }

    fn refused(changes: &[Rebinding]) -> String {
        let refusals = Keymap::rebound(changes).expect_err("refused");
        let lines = refusals.iter().map(|r| format!("{} {}: {}", r.column, r.setting, r.what));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }

    #[test]
    fn what_is_rebound_works_by_its_new_keys_alone() {
        let keymap = Keymap::rebound(&[change("connection", "refresh", &["F5", "Alt-r"])]).unwrap();
        let action = |code, modifiers| keymap.action(&[Scope::Connection], &KeyEvent::new(code, modifiers));
        assert_eq!(action(KeyCode::F(5), KeyModifiers::NONE), Some(Action::Refresh));
        assert_eq!(action(KeyCode::Char('r'), KeyModifiers::ALT), Some(Action::Refresh));
        assert_eq!(action(KeyCode::Char('r'), KeyModifiers::NONE), None);
        assert_eq!(keymap.label(Action::Refresh), "F5");
        let rebound = keymap.bindings().iter().filter(|binding| keymap.is_rebound(binding));
        assert_eq!(rebound.map(|binding| binding.action).collect::<Vec<_>>(), [Action::Refresh]);
    }

    #[test]
    fn an_empty_list_leaves_an_action_without_a_key() {
        let keymap = Keymap::rebound(&[change("connection", "logout", &[]), change("main", "quit", &[])]).unwrap();
        assert_eq!(keymap.label(Action::Logout), "no key");
        assert!(keymap.of(Scope::Connection).any(|binding| binding.action == Action::Logout));
    }

    #[test]
    fn two_keys_can_be_exchanged() {
        let swap = [change("connection", "refresh", &["R"]), change("connection", "force_refresh", &["r"])];
        assert_eq!(Keymap::rebound(&swap).unwrap().label(Action::Refresh), "R");
    }

    #[test]
    fn the_table_s_own_keys_are_never_refused() {
        let keymap = Keymap::default();
        let changes = keymap.bindings().iter().map(|binding| {
            let labels: Vec<String> = binding.keys.iter().map(|key| key.label()).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            change(binding.scope.id(), binding.action.id(), &labels)
        });
        assert_eq!(Keymap::rebound(&changes.collect::<Vec<_>>()), Ok(keymap.clone()));
    }

    #[test]
    fn what_would_do_harm_is_refused_with_its_place_and_reason() {
        for (changes, expected) in [
            (
                vec![change("conection", "refresh", &["x"])],
                "1 keys: this is no place where keys work; did you mean connection?\n",
            ),
            (
                vec![change("confirm", "refresh", &[])],
                "2 keys.confirm: this is nothing that keys do there; known are accept, cancel, login\n",
            ),
            (
                vec![change("main", "fliter", &["x"])],
                "2 keys.main: this is nothing that keys do there; did you mean filter?\n",
            ),
            (vec![change("main", "filter", &["Spcae"])], "3 keys.main.filter: is no key; did you mean space?\n"),
            (vec![change("main", "filter", &["F2", "f2"])], "4 keys.main.filter: is in this list twice\n"),
            (
                vec![change("connection", "refresh", &["F5", "j"])],
                "4 keys.connection.refresh: j is keys.main.down already, which works at the same time; give one of them another key\n",
            ),
            (
                vec![change("connection", "refresh", &["F5"]), change("main", "filter", &["F5"])],
                "3 keys.main.filter: F5 is keys.connection.refresh already, which works at the same time; give one of them another key\n",
            ),
            (
                vec![change("main", "filter", &["Ctrl-C"])],
                "3 keys.main.filter: Ctrl-C is keys.always.quit already, which works at the same time; give one of them another key\n",
            ),
            (
                vec![change("always", "quit", &["Ctrl-Q"])],
                "2 keys.always.quit: Ctrl-C always quits; add it to the list\n",
            ),
            (vec![change("confirm", "cancel", &[])], "2 keys.confirm.cancel: needs a key: there would be no way out\n"),
            (
                vec![change("unlock", "accept", &[])],
                "2 keys.unlock.accept: needs a key: there would be no way to answer\n",
            ),
            (
                vec![change("field", "erase_all", &["x"])],
                "3 keys.field.erase_all: could not be typed any more; use one with Ctrl or Alt, or one such as F5\n",
            ),
            (
                vec![change("always", "suspend", &["Ctrl-A"])],
                "3 keys.always.suspend: Ctrl-A is keys.field.cursor_start already, which works at the same time; give one of them another key\n",
            ),
        ] {
            assert_eq!(refused(&changes), expected);
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let refusals =
            refused(&[change("a", "b", &[]), change("a", "c", &[]), change("main", "quit", &["Ctrl-1", "Ctrl-2"])]);
        assert_eq!(refusals.lines().count(), 3, "{refusals}");
    }
}
