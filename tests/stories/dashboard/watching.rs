//! Watching: a request that failed is found among those that did not, and the timeline shows it
//! too.

use chrono::TimeDelta;
use crossterm::event::{Event as InputEvent, KeyCode, KeyModifiers};
use manutop::dashboard_loop::run_loop::Ending;
use manutop::demo::DemoFault;

use crate::support::rig::Rig;
use crate::support::stage::{FakeHost, Person, Stage};

/// Runs the loop over a rig with one live connection until `act` is through, which must end it by
/// quitting. The second of its two refreshes has failed by then.
async fn after_a_failure<A: Future<Output = ()>>(act: impl FnOnce(Person) -> A) {
    on_stage(Stage::new(), act).await;
}

/// The same with another terminal or another size; gives the rig back, to look at what is left.
async fn on_stage<A: Future<Output = ()>>(stage: Stage, act: impl FnOnce(Person) -> A) -> Rig {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let watch = async |person: Person| {
        person.sees("● live").await;
        person.press("R");
        person.sees("generation 2").await;
        // Not processed: the refresh token stays valid.
        rig.servers.manu().push_fault(DemoFault::status(400, r#"{"error":"invalid_scope"}"#));
        person.press("R");
        person.sees("400 invalid_scope").await;
        act(person).await;
    };
    assert_eq!(stage.play(&rig, watch).await, Ending::Quit);
    rig
}

fn key(person: &Person, code: KeyCode) {
    person.press_code(code, KeyModifiers::NONE);
}

fn resize(person: &Person, width: u16, height: u16) {
    person.screen.resize(width, height);
    person.send(InputEvent::Resize(width, height));
}

#[tokio::test]
async fn a_failed_request_is_found_by_one_key_opened_and_left_again() {
    after_a_failure(async |person| {
        key(&person, KeyCode::BackTab);
        person.press("E");
        person.sees("1 shown, 2 in all").await;
        key(&person, KeyCode::Enter);
        person.sees("Request 1 of 1").await;
        person.sees("400 invalid_scope").await;
        key(&person, KeyCode::Right);
        key(&person, KeyCode::Esc);
        person.sees("errors only").await;
        key(&person, KeyCode::Esc);
        person.sees_no_more("errors only").await;
        key(&person, KeyCode::Enter);
        key(&person, KeyCode::Right);
        person.sees("Request 2 of 2").await;
        // The message line may still show the failure.
        let went_well = |line: &str| line.contains("│ result") && line.contains(" 200 ");
        person.looks("its result", |screen| screen.lines().any(went_well)).await;
        key(&person, KeyCode::Esc);
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn a_typed_filter_holds_for_requests_that_come_later() {
    after_a_failure(async |person| {
        key(&person, KeyCode::BackTab);
        person.press("/@factory 2xx");
        person.sees("1 shown, 2 in all").await;
        key(&person, KeyCode::Enter);
        person.press("R");
        person.sees("2 shown, 3 in all").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn the_timeline_shows_the_failure_and_fits_every_screen() {
    after_a_failure(async |person| {
        person.press("T");
        person.sees("the next 10 min").await;
        person.sees("1 well").await;
        person.sees("✖ 1 failed").await;
        person.press("--");
        person.sees("the next hour").await;
        resize(&person, 60, 15);
        person.sees_no_more("1 failed").await;
        key(&person, KeyCode::Tab);
        person.sees("✖ 1 failed").await;
        resize(&person, 200, 50);
        person.sees("the next hour").await;
        key(&person, KeyCode::Esc);
        person.sees("T opens it").await;
        person.press("q");
    })
    .await;
}

#[tokio::test]
async fn a_failed_request_is_copied_as_a_curl_line_without_a_secret() {
    let host = FakeHost::default();
    on_stage(Stage::with_host(host.clone()), async |person| {
        key(&person, KeyCode::BackTab);
        person.press("Ey");
        // News of the failure may take the message's place at once, so the clipboard is asked.
        let copied = || !host.copied.lock().expect("not poisoned").is_empty();
        person.looks("a curl line on the clipboard", |_| copied()).await;
        person.press("q");
    })
    .await;
    let copied = host.copied.lock().expect("not poisoned");
    let [line] = &copied[..] else { panic!("copied {} times", copied.len()) };
    assert!(line.expose().contains("curl") && line.expose().contains("/oauth/token"), "{}", line.expose());
    assert!(!line.expose().contains(crate::support::rig::SECRET));
}

#[tokio::test]
async fn what_the_filter_shows_is_written_to_a_file_of_either_form() {
    let rig = on_stage(Stage::new(), async |person| {
        key(&person, KeyCode::BackTab);
        person.press("Exh");
        person.sees("1 request written to").await;
        person.press("E");
        person.sees("200").await;
        person.press("xl");
        person.sees("2 requests written to").await;
        person.press("q");
    })
    .await;
    let written = |extension: &str| {
        let files = std::fs::read_dir(rig.dir.path()).expect("the directory is there");
        let mut paths = files.map(|file| file.expect("readable").path());
        let path = paths.find(|path| path.extension().is_some_and(|own| own == extension)).expect("written");
        std::fs::read_to_string(path).expect("text")
    };
    let har: serde_json::Value = serde_json::from_str(&written("har")).expect("JSON");
    assert_eq!(har["log"]["entries"][0]["response"]["status"], 400);
    assert_eq!(written("jsonl").lines().count(), 2);
}
