//! What a typed line finds: commands while their name is typed, then what can follow.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::command_palette::commands::{self, Argument, CommandKind, LineCommand, first_key, plain};
use crate::dashboard::command_palette::{Found, PaletteCommand};
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::fuzzy::{Finder, Search};
use crate::dashboard::keymap::KeyBinding;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, availability};
use crate::domain::text::near_miss;
use crate::domain::{ConnectionView, ThemeName};

/// The most lines listed; one more letter finds the others.
const LISTED: usize = 200;
/// How many of the latest are at the top while nothing is typed.
const REMEMBERED: usize = 5;

/// How well a name matches. The order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Letters,
    AliasBegins,
    Beginning,
    Exact,
}

/// A line of the list, and how good it is.
struct Candidate {
    quality: Match,
    score: u32,
    found: Found,
}

/// A typed line in its parts.
struct TypedLine<'a> {
    /// All of it, without the colon and blanks around it.
    line: &'a str,
    /// The command.
    command: &'a str,
    /// What follows the blank behind it, if there is one.
    argument: Option<&'a str>,
}

impl<'a> TypedLine<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.trim_start_matches([':', ' ']);
        let (command, argument) = match text.split_once(char::is_whitespace) {
            Some((command, argument)) => (command, Some(argument.trim())),
            None => (text, None),
        };
        Self { line: text.trim_end(), command, argument }
    }
}

/// The words behind a typed command.
pub(crate) fn words(text: &str) -> &str {
    TypedLine::new(text).argument.unwrap_or_default()
}

/// What a line finds, the best first, and why that is nothing.
pub(crate) fn find(app: &App, text: &str, now: DateTime<Utc>) -> (Vec<Found>, String) {
    let typed = TypedLine::new(text);
    let commands = commands::of(&app.options.keymap, &app.scopes_of(below(app)));
    let called = commands.iter().find(|command| command.is_called(typed.command));
    if let (Some(command), Some(argument)) = (called, typed.argument)
        && command.argument != Argument::None
    {
        let found = best(arguments(app, command, argument, now));
        let fault = if found.is_empty() { argument_fault(app, command, argument) } else { String::new() };
        return (found, fault);
    }
    let found = if typed.line.is_empty() {
        everything(app, &commands, now)
    } else {
        best(matching(app, &commands, typed.line, now))
    };
    let fault = match (found.is_empty(), called) {
        (false, _) => String::new(),
        (true, Some(command)) => format!("{} takes no argument", command.name),
        (true, None) => {
            let names: Vec<&str> = commands.iter().flat_map(|c| c.aliases.iter().copied().chain([&*c.name])).collect();
            unknown("no such command", typed.command, &names)
        }
    };
    (found, fault)
}

/// The screen that the command line was opened from.
pub(crate) fn below(app: &App) -> &Screen {
    app.screens.below(|screen| matches!(screen, Screen::Palette(_)))
}

/// Whether an action is one of the screen below; all others are the main screen's.
pub(crate) fn works_below(app: &App, action: Action) -> bool {
    let keymap = &app.options.keymap;
    app.scopes_of(below(app)).into_iter().any(|scope| keymap.of(scope).any(|binding| binding.action == action))
}

/// Whether an action does something where it would be carried out.
pub(crate) fn availability(app: &App, action: Action, now: DateTime<Utc>) -> availability::Availability {
    let screen = if works_below(app, action) { below(app) } else { &Screen::Main };
    availability::of(app, screen, action, now)
}

fn is_idle(app: &App, command: &LineCommand, now: DateTime<Utc>) -> bool {
    match command.kind {
        CommandKind::Act(action) => !availability(app, action, now).is_available(),
        CommandKind::Go | CommandKind::Log => app.connections.all().is_empty(),
        CommandKind::Theme => false,
    }
}

fn best(mut candidates: Vec<Candidate>) -> Vec<Found> {
    candidates.sort_by_key(|candidate| {
        let is_beginning = matches!(candidate.quality, Match::Beginning | Match::AliasBegins);
        let length = if is_beginning { candidate.found.line.len() } else { 0 };
        (Reverse(candidate.quality), length, Reverse(candidate.score))
    });
    candidates.into_iter().take(LISTED).map(|candidate| candidate.found).collect()
}

