//! What is exchanged between two connections, or comes from another generation, is not used: sealed records,
//! unread answers and whole journals, with a store in memory and with encrypted files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::{ConnectionName, Secret, SystemClock};
use crate::secrets::encrypted_file::{FileStore, Passphrase};
use crate::secrets::error::StoreError;
use crate::secrets::memory::MemoryStore;
use crate::secrets::secret_store::StoreFactory;
use crate::secrets::worker::Secrets;
use crate::tokens::binding::{SealBinding, is_bound};
use crate::tokens::journal::{Journal, Spending};
use crate::tokens::reconcile::Hazard;
use crate::tokens::record::tests::record;
use crate::tokens::record::{fingerprint, to_line};
use crate::tokens::rename::Renaming;
use crate::tokens::tests::name;
use crate::tokens::vault::Vault;

fn plant() -> ConnectionName {
    ConnectionName::new("plant").unwrap()
}

struct BindingBench {
    dir: tempfile::TempDir,
    store: StoreFactory,
}

impl BindingBench {
    /// The factory has generation 1 and the plant 11, in each kind of store.
    async fn both() -> [Self; 2] {
        let [memory, files] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let given = Passphrase { secret: Secret::new("passphrase"), from: "of the test".into() };
        let file_store = FileStore::with_work_factor(files.path().join("store"), Some(given), 2);
        let benches = [
            Self { dir: memory, store: MemoryStore::new().factory() },
            Self { dir: files, store: file_store.factory() },
        ];
        for bench in &benches {
            for (name, generation) in [(name(), 1), (plant(), 11)] {
                let mut locked = bench.vault().lock(&name, |_| {}).await.unwrap();
                locked.preflight().await.unwrap();
                locked.receive(record(generation)).await.unwrap();
            }
        }
        benches
    }

    /// A vault as a newly started process has it.
    fn vault(&self) -> Vault {
        Vault::open(Secrets::new(Arc::clone(&self.store)), self.dir.path(), Arc::new(SystemClock)).unwrap()
    }

    fn path(&self, name: &ConnectionName) -> PathBuf {
        self.dir.path().join(format!("journals/{name}.json"))
    }

    fn document(&self, name: &ConnectionName) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// Changes journals as anyone who can write them could; returns their texts.
    fn tamper(&self, change: impl FnOnce(&mut Value, &mut Value)) -> [String; 2] {
        let (mut one, mut other) = (self.document(&name()), self.document(&plant()));
        change(&mut one, &mut other);
        [(name(), one), (plant(), other)].map(|(name, document)| {
            fs::write(self.path(&name), document.to_string()).unwrap();
            document.to_string()
        })
    }

    /// The next record of both waits in its journal.
    async fn with_received(&self) {
        let identity = self.vault().identity().await.unwrap();
        for (name, generation) in [(name(), 2), (plant(), 12)] {
            let record = record(generation);
            let sealed = SealBinding::record(&name, generation).seal(&identity, &to_line(&record)).unwrap();
            let fingerprint = fingerprint(&record);
            Journal::Received { generation, fingerprint, sealed }.write(&self.path(&name)).unwrap();
        }
    }

    /// Both have sent their refresh token, and the answer could not be read.
    async fn with_unread(&self) {
        for (name, generation) in [(name(), 1), (plant(), 11)] {
            let mut locked = self.vault().lock(&name, |_| {}).await.unwrap();
            locked.preflight().await.unwrap();
            locked.spending(&record(generation)).await.unwrap();
            let answer = Secret::new(format!("answer-of-{name}"));
            locked.answer_lost(&"unreadable".into(), Some(&answer)).await.unwrap();
        }
    }

    /// The unread answer, opened.
    async fn unread(&self, name: &ConnectionName) -> Result<Secret, StoreError> {
        let mut locked = self.vault().lock(name, |_| {}).await.unwrap();
        let hazard = locked.recover().await.unwrap().hazard;
        let Some(Hazard::Uncertain { generation, unread: Some(sealed), .. }) = hazard else { panic!("{hazard:?}") };
        locked.unread(generation, &sealed).await
    }

    async fn recovered(&self, name: &ConnectionName) -> Result<Option<u64>, StoreError> {
        let state = self.vault().lock(name, |_| {}).await.unwrap().recover().await?;
        Ok(state.record.map(|record| record.generation))
    }

