//! From the key to the screen: the real loop and the real engine, on a terminal in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use crossterm::event::{Event as InputEvent, KeyCode, KeyModifiers};
use manutop::dashboard_loop::run_loop::Ending;
use manutop::demo::DemoFault;
use manutop::domain::Secret;

use crate::support::rig::Rig;
use crate::support::stage::{FakeHost, Person, Stage};

/// Runs the usual dashboard over the rig.
async fn with_dashboard<A: Future<Output = ()>>(rig: &Rig, act: impl FnOnce(Person) -> A) -> Ending {
    Stage::new().play(rig, act).await
}

/// The same on a configuration file.
async fn with_configuration<A: Future<Output = ()>>(rig: &Rig, file: PathBuf, act: impl FnOnce(Person) -> A) {
    Stage { config_file: Some(file), ..Stage::new() }.play(rig, act).await;
}

async fn rig_with_factory() -> Rig {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig
}

#[tokio::test]
async fn one_key_is_one_exchange_and_the_screen_shows_how_it_went() {
    let rig = rig_with_factory().await;
    let ending = with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press("r");
        person.sees("R forces").await;
        assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
        person.press("R");
        person.sees("generation 2").await;
        person.sees("POST").await;
        assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
        person.press("q");
    })
    .await;
    assert_eq!(ending, Ending::Quit);
}