/// What can be done now: the latest first, then the commands in the order of the key table.
fn everything(app: &App, commands: &[LineCommand], now: DateTime<Utc>) -> Vec<Found> {
    let place = |found: &Found| app.recent.iter().take(REMEMBERED).position(|line| line.text() == found.line);
    let available = commands.iter().filter(|command| !is_idle(app, command, now));
    let mut found: Vec<_> = available.clone().map(|command| bare(app, command, now)).collect();
    let more = available.flat_map(|command| items(app, command)).chain(places(app));
    found.extend(more.filter(|item| place(item).is_some()));
    found.sort_by_key(|found| place(found).unwrap_or(REMEMBERED));
    found
}

/// The commands, items of menus and connections that match a line.
fn matching(app: &App, commands: &[LineCommand], line: &str, now: DateTime<Utc>) -> Vec<Candidate> {
    let finder = Finder::new(line);
    let mut search = finder.search();
    let mut candidates = Vec::new();
    for command in commands {
        let idle = is_idle(app, command, now);
        let quality = if command.is_called(line) {
            Match::Exact
        } else if command.name.starts_with(&plain(line)) {
            Match::Beginning
        } else if command.aliases.iter().any(|alias| alias.starts_with(&plain(line))) {
            Match::AliasBegins
        } else {
            Match::Letters
        };
        if idle && quality != Match::Exact {
            continue;
        }
        let help = command.binding.map_or("", |binding| &binding.help);
        let names: Vec<&str> = command.aliases.iter().copied().chain([&*command.name]).collect();
        let score = search.named(&names, &format!("{} {help}", command.brief));
        if quality == Match::Letters && score.is_none() {
            continue;
        }
        candidates.push(candidate(quality, score.unwrap_or(0), bare(app, command, now), &mut search));
    }
    let available = commands.iter().filter(|command| !is_idle(app, command, now));
    let more = available.flat_map(|command| items(app, command)).chain(places(app));
    candidates.extend(more.filter_map(|item| by_letters(item, &mut search)));
    candidates
}

fn by_letters(found: Found, search: &mut Search) -> Option<Candidate> {
    let score = search.named(&[&found.line], &found.text)?;
    Some(candidate(Match::Letters, score, found, search))
}

fn candidate(quality: Match, score: u32, mut found: Found, search: &mut Search) -> Candidate {
    found.hits = search.hits(found.name());
    Candidate { quality, score, found }
}

/// A command without an argument.
fn bare(app: &App, command: &LineCommand, now: DateTime<Utc>) -> Found {
    let does = match command.kind {
        _ if !command.argument.is_optional() => PaletteCommand::TypeArgument,
        CommandKind::Act(action) => PaletteCommand::Act { menu: None, action },
        CommandKind::Log => PaletteCommand::Log,
        CommandKind::Go | CommandKind::Theme => PaletteCommand::TypeArgument,
    };
    Found {
        does,
        line: command.name.clone(),
        shown_from: 0,
        placeholder: command.argument.placeholder(),
        text: command.brief.to_owned(),
        keys: command.key(),
        hits: Vec::new(),
        is_idle: is_idle(app, command, now),
    }
}

/// A command with an argument.
fn with(command: &str, argument: &str, does: PaletteCommand, text: impl Into<String>) -> Found {
    Found {
        does,
        line: format!("{command} {argument}"),
        shown_from: 0,
        placeholder: "",
        text: text.into(),
        keys: String::new(),
        hits: Vec::new(),
        is_idle: false,
    }
}

/// The items of the menu that a command opens.
fn items<'a>(app: &'a App, command: &'a LineCommand) -> impl Iterator<Item = Found> + 'a {
    let scope = if let Argument::Item(scope) = command.argument { Some(scope) } else { None };
    let opener = if let CommandKind::Act(action) = command.kind { Some(action) } else { None };
    scope.into_iter().flat_map(move |scope| {
        Menu::new(scope, None).items(&app.options.keymap).map(move |binding| {
            let does = PaletteCommand::Act { menu: opener, action: binding.action };
            let keys = format!("{} {}", command.key(), first_key(binding));
            Found { keys, ..with(&command.name, &binding.argument(), does, binding.brief()) }
        })
    })
}

/// Every connection, to go to.
fn places(app: &App) -> impl Iterator<Item = Found> {
    app.connections.all().iter().map(|view| {
        with(
            "go",
            view.name.as_str(),
            PaletteCommand::GoTo(view.name.clone()),
            view.title.as_deref().unwrap_or_default(),
        )
    })
}

