//! Several items of one name: a keyring may hold them, in one collection or in several. The default
//! collection's come first; of token records the journal's mark decides which is the newest.

use crate::domain::{ConnectionName, Secret};
use crate::secrets::error::StoreError;
use crate::secrets::secret_store::Elsewhere;
use crate::tokens::items::{client_secret_item, token_item};
use crate::tokens::journal::Journal;
use crate::tokens::record;
use crate::tokens::record::fingerprint;
use crate::tokens::vault::Vault;

impl Vault {
    /// The line of a connection's newest record in the store: the one that the journal's mark is
    /// about, else the one of the newest generation, else the first.
    pub(crate) async fn token_line(
        &self,
        name: &ConnectionName,
        journal: Option<&Journal>,
    ) -> Result<Option<Secret>, StoreError> {
        let lines = self.secrets().get_all(&token_item(name)).await?;
        Ok(newest(lines, journal))
    }

    /// Where else the keyring holds items of a connection than in its default collection.
    ///
    /// # Errors
    /// The keyring does not answer.
    pub async fn elsewhere(&self, name: &ConnectionName) -> Result<Vec<Elsewhere>, StoreError> {
        let mut found = self.secrets().elsewhere(&token_item(name)).await?;
        found.extend(self.secrets().elsewhere(&client_secret_item(name)).await?);
        Ok(found)
    }
}

fn newest(mut lines: Vec<Secret>, journal: Option<&Journal>) -> Option<Secret> {
    if lines.len() < 2 {
        return lines.pop();
    }
    let records: Vec<_> = lines.iter().map(|line| record::from_line("", line).ok()).collect();
    let is_marked = |record: &Option<_>| {
        let (Some(record), Some(journal)) = (record, journal) else { return false };
        let record: &crate::domain::TokenRecord = record;
        record.generation == journal.generation() && fingerprint(record) == *journal.fingerprint()
    };
    let generation = |at: &usize| records[*at].as_ref().map_or(0, |record| record.generation);
    // Of several of one generation the first: `max_by_key` takes the last.
    let newest = (0..records.len()).rev().max_by_key(generation).unwrap_or(0);
    Some(lines.swap_remove(records.iter().position(is_marked).unwrap_or(newest)))
}

#[cfg(test)]
mod tests {
    use super::newest;
    use crate::domain::Secret;
    use crate::tokens::journal::Journal;
    use crate::tokens::record::tests::record;
    use crate::tokens::record::{fingerprint, from_line, to_line};

    fn chosen(generations: &[u64], journal: Option<&Journal>) -> Option<u64> {
        let lines = generations.iter().map(|generation| to_line(&record(*generation))).collect();
        newest(lines, journal).map(|line| from_line("", &line).unwrap().generation)
    }

    #[test]
    fn the_journal_s_mark_decides_and_without_one_the_newest_generation() {
        let settled = |generation| {
            let fingerprint = fingerprint(&record(generation));
            Journal::Settled { generation, fingerprint, forgotten: false }
        };
        for (generations, mark, expected) in [
            (&[][..], Some(3), None),
            (&[3], Some(7), Some(3)),
            (&[2, 3], Some(3), Some(3)),
            (&[3, 500], Some(3), Some(3)),
            (&[500, 3, 4], Some(3), Some(3)),
            (&[2, 1], Some(3), Some(2)),
            (&[1, 2, 2], None, Some(2)),
        ] {
            assert_eq!(chosen(generations, mark.map(settled).as_ref()), expected, "{generations:?} {mark:?}");
        }
    }

    #[test]
    fn another_record_of_the_marked_generation_is_not_taken_for_it_and_damage_comes_last() {
        let journal = Journal::Settled { generation: 3, fingerprint: fingerprint(&record(2)), forgotten: false };
        assert_eq!(chosen(&[4, 3], Some(&journal)), Some(4));
        let lines = vec![Secret::new("damage"), to_line(&record(1))];
        assert_eq!(newest(lines, None), Some(to_line(&record(1))));
        let damaged = vec![Secret::new("first"), Secret::new("second")];
        assert_eq!(newest(damaged, None), Some(Secret::new("first")), "the default collection's");
    }
}
