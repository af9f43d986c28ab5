//! Another name: killed at any call of the store, no token is lost, no two names can send it, and
//! doing it again finishes it.

use crate::domain::{ConnectionName, Fingerprint, LastRefusal, LostAnswer, Obtained, RefusalKind, Secret, TokenRecord};
use crate::secrets::error::StoreError;
use crate::secrets::memory::{Call, InjectedFault};
use crate::tokens::journal::Journal;
use crate::tokens::reconcile::Hazard;
use crate::tokens::record::tests::{at, record};
use crate::tokens::rename::{RenameError, RenameProgress, Renamed, Renaming};
use crate::tokens::tests::{Bench, name};

pub(crate) fn plant() -> ConnectionName {
    ConnectionName::new("plant").unwrap()
}

fn client_secret() -> Secret {
    Secret::new("client secret")
}

impl Bench {
    /// Generation 2 of the factory waits in its journal to be saved; it has a client secret.
    pub(crate) async fn to_be_renamed() -> Self {
        let bench = Self::with_tokens().await;
        let vault = bench.process();
        vault.set_client_secret(&name(), &client_secret()).await.unwrap();
        let mut locked = bench.lock(&vault).await;
        locked.preflight().await.unwrap();
        bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
        locked.receive(record(2)).await.unwrap_err();
        locked.remember(&record(2), Obtained::Refresh, None).await;
        assert!(matches!(bench.journal(), Some(Journal::Received { generation: 2, .. })));
        bench
    }

    async fn hold(&self, old: &ConnectionName, new: &ConnectionName) -> Result<Renaming, StoreError> {
        Renaming::begin(self.process(), old, new, |name, pid| panic!("{name} is held by {pid:?}")).await
    }

    /// What `manutop rename` does, the configuration apart.
    pub(crate) async fn rename(&self, old: &ConnectionName, new: &ConnectionName) -> Result<Renamed, RenameError> {
        let held = self.hold(old, new).await?;
        if held.progress().await? == RenameProgress::GivenUp {
            let (generation, is_uncertain) = (None, false);
            return Ok(Renamed { generation, is_uncertain, has_client_secret: false, left_client_secret: false });
        }
        Ok(held.carry().await?.empty_old().await?)
    }

    fn journal_of(&self, name: &ConnectionName) -> Option<Journal> {
        Journal::read(&self.dir.path().join(format!("journals/{name}.json"))).unwrap()
    }

    /// What a process could send under this name, after everything that it does before sending.
    async fn sendable(&self, name: &ConnectionName) -> Option<TokenRecord> {
        let mut locked = self.process().lock(name, |_| {}).await.unwrap();
        let record = locked.recover().await.ok()?.record?;
        locked.spending(&record).await.ok()?;
        locked.unspent().await.unwrap();
        Some(record)
    }

    /// However far it came: at most one name can send, and the newest record is still there.
    async fn assert_one_sender(&self, context: &str) {
        let can_send = [self.sendable(&name()).await, self.sendable(&plant()).await];
        assert!(can_send.iter().flatten().count() <= 1, "{context}: {can_send:?}");
        let newest = crate::tokens::record::to_line(&record(2));
        let kept = ["factory/token", "plant/token"].map(|item| self.memory.item(item));
        assert!(kept.iter().flatten().any(|line| *line == newest), "{context}: {:?}", self.memory.items());
    }

    pub(crate) async fn assert_renamed(&self, context: &str) {
        let vault = self.process();
        let state = vault.read(&plant()).await.unwrap();
        assert_eq!((state.record, state.hazard), (Some(record(2)), None), "{context}");
        assert_eq!(vault.client_secret(&plant()).await.unwrap(), Some(client_secret()), "{context}");
        let kept: Vec<_> = vault.history(&plant()).await.unwrap().iter().map(|kept| kept.generation).collect();
        assert_eq!(kept, [2], "{context}");
        assert_eq!(self.memory.items(), ["identity", "plant/client-secret", "plant/token"], "{context}");
        assert!(matches!(self.journal(), Some(Journal::Settled { generation: 2, forgotten: true, .. })), "{context}");
        assert!(vault.history(&name()).await.unwrap().is_empty(), "{context}");
        assert_eq!(self.sendable(&name()).await, None, "{context}");
    }
}

