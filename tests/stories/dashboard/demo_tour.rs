//! The guided tour through the real loop: by the key that does everything, and by doing everything
//! oneself.

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::domain::{Clock as _, ConnectionName};

use crate::support::demo::with_demo;
use crate::support::login::LOOPBACK;
use crate::support::rig::Rig;
use crate::support::stage::Person;

/// The connections that the tour talks about.
async fn rig() -> Rig {
    let mut rig = Rig::new();
    for name in ["factory", "warehouse", "sandbox"] {
        let name: ConnectionName = rig.manu(name, LOOPBACK).await;
        if name.as_str() != "sandbox" {
            rig.logged_in(&name, TimeDelta::zero()).await;
        }
    }
    rig
}

async fn on_tour<A: Future<Output = ()>>(size: (u16, u16), act: impl FnOnce(Person) -> A, rig: &Rig) {
    let now = rig.clock.now();
    with_demo(rig, size, move |app| app.with_tour(now), act).await;
}

#[tokio::test]
async fn space_leads_through_all_of_it() {
    let rig = rig().await;
    let walk = async |person: Person| {
        person.sees("Tour 1/14").await;
        person.press(" ");
        person.sees("Tour 2/14").await;
        // Waiting is all there is to do here.
        person.press(" ");
        for (number, outcome) in [
            (3, "● done"),
            (4, "● done"),
            (5, "Log in: sandbox"),
            (6, "● done"),
            (7, "429"),
            (8, "● done"),
            (9, "● done"),
            (10, "● done"),
            (11, "● done"),
        ] {
            person.sees(&format!("Tour {number}/14")).await;
            person.sees("try it").await;
            person.press(" ");
            person.sees(outcome).await;
            person.press(" ");
        }
        person.sees("Tour 12/14").await;
        person.press(" ");
        person.sees("Tour 13/14").await;
        person.sees("try it").await;
        person.press("  ");
        person.sees("Tour 14/14").await;
        person.press(" ");
        person.sees_no_more("Tour").await;
        person.press("q");
    };
    on_tour((80, 24), walk, &rig).await;
}

#[tokio::test]
async fn a_step_done_in_another_way_is_noticed() {
    let rig = rig().await;
    let walk = async |person: Person| {
        person.sees("● live").await;
        person.press(" ");
        person.sees("Tour 2/14").await;
        rig.clock.advance(TimeDelta::seconds(40)); // 60 s before the end it is due
        person.sees("● done").await;
        person.press(" R");
        person.sees("Tour 3/14").await;
        person.sees("● done").await;
        person.press(" c");
        person.sees("Tour 4/14").await;
        person.sees("● done").await;
        person.press(" l");
        person.sees("Tour 5/14").await;
        person.sees("Log in: sandbox").await;
        allow(&rig).await;
        person.sees("● done").await;
        person.press(" F");
        person.sees("Break something: factory").await;
        person.press("l");
        person.sees("Tour 6/14").await;
        person.sees("● done").await;
        person.press(" ");
        person.press_code(KeyCode::Tab, KeyModifiers::NONE);
        person.press_code(KeyCode::Tab, KeyModifiers::NONE);
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("▲ 429").await;
        person.sees("Tour 7/14").await;
        person.sees("● done").await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.press_code(KeyCode::Right, KeyModifiers::NONE);
        person.sees("Tour 8/14").await;
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("● done").await;
        person.press(" Fa");
        person.sees("everything is fixed").await;
        person.sees("Tour 9/14").await;
        person.sees("● done").await;
        person.press(" /live");
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("Tour 10/14").await;
        person.sees("● done").await;
        person.press(" T");
        person.sees("Tour 11/14").await;
        person.sees("● done").await;
        person.press("  ?");
        person.sees("Tour 13/14").await;
        person.sees("● done").await;
        person.press_code(KeyCode::Left, KeyModifiers::NONE);
        person.sees("Tour 12/14").await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.sees_no_more("Tour").await;
        person.press("q");
    };
    on_tour((60, 15), walk, &rig).await;
}

/// Walks the consent page that the login has opened.
async fn allow(rig: &Rig) {
    let browser = crate::support::login::Person::new();
    let url = rig.browser.0.lock().expect("not poisoned").last().expect("a browser was to open it").clone();
    let callback = browser.sent_to(&url, "allow").await;
    assert_eq!(browser.visit(callback).await.0, 200);
}
