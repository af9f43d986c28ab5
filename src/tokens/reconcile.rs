//! Reconciles the journal with the secret store: which record is the newest, may it be sent, and
//! what did a crash leave undone. Pure; every row of the recovery table is here.

use chrono::{DateTime, Utc};

use crate::domain::{Fingerprint, LastRefusal, LostAnswer, Reason, TokenRecord};
use crate::secrets::error::StoreError;
use crate::tokens::journal::{Journal, Spending};
use crate::tokens::record::fingerprint;

/// The state of a connection's tokens.
#[derive(Debug, Clone)]
pub struct TokenState {
    /// The newest record. `None` if there is none, and with [`Hazard::RolledBack`]: the record in
    /// the store is an old one and not handed out, so that it cannot be sent.
    pub record: Option<TokenRecord>,
    /// Whether the record is in the secret store; until then it is safe in the journal only.
    pub saved: bool,
    /// Why it is not, where saving was attempted.
    pub unsaved_because: Option<StoreError>,
    /// Why it is risky to send the record, if it is.
    pub hazard: Option<Hazard>,
    /// The high-water mark: the newest generation known of, forgotten ones included; 0 if there never was one.
    pub mark: u64,
    /// The provider's last answer, where it gave no tokens. [`LastRefusal::is_about`] checks whether it still
    /// applies to the connection.
    pub refusal: Option<LastRefusal>,
    /// The lost answer that the newest record has recovered.
    pub recovered: Option<LostAnswer>,
}

impl TokenState {
    /// The generation the next record received must have.
    #[must_use]
    pub fn next_generation(&self) -> u64 {
        self.mark.saturating_add(1)
    }

    /// No record is handed out: the store holds generation `stored`, which is not the newest one known.
    pub(crate) fn rolled_back(stored: u64, mark: u64) -> Self {
        Self { hazard: Some(Hazard::RolledBack { stored, mark }), ..Self::without_record(mark) }
    }

    fn without_record(mark: u64) -> Self {
        Self { record: None, saved: true, unsaved_because: None, hazard: None, mark, refusal: None, recovered: None }
    }
}

/// Why it is risky to send a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hazard {
    /// The refresh token was sent and its answer lost: it may have been replaced. No newer one is
    /// known, and the record is handed out all the same.
    Uncertain {
        /// The generation sent.
        generation: u64,
        /// The refresh token's fingerprint.
        fingerprint: Fingerprint,
        /// The process that sent it last.
        pid: u32,
        /// When it did.
        at: DateTime<Utc>,
        /// Since when the answer is known to be lost; when it was sent, if its process died.
        lost_since: DateTime<Utc>,
        /// When it was first sent, and how often.
        lost: LostAnswer,
        /// How the answer was lost, if its process survived to record it.
        why: Option<Reason>,
        /// An answer that came and could not be read, sealed; see
        /// [`unread`](crate::tokens::locked_connection::LockedConnection::unread).
        unread: Option<String>,
    },
    /// The store holds an older record than was saved once, or another one of the same
    /// generation, or none at all any more (`stored` is 0).
    RolledBack {
        /// The generation in the store; 0 if there is none.
        stored: u64,
        /// The newest generation ever saved.
        mark: u64,
    },
}

/// What the holder of the lock has to repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Nothing.
    Nothing,
    /// The journal's mark is behind: raise it to the record.
    Settle,
    /// The record is in the journal only: save it, then settle.
    Save,
    /// A logout did not finish: erase the record from the store.
    Erase,
}

/// A sealed record, and the journal's facts about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceivedTokens<'a> {
    pub(crate) generation: u64,
    pub(crate) fingerprint: &'a Fingerprint,
    pub(crate) sealed: &'a str,
}

/// The sealed record in a journal.
pub(crate) fn received(journal: &Journal) -> Option<ReceivedTokens<'_>> {
    match journal {
        Journal::Received { generation, fingerprint, sealed } => {
            Some(ReceivedTokens { generation: *generation, fingerprint, sealed })
        }
        _ => None,
    }
}

/// The sealed record, if it must be opened to know which record is the newest.
pub(crate) fn needs_opening<'a>(
    journal: Option<&'a Journal>,
    stored: Option<&TokenRecord>,
) -> Option<ReceivedTokens<'a>> {
    journal.filter(|journal| !is_in_store(journal, stored)).and_then(received)
}

/// Reconciles them. `received` is the opened record where [`needs_opening`] asked for it.
pub(crate) fn reconcile(
    journal: Option<&Journal>,
    stored: Option<TokenRecord>,
    received: Option<TokenRecord>,
) -> (TokenState, Repair) {
    let generation = stored.as_ref().map_or(0, |record| record.generation);
    let mark = journal.map_or(0, Journal::generation).max(generation);
    let state = TokenState::without_record(mark);

    if let Some(record) = received {
        return (TokenState { record: Some(record), saved: false, ..state }, Repair::Save);
    }
    let Some(journal) = journal else {
        let repair = if stored.is_some() { Repair::Settle } else { Repair::Nothing };
        return (TokenState { record: stored, ..state }, repair);
    };
    let is_newer = generation > journal.generation();
    let is_same = is_in_store(journal, stored.as_ref()) && !is_newer;
    match journal {
        _ if is_newer => (TokenState { record: stored, ..state }, Repair::Settle),
        Journal::Settled { forgotten: true, .. } if is_same => (state, Repair::Erase),
        Journal::Settled { forgotten: true, .. } if stored.is_none() => (state, Repair::Nothing),
        Journal::Settled { .. } if is_same => (TokenState { record: stored, ..state }, Repair::Nothing),
        Journal::Received { .. } if is_same => (TokenState { record: stored, ..state }, Repair::Settle),
        Journal::Spending(spending) if is_same => {
            (TokenState { record: stored, hazard: Some(uncertain(spending)), ..state }, Repair::Nothing)
        }
        _ => (TokenState::rolled_back(generation, mark), Repair::Nothing),
    }
}

