//! Secrets larger than the store's items: parts behind a small manifest.
//!
//! Windows takes 2,560 bytes an item. A large secret is written as parts into whichever of two
//! slots is not in use, then the item itself becomes a manifest naming slot, count and digest,
//! and then the old slot is cleared: killed anywhere, the old secret or the new one is whole.

use sha2::{Digest, Sha256};

use crate::domain::Secret;
use crate::secrets::error::StoreError;
use crate::secrets::secret_store::SecretStore;

/// No secret of ours begins like this; one that did would be written in parts too.
const MANIFEST: &str = "manutop-parts:";

struct Manifest {
    slot: char,
    parts: usize,
    digest: String,
}

impl Manifest {
    fn parse(item: &str, value: &Secret) -> Result<Option<Self>, StoreError> {
        let Some(text) = value.expose().strip_prefix(MANIFEST) else { return Ok(None) };
        let mut fields = text.split(':');
        let manifest = (|| {
            let slot = fields.next().filter(|slot| ["a", "b"].contains(slot))?.chars().next()?;
            let parts = fields.next()?.parse().ok().filter(|parts| (1..=1000).contains(parts))?;
            Some(Self { slot, parts, digest: fields.next()?.to_owned() })
        })();
        manifest.map(Some).ok_or_else(|| corrupt(item, "its manifest of parts is not understood"))
    }

    fn text(&self) -> Secret {
        Secret::new(format!("{MANIFEST}{}:{}:{}", self.slot, self.parts, self.digest))
    }

    fn part(&self, item: &str, index: usize) -> String {
        format!("{item}/{}{index}", self.slot)
    }
}

/// The secret, put together if it is in parts.
pub(crate) fn get(store: &mut dyn SecretStore, item: &str) -> Result<Option<Secret>, StoreError> {
    let Some(value) = store.get(item)?.filter(|value| !value.is_empty()) else { return Ok(None) };
    let Some(manifest) = Manifest::parse(item, &value)? else { return Ok(Some(value)) };
    let mut whole = String::new();
    for index in 0..manifest.parts {
        let part = store.get(&manifest.part(item, index))?.ok_or_else(|| corrupt(item, "a part is missing"))?;
        whole.push_str(part.expose());
    }
    let whole = Secret::new(whole);
    if digest(&whole) == manifest.digest {
        Ok(Some(whole))
    } else {
        Err(corrupt(item, "its parts do not fit together"))
    }
}

/// All secrets of that name. A store that needs parts has one of each name.
pub(crate) fn get_all(store: &mut dyn SecretStore, item: &str) -> Result<Vec<Secret>, StoreError> {
    let all = store.get_all(item)?;
    match all.as_slice() {
        [value] if value.expose().starts_with(MANIFEST) => Ok(get(store, item)?.into_iter().collect()),
        _ => Ok(all.into_iter().filter(|value| !value.is_empty()).collect()),
    }
}

/// Writes the secret, in parts where the store needs it.
pub(crate) fn set(store: &mut dyn SecretStore, item: &str, secret: &Secret) -> Result<(), StoreError> {
    let text = secret.expose();
    if text.is_empty() || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(StoreError::Refused { item: item.to_owned(), why: "it is not one line of ASCII".into() });
    }
    let limit = store.item_limit().unwrap_or(usize::MAX);
    let in_parts = text.len() > limit || text.starts_with(MANIFEST);
    if !in_parts && store.item_limit().is_none() {
        return store.set(item, secret);
    }
    let old = store.get(item)?.and_then(|value| Manifest::parse(item, &value).ok().flatten());
    if in_parts {
        let parts: Vec<&[u8]> = text.as_bytes().chunks(limit.min(text.len())).collect();
        let slot = if old.as_ref().is_some_and(|old| old.slot == 'a') { 'b' } else { 'a' };
        let manifest = Manifest { slot, parts: parts.len(), digest: digest(secret) };
        for (index, part) in parts.iter().enumerate() {
            let part = std::str::from_utf8(part).expect("ASCII splits anywhere");
            store.set(&manifest.part(item, index), &Secret::new(part))?;
        }
        store.set(item, &manifest.text())?;
    } else {
        store.set(item, secret)?;
    }
    delete_parts(store, item, old.as_ref())
}

