//! Several identities: a keyring with two collections, one of which is locked for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::domain::{ConnectionName, Secret, SystemClock};
use crate::secrets::error::StoreError;
use crate::secrets::secret_store::{Elsewhere, SecretStore};
use crate::secrets::worker::Secrets;
use crate::tokens::items::IDENTITY;
use crate::tokens::record::tests::record;
use crate::tokens::save_error::SaveError;
use crate::tokens::tests::{generation, name};
use crate::tokens::vault::Vault;

/// Two collections: items of the old one stay there, and new ones are made in whichever is the default.
#[derive(Default)]
struct FakeKeyring {
    old: BTreeMap<String, Secret>,
    new: BTreeMap<String, Secret>,
    is_old_default: bool,
    is_old_locked: bool,
    is_refusing_tokens: bool,
    /// Why nothing can be read.
    trouble: Option<StoreError>,
}

#[derive(Clone)]
struct Handle(Arc<Mutex<FakeKeyring>>);

impl Handle {
    fn state(&self) -> MutexGuard<'_, FakeKeyring> {
        self.0.lock().unwrap()
    }
}

impl SecretStore for Handle {
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn get(&mut self, item: &str) -> Result<Option<Secret>, StoreError> {
        Ok(self.get_all(item)?.into_iter().next())
    }

    fn get_all(&mut self, item: &str) -> Result<Vec<Secret>, StoreError> {
        let state = self.state();
        if let Some(trouble) = &state.trouble {
            return Err(trouble.clone());
        }
        let mut found: Vec<_> = state.new.get(item).cloned().into_iter().collect();
        match state.old.get(item) {
            Some(_) if state.is_old_locked && found.is_empty() => {
                return Err(StoreError::LockedElsewhere { item: item.into(), keyring: "Old login".into() });
            }
            Some(secret) if !state.is_old_locked => found.push(secret.clone()),
            _ => {}
        }
        Ok(found)
    }

    fn elsewhere(&mut self, item: &str) -> Result<Vec<Elsewhere>, StoreError> {
        let state = self.state();
        let found = state.old.get(item).filter(|_| !state.is_old_default);
        let place = |_| Elsewhere { item: item.into(), place: "Old login".into(), is_locked: state.is_old_locked };
        Ok(found.map(place).into_iter().collect())
    }

    fn set(&mut self, item: &str, secret: &Secret) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_refusing_tokens && item.ends_with("/token") {
            return Err(StoreError::Locked);
        }
        let is_there = !state.is_old_locked && state.old.contains_key(item) && !state.new.contains_key(item);
        if state.is_old_default || is_there {
            state.old.insert(item.into(), secret.clone());
            return Ok(());
        }
        state.new.insert(item.into(), secret.clone());
        if !state.is_old_locked {
            state.old.remove(item);
        }
        Ok(())
    }

    fn delete(&mut self, item: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        state.new.remove(item);
        if !state.is_old_locked {
            state.old.remove(item);
        }
        Ok(())
    }
}

struct KeyringBench {
    dir: tempfile::TempDir,
    keyring: Handle,
}

impl KeyringBench {
    /// Generation 2 waits in the journal, sealed to the identity of the old collection, which is locked; the new one
    /// is the default.
    async fn with_a_record_sealed_to_the_old_identity() -> Self {
        let keyring = Handle(Arc::new(Mutex::new(FakeKeyring { is_old_default: true, ..FakeKeyring::default() })));
        let bench = Self { dir: tempfile::tempdir().unwrap(), keyring };
        let vault = bench.process();
        let mut locked = vault.lock(&name(), |_| {}).await.unwrap();
        locked.preflight().await.unwrap();
        locked.receive(record(1)).await.unwrap();
        locked.spending(&record(1)).await.unwrap();
        bench.keyring.state().is_refusing_tokens = true;
        assert!(matches!(locked.receive(record(2)).await, Err(SaveError::InJournal { .. })));
        let mut state = bench.keyring.state();
        (state.is_old_default, state.is_old_locked, state.is_refusing_tokens) = (false, true, false);
        // The record in the store can be read: only the identity is locked away.
        let token = state.old.remove("factory/token").unwrap();
        state.new.insert("factory/token".into(), token);
        drop(state);
        bench
    }

