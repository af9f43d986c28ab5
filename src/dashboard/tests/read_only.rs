//! Read-only mode: what no key can do in it, wherever it is pressed.

use super::*;
use crate::dashboard::action::Action;
use crate::dashboard::availability;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::keymap::Scope;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::unlock::UnlockDialog;
use crate::domain::{CommandTerminal, OwnCommand, Written};

/// Dashboards with each screen on top, of connections in every state.
fn everywhere() -> Vec<App> {
    let opened = |screen: Screen| {
        let mut app = app_of(seven());
        app.options.demo = true;
        let commands = [OwnCommand {
            key: Written { text: "F5".into(), line: 1, column: 1 },
            name: "mine".into(),
            argv: vec!["true".into()],
            gets_access_token: false,
            terminal: CommandTerminal::Foreground,
        }];
        app.options.keymap = Keymap::configured(&[], &commands).unwrap();
        app.passphrase = Some(true);
        app.read_only = true;
        app.screens.open(screen);
        app
    };
    let confirm = |question| opened(Screen::Confirm(question));
    let form = {
        let mut app = app_of(seven());
        press(&mut app, "e");
        app.screens.top().clone()
    };
    let mut login = LoginDialog::new(name("factory"), true);
    login.typing = true;
    let failed = Screen::LoginFailed { is_import: false, connection: name("factory"), why: "no".into() };
    let mut all = vec![
        opened(Screen::details(name("factory"))),
        opened(Screen::Timeline),
        opened(form),
        opened(Screen::Login(login)),
        opened(failed),
        opened(Screen::Unlock(UnlockDialog::new(true, None))),
        confirm(Question::SendAgain(name("factory"))),
        confirm(Question::Logout(name("factory"))),
        confirm(Question::Delete(name("factory"))),
        confirm(Question::LogoutMarked { connections: vec![name("factory")], hidden: 0 }),
    ];
    for scope in [Scope::CopyMenu, Scope::FaultMenu, Scope::SortMenu, Scope::ExportMenu] {
        all.push(opened(Screen::Menu(Menu::new(scope, Some(name("factory"))))));
    }
    let mut main = opened(Screen::Timeline);
    main.screens.close();
    let mut marked = main.clone();
    marked.connections.toggle_all_marks();
    all.extend([main, marked]);
    all
}

/// Whether a dashboard that only watches may ask for it.
fn only_watches(effect: &Effect) -> bool {
    match effect {
        Effect::Engine(command) => matches!(command, Command::Inspect { .. } | Command::Cancel { .. }),
        Effect::Copy { .. }
        | Effect::CopyNames(_)
        | Effect::CopyRequest(_)
        | Effect::Export { .. }
        | Effect::Log(_)
        | Effect::Mouse(_)
        | Effect::OpenDemo { .. }
        | Effect::Quit
        | Effect::Suspend => true,
        Effect::UseFiles
        | Effect::Save { .. }
        | Effect::Delete { .. }
        | Effect::Fault { .. }
        | Effect::RunCommand(_)
        | Effect::EditConfiguration => false,
    }
}

#[test]
fn no_action_on_any_screen_sends_or_changes_anything() {
    let actions: Vec<Action> = everywhere()[0].options.keymap.bindings().iter().map(|binding| binding.action).collect();
    let mut refused = 0;
    for app in everywhere() {
        for action in &actions {
            let mut app = app.clone();
            refused += usize::from(!availability::of(&app, app.screens.top(), *action, now()).is_available());
            let effects = dispatch::act(&mut app, *action, now());
            let screen = app.screens.top();
            assert!(effects.iter().all(only_watches), "{action:?} on {screen:?}: {effects:?}");
            assert!(app.read_only, "{action:?} leaves it without a question");
        }
    }
    assert!(refused > actions.len());
}

#[test]
fn no_command_with_a_connection_sends_or_changes_anything() {
    let app = everywhere().remove(0);
    let name = app.connections.all()[0].name.clone();
    let before = std::mem::discriminant(app.screens.top());
    for verb in ["login", "refresh", "force-refresh", "test", "logout", "edit", "delete", "auto"] {
        let mut app = app.clone();
        press(&mut app, ":");
        crate::dashboard::fixtures::paste(&mut app, &format!("{verb} {name}"));
        let effects = press(&mut app, "Enter");
        assert!(effects.iter().all(only_watches), "{verb}: {effects:?}");
        assert_eq!(std::mem::discriminant(app.screens.top()), before, "{verb}");
    }
}

#[test]
fn a_refused_key_says_why_and_the_header_shows_the_mode() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "W"), [Command::StandDown]);
    assert_eq!(message_text(&app), "read-only: manutop only watches; W leaves this mode");
    assert_eq!(press(&mut app, "R"), NOTHING);
    assert_eq!(message_text(&app), "read-only: manutop only watches; W leaves this mode");
    let hints = footer::hints(&app, 300, now());
    assert!(!hints.iter().any(|hint| matches!(hint.action, Action::Login | Action::Refresh | Action::Delete)));
    assert_eq!(crate::dashboard::frame::header::header(&app, 120, now()).auto, "read-only");
    assert_eq!(press(&mut app, "c"), [Effect::Copy { connection: name("factory"), what: CopyWhat::AccessToken }]);
}

#[test]
fn leaving_it_asks_and_automatic_refresh_goes_on() {
    let mut app = app_of(seven());
    press(&mut app, "W");
    assert_eq!(press(&mut app, "W n"), NOTHING);
    assert!(app.is_read_only());
    assert_eq!(press(&mut app, "W y"), [Command::TakeOver]);
    assert_eq!(press(&mut app, "R"), [Command::ForceIfSure { connection: name("factory") }]);
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_comes_back() {
    let mut app = app_of(seven());
    assert_eq!(press(&mut app, "M"), [Effect::Mouse(false)]);
    assert_eq!(message_text(&app), "the mouse is off: select with the terminal; M switches it on");
    let first = selected(&app).to_owned();
    point(&mut app, MouseEventKind::ScrollDown, 5, 5);
    assert_eq!(selected(&app), first, "what was on its way does nothing");
    assert_eq!(press(&mut app, "M"), [Effect::Mouse(true)]);
}