fn uncertain(spending: &Spending) -> Hazard {
    let Spending { generation, fingerprint, pid, at, lost_at, why, public, unread, .. } = spending.clone();
    let why = why.map(|why| Reason::from_disk(&why, public.as_ref(), "the answer could not be used"));
    let (lost_since, lost) = (lost_at.unwrap_or(at), spending.lost());
    Hazard::Uncertain { generation, fingerprint, pid, at, lost_since, lost, why, unread }
}

/// Whether the store holds the journal's record, or a newer one.
fn is_in_store(journal: &Journal, stored: Option<&TokenRecord>) -> bool {
    stored.is_some_and(|record| {
        record.generation > journal.generation()
            || (record.generation == journal.generation() && fingerprint(record) == *journal.fingerprint())
    })
}

#[cfg(test)]
mod tests {
    use super::{Hazard, Repair, needs_opening, reconcile};
    use crate::domain::{Fingerprint, LostAnswer};
    use crate::tokens::journal::{Journal, Spending};
    use crate::tokens::record::fingerprint;
    use crate::tokens::record::tests::{at, record};

    fn settled(generation: u64, forgotten: bool) -> Journal {
        Journal::Settled { generation, fingerprint: fingerprint(&record(generation)), forgotten }
    }

    fn spending(generation: u64) -> Journal {
        let fingerprint = fingerprint(&record(generation));
        let at = at();
        Journal::Spending(Spending {
            generation,
            fingerprint,
            pid: 7,
            at,
            sends: 1,
            first_at: None,
            lost_at: None,
            why: None,
            public: None,
            unread: None,
        })
    }

    fn received(generation: u64) -> Journal {
        Journal::Received { generation, fingerprint: fingerprint(&record(generation)), sealed: "5ea1".into() }
    }

    /// Journal, generation in the store; expected: generation handed out, hazard, repair.
    fn check(journal: Option<&Journal>, stored: Option<u64>, expected: (Option<u64>, Option<Hazard>, Repair)) {
        let stored = stored.map(record);
        let opened = needs_opening(journal, stored.as_ref()).map(|_| record(journal.unwrap().generation()));
        let was_opened = opened.is_some();
        let (state, repair) = reconcile(journal, stored.clone(), opened);
        let (generation, hazard, expected_repair) = expected;
        let context = format!("{journal:?} {:?}", stored.map(|record| record.generation));
        assert_eq!(state.record, generation.map(record), "{context}");
        assert_eq!(state.hazard, hazard, "{context}");
        assert_eq!(repair, expected_repair, "{context}");
        assert_eq!(state.saved, !was_opened, "{context}");
    }

    fn rolled_back(stored: u64, mark: u64) -> Hazard {
        Hazard::RolledBack { stored, mark }
    }

    fn uncertain(generation: u64) -> Hazard {
        let fingerprint = Fingerprint::of(&record(generation).refresh_token.unwrap().token);
        let (at, lost) = (at(), LostAnswer { at: at(), sends: 1 });
        Hazard::Uncertain { generation, fingerprint, pid: 7, at, lost_since: at, lost, why: None, unread: None }
    }

    #[test]
    fn without_a_journal_the_store_is_believed_and_the_journal_is_to_be_settled() {
        check(None, None, (None, None, Repair::Nothing));
        check(None, Some(3), (Some(3), None, Repair::Settle));
    }

    #[test]
    fn a_settled_journal_hands_out_its_record_or_a_newer_one_and_never_an_older() {
        let journal = settled(41, false);
        check(Some(&journal), Some(41), (Some(41), None, Repair::Nothing));
        check(Some(&journal), Some(42), (Some(42), None, Repair::Settle));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Repair::Nothing));
        check(Some(&journal), None, (None, Some(rolled_back(0, 41)), Repair::Nothing));
    }

    #[test]
    fn another_record_of_the_same_generation_is_not_trusted() {
        let journal = Journal::Settled { generation: 41, fingerprint: fingerprint(&record(40)), forgotten: false };
        check(Some(&journal), Some(41), (None, Some(rolled_back(41, 41)), Repair::Nothing));
    }

    #[test]
    fn a_forgotten_record_stays_forgotten_and_what_is_left_of_it_is_erased() {
        let journal = settled(41, true);
        check(Some(&journal), None, (None, None, Repair::Nothing));
        check(Some(&journal), Some(41), (None, None, Repair::Erase));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Repair::Nothing));
    }

    #[test]
    fn a_spent_token_without_an_answer_is_uncertain_until_a_newer_record_is_found() {
        let journal = spending(41);
        check(Some(&journal), Some(41), (Some(41), Some(uncertain(41)), Repair::Nothing));
        check(Some(&journal), Some(42), (Some(42), None, Repair::Settle));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Repair::Nothing));
        check(Some(&journal), None, (None, Some(rolled_back(0, 41)), Repair::Nothing));
    }

    #[test]
    fn a_received_record_is_to_be_saved_unless_the_store_has_it() {
        let journal = received(42);
        check(Some(&journal), Some(41), (Some(42), None, Repair::Save));
        check(Some(&journal), None, (Some(42), None, Repair::Save));
        check(Some(&journal), Some(42), (Some(42), None, Repair::Settle));
        check(Some(&journal), Some(43), (Some(43), None, Repair::Settle));
    }
}