#[tokio::test]
async fn everything_moves_along_and_what_waits_to_be_saved_is_saved_first() {
    let bench = Bench::to_be_renamed().await;
    let renamed = bench.rename(&name(), &plant()).await.unwrap();
    let expected =
        Renamed { generation: Some(2), is_uncertain: false, has_client_secret: true, left_client_secret: false };
    assert_eq!(renamed, expected);
    bench.assert_renamed("at once").await;
    assert_eq!(bench.hold(&name(), &plant()).await.unwrap().progress().await.unwrap(), RenameProgress::GivenUp);
}

#[tokio::test]
async fn killed_at_any_call_of_the_store_one_name_can_send_at_most_and_doing_it_again_finishes() {
    let mut deaths = 0;
    for call in [Call::Probe, Call::Get, Call::Set, Call::Delete] {
        for survived in 0.. {
            let bench = Bench::to_be_renamed().await;
            for _ in 0..survived {
                bench.memory.fail_next(call, InjectedFault::None);
            }
            // Not `Unavailable`, which is retried on a new session.
            bench.memory.fail_next(call, InjectedFault::Error(StoreError::Locked));
            let context = format!("{call:?} {survived}");
            if bench.rename(&name(), &plant()).await.is_ok() {
                break;
            }
            deaths += 1;
            bench.assert_one_sender(&context).await;
            bench.rename(&name(), &plant()).await.unwrap_or_else(|error| panic!("{context}: {error}"));
            bench.assert_renamed(&context).await;
        }
    }
    assert!(deaths > 15, "only {deaths} places to die in");
}

/// Between blocking the old name and filling the new one: no name can do anything with the tokens.
#[tokio::test]
async fn while_the_tokens_are_being_moved_the_old_name_does_nothing_at_all() {
    let bench = Bench::to_be_renamed().await;
    bench.after_a_restart().await;
    // Reads: both records and secrets, the copy of the secret; then the record's own writing fails.
    bench.memory.fail_next(Call::Set, InjectedFault::None);
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    bench.rename(&name(), &plant()).await.unwrap_err();
    assert!(matches!(bench.journal(), Some(Journal::Moving { .. })), "{:?}", bench.journal());
    assert_eq!(bench.process().moving_to(&name()).await.unwrap(), Some(plant()));
    let vault = bench.process();
    let mut locked = bench.lock(&vault).await;
    let is_blocked = |error: &StoreError| matches!(error, StoreError::Renaming { .. }) && error.is_about_one_item();
    assert!(is_blocked(&vault.read(&name()).await.unwrap_err()));
    assert!(is_blocked(&locked.recover().await.unwrap_err()));
    assert!(is_blocked(&locked.spending(&record(2)).await.unwrap_err()));
    assert!(is_blocked(&locked.spending(&record(99)).await.unwrap_err()), "however new it claims to be");
    assert!(is_blocked(&locked.forget().await.unwrap_err()));
    assert!(is_blocked(&locked.erase().await.unwrap_err()));
    drop(locked);
    let elsewhere = ConnectionName::new("elsewhere").unwrap();
    let error = bench.rename(&name(), &elsewhere).await.unwrap_err().to_string();
    assert!(error.ends_with("manutop rename factory plant"), "{error}");
    bench.rename(&name(), &plant()).await.unwrap();
    bench.assert_renamed("finished").await;
}

#[tokio::test]
async fn what_the_new_name_has_obtained_since_is_not_replaced_by_finishing() {
    for is_logged_out in [false, true] {
        let bench = Bench::to_be_renamed().await;
        drop(bench.hold(&name(), &plant()).await.unwrap().carry().await.unwrap());
        let vault = bench.process();
        let mut locked = vault.lock(&plant(), |_| {}).await.unwrap();
        let state = locked.recover().await.unwrap();
        locked.spending(&state.record.unwrap()).await.unwrap();
        locked.receive(record(3)).await.unwrap();
        if is_logged_out {
            locked.forget().await.unwrap();
        }
        drop(locked);
        let renamed = bench.rename(&name(), &plant()).await.unwrap();
        assert_eq!(renamed.generation, (!is_logged_out).then_some(3));
        assert_eq!(bench.memory.item("factory/token"), None);
        assert_eq!(bench.sendable(&plant()).await, (!is_logged_out).then(|| record(3)));
    }
}

