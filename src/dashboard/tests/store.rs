//! Locked and new secret stores.

use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::fixtures::*;
use crate::dashboard::unlock::UnlockDialog;
use crate::dashboard::*;
use crate::domain::{Command, Event, HostEvent, Secret};

#[test]
fn the_state_prints_no_pasted_code() {
    let mut app = app_of(vec![logging_in("archive", pasted(), None)]);
    press(&mut app, "l");
    paste(&mut app, "SplxlOBeZQQYbYS6WxSbIA");
    assert!(!format!("{app:?}").contains("Splx"));
}

fn dialog(app: &App) -> &UnlockDialog {
    match app.screens.top() {
        Screen::Unlock(dialog) => dialog,
        mode => panic!("no passphrase is asked for in {mode:?}"),
    }
}

#[test]
fn a_locked_store_asks_for_its_passphrase_and_a_wrong_one_is_said_and_asked_for_again() {
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: false, refused: None });
    assert_eq!(press(&mut app, "Enter"), NOTHING);
    assert_eq!(dialog(&app).refused.as_deref(), Some("an empty passphrase protects nothing"));
    assert_eq!(press(&mut app, "q u"), NOTHING, "letters are typed, no keys");
    paste(&mut app, " it s");
    let passphrase = Secret::new("qu it s");
    assert_eq!(press(&mut app, "Enter"), [Command::Unlock { passphrase }]);
    assert_eq!(press(&mut app, "x Enter"), NOTHING, "one at a time");
    learn(&mut app, Event::UnlockEnded(Err("the passphrase is wrong".into())));
    assert!(!dialog(&app).trying && dialog(&app).field.is_empty());
    assert_eq!(dialog(&app).refused.as_deref(), Some("the passphrase is wrong"));
    assert_eq!(press(&mut app, "o k Enter"), [Command::Unlock { passphrase: Secret::new("ok") }]);
    learn(&mut app, Event::UnlockEnded(Ok(())));
    assert_eq!((app.screens.top(), app.banner(), app.passphrase), (&Screen::Main, None, None));
    assert_eq!(press(&mut app, "u"), NOTHING, "there is nothing to unlock any more");
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn a_new_store_asks_for_its_passphrase_twice() {
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    let strong = "correct horse battery staple";
    let choose = |app: &mut App, text: &str| {
        paste(app, text);
        press(app, "Enter")
    };
    assert_eq!(choose(&mut app, strong), NOTHING);
    assert_eq!(choose(&mut app, "correct house battery staple"), NOTHING);
    assert_eq!(dialog(&app).refused.as_deref(), Some("the two were not the same; choose it again"));
    assert_eq!(choose(&mut app, strong), NOTHING);
    assert_eq!(choose(&mut app, strong), [Command::Unlock { passphrase: Secret::new(strong) }]);
}

#[test]
fn a_new_passphrase_that_is_easily_guessed_is_refused_at_once() {
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    paste(&mut app, "hunter2");
    assert_eq!(press(&mut app, "Enter"), NOTHING);
    assert!(dialog(&app).chosen.is_none());
    let why = dialog(&app).refused.as_deref().unwrap();
    assert!(why.contains("7 characters and needs 12") && !why.contains("hunter2"), "{why}");
}

/// No connection, no keyring, and encrypted files in its place.
fn without_a_keyring() -> App {
    let mut app = app_of(Vec::new());
    learn(&mut app, Event::FilesOffered);
    learn(&mut app, Event::StoreChanged(Err("no secret store can be reached".into())));
    app
}

fn is_asked(app: &App) -> bool {
    *app.screens.top() == Screen::Confirm(Question::UseFiles)
}

#[test]
fn without_a_keyring_files_are_offered_before_a_secret_is_typed_and_nothing_typed_is_lost() {
    let mut app = without_a_keyring();
    assert!(app.banner().unwrap().contains("no keyring here: u keeps secrets"), "{:?}", app.banner());
    press(&mut app, "n");
    assert!(is_asked(&app), "{:?}", *app.screens.top());
    press(&mut app, "n Enter n e w Enter i d Enter s 3 c r 3 t");
    assert!(matches!(app.screens.top(), Screen::Form(_)));
    assert_eq!(press(&mut app, "C-s"), NOTHING);
    assert!(is_asked(&app), "a secret cannot be stored yet");
    assert_eq!(press(&mut app, "y"), [Effect::UseFiles]);
    learn(&mut app, Event::Host(HostEvent::FilesChosen(Ok(()))));
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    for _ in 0..2 {
        paste(&mut app, "correct horse battery staple");
        press(&mut app, "Enter");
    }
    learn(&mut app, Event::UnlockEnded(Ok(())));
    let effects = press(&mut app, "C-s");
    let [Effect::Save { draft, client_secret, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((draft.get("name"), client_secret), ("new", &Some(Secret::new("s3cr3t"))));
}

#[test]
fn files_are_not_offered_where_a_keyring_holds_tokens() {
    let mut app = app_of(seven());
    learn(&mut app, Event::FilesOffered);
    learn(&mut app, Event::StoreChanged(Err("no secret store can be reached".into())));
    assert_eq!(press(&mut app, "u"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
}

#[test]
fn a_secret_is_kept_in_the_form_while_the_keyring_is_locked() {
    let mut app = app_of(seven());
    learn(&mut app, Event::StoreChanged(Err("the keyring is locked".into())));
    press(&mut app, "n Enter n e w Enter i d Enter s 3 c r 3 t");
    assert_eq!(press(&mut app, "C-s"), [Command::CheckStore]);
    learn(&mut app, Event::StoreChanged(Ok(())));
    assert!(matches!(press(&mut app, "C-s")[..], [Effect::Save { client_secret: Some(_), .. }]));
}

#[test]
fn a_first_passphrase_is_asked_for_with_the_first_connection() {
    let mut app = app_of(Vec::new());
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    assert_eq!(*app.screens.top(), Screen::Main, "there is nothing to protect yet");
    press(&mut app, "n");
    assert!(dialog(&app).new);
}

#[test]
fn esc_leaves_the_store_locked_and_u_asks_again() {
    let mut app = app_of(seven());
    press(&mut app, "?");
    learn(&mut app, Event::PassphraseAsked { new: false, refused: None });
    assert!(matches!(*app.screens.top(), Screen::Help(_)), "what is read is not torn away");
    assert!(app.banner().unwrap().contains("is locked: press u"));
    assert_eq!(press(&mut app, "Esc u x Esc"), NOTHING);
    assert_eq!(*app.screens.top(), Screen::Main);
    assert!(matches!(press(&mut app, "Enter u")[..], [Effect::Engine(Command::Inspect { .. })]));
    assert!(dialog(&app).field.is_empty(), "what was typed before is gone");
}
