//! Killed at each step of one rotation, in order: what the next process finds.

use std::time::{Duration, Instant};

use manutop::fault_point::Step;
use manutop::tokens::reconcile::Hazard;

use super::parent::{Parent, fingerprint};
use super::stores::StoreKind;
use super::worker::{self, Worker};
use super::world::{client_id, name};

/// What the next process finds.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The first token, which the server still takes.
    Unspent,
    /// The first token, reported as uncertain; the server has not replaced it.
    UncertainUnmoved,
    /// The first token, reported as uncertain; the server has replaced it.
    UncertainMoved,
    /// The second token, which the server takes.
    Kept,
}

const TEST: &str = "steps::killed_at_a_step_the_next_process_finds_what_that_step_left";

#[test]
fn killed_at_a_step_the_next_process_finds_what_that_step_left() {
    if let Some(orders) = worker::orders() {
        return worker::work(&orders);
    }
    for (step, pass, expected) in [
        (Step::Locked, 1, Found::Unspent),
        (Step::Recovered, 1, Found::Unspent),
        (Step::Preflighted, 1, Found::Unspent),
        (Step::JournalWritten, 1, Found::Unspent),
        (Step::SpendingDurable, 1, Found::UncertainUnmoved),
        (Step::AnswerBegan, 1, Found::UncertainMoved),
        (Step::AnswerRead, 1, Found::UncertainMoved),
        (Step::JournalWritten, 2, Found::UncertainMoved),
        (Step::ReceivedDurable, 1, Found::Kept),
        (Step::Saved, 1, Found::Kept),
        (Step::JournalWritten, 3, Found::Kept),
        (Step::Settled, 1, Found::Kept),
        (Step::Releasing, 1, Found::Kept),
    ] {
        assert_eq!(killed_at(step, pass), expected, "{step:?}, pass {pass}");
    }
}

fn killed_at(step: Step, pass: u32) -> Found {
    let root = tempfile::tempdir().unwrap();
    let parent = Parent::new(StoreKind::Files, Duration::ZERO, root.path(), 1, 0);
    let (name, manu) = (name(0), parent.servers.manu());
    let first = manu.newest_refresh_token(&client_id(&name)).unwrap();
    let mut worker = Worker::start(TEST, &parent.orders, Some((step, pass)));
    let deadline = Instant::now() + Duration::from_secs(20);
    while worker.ended().is_none() {
        assert!(Instant::now() < deadline, "it never reached {step:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    let newest = manu.newest_refresh_token(&client_id(&name)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let state = runtime.block_on(async {
        let vault = StoreKind::Files.vault(root.path());
        vault.lock(&name, |pid| panic!("held by {pid:?}")).await.unwrap().recover().await.unwrap()
    });
    let held = state.record.unwrap();
    let is_first = fingerprint(&held) == manutop::domain::Fingerprint::of(&first);
    assert!(state.saved && (is_first || held.refresh_token.unwrap().token == newest));
    match (state.hazard, is_first, first == newest) {
        (None, true, true) => Found::Unspent,
        (Some(Hazard::Uncertain { pid, .. }), true, unmoved) => {
            assert_eq!(pid, worker.id());
            if unmoved { Found::UncertainUnmoved } else { Found::UncertainMoved }
        }
        (None, false, false) => Found::Kept,
        other => panic!("{other:?}"),
    }
}