#[tokio::test]
async fn a_logout_of_the_new_name_before_finishing_is_not_undone() {
    let bench = Bench::to_be_renamed().await;
    drop(bench.hold(&name(), &plant()).await.unwrap().carry().await.unwrap());
    bench.process().lock(&plant(), |_| {}).await.unwrap().forget().await.unwrap();
    assert_eq!(bench.rename(&name(), &plant()).await.unwrap().generation, None);
    assert_eq!(bench.memory.items(), ["identity", "plant/client-secret"]);
}

#[tokio::test]
async fn what_is_uncertain_stays_so_under_the_new_name() {
    let bench = Bench::with_tokens().await;
    bench.lock(&bench.process()).await.spending(&record(1)).await.unwrap();
    let before = bench.journal().unwrap();
    assert!(bench.rename(&name(), &plant()).await.unwrap().is_uncertain);
    assert_eq!(bench.journal_of(&plant()), Some(before));
    let state = bench.process().read(&plant()).await.unwrap();
    assert!(matches!(state.hazard, Some(Hazard::Uncertain { generation: 1, .. })), "{state:?}");
    assert_eq!(state.record, Some(record(1)));
}

/// What the provider said about the refresh token of generation 1.
fn refusal() -> LastRefusal {
    let fingerprint = |secret: &Secret| Fingerprint::of(secret);
    LastRefusal {
        kind: RefusalKind::InvalidGrant,
        at: at(),
        not_before: at(),
        words: "400 invalid_grant".into(),
        public: None,
        refresh_token: record(1).refresh_token.map(|refresh| fingerprint(&refresh.token)),
        client_secret: fingerprint(&client_secret()),
        client_id: record(1).client_id,
        token_url: "https://auth.example/token".into(),
        lost: Some(LostAnswer { at: at(), sends: 2 }),
    }
}

#[tokio::test]
async fn what_the_provider_refused_is_refused_under_the_new_name_wherever_it_was_cut_off() {
    let mut deaths = 0;
    for call in [Call::Get, Call::Set, Call::Delete] {
        for survived in 0.. {
            let bench = Bench::with_tokens().await;
            bench.lock(&bench.process()).await.refused(refusal()).await.unwrap();
            (0..survived).for_each(|_| bench.memory.fail_next(call, InjectedFault::None));
            bench.memory.fail_next(call, InjectedFault::Error(StoreError::Locked));
            if bench.rename(&name(), &plant()).await.is_ok() {
                break;
            }
            deaths += 1;
            bench.rename(&name(), &plant()).await.unwrap();
            let state = bench.process().read(&plant()).await.unwrap();
            assert_eq!((state.record, state.refusal), (Some(record(1)), Some(refusal())), "{call:?} {survived}");
            assert_eq!(bench.process().read(&name()).await.unwrap().refusal, None, "{call:?} {survived}");
        }
    }
    assert!(deaths > 5, "only {deaths} places to die in");
}

#[tokio::test]
async fn how_often_a_lost_answer_was_sent_and_that_one_was_recovered_is_known_under_the_new_name() {
    let bench = Bench::with_tokens().await;
    let mut locked = bench.lock(&bench.process()).await;
    locked.preflight().await.unwrap();
    for _ in 0..2 {
        locked.spending(&record(1)).await.unwrap();
        locked.answer_lost(&"closed".into(), None).await.unwrap();
    }
    drop(locked);
    bench.rename(&name(), &plant()).await.unwrap();
    let lost = match bench.process().read(&plant()).await.unwrap().hazard {
        Some(Hazard::Uncertain { lost, .. }) => lost,
        other => panic!("{other:?}"),
    };
    assert_eq!(lost.sends, 2);
    let mut locked = bench.process().lock(&plant(), |_| {}).await.unwrap();
    locked.preflight().await.unwrap();
    locked.spending(&record(1)).await.unwrap();
    locked.receive(record(2)).await.unwrap();
    drop(locked);
    bench.rename(&plant(), &name()).await.unwrap();
    assert_eq!(bench.process().read(&name()).await.unwrap().recovered, Some(lost));
}

