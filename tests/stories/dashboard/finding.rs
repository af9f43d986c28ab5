//! Finding, sorting, marking and grouping, from the key to the screen: the real loop and the real
//! engine, on a terminal in memory.

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::domain::Secret;

use crate::support::rig::Rig;
use crate::support::stage::{FakeHost, Person, Stage};

/// Runs the loop over the rig, without automatic refreshes.
async fn with_dashboard<A: Future<Output = ()>>(rig: &Rig, act: impl FnOnce(Person) -> A) {
    with_host(rig, FakeHost::default(), act).await;
}

async fn with_host<A: Future<Output = ()>>(rig: &Rig, host: FakeHost, act: impl FnOnce(Person) -> A) {
    Stage::with_host(host).play_with(rig, rig.start(false), act).await;
}

fn press(person: &Person, code: KeyCode) {
    person.press_code(code, KeyModifiers::NONE);
}

/// Three connections of Manu with tokens, and one without a login.
async fn rig() -> Rig {
    let mut rig = Rig::new();
    for name in ["warehouse", "factory", "planning"] {
        let connection = rig.manu(name, "http://127.0.0.1/callback").await;
        rig.logged_in(&connection, TimeDelta::zero()).await;
    }
    rig.manu("archive", "http://127.0.0.1/callback").await;
    rig
}

#[tokio::test]
async fn a_filter_finds_by_a_few_letters_and_the_next_key_acts_on_what_it_found() {
    let rig = rig().await;
    with_dashboard(&rig, async |person| {
        person.sees("● 3 live").await;
        person.press("/pnn");
        person.sees("1 of 4").await;
        press(&person, KeyCode::Enter);
        person.press("R");
        person.sees("planning: refreshed, generation 2").await;
        assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn one_key_refreshes_all_marked_with_one_exchange_each() {
    let rig = rig().await;
    let host = FakeHost::default();
    with_host(&rig, host.clone(), async |person| {
        person.sees("● 3 live").await;
        person.press("  R");
        person.looks("two exchanges", |text| text.matches("POST").count() >= 2).await;
        person.sees("2 marked").await;
        assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 2);
        person.press("Cn");
        // News of the refreshes may take the message's place at once, so the clipboard is asked.
        let copied = || host.copied.lock().expect("not poisoned").clone();
        person.looks("the names on the clipboard", |_| !copied().is_empty()).await;
        assert_eq!(copied(), [Secret::new("warehouse\nfactory")]);
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn logging_out_all_marked_asks_once_and_names_what_is_hidden() {
    let rig = rig().await;
    with_dashboard(&rig, async |person| {
        person.sees("● 3 live").await;
        person.press("*/fact");
        press(&person, KeyCode::Enter);
        person.sees("4 marked, 3 hidden").await;
        person.press("o");
        person.sees("Log out 3 connections?").await;
        person.sees("hides 2 of them").await;
        person.clicks("log out all");
        person.sees("○ 4 never logged in").await;
        assert!(rig.vault().read(&rig.connections[0].name).await.expect("readable").record.is_none());
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn a_click_on_a_heading_sorts_and_groups_keep_the_order() {
    let rig = rig().await;
    with_dashboard(&rig, async |person| {
        person.sees("● 3 live").await;
        person.clicks("NAME");
        person.sees_in_order(&["NAME ↑", "archive", "factory", "planning", "warehouse"]).await;
        person.clicks("NAME");
        person.sees_in_order(&["NAME ↓", "warehouse", "planning", "factory", "archive"]).await;
        person.press("p");
        person.sees_in_order(&["▾ Manu Online  4 · ● 3 ○ 1", "warehouse", "planning"]).await;
        press(&person, KeyCode::Left);
        person.sees("▸ Manu Online  4").await;
        person.clicks("○ 1 never");
        person.sees("▸ Manu Online  1 · ○ 1").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn the_palette_does_what_a_key_does() {
    let rig = rig().await;
    with_dashboard(&rig, async |person| {
        person.sees("● 3 live").await;
        person.press(":go plan");
        person.sees(": go plan").await;
        press(&person, KeyCode::Enter);
        person.press(":refresh!");
        person.sees("▸ force-refresh").await;
        press(&person, KeyCode::Enter);
        person.sees("planning: refreshed, generation 2").await;
        person.press("q");
    })
    .await;
}