/// What can follow a command, as far as it is typed.
fn arguments(app: &App, command: &LineCommand, typed: &str, now: DateTime<Utc>) -> Vec<Candidate> {
    let finder = Finder::new(typed);
    let mut search = finder.search();
    let word = plain(typed);
    let mut candidates = Vec::new();
    if typed.is_empty() && command.argument.is_optional() {
        let found = bare(app, command, now);
        candidates.push(Candidate { quality: Match::Exact, score: 0, found });
    }
    let mut take = |found: Found, aliases: &[&str]| {
        let from = command.name.len() + 1;
        let found = Found { shown_from: from, ..found };
        let name = plain(found.name());
        let quality = if !typed.is_empty() && (name == word || aliases.contains(&&*word)) {
            Match::Exact
        } else if !typed.is_empty() && (name.starts_with(&*word) || aliases.iter().any(|a| a.starts_with(&*word))) {
            Match::Beginning
        } else {
            Match::Letters
        };
        let is_shown = !found.is_idle || quality == Match::Exact;
        let score = search.named(&[found.name()], &found.text);
        if is_shown && (quality != Match::Letters || score.is_some()) {
            candidates.push(candidate(quality, score.unwrap_or(0), found, &mut search));
        }
    };
    match command.argument {
        Argument::None => {}
        Argument::Connection | Argument::Place => {
            for view in app.connections.all() {
                take(connection(app, command, view, now), &[]);
            }
        }
        Argument::Item(scope) => {
            for (item, binding) in items(app, command).zip(Menu::new(scope, None).items(&app.options.keymap)) {
                take(item, binding.aliases());
            }
        }
        Argument::Theme => {
            for theme in ThemeName::ALL {
                let text = if theme == app.options.appearance.theme { "in use" } else { about(theme) };
                // `color-blind`, too.
                let is_called = typed.parse() == Ok(theme);
                let found = with(&command.name, theme.word(), PaletteCommand::Theme(theme), text);
                let aliases = [word.as_str()];
                take(found, if is_called { &aliases } else { &[] });
            }
        }
        Argument::Words if typed.is_empty() => {}
        Argument::Words => {
            let pane = if command.kind == CommandKind::Log { Pane::Requests } else { Pane::Connections };
            let does = PaletteCommand::Filter(pane);
            let text = "show only what matches".to_owned();
            let found = Found { does, text, placeholder: "", ..bare(app, command, now) };
            candidates.push(Candidate { quality: Match::Exact, score: 0, found });
        }
    }
    candidates
}

fn connection(app: &App, command: &LineCommand, view: &ConnectionView, now: DateTime<Utc>) -> Found {
    let text = format!("{} · {}", view.provider.label, view.status(now).word());
    match command.kind {
        CommandKind::Act(action) => {
            let does = PaletteCommand::With { connection: view.name.clone(), action };
            let is_idle = !availability::with(app, view, action).is_available();
            Found { is_idle, ..with(&command.name, view.name.as_str(), does, text) }
        }
        _ => with(&command.name, view.name.as_str(), PaletteCommand::GoTo(view.name.clone()), text),
    }
}

fn about(theme: ThemeName) -> &'static str {
    match theme {
        ThemeName::Auto => "as the terminal reports",
        ThemeName::Dark => "for dark backgrounds",
        ThemeName::Light => "for light backgrounds",
        ThemeName::HighContrast => "contrasts of 7:1 and more",
        ThemeName::ColourBlind => "for colour-blind people",
        ThemeName::Sixteen => "the terminal's own colours",
        ThemeName::None => "no colours",
    }
}

/// Why an argument finds nothing. It is not repeated: it is in the field above.
fn argument_fault(app: &App, command: &LineCommand, typed: &str) -> String {
    match command.argument {
        Argument::Connection | Argument::Place => {
            let names: Vec<&str> = app.connections.all().iter().map(|view| view.name.as_str()).collect();
            unknown("no connection has this name", typed, &names)
        }
        Argument::Theme => known("no such theme", typed, &ThemeName::ALL.map(|theme| theme.word().to_owned())),
        Argument::Item(scope) => {
            let menu = Menu::new(scope, None);
            let names: Vec<String> = menu.items(&app.options.keymap).map(KeyBinding::argument).collect();
            known(&format!("{} does not know this", command.name), typed, &names)
        }
        Argument::None | Argument::Words => String::new(),
    }
}

fn unknown(what: &str, word: &str, names: &[&str]) -> String {
    let meant = near_miss(word, names);
    meant.map_or_else(|| what.to_owned(), |meant| format!("{what}; did you mean {meant}?"))
}

fn known(what: &str, word: &str, names: &[String]) -> String {
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    match near_miss(word, &all) {
        Some(meant) => format!("{what}; did you mean {meant}?"),
        None => format!("{what}; known are {}", all.join(", ")),
    }
}
