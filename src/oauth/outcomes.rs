//! What became of each answer to a login, for as long as a browser may ask.
//!
//! Invariants: the same `state` and code get the same page however often they are asked for, and go
//! out once; another code is taken only after every one before it was refused; the number remembered is bounded.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::Secret;

/// How many codes are remembered; beyond that the oldest that was refused is forgotten.
const MOST: usize = 32;

/// How far an answer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeProgress {
    /// It is being exchanged for tokens.
    Working,
    /// It waits for a person at manutop; the sentence says for what.
    Asking(String),
    /// How it ended: a sentence for a good page, or for a bad one.
    Ended(Result<String, String>),
}

/// The answers to one login.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Mutex<KnownOutcome>);

#[derive(Debug, Default)]
struct KnownOutcome {
    codes: Vec<(Secret, watch::Sender<CodeProgress>)>,
    /// Whether a browser has asked: it may ask again.
    was_asked: bool,
}

/// What a redirect with this code is.
pub(super) enum SeenCode {
    /// The first of its kind: it is to be handed on.
    New(watch::Receiver<CodeProgress>),
    /// It came before.
    Again(watch::Receiver<CodeProgress>),
    /// Another answer goes before it.
    TooLate,
}

impl Outcomes {
    /// Takes in a redirect.
    pub(super) fn see(&self, code: &Secret) -> SeenCode {
        let mut known = self.lock();
        known.was_asked = true;
        if let Some((_, progress)) = known.codes.iter().find(|(known, _)| known == code) {
            return SeenCode::Again(progress.subscribe());
        }
        if known.codes.iter().any(|(_, progress)| !matches!(*progress.borrow(), CodeProgress::Ended(Err(_)))) {
            return SeenCode::TooLate;
        }
        SeenCode::New(known.add(code, CodeProgress::Working).subscribe())
    }

    /// Notes how far a code has come, wherever it came from.
    pub(super) fn report(&self, code: &Secret, progress: CodeProgress) {
        let mut known = self.lock();
        match known.codes.iter().find(|(known, _)| known == code) {
            Some((_, sender)) => {
                sender.send_replace(progress);
            }
            None => {
                known.add(code, progress);
            }
        }
    }

    /// No more answers are handled: requests that still wait are answered.
    pub(super) fn close(&self, sentence: &str) {
        for (_, progress) in &self.lock().codes {
            progress.send_if_modified(|progress| {
                let is_open = !matches!(progress, CodeProgress::Ended(_));
                if is_open {
                    *progress = CodeProgress::Ended(Err(sentence.to_owned()));
                }
                is_open
            });
        }
    }

    /// Whether a browser has brought an answer, and may ask for its page again.
    pub(super) fn was_asked(&self) -> bool {
        self.lock().was_asked
    }

    fn lock(&self) -> MutexGuard<'_, KnownOutcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownOutcome {
    fn add(&mut self, code: &Secret, progress: CodeProgress) -> &watch::Sender<CodeProgress> {
        if self.codes.len() >= MOST {
            let refused =
                |progress: &watch::Sender<CodeProgress>| matches!(*progress.borrow(), CodeProgress::Ended(Err(_)));
            let oldest = self.codes.iter().position(|(_, progress)| refused(progress)).unwrap_or_default();
            self.codes.remove(oldest);
        }
        self.codes.push((code.clone(), watch::Sender::new(progress)));
        &self.codes.last().expect("just pushed").1
    }
}

#[cfg(test)]
mod tests {
    use super::{CodeProgress, Outcomes, SeenCode};
    use crate::domain::Secret;

    #[test]
    fn another_code_is_taken_only_after_the_first_was_refused() {
        let (outcomes, first, second) = (Outcomes::default(), Secret::new("one"), Secret::new("two"));
        assert!(matches!(outcomes.see(&first), SeenCode::New(_)));
        assert!(matches!(outcomes.see(&first), SeenCode::Again(_)));
        for progress in [CodeProgress::Working, CodeProgress::Asking("?".into()), CodeProgress::Ended(Ok("in".into()))]
        {
            outcomes.report(&first, progress);
            assert!(matches!(outcomes.see(&second), SeenCode::TooLate));
        }
        outcomes.report(&first, CodeProgress::Ended(Err("used".into())));
        assert!(matches!(outcomes.see(&second), SeenCode::New(_)));
    }

    #[test]
    fn a_bounded_number_of_codes_is_remembered() {
        let outcomes = Outcomes::default();
        for number in 0..100 {
            let code = Secret::new(format!("code {number}"));
            assert!(matches!(outcomes.see(&code), SeenCode::New(_)));
            outcomes.report(&code, CodeProgress::Ended(Err("used".into())));
        }
        assert_eq!(outcomes.lock().codes.len(), super::MOST);
        assert!(matches!(outcomes.see(&Secret::new("code 99")), SeenCode::Again(_)));
    }

    #[test]
    fn closing_ends_what_is_open_and_leaves_what_has_ended() {
        let (outcomes, ended, open) = (Outcomes::default(), Secret::new("one"), Secret::new("two"));
        outcomes.report(&ended, CodeProgress::Ended(Ok("in".into())));
        outcomes.report(&open, CodeProgress::Working);
        outcomes.close("gone");
        for (code, expected) in [(&ended, Ok("in".to_owned())), (&open, Err("gone".to_owned()))] {
            let SeenCode::Again(progress) = outcomes.see(code) else { panic!("known") };
            assert_eq!(*progress.borrow(), CodeProgress::Ended(expected));
        }
    }
}
