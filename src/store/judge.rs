//! Weighs the journal against the secret store: which record is the newest, may it be sent, and
//! what did a crash leave undone. Pure; every row of the recovery table is here.

use chrono::{DateTime, Utc};

use super::error::StoreError;
use super::journal::{Journal, Spending};
use super::record::fingerprint;
use crate::domain::{Fingerprint, LastRefusal, LostAnswer, Reason, TokenRecord};

/// Where a connection's tokens stand.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The newest record. `None` if there is none, and with [`Hazard::RolledBack`]: the record in
    /// the store is an old one and not handed out, so that it cannot be sent.
    pub record: Option<TokenRecord>,
    /// Whether the record is in the secret store; until then it is safe in the journal only.
    pub saved: bool,
    /// Why it is not, where saving was tried.
    pub unsaved_because: Option<StoreError>,
    /// What must be known before the record is sent.
    pub hazard: Option<Hazard>,
    /// The newest generation known of, forgotten ones included; 0 if there never was one.
    pub mark: u64,
    /// What the provider said last, where it gave no tokens. Whether it still is about this
    /// connection is for [`LastRefusal::is_about`] to say.
    pub refusal: Option<LastRefusal>,
    /// The lost answer that the newest record has recovered.
    pub recovered: Option<LostAnswer>,
}

impl Standing {
    /// The generation the next record received must have.
    #[must_use]
    pub fn next_generation(&self) -> u64 {
        self.mark.saturating_add(1)
    }
}

/// What must be known before a record is sent.
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
        /// Since when the answer is known to be lost; when it was sent, where its process died.
        lost_since: DateTime<Utc>,
        /// When it was sent first, and how often.
        lost: LostAnswer,
        /// How the answer was lost, where its process lived to say so.
        why: Option<Reason>,
        /// An answer that came and could not be read, sealed; see [`Lease::unread`](super::Lease::unread).
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

/// What the holder of the lock has to make good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// Nothing.
    Nothing,
    /// The journal's mark is behind: raise it to the record.
    Settle,
    /// The record is in the journal only: save it, then settle.
    Save,
    /// A logout did not finish: erase the record from the store.
    Erase,
}

/// A sealed record, and what the journal says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) generation: u64,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) sealed: &'a str,
}

/// The sealed record in a journal.
pub(super) fn received(journal: &Journal) -> Option<Received<'_>> {
    match journal {
        Journal::Received { generation, fingerprint, sealed } => {
            Some(Received { generation: *generation, fingerprint, sealed })
        }
        _ => None,
    }
}

/// The sealed record, if it takes that to know the newest.
pub(super) fn needs_opening<'a>(journal: Option<&'a Journal>, stored: Option<&TokenRecord>) -> Option<Received<'a>> {
    journal.filter(|journal| !is_in_store(journal, stored)).and_then(received)
}

