//! Whether the secret store answers, announced when that changes.

use crate::domain::{Event, Reason};
use crate::engine::actor::Actor;
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
            _ => return self.store_fails(error.reason_with_advice()),
        };
        let trouble = error.reason();
        if self.store_trouble.as_ref() != Some(&trouble) {
            self.store_trouble = Some(trouble);
            self.announce(Event::PassphraseAsked { new, refused });
        }
    }

    pub(super) fn store_fails(&mut self, why: Reason) {
        if self.store_trouble.as_ref() != Some(&why) {
            self.store_trouble = Some(why.clone());
            self.announce(Event::StoreChanged(Err(why)));
        }
    }
}
