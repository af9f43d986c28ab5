//! Whether the secret store answers, announced when that changes.

use std::sync::Arc;

use crate::domain::{Event, Reason};
use crate::engine::actor::Actor;
use crate::engine::work::context::TaskReport;
use crate::secrets::error::StoreError;

impl Actor {
    pub(super) fn store_answers(&mut self, result: Result<(), &StoreError>) {
        match result {
            Err(error) => self.store_fails_with(error),
            Ok(()) if self.store_trouble.take().is_some() => self.announce(Event::StoreChanged(Ok(()))),
            Ok(()) => {}
        }
    }

    pub(super) fn store_fails_with(&mut self, error: &StoreError) {
        let (new, refused) = match error {
            StoreError::PassphraseNeeded { new } => (*new, None),
            StoreError::WrongPassphrase { .. } => (false, Some(error.reason())),
            StoreError::WeakPassphrase { .. } => (true, Some(error.reason())),
            StoreError::Unavailable { .. } if self.context.vault.can_use_files() => return self.offer_files(error),
            _ => return self.store_fails(error.reason_with_advice()),
        };
        let trouble = error.reason();
        if self.store_trouble.as_ref() != Some(&trouble) {
            self.store_trouble = Some(trouble);
            self.announce(Event::PassphraseAsked { new, refused });
        }
    }

    fn offer_files(&mut self, error: &StoreError) {
        let why = error.reason_with_advice();
        if self.store_trouble.as_ref() != Some(&why) {
            self.announce(Event::FilesOffered);
        }
        self.store_fails(why);
    }

    /// Asks the store whether it answers.
    pub(super) fn check_store(&self) {
        let context = Arc::clone(&self.context);
        tokio::spawn(async move {
            let result = context.vault.probe().await;
            context.report(TaskReport::StoreChecked(result));
        });
    }

    /// Uses encrypted files in the keyring's place, and reads from them what could not be read.
    pub(super) fn use_files(&self) {
        if self.context.vault.use_files() {
            self.context.store_opened.notify_one();
            self.check_store();
        }
    }

    pub(super) fn store_fails(&mut self, why: Reason) {
        if self.store_trouble.as_ref() != Some(&why) {
            self.store_trouble = Some(why.clone());
            self.announce(Event::StoreChanged(Err(why)));
        }
    }
}