#[tokio::test]
async fn what_was_rolled_back_is_refused_and_left_alone() {
    let bench = Bench::with_tokens().await;
    let backup = bench.memory.item("factory/token").unwrap();
    bench.lock(&bench.process()).await.receive(record(2)).await.unwrap();
    bench.memory.put("factory/token", &backup);
    let error = bench.rename(&name(), &plant()).await.unwrap_err();
    assert!(matches!(error, RenameError::RolledBack { stored: 1, mark: 2 }), "{error}");
    assert!(matches!(bench.journal(), Some(Journal::Settled { generation: 2, forgotten: false, .. })));
    assert_eq!((bench.memory.item("factory/token"), bench.journal_of(&plant())), (Some(backup), None));
}

#[tokio::test]
async fn the_old_name_can_be_used_again_and_begins_above_what_was_given_up() {
    let bench = Bench::to_be_renamed().await;
    bench.rename(&name(), &plant()).await.unwrap();
    let state = bench.after_a_restart().await;
    assert!(state.record.is_none() && state.hazard.is_none());
    bench.lock(&bench.process()).await.receive(record(1)).await.unwrap();
    let begun = bench.sendable(&name()).await.unwrap();
    assert_eq!(begun.generation, 3);
    assert_eq!(bench.sendable(&plant()).await, Some(record(2)), "the two have nothing to do with each other");
}

#[tokio::test]
async fn there_and_back_again_loses_nothing_and_looks_rolled_back_nowhere() {
    let bench = Bench::to_be_renamed().await;
    bench.rename(&name(), &plant()).await.unwrap();
    let back = bench.rename(&plant(), &name()).await.unwrap();
    assert_eq!(back.generation, Some(3), "above the mark that the name kept");
    assert_eq!(bench.sendable(&name()).await, Some(TokenRecord { generation: 3, ..record(2) }));
    // An old copy under the name, of before it was given up, is still known to be old.
    bench.memory.put("factory/token", &crate::tokens::record::to_line(&record(2)));
    assert_eq!(bench.sendable(&name()).await, None);
}

#[tokio::test]
async fn a_name_whose_earlier_connection_came_further_is_begun_above_it() {
    let bench = Bench::to_be_renamed().await;
    let vault = bench.process();
    let mut locked = vault.lock(&plant(), |_| {}).await.unwrap();
    locked.receive(record(100)).await.unwrap();
    locked.forget().await.unwrap();
    drop(locked);
    bench.lock(&vault).await.recover().await.unwrap();
    let uncertain = record(2);
    bench.lock(&vault).await.spending(&uncertain).await.unwrap();
    let renamed = bench.rename(&name(), &plant()).await.unwrap();
    assert_eq!((renamed.generation, renamed.is_uncertain), (Some(101), true));
    let state = bench.process().read(&plant()).await.unwrap();
    assert!(matches!(state.hazard, Some(Hazard::Uncertain { generation: 101, .. })), "{state:?}");
    assert_eq!(state.record, Some(TokenRecord { generation: 101, ..uncertain }));
}

#[tokio::test]
async fn tokens_and_secrets_of_an_earlier_connection_are_neither_overwritten_nor_used() {
    let bench = Bench::to_be_renamed().await;
    let vault = bench.process();
    vault.lock(&plant(), |_| {}).await.unwrap().receive(record(7)).await.unwrap();
    let error = bench.rename(&name(), &plant()).await.unwrap_err();
    assert!(matches!(error, RenameError::TokensThere { .. }), "{error}");
    assert_eq!(bench.sendable(&plant()).await, Some(record(7)));
    vault.lock(&plant(), |_| {}).await.unwrap().erase().await.unwrap();
    vault.set_client_secret(&plant(), &Secret::new("another")).await.unwrap();
    let error = bench.rename(&name(), &plant()).await.unwrap_err();
    assert!(matches!(error, RenameError::ClientSecretThere { .. }), "{error}");
    assert_eq!(bench.sendable(&name()).await, Some(record(2)), "nothing has happened to the old name");
    assert!(vault.remove_client_secret(&plant()).await.unwrap());
    bench.rename(&name(), &plant()).await.unwrap();
    bench.assert_renamed("freed").await;
}

