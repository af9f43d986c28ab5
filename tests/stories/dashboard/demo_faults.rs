//! The demo's faults, from the key to the screen: each shows its state at once, and "fix everything" leads back to a live
//! token, also where only a person could help in earnest.

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};

use crate::support::demo::with_demo;
use crate::support::login::LOOPBACK;
use crate::support::rig::Rig;
use crate::support::stage::Person;

async fn factory() -> Rig {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig
}

/// Runs the demo's dashboard on a screen of this size for these steps, then quits.
async fn in_demo(rig: &Rig, size: (u16, u16), steps: impl AsyncFnOnce(&Person)) {
    let act = async |person: Person| {
        steps(&person).await;
        person.press("q");
    };
    with_demo(rig, size, |app| app, act).await;
}

/// Breaks something, sees the state it leads to, and fixes everything with one key.
async fn there_and_back(key: &str, state: &str) {
    let rig = factory().await;
    in_demo(&rig, (120, 32), async |person| {
        person.sees("● live").await;
        person.press("F");
        person.sees("Break something: factory").await;
        person.press(key);
        person.sees(state).await;
        person.press("Fa");
        person.sees("everything is fixed").await;
        person.sees("● live").await;
        person.sees_no_more(state).await;
    })
    .await;
}

#[tokio::test]
async fn a_rate_limit() {
    there_and_back("l", "▲ rate limited").await;
}

#[tokio::test]
async fn an_outage() {
    there_and_back("o", "▲ retrying").await;
}

#[tokio::test]
async fn a_lost_answer() {
    there_and_back("c", "▲ answer lost").await;
}

#[tokio::test]
async fn a_revoked_refresh_token() {
    there_and_back("v", "✖ needs login").await;
}

#[tokio::test]
async fn a_slow_provider() {
    there_and_back("s", " refreshing").await;
}

#[tokio::test]
async fn a_wrong_client_secret() {
    there_and_back("w", "✖ misconfigured").await;
}

#[tokio::test]
async fn a_locked_keyring() {
    there_and_back("u", "✖ no store").await;
}

#[tokio::test]
async fn a_keyring_that_takes_nothing() {
    there_and_back("n", "✖ not saved yet").await;
}

#[tokio::test]
async fn a_keyring_that_takes_nothing_is_not_said_to_have_saved() {
    let rig = factory().await;
    in_demo(&rig, (120, 32), async |person| {
        person.sees("● live").await;
        person.press("Fn");
        person.sees("generation 2 is not saved yet, but safe in the journal: ").await;
        person.press("Fa");
        person.sees("everything is fixed").await;
        // Quitting asks while something is not saved.
        person.sees_no_more("not saved yet").await;
    })
    .await;
}

#[tokio::test]
async fn a_keyring_gone_back_to_older_tokens() {
    there_and_back("b", "✖ rolled back").await;
}

#[tokio::test]
async fn a_lock_held_by_another_process() {
    there_and_back("h", " waiting").await;
}

#[tokio::test]
async fn a_token_that_ends_unrefreshed() {
    let rig = factory().await;
    in_demo(&rig, (120, 32), async |person| {
        person.sees("● live").await;
        person.press("Fe");
        person.sees("generation 2").await;
        rig.clock.advance(TimeDelta::seconds(18));
        person.sees("◐ expiring").await;
        rig.clock.advance(TimeDelta::seconds(4));
        person.sees("▲ expired").await;
        person.press("r");
        person.sees("● live").await;
    })
    .await;
}

#[tokio::test]
async fn a_fault_strikes_its_connection_and_no_other() {
    let mut rig = factory().await;
    let other = rig.manu("warehouse", LOOPBACK).await;
    rig.logged_in(&other, TimeDelta::zero()).await;
    in_demo(&rig, (120, 32), async |person| {
        person.sees("● 2 live").await;
        person.press("Fl");
        person.sees("▲ rate limited").await;
        person.press("jR");
        person.sees("warehouse: refreshed").await;
    })
    .await;
}

#[tokio::test]
async fn the_menu_fits_the_smallest_screen_and_can_be_walked() {
    let rig = factory().await;
    in_demo(&rig, (60, 15), async |person| {
        person.sees("● live").await;
        person.press("F");
        person.sees("a  fix everything").await;
        for _ in 0..11 {
            person.press_code(KeyCode::Down, KeyModifiers::NONE);
        }
        person.sees("▸ e  expiry").await;
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("generation 2").await;
    })
    .await;
}