/// Removes the secret, and its parts if it has any.
pub(crate) fn delete(store: &mut dyn SecretStore, item: &str) -> Result<(), StoreError> {
    let value = match store.get(item) {
        // What cannot be read has no parts that could be found.
        Err(StoreError::Corrupt { .. } | StoreError::LockedElsewhere { .. }) => None,
        value => value?,
    };
    let manifest = value.and_then(|value| Manifest::parse(item, &value).ok().flatten());
    delete_parts(store, item, manifest.as_ref())?;
    store.delete(item)
}

fn delete_parts(store: &mut dyn SecretStore, item: &str, old: Option<&Manifest>) -> Result<(), StoreError> {
    let Some(old) = old else { return Ok(()) };
    (0..old.parts).try_for_each(|index| store.delete(&old.part(item, index)))
}

fn digest(secret: &Secret) -> String {
    let digest = Sha256::digest(secret.expose().as_bytes());
    format!("{:016x}", u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes")))
}

fn corrupt(item: &str, why: &str) -> StoreError {
    StoreError::Corrupt { item: item.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{delete, get, set};
    use crate::domain::Secret;
    use crate::secrets::error::StoreError;
    use crate::secrets::memory::{Call, InjectedFault, MemoryStore};

    fn long(letter: char) -> Secret {
        Secret::new(letter.to_string().repeat(6001))
    }

    #[test]
    fn a_large_secret_is_split_read_whole_and_replaced_without_leftovers() {
        let memory = MemoryStore::with_item_limit(2560);
        let mut store = memory.factory()().unwrap();
        for letter in ['x', 'y', 'z'] {
            set(&mut *store, "f/token", &long(letter)).unwrap();
            assert_eq!(get(&mut *store, "f/token").unwrap(), Some(long(letter)));
            assert_eq!(memory.items().len(), 4, "a manifest and three parts");
        }
        set(&mut *store, "f/token", &Secret::new("small")).unwrap();
        assert_eq!(memory.items(), ["f/token"]);
        set(&mut *store, "f/token", &long('x')).unwrap();
        delete(&mut *store, "f/token").unwrap();
        assert!(memory.items().is_empty());
    }

    #[test]
    fn a_write_that_dies_at_any_part_leaves_the_old_secret_or_the_new_one() {
        for written in 0..7 {
            let memory = MemoryStore::with_item_limit(2560);
            let mut store = memory.factory()().unwrap();
            set(&mut *store, "f/token", &long('o')).unwrap();
            for _ in 0..written {
                memory.fail_next(Call::Set, InjectedFault::None);
            }
            memory.fail_next(Call::Set, InjectedFault::Error(StoreError::unavailable("killed")));
            let died = set(&mut *store, "f/token", &long('n')).is_err();
            assert_eq!(died, written < 4, "three parts, then the manifest");
            let expected = if died { 'o' } else { 'n' };
            assert_eq!(get(&mut *store, "f/token").unwrap(), Some(long(expected)));
        }
    }

    #[test]
    fn a_secret_that_looks_like_a_manifest_is_still_itself() {
        let memory = MemoryStore::new();
        let mut store = memory.factory()().unwrap();
        let secret = Secret::new("manutop-parts:a:2:0000");
        set(&mut *store, "f/client-secret", &secret).unwrap();
        assert_eq!(get(&mut *store, "f/client-secret").unwrap(), Some(secret));
    }

    #[test]
    fn a_lost_or_foreign_part_is_damage_not_a_secret() {
        let memory = MemoryStore::with_item_limit(2560);
        let mut store = memory.factory()().unwrap();
        set(&mut *store, "f/token", &long('x')).unwrap();
        memory.put("f/token/a1", &Secret::new("other"));
        assert!(matches!(get(&mut *store, "f/token"), Err(StoreError::Corrupt { .. })));
        memory.remove("f/token/a1");
        assert!(matches!(get(&mut *store, "f/token"), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn what_would_break_a_keyring_is_refused() {
        let mut store = MemoryStore::new().factory()().unwrap();
        for text in ["", "two\nlines", "é", "tab\t"] {
            assert!(matches!(set(&mut *store, "x", &Secret::new(text)), Err(StoreError::Refused { .. })), "{text:?}");
        }
    }
}