#[tokio::test]
async fn the_screen_answers_while_a_request_is_out() {
    let rig = rig_with_factory().await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(2)));
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press("R");
        person.sees("refreshing").await;
        person.press("?");
        person.sees("Help").await;
        let held = rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record");
        assert_eq!(held.generation, 1, "Help came before the answer did");
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.sees("generation 2").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn the_countdown_ticks_by_itself() {
    let rig = rig_with_factory().await;
    with_dashboard(&rig, async |person| {
        person.sees("1m 28s").await;
        person.sees("1m 26s").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn a_copied_token_reaches_the_clipboard_and_never_the_screen() {
    let rig = rig_with_factory().await;
    let host = FakeHost::default();
    Stage::with_host(host.clone())
        .play(&rig, async |person| {
            person.sees("● live").await;
            person.press("c");
            person.sees("sent to the terminal").await;
            let copied = host.copied.lock().expect("not poisoned").clone();
            assert_eq!(copied.len(), 1);
            assert!(!person.screen.text().contains(copied[0].expose()));
            let record = rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record");
            assert_eq!(copied[0], record.access_token);
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn a_login_is_finished_by_pasting_and_a_wrong_paste_is_explained() {
    let mut rig = Rig::new();
    rig.manu("partner", "https://www.getpostman.com/oauth2/callback").await;
    with_dashboard(&rig, async |person| {
        person.sees("never logged in").await;
        person.press("l");
        person.sees("/oauth/authorize?").await;
        let paste = |text: &str| person.paste(text);
        paste("https://www.getpostman.com/oauth2/callback?code=abc&state=forged");
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("is not the one sent").await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.sees("login cancelled").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn ctrl_z_stops_and_comes_back_to_a_whole_screen_of_any_size() {
    let rig = rig_with_factory().await;
    let host = FakeHost::default();
    Stage::with_host(host.clone())
        .play(&rig, async |person| {
            person.sees("● live").await;
            person.press_code(KeyCode::Char('z'), KeyModifiers::CONTROL);
            person.sees("● live").await;
            for (width, height) in [(60, 15), (200, 50), (40, 8), (80, 24)] {
                person.screen.resize(width, height);
                person.send(InputEvent::Resize(width, height));
            }
            person.looks("all of 80x24", |screen| screen.lines().count() == 24 && screen.contains("factory")).await;
            assert_eq!(*host.suspended.lock().expect("not poisoned"), 1);
            person.press_code(KeyCode::Char('c'), KeyModifiers::CONTROL);
        })
        .await;
}

/// Replaces a file as editors do: another one is written and takes its place.
fn replace(file: &Path, text: &str) {
    let other = file.with_extension("swp");
    fs::write(&other, text).expect("written");
    fs::rename(&other, file).expect("replaced");
}

#[tokio::test]
async fn an_edited_configuration_takes_effect_and_a_broken_one_is_shown_until_it_is_fixed() {
    let mut rig = rig_with_factory().await;
    let file = rig.dir.path().join("config.toml");
    let one = rig.configuration();
    let hr = rig.manus("hr-sync").await;
    rig.logged_in(&hr, TimeDelta::zero()).await;
    let two = rig.configuration();
    rig.connections.pop();
    with_dashboard(&rig, async |person| {
        person.sees("1 connection ").await;
        replace(&file, &two);
        person.sees("hr-sync").await;
        person.sees("2 live").await;
        // Written in place, with two faults.
        fs::write(&file, format!("colour = 1\n{two}\nscope = 5\n")).expect("written");
        person.sees("not applied: config.toml has 2 faults; 1:1: colour: unknown key").await;
        person.sees("2 live").await;
        replace(&file, &two);
        person.sees_no_more("not applied").await;
        // Gone for a moment or for good: nothing is let go.
        fs::remove_file(&file).expect("removed");
        person.sees("config.toml is gone").await;
        person.sees("2 live").await;
        replace(&file, &one);
        person.sees("hr-sync is no longer in the configuration").await;
        person.sees("1 connection ").await;
        person.sees_no_more("is gone").await;
        person.press("q");
    })
    .await;
    assert!(rig.vault().read(&hr).await.expect("readable").record.is_some(), "its tokens are kept");
}

#[tokio::test]
async fn another_store_in_the_file_is_said_to_take_a_restart() {
    let rig = rig_with_factory().await;
    let file = rig.dir.path().join("config.toml");
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        replace(&file, &format!("store = \"file\"\n{}", rig.configuration().replace("app-factory", "app-other")));
        person.sees("restart manutop").await;
        // The rest of it holds all the same.
        person.press("R");
        person.sees("needs login").await;
        person.press("q");
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_linked_configuration_is_watched_where_its_links_lead() {
    let mut rig = rig_with_factory().await;
    let one = rig.configuration();
    rig.manus("hr-sync").await;
    let two = rig.configuration();
    rig.connections.pop();
    let dir = tempfile::tempdir().expect("a directory");
    for sub in ["home", "dotfiles", "real", "elsewhere"] {
        fs::create_dir(dir.path().join(sub)).expect("made");
    }
    let (link, real) = (dir.path().join("home/config.toml"), dir.path().join("real/manutop.toml"));
    fs::write(&real, &one).expect("written");
    std::os::unix::fs::symlink("../real/manutop.toml", dir.path().join("dotfiles/config.toml")).expect("linked");
    std::os::unix::fs::symlink("../dotfiles/config.toml", &link).expect("linked");
    with_configuration(&rig, link.clone(), async |person| {
        person.sees("● live").await;
        replace(&real, &two);
        person.sees("hr-sync").await;
        replace(&real, &one);
        person.sees("1 connection ").await;
        // The link is turned to another file, which is watched from then on.
        let other = dir.path().join("elsewhere/config.toml");
        fs::write(&other, &two).expect("written");
        fs::remove_file(&link).expect("removed");
        std::os::unix::fs::symlink(&other, &link).expect("linked");
        person.sees("2 connections").await;
        replace(&other, &one);
        person.sees("1 connection ").await;
        person.press("q");
    })
    .await;
}

/// Goes to a row of the form and fills it in.
async fn fill_in(person: &Person, label: &str, text: &str) {
    for _ in 0..20 {
        let before = person.screen.text();
        if before.contains(&format!("│ ▸ {label}")) {
            person.paste(text);
            return;
        }
        let is_folded = before.contains("│ ▸ Advanced       ▸");
        person.press_code(if is_folded { KeyCode::Enter } else { KeyCode::Tab }, KeyModifiers::NONE);
        person.looks("the next row", |screen| screen != before).await;
    }
    panic!("there is no row {label}:\n{}", person.screen.text());
}

#[tokio::test]
async fn the_first_start_s_form_is_written_given_its_secret_and_shown() {
    let mut rig = Rig::new();
    rig.manus("hr-sync").await;
    let hr = rig.connections.pop().expect("just made");
    rig.vault().remove_client_secret(&hr.name).await.expect("removed");
    let file = rig.dir.path().join("made/by/manutop/config.toml");
    with_configuration(&rig, file.clone(), async |person| {
        person.sees("add a connection").await;
        person.press("n");
        person.sees("New connection").await;
        person.press_code(KeyCode::Right, KeyModifiers::NONE);
        let rows = [
            ("Name", "hr-sync"),
            ("Client ID", &hr.client_id),
            ("Client secret", crate::support::rig::SECRET),
            ("Token URL", hr.token_url.as_str()),
            ("Test URL", hr.test_url.as_str()),
        ];
        for (label, text) in rows {
            fill_in(&person, label, text).await;
        }
        person.press_code(KeyCode::Char('s'), KeyModifiers::CONTROL);
        // It mints its first token: configuration and client secret have come together.
        person.sees("● live").await;
        // A file that was not there at the start is watched as any other.
        replace(&file, "");
        person.sees("add a connection").await;
        person.press("q");
    })
    .await;
    let secret = Secret::new(crate::support::rig::SECRET);
    assert_eq!(rig.vault().client_secret(&hr.name).await.expect("readable"), Some(secret));
}

#[tokio::test]
async fn an_edited_connection_keeps_its_tokens_and_the_file_its_comments() {
    let rig = rig_with_factory().await;
    let file = rig.dir.path().join("config.toml");
    fs::write(&file, format!("# mine\n{}", rig.configuration())).expect("written");
    with_configuration(&rig, file.clone(), async |person| {
        person.sees("● live").await;
        person.press("e");
        fill_in(&person, "Title", "Werk Süd 工場").await;
        person.press_code(KeyCode::Char('s'), KeyModifiers::CONTROL);
        person.sees("factory: saved").await;
        person.sees("● live").await;
        person.press("q");
    })
    .await;
    let text = fs::read_to_string(&file).expect("readable");
    assert!(text.starts_with("# mine\n") && text.contains("title = \"Werk Süd 工場\""), "{text}");
}

#[tokio::test]
async fn a_deleted_connection_is_taken_out_of_the_file_once_its_secrets_are_gone() {
    let mut rig = rig_with_factory().await;
    let hr = rig.manus("hr-sync").await;
    rig.logged_in(&hr, TimeDelta::zero()).await;
    let file = rig.dir.path().join("config.toml");
    fs::write(&file, format!("# mine\n\n{}", rig.configuration())).expect("written");
    with_configuration(&rig, file.clone(), async |person| {
        person.sees("2 live").await;
        person.press("dy");
        person.sees("1 connection ").await;
        person.sees("deleted: tokens, client secret and configuration").await;
        person.press("q");
    })
    .await;
    let text = fs::read_to_string(&file).expect("readable");
    assert!(text.starts_with("# mine\n\n[[connections]]\nname = \"hr-sync\""), "{text}");
    assert!(rig.store.items().iter().all(|item| !item.starts_with("factory/")), "{:?}", rig.store.items());
}

#[tokio::test]
async fn a_file_that_cannot_be_written_leaves_the_form_open_with_the_reason() {
    let mut rig = Rig::new();
    let file = rig.dir.path().join("config.toml");
    rig.manus("hr-sync").await;
    fs::write(&file, rig.configuration()).expect("written");
    with_configuration(&rig, file.clone(), async |person| {
        person.sees("hr-sync").await;
        person.press("e");
        fill_in(&person, "Title", "People").await;
        // Broken meanwhile by another program.
        fs::write(&file, "[[connections").expect("written");
        person.sees("not applied").await;
        person.press_code(KeyCode::Char('s'), KeyModifiers::CONTROL);
        person.sees("not valid TOML").await;
        person.sees("Edit hr-sync").await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.press("q");
    })
    .await;
    assert_eq!(fs::read_to_string(&file).expect("readable"), "[[connections");
}

#[tokio::test]
async fn an_open_connection_shows_each_new_generation_and_its_jwt() {
    let mut rig = Rig::new();
    let staff = rig.manus("hr-sync").await;
    rig.logged_in(&staff, TimeDelta::zero()).await;
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("decoded, not verified").await;
        person.sees("\"sub\": \"tm_hr-sync\"").await;
        person.press("R");
        person.sees("generation 2").await;
        // The history is below; without it there is nothing to scroll to.
        person.press("G");
        person.sees(&format!("{} dashboard", std::process::id())).await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.press("q");
    })
    .await;
}
