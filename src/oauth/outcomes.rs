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
pub enum Progress {
    /// It is being exchanged for tokens.
    Working,
    /// It waits for a person at manutop; the sentence says for what.
    Asking(String),
    /// How it ended: a sentence for a good page, or for a bad one.
    Ended(Result<String, String>),
}

/// The answers to one login.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    codes: Vec<(Secret, watch::Sender<Progress>)>,
    /// Whether a browser has asked: it may ask again.
    was_asked: bool,
}

/// What a redirect with this code is.
pub(super) enum Seen {
    /// The first of its kind: it is to be handed on.
    New(watch::Receiver<Progress>),
    /// It came before.
    Again(watch::Receiver<Progress>),
    /// Another answer goes before it.
    TooLate,
}

impl Outcomes {
    /// Takes in a redirect.
    pub(super) fn see(&self, code: &Secret) -> Seen {
        let mut known = self.lock();
        known.was_asked = true;
        if let Some((_, progress)) = known.codes.iter().find(|(known, _)| known == code) {
            return Seen::Again(progress.subscribe());
        }
        if known.codes.iter().any(|(_, progress)| !matches!(*progress.borrow(), Progress::Ended(Err(_)))) {
            return Seen::TooLate;
        }
        Seen::New(known.add(code, Progress::Working).subscribe())
    }

    /// Notes how far a code has come, wherever it came from.
    pub(super) fn tell(&self, code: &Secret, progress: Progress) {
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
                let is_open = !matches!(progress, Progress::Ended(_));
                if is_open {
                    *progress = Progress::Ended(Err(sentence.to_owned()));
                }
                is_open
            });
        }
    }

    /// Whether a browser has brought an answer, and may ask for its page again.
    pub(super) fn was_asked(&self) -> bool {
        self.lock().was_asked
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, code: &Secret, progress: Progress) -> &watch::Sender<Progress> {
        if self.codes.len() >= MOST {
            let refused = |progress: &watch::Sender<Progress>| matches!(*progress.borrow(), Progress::Ended(Err(_)));
            let oldest = self.codes.iter().position(|(_, progress)| refused(progress)).unwrap_or_default();
            self.codes.remove(oldest);
        }
        self.codes.push((code.clone(), watch::Sender::new(progress)));
        &self.codes.last().expect("just pushed").1
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcomes, Progress, Seen};
    use crate::domain::Secret;

    #[test]
    fn another_code_is_taken_only_after_the_first_was_refused() {
        let (outcomes, first, second) = (Outcomes::default(), Secret::new("one"), Secret::new("two"));
        assert!(matches!(outcomes.see(&first), Seen::New(_)));
        assert!(matches!(outcomes.see(&first), Seen::Again(_)));
        for progress in [Progress::Working, Progress::Asking("?".into()), Progress::Ended(Ok("in".into()))] {
            outcomes.tell(&first, progress);
            assert!(matches!(outcomes.see(&second), Seen::TooLate));
        }
        outcomes.tell(&first, Progress::Ended(Err("used".into())));
        assert!(matches!(outcomes.see(&second), Seen::New(_)));
    }

    #[test]
    fn a_bounded_number_of_codes_is_remembered() {
        let outcomes = Outcomes::default();
        for number in 0..100 {
            let code = Secret::new(format!("code {number}"));
            assert!(matches!(outcomes.see(&code), Seen::New(_)));
            outcomes.tell(&code, Progress::Ended(Err("used".into())));
        }
        assert_eq!(outcomes.lock().codes.len(), super::MOST);
        assert!(matches!(outcomes.see(&Secret::new("code 99")), Seen::Again(_)));
    }

    #[test]
    fn closing_ends_what_is_open_and_leaves_what_has_ended() {
        let (outcomes, ended, open) = (Outcomes::default(), Secret::new("one"), Secret::new("two"));
        outcomes.tell(&ended, Progress::Ended(Ok("in".into())));
        outcomes.tell(&open, Progress::Working);
        outcomes.close("gone");
        for (code, expected) in [(&ended, Ok("in".to_owned())), (&open, Err("gone".to_owned()))] {
            let Seen::Again(progress) = outcomes.see(code) else { panic!("known") };
            assert_eq!(*progress.borrow(), Progress::Ended(expected));
        }
    }
}