    fn process(&self) -> Vault {
        let keyring = self.keyring.clone();
        let secrets = Secrets::new(Arc::new(move || Ok(Box::new(keyring.clone()) as Box<dyn SecretStore>)));
        Vault::open(secrets, self.dir.path(), Arc::new(SystemClock)).unwrap()
    }

    /// What recovery finds, with or without an identity in memory.
    async fn recovered(&self, vault: &Vault) -> Result<Option<u64>, StoreError> {
        vault.lock(&name(), |_| {}).await.unwrap().recover().await.map(|state| generation(&state))
    }
}

/// Another connection is used in the default collection, and an identity is made there.
async fn another_connection_continues(vault: &Vault) {
    let other = ConnectionName::new("other").unwrap();
    vault.lock(&other, |_| {}).await.unwrap().preflight().await.unwrap();
}

#[tokio::test]
async fn a_record_sealed_to_an_identity_that_was_locked_for_a_while_is_opened_once_it_is_unlocked() {
    for restarts in [false, true] {
        let bench = KeyringBench::with_a_record_sealed_to_the_old_identity().await;
        let mut vault = bench.process();
        let is_locked =
            |found| matches!(found, Err(StoreError::LockedElsewhere { keyring, .. }) if keyring == "Old login");
        assert!(is_locked(bench.recovered(&vault).await));
        another_connection_continues(&vault).await;
        assert!(bench.keyring.state().new.contains_key(IDENTITY));
        assert!(is_locked(bench.recovered(&vault).await), "another identity does not open it");
        bench.keyring.state().is_old_locked = false;
        if restarts {
            vault = bench.process();
        }
        assert_eq!(bench.recovered(&vault).await.unwrap(), Some(2), "restarts: {restarts}");
        assert_eq!(vault.read(&name()).await.unwrap().record, Some(record(2)));
    }
}

#[tokio::test]
async fn an_unread_answer_is_opened_with_any_identity_and_reported_as_locked_until_then() {
    let bench = KeyringBench::with_a_record_sealed_to_the_old_identity().await;
    bench.keyring.state().is_old_locked = false;
    let old = bench.process();
    bench.recovered(&old).await.unwrap();
    let sealed = old.cached_identity().unwrap().seal(&Secret::new("an answer")).unwrap();
    bench.keyring.state().is_old_locked = true;
    let vault = bench.process();
    another_connection_continues(&vault).await;
    let locked = vault.lock(&name(), |_| {}).await.unwrap();
    assert!(matches!(locked.unread(1, &sealed).await, Err(StoreError::LockedElsewhere { .. })));
    bench.keyring.state().is_old_locked = false;
    assert_eq!(locked.unread(1, &sealed).await.unwrap(), Secret::new("an answer"));
    bench.keyring.state().old.remove(IDENTITY);
    assert!(matches!(locked.unread(1, &sealed).await, Err(StoreError::Corrupt { .. })), "it is gone");
}

#[tokio::test]
async fn a_store_out_of_reach_is_reported_and_not_that_the_record_cannot_be_opened() {
    let bench = KeyringBench::with_a_record_sealed_to_the_old_identity().await;
    let vault = bench.process();
    another_connection_continues(&vault).await;
    bench.keyring.state().trouble = Some(StoreError::Locked);
    assert!(matches!(bench.recovered(&vault).await, Err(StoreError::Locked)));
}

#[tokio::test]
async fn a_damaged_identity_in_the_default_collection_does_not_cost_the_good_one_elsewhere() {
    let bench = KeyringBench::with_a_record_sealed_to_the_old_identity().await;
    bench.keyring.state().is_old_locked = false;
    bench.keyring.state().new.insert(IDENTITY.into(), Secret::new("damage"));
    let vault = bench.process();
    another_connection_continues(&vault).await;
    assert_eq!(bench.recovered(&vault).await.unwrap(), Some(2));
}