    /// Both are refused for what their journals hold, which stays as it is; a login replaces it.
    async fn assert_misplaced(&self, texts: &[String; 2], words: [&str; 2]) {
        for (at, name) in [name(), plant()].iter().enumerate() {
            let refused = [
                self.vault().read(name).await.map(drop).unwrap_err(),
                self.recovered(name).await.map(drop).unwrap_err(),
            ];
            for error in refused {
                assert!(matches!(error, StoreError::Misplaced { .. }), "{error:?}");
                assert!(error.to_string().contains(words[at]), "{error}");
                assert!(error.is_about_one_item() && error.is_replaceable(), "{error}");
            }
            let record = record(if at == 0 { 1 } else { 11 });
            let mut locked = self.vault().lock(name, |_| {}).await.unwrap();
            locked.recover_or_replace().await.unwrap();
            assert_eq!(fs::read_to_string(self.path(name)).unwrap(), texts[at], "nothing was changed");
            locked.receive(record).await.unwrap();
            drop(locked);
            let aside = format!("{}.damaged-1", self.path(name).display());
            assert_eq!(fs::read_to_string(aside).unwrap(), texts[at], "it is kept aside");
            assert!(self.recovered(name).await.unwrap().is_some());
        }
    }
}

fn swap(key: &str) -> impl Fn(&mut Value, &mut Value) {
    move |one, other| std::mem::swap(&mut one[key], &mut other[key])
}

#[tokio::test]
async fn sealed_records_exchanged_between_two_connections_are_not_used_and_a_login_replaces_them() {
    for bench in BindingBench::both().await {
        bench.with_received().await;
        let texts = bench.tamper(swap("sealed"));
        bench.assert_misplaced(&texts, ["to the connection plant", "to the connection factory"]).await;
    }
}

#[tokio::test]
async fn whole_journals_exchanged_between_two_connections_are_not_used_in_any_state() {
    for state in ["settled", "spending", "received"] {
        for bench in BindingBench::both().await {
            match state {
                "spending" => bench.with_unread().await,
                "received" => bench.with_received().await,
                _ => {}
            }
            let texts = bench.tamper(std::mem::swap);
            let words = ["belongs to the connection plant", "belongs to the connection factory"];
            bench.assert_misplaced(&texts, words).await;
        }
    }
}

#[tokio::test]
async fn renaming_the_journal_s_own_field_does_not_help_with_what_is_sealed() {
    for bench in BindingBench::both().await {
        bench.with_received().await;
        bench.tamper(|one, other| {
            std::mem::swap(one, other);
            swap("connection")(one, other);
        });
        let error = bench.recovered(&name()).await.unwrap_err();
        assert!(error.to_string().contains("its sealed record belongs to the connection plant"), "{error}");
        // The store has a newer record than the older connection's journal claims.
        assert_eq!(bench.recovered(&plant()).await.unwrap(), Some(11));
    }
}

#[tokio::test]
async fn an_older_sealed_record_of_the_same_connection_cannot_pose_as_a_newer_one() {
    for is_bound in [true, false] {
        for bench in BindingBench::both().await {
            bench.with_received().await;
            if !is_bound {
                unbind(&bench).await;
            }
            let texts = bench.tamper(|one, other| {
                (one["generation"], other["generation"]) = (7.into(), 17.into());
            });
            let words = if is_bound { ["2 and not 7", "12 and not 17"] } else { ["not the one"; 2] };
            bench.assert_misplaced(&texts, words).await;
        }
    }
}

/// Makes the received records' journals those of an earlier version.
async fn unbind(bench: &BindingBench) {
    let identity = bench.vault().identity().await.unwrap();
    let seal = |generation| Value::from(identity.seal(&to_line(&record(generation))).unwrap());
    bench.tamper(|one, other| {
        (one["sealed"], other["sealed"]) = (seal(2), seal(12));
        for document in [one, other] {
            document.as_object_mut().unwrap().remove("connection");
        }
    });
}

#[tokio::test]
async fn a_journal_of_an_earlier_version_is_read_and_names_its_connection_from_the_next_save_on() {
    for bench in BindingBench::both().await {
        bench.with_received().await;
        unbind(&bench).await;
        for (name, generation) in [(name(), 2), (plant(), 12)] {
            assert_eq!(bench.document(&name).get("connection"), None);
            assert_eq!(bench.recovered(&name).await.unwrap(), Some(generation));
            assert_eq!(bench.document(&name)["connection"], name.as_str());
        }
    }
}