#[tokio::test]
async fn a_client_secret_set_while_a_rename_is_cut_off_is_not_lost() {
    let bench = Bench::to_be_renamed().await;
    drop(bench.hold(&name(), &plant()).await.unwrap().carry().await.unwrap());
    let vault = bench.process();
    vault.remove_client_secret(&plant()).await.unwrap();
    bench.rename(&name(), &plant()).await.unwrap();
    bench.assert_renamed("copied again").await;
    // Another one under the old name, when the new one has its own, is of a connection to come.
    let bench = Bench::to_be_renamed().await;
    drop(bench.hold(&name(), &plant()).await.unwrap().carry().await.unwrap());
    bench.process().set_client_secret(&name(), &Secret::new("to come")).await.unwrap();
    assert!(bench.rename(&name(), &plant()).await.unwrap().left_client_secret);
    let vault = bench.process();
    assert_eq!(vault.client_secret(&name()).await.unwrap(), Some(Secret::new("to come")));
    assert_eq!(vault.client_secret(&plant()).await.unwrap(), Some(client_secret()));
}

#[tokio::test]
async fn a_login_under_the_new_name_meanwhile_is_not_overwritten() {
    let bench = Bench::to_be_renamed().await;
    bench.after_a_restart().await;
    bench.memory.fail_next(Call::Set, InjectedFault::None);
    bench.memory.fail_next(Call::Set, InjectedFault::Error(StoreError::Locked));
    bench.rename(&name(), &plant()).await.unwrap_err();
    let theirs = TokenRecord { client_id: "another".into(), ..record(9) };
    bench.process().lock(&plant(), |_| {}).await.unwrap().receive(theirs.clone()).await.unwrap();
    let error = bench.rename(&name(), &plant()).await.unwrap_err();
    assert!(matches!(error, RenameError::TokensThere { .. }), "{error}");
    assert_eq!(bench.sendable(&plant()).await, Some(theirs));
    assert!(bench.memory.item("factory/token").is_some());
}

#[tokio::test]
async fn a_connection_without_tokens_is_renamed_as_one_without_tokens() {
    let bench = Bench::new();
    bench.process().set_client_secret(&name(), &client_secret()).await.unwrap();
    let renamed = bench.rename(&name(), &plant()).await.unwrap();
    assert_eq!((renamed.generation, renamed.has_client_secret), (None, true));
    let state = bench.process().read(&plant()).await.unwrap();
    assert_eq!((state.mark, state.hazard), (0, None), "as though there never was one");
    assert!(!bench.memory.items().iter().any(|item| item.starts_with("factory/")));
}

#[tokio::test]
async fn a_logged_out_one_stays_so_and_keeps_its_mark() {
    let bench = Bench::with_tokens().await;
    bench.lock(&bench.process()).await.forget().await.unwrap();
    bench.hold(&name(), &plant()).await.unwrap().carry().await.unwrap().empty_old().await.unwrap();
    let state = bench.process().read(&plant()).await.unwrap();
    assert_eq!((state.mark, state.record, state.hazard), (1, None, None));
}

#[tokio::test]
async fn two_renames_that_cross_do_not_wait_for_each_other_for_ever() {
    let bench = Bench::to_be_renamed().await;
    let (there, back) = (name(), plant());
    let one = Renaming::begin(bench.process(), &there, &back, |_, _| {});
    let other = Renaming::begin(bench.process(), &back, &there, |_, _| {});
    let both = async { tokio::join!(async { drop(one.await.unwrap()) }, async { drop(other.await.unwrap()) }) };
    tokio::time::timeout(std::time::Duration::from_secs(10), both).await.expect("one after the other");
}