/// Weighs them. `received` is the opened record where [`needs_opening`] asked for it.
pub(super) fn judge(
    journal: Option<&Journal>,
    stored: Option<TokenRecord>,
    received: Option<TokenRecord>,
) -> (Standing, Owed) {
    let generation = stored.as_ref().map_or(0, |record| record.generation);
    let mark = journal.map_or(0, Journal::generation).max(generation);
    let standing = Standing {
        record: None,
        saved: true,
        unsaved_because: None,
        hazard: None,
        mark,
        refusal: None,
        recovered: None,
    };
    let rolled_back = Some(Hazard::RolledBack { stored: generation, mark });

    if let Some(record) = received {
        return (Standing { record: Some(record), saved: false, ..standing }, Owed::Save);
    }
    let Some(journal) = journal else {
        let owed = if stored.is_some() { Owed::Settle } else { Owed::Nothing };
        return (Standing { record: stored, ..standing }, owed);
    };
    let is_newer = generation > journal.generation();
    let is_same = is_in_store(journal, stored.as_ref()) && !is_newer;
    match journal {
        _ if is_newer => (Standing { record: stored, ..standing }, Owed::Settle),
        Journal::Settled { forgotten: true, .. } if is_same => (standing, Owed::Erase),
        Journal::Settled { forgotten: true, .. } if stored.is_none() => (standing, Owed::Nothing),
        Journal::Settled { .. } if is_same => (Standing { record: stored, ..standing }, Owed::Nothing),
        Journal::Received { .. } if is_same => (Standing { record: stored, ..standing }, Owed::Settle),
        Journal::Spending(spending) if is_same => {
            (Standing { record: stored, hazard: Some(uncertain(spending)), ..standing }, Owed::Nothing)
        }
        _ => (Standing { hazard: rolled_back, ..standing }, Owed::Nothing),
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
    use super::{Hazard, Owed, judge, needs_opening};
    use crate::domain::{Fingerprint, LostAnswer};
    use crate::store::journal::{Journal, Spending};
    use crate::store::record::fingerprint;
    use crate::store::record::tests::{at, record};

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

    /// Journal, generation in the store; expected: generation handed out, hazard, what is owed.
    fn check(journal: Option<&Journal>, stored: Option<u64>, expected: (Option<u64>, Option<Hazard>, Owed)) {
        let stored = stored.map(record);
        let opened = needs_opening(journal, stored.as_ref()).map(|_| record(journal.unwrap().generation()));
        let was_opened = opened.is_some();
        let (standing, owed) = judge(journal, stored.clone(), opened);
        let (generation, hazard, expected_owed) = expected;
        let context = format!("{journal:?} {:?}", stored.map(|record| record.generation));
        assert_eq!(standing.record, generation.map(record), "{context}");
        assert_eq!(standing.hazard, hazard, "{context}");
        assert_eq!(owed, expected_owed, "{context}");
        assert_eq!(standing.saved, !was_opened, "{context}");
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
    fn without_a_journal_the_store_is_believed_and_the_mark_is_owed() {
        check(None, None, (None, None, Owed::Nothing));
        check(None, Some(3), (Some(3), None, Owed::Settle));
    }

    #[test]
    fn a_settled_journal_hands_out_its_record_or_a_newer_one_and_never_an_older() {
        let journal = settled(41, false);
        check(Some(&journal), Some(41), (Some(41), None, Owed::Nothing));
        check(Some(&journal), Some(42), (Some(42), None, Owed::Settle));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Owed::Nothing));
        check(Some(&journal), None, (None, Some(rolled_back(0, 41)), Owed::Nothing));
    }

    #[test]
    fn another_record_of_the_same_generation_is_not_trusted() {
        let journal = Journal::Settled { generation: 41, fingerprint: fingerprint(&record(40)), forgotten: false };
        check(Some(&journal), Some(41), (None, Some(rolled_back(41, 41)), Owed::Nothing));
    }

    #[test]
    fn a_forgotten_record_stays_forgotten_and_what_is_left_of_it_is_erased() {
        let journal = settled(41, true);
        check(Some(&journal), None, (None, None, Owed::Nothing));
        check(Some(&journal), Some(41), (None, None, Owed::Erase));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Owed::Nothing));
    }

    #[test]
    fn a_spent_token_without_an_answer_is_uncertain_until_a_newer_record_is_found() {
        let journal = spending(41);
        check(Some(&journal), Some(41), (Some(41), Some(uncertain(41)), Owed::Nothing));
        check(Some(&journal), Some(42), (Some(42), None, Owed::Settle));
        check(Some(&journal), Some(40), (None, Some(rolled_back(40, 41)), Owed::Nothing));
        check(Some(&journal), None, (None, Some(rolled_back(0, 41)), Owed::Nothing));
    }

    #[test]
    fn a_received_record_is_owed_to_the_store_unless_it_is_there() {
        let journal = received(42);
        check(Some(&journal), Some(41), (Some(42), None, Owed::Save));
        check(Some(&journal), None, (Some(42), None, Owed::Save));
        check(Some(&journal), Some(42), (Some(42), None, Owed::Settle));
        check(Some(&journal), Some(43), (Some(43), None, Owed::Settle));
    }
}