#[tokio::test]
async fn unread_answers_exchanged_between_connections_or_generations_are_not_used() {
    for bench in BindingBench::both().await {
        bench.with_unread().await;
        assert_eq!(bench.unread(&name()).await.unwrap(), Secret::new("answer-of-factory"));
        let texts = bench.tamper(swap("unread"));
        for (name, whose) in [(name(), "plant"), (plant(), "factory")] {
            let error = bench.unread(&name).await.unwrap_err();
            assert!(matches!(error, StoreError::Misplaced { .. }), "{error:?}");
            assert!(error.to_string().contains(&format!("unread answer belongs to the connection {whose}")), "{error}");
        }
        let now = [name(), plant()].map(|name| fs::read_to_string(bench.path(&name)).unwrap());
        assert_eq!(now, texts, "nothing was removed");
        bench.tamper(swap("unread"));
        let old = bench.document(&name())["unread"].clone();
        let mut locked = bench.vault().lock(&name(), |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        locked.receive(record(2)).await.unwrap();
        locked.spending(&record(2)).await.unwrap();
        drop(locked);
        bench.tamper(|one, _| one["unread"] = old);
        let error = bench.unread(&name()).await.unwrap_err();
        assert!(error.to_string().contains("of generation 1 and not 2"), "{error}");
    }
}

#[tokio::test]
async fn a_sealed_record_is_not_taken_for_an_unread_answer_nor_the_reverse() {
    for bench in BindingBench::both().await {
        bench.with_received().await;
        let sealed = bench.document(&name())["sealed"].clone();
        bench.vault().lock(&name(), |_| {}).await.unwrap().receive(record(1)).await.unwrap();
        bench.with_unread_of(&name()).await;
        bench.tamper(|one, _| {
            one["unread"] = sealed;
        });
        assert!(matches!(bench.unread(&name()).await, Err(StoreError::Misplaced { .. })));
    }
}

impl BindingBench {
    /// The newest record is spent, and its answer could not be read.
    async fn with_unread_of(&self, name: &ConnectionName) {
        let mut locked = self.vault().lock(name, |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        let newest = locked.recover().await.unwrap().record.unwrap();
        locked.spending(&newest).await.unwrap();
        locked.answer_lost(&"unreadable".into(), Some(&Secret::new("answer"))).await.unwrap();
    }

    /// What the sealed unread answer says inside.
    async fn inside(&self, name: &ConnectionName) -> Secret {
        let Some(Journal::Spending(Spending { unread: Some(sealed), .. })) = Journal::read(&self.path(name)).unwrap()
        else {
            panic!("no unread answer");
        };
        self.vault().identity().await.unwrap().open(&sealed).unwrap()
    }
}

#[tokio::test]
async fn an_unread_answer_of_an_earlier_version_is_opened_and_bound_when_the_token_is_sent_again() {
    for bench in BindingBench::both().await {
        bench.with_unread().await;
        let identity = bench.vault().identity().await.unwrap();
        let old = identity.seal(&Secret::new("an old answer")).unwrap();
        bench.tamper(|one, _| one["unread"] = old.into());
        assert_eq!(bench.unread(&name()).await.unwrap(), Secret::new("an old answer"));
        assert!(!is_bound(&bench.inside(&name()).await));
        let mut locked = bench.vault().lock(&name(), |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        locked.spending(&record(1)).await.unwrap();
        drop(locked);
        assert!(is_bound(&bench.inside(&name()).await));
        assert_eq!(bench.unread(&name()).await.unwrap(), Secret::new("an old answer"));
    }
}

async fn rename(bench: &BindingBench, new: &ConnectionName) {
    let held = Renaming::begin(bench.vault(), &name(), new, |_, _| {}).await.unwrap();
    held.carry().await.unwrap().empty_old().await.unwrap();
}

#[tokio::test]
async fn a_rename_binds_the_unread_answer_to_the_new_name_and_generation() {
    let works = ConnectionName::new("works").unwrap();
    for bench in BindingBench::both().await {
        // An earlier connection of that name came further.
        let mut locked = bench.vault().lock(&works, |_| {}).await.unwrap();
        locked.receive(record(100)).await.unwrap();
        locked.forget().await.unwrap();
        drop(locked);
        bench.with_unread().await;
        let held = Renaming::begin(bench.vault(), &name(), &works, |_, _| {}).await.unwrap();
        drop(held.carry().await.unwrap()); // interrupted; another attempt resumes
        rename(&bench, &works).await;
        assert_eq!(bench.unread(&works).await.unwrap(), Secret::new("answer-of-factory"));
        let document = bench.document(&works);
        assert_eq!((&document["connection"], &document["generation"]), (&"works".into(), &101.into()));
    }
}

#[tokio::test]
async fn a_rename_does_not_make_another_connection_s_answer_its_own() {
    let works = ConnectionName::new("works").unwrap();
    for bench in BindingBench::both().await {
        bench.with_unread().await;
        bench.tamper(swap("unread"));
        rename(&bench, &works).await;
        let error = bench.unread(&works).await.unwrap_err();
        assert!(error.to_string().contains("belongs to the connection plant"), "{error}");
    }
}

#[tokio::test]
async fn a_record_of_another_connection_is_not_used_while_the_store_is_out_of_reach() {
    let memory = MemoryStore::new();
    let bench = BindingBench { dir: tempfile::tempdir().unwrap(), store: memory.factory() };
    let vault = bench.vault();
    for (name, generation) in [(name(), 1), (plant(), 11)] {
        let mut locked = vault.lock(&name, |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        locked.receive(record(generation)).await.unwrap();
    }
    bench.with_received().await;
    memory.fail_always(Some(StoreError::Locked));
    assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(2)));
    bench.tamper(swap("sealed"));
    assert!(matches!(vault.read(&name()).await, Err(StoreError::Misplaced { .. })));
}
