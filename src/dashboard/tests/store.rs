//! Locked and new secret stores.

use crate::dashboard::fixtures::*;
use crate::dashboard::unlock::UnlockDialog;
use crate::dashboard::*;
use crate::domain::{Command, Secret};

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
    assert_eq!(press(&mut app, "a Enter b Enter"), NOTHING);
    assert_eq!(dialog(&app).refused.as_deref(), Some("the two were not the same; choose it again"));
    assert_eq!(press(&mut app, "a Enter a Enter"), [Command::Unlock { passphrase: Secret::new("a") }]);
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
