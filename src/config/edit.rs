//! The changes that manutop makes to the configuration file: which store is in use, after a move,
//! and single connections, from a form. Comments, order and everything else stay as written.
//!
//! Invariants: the file is read immediately before it is changed, and the result must mean what
//! was meant before it replaces the file (see `present`). On any error the file is as it was.

use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::config::change_error::ChangeError;
use crate::config::comments::{above_the_last_paragraph, join, prefix, prepend};
use crate::config::present::Present;
use crate::config::{Config, ConfigError, Draft, StoreKind, load, parse};
use crate::domain::{ConnectionName, Provider};

/// Makes the configuration file name this store. A file that is not there is made.
///
/// # Errors
/// When the file is no TOML, or cannot be read or replaced; it is then as it was.
pub fn set_store(file: &Path, kind: StoreKind) -> Result<(), ConfigError> {
    let (present, document) = with_store(file, kind)?;
    present.replace(&document.to_string())
}

/// Makes sure that [`set_store`] can do its work, and changes nothing.
///
/// # Errors
/// As that would have.
pub fn can_set_store(file: &Path, kind: StoreKind) -> Result<(), ConfigError> {
    let (present, document) = with_store(file, kind)?;
    present.check(&document)
}

/// The file as it is, and the document with this store.
fn with_store(file: &Path, kind: StoreKind) -> Result<(Present, DocumentMut), ConfigError> {
    let present = Present::read(file)?;
    let mut document = present.document()?;
    let mut value = Value::from(kind.word());
    match document.get_mut("store") {
        Some(Item::Value(present)) => {
            *value.decor_mut() = present.decor().clone();
            *present = value;
        }
        _ => drop(document.insert("store", Item::Value(value))),
    }
    Ok((present, document))
}

/// Writes a new connection at the end of the file, and reads the file again. A file that is not
/// there is made, for its owner alone.
///
/// # Errors
/// [`ChangeError`]; the file is then as it was.
pub fn add_connection(
    file: &Path,
    draft: &Draft,
    providers: &'static [&'static Provider],
) -> Result<Config, ChangeError> {
    let (present, document, meant) = added(file, draft, providers)?;
    present.replace_checked(&document, meant, providers)
}

/// Makes sure that [`add_connection`] can do its work, and changes nothing.
///
/// # Errors
/// [`ChangeError`], as that would have.
pub fn can_add_connection(
    file: &Path,
    draft: &Draft,
    providers: &'static [&'static Provider],
) -> Result<(), ChangeError> {
    can(added(file, draft, providers)?, providers)
}

fn added(file: &Path, draft: &Draft, providers: &'static [&'static Provider]) -> Result<Changed, ChangeError> {
    let (present, mut config) = read(file, providers)?;
    let connection = draft.check(&config.connections, providers).map_err(ChangeError::Refused)?;
    config.connections.push(connection);
    let lines = draft.differences(providers).into_iter().filter_map(|(key, value)| Some((key, value?)));
    let mut document = present.document()?;
    match document.get_mut("connections") {
        Some(Item::Value(Value::Array(array))) => {
            array.push(lines.collect::<InlineTable>());
        }
        _ => append(&mut document, lines.map(|(key, value)| (key, Item::Value(value))).collect()),
    }
    Ok((present, document, config))
}

/// Writes what a draft changed into its connection's table, and reads the file again. What was
/// changed elsewhere meanwhile, other keys of the same connection included, stays.
///
/// # Errors
/// [`ChangeError`]; the file is then as it was.
pub fn change_connection(
    file: &Path,
    name: &ConnectionName,
    draft: &Draft,
    providers: &'static [&'static Provider],
) -> Result<Config, ChangeError> {
    let (present, mut config) = read(file, providers)?;
    let at = place(file, &config, name)?;
    let mut merged = Draft::of(&config.connections[at]);
    let differences = draft.differences(providers);
    for (key, _) in &differences {
        merged.set(key, draft.get(key));
    }
    config.connections[at] = merged.check(&config.connections, providers).map_err(ChangeError::Refused)?;
    let mut document = present.document()?;
    for (key, value) in differences {
        match value {
            Some(value) => write(&mut document, at, key, value),
            None => take_out(&mut document, at, key),
        }
    }
    present.replace_checked(&document, config, providers)
}

/// Makes sure that [`rename_connection`] can do its work, and changes nothing.
///
/// # Errors
/// [`ChangeError`], as that would have.
pub fn can_rename_connection(
    file: &Path,
    old: &ConnectionName,
    new: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<(), ChangeError> {
    can(renamed(file, old, new, providers)?, providers)
}

/// Gives a connection another name, and reads the file again. Whatever is kept under the old name
/// is not touched.
///
/// # Errors
/// [`ChangeError`]; the file is then as it was.
pub fn rename_connection(
    file: &Path,
    old: &ConnectionName,
    new: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<Config, ChangeError> {
    let (present, document, meant) = renamed(file, old, new, providers)?;
    present.replace_checked(&document, meant, providers)
}

/// The file as it is, the document that is to take its place, and what that must mean.
type Changed = (Present, DocumentMut, Config);

/// Makes sure that a change can be made, and changes nothing.
fn can(changed: Changed, providers: &'static [&'static Provider]) -> Result<(), ChangeError> {
    let (present, document, meant) = changed;
    present.checked(&document, &meant, providers)?;
    Ok(present.check(&document)?)
}

fn renamed(
    file: &Path,
    old: &ConnectionName,
    new: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<Changed, ChangeError> {
    let (present, mut config) = read(file, providers)?;
    let at = place(file, &config, old)?;
    config.connections[at].name = new.clone();
    let mut document = present.document()?;
    write(&mut document, at, "name", Value::from(new.as_str()));
    Ok((present, document, config))
}

/// Takes a connection out of the file, with the comment that stands directly above its header,
/// and reads the file again. Its tokens and client secret are not touched.
///
/// # Errors
/// [`ChangeError`]; the file is then as it was.
pub fn remove_connection(
    file: &Path,
    name: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<Config, ChangeError> {
    let (present, document, meant) = removed(file, name, providers)?;
    present.replace_checked(&document, meant, providers)
}

/// Makes sure that [`remove_connection`] can do its work, and changes nothing.
///
/// # Errors
/// [`ChangeError`], as that would have.
pub fn can_remove_connection(
    file: &Path,
    name: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<(), ChangeError> {
    can(removed(file, name, providers)?, providers)
}

fn removed(
    file: &Path,
    name: &ConnectionName,
    providers: &'static [&'static Provider],
) -> Result<Changed, ChangeError> {
    let (present, mut config) = read(file, providers)?;
    let at = place(file, &config, name)?;
    config.connections.remove(at);
    let mut document = present.document()?;
    let prefix = match document.get_mut("connections") {
        Some(Item::ArrayOfTables(tables)) => {
            let removed = tables.remove(at);
            Some(prefix(removed.decor()).to_owned())
        }
        Some(Item::Value(Value::Array(array))) => {
            array.remove(at);
            None
        }
        _ => None,
    };
    if let Some(prefix) = prefix {
        leave(&mut document, at, above_the_last_paragraph(&prefix));
        if document.get("connections").and_then(Item::as_array_of_tables).is_some_and(ArrayOfTables::is_empty) {
            document.remove("connections");
        }
    }
    Ok((present, document, config))
}

fn read(file: &Path, providers: &'static [&'static Provider]) -> Result<(Present, Config), ChangeError> {
    // Read the careful way first: bounded, and with every fault named.
    load(file, providers)?;
    let present = Present::read(file)?;
    let config = parse(present.text(), file, providers)?;
    Ok((present, config))
}

fn place(file: &Path, config: &Config, name: &ConnectionName) -> Result<usize, ChangeError> {
    let at = config.connections.iter().position(|connection| connection.name == *name);
    at.ok_or_else(|| ChangeError::Gone { file: file.to_owned(), name: name.clone() })
}

/// A new table at the very end, behind the comments that end the file.
fn append(document: &mut DocumentMut, lines: Vec<(&str, Item)>) {
    let before = document.trailing().as_str().unwrap_or_default().to_owned();
    document.set_trailing("");
    let is_first = document.is_empty() && before.is_empty();
    let newline = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let blank = if is_first || before.ends_with("\n\n") { "" } else { "\n" };
    let mut table: Table = lines.into_iter().collect();
    table.decor_mut().set_prefix(format!("{before}{newline}{blank}"));
    let tables = document.entry("connections").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(tables) = tables.as_array_of_tables_mut() {
        tables.push(table);
    }
}

fn table_mut(document: &mut DocumentMut, at: usize) -> Option<&mut dyn TableLike> {
    match document.get_mut("connections")? {
        Item::ArrayOfTables(tables) => tables.get_mut(at).map(|table| table as &mut dyn TableLike),
        Item::Value(Value::Array(array)) => {
            array.get_mut(at)?.as_inline_table_mut().map(|table| table as &mut dyn TableLike)
        }
        _ => None,
    }
}

/// Sets a key; what stands around its value stays.
fn write(document: &mut DocumentMut, at: usize, key: &str, mut value: Value) {
    let Some(table) = table_mut(document, at) else { return };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(present) => {
            *value.decor_mut() = present.decor().clone();
            *present = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// Takes a key out; comments in the lines above it stay where they are.
fn take_out(document: &mut DocumentMut, at: usize, key: &str) {
    let Some(table) = table_mut(document, at) else { return };
    let above = table.key(key).map(|key| prefix(key.leaf_decor()).to_owned()).filter(|text| text.contains('#'));
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let next = keys.iter().skip_while(|other| *other != key).nth(1);
    table.remove(key);
    let Some(above) = above else { return };
    match next.and_then(|next| table.key_mut(next)) {
        Some(mut next) => prepend(next.leaf_decor_mut(), &above),
        None => leave(document, at + 1, &above),
    }
}

/// Leaves a text before the header of a table, or at the end where there is no such table.
fn leave(document: &mut DocumentMut, at: usize, text: &str) {
    let tables = document.get_mut("connections").and_then(Item::as_array_of_tables_mut);
    if let Some(table) = tables.and_then(|tables| tables.get_mut(at)) {
        prepend(table.decor_mut(), text);
    } else {
        let joined = join(text, document.trailing().as_str().unwrap_or_default());
        document.set_trailing(if joined.trim().is_empty() { String::new() } else { joined });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{StoreKind, set_store};

    /// The file's text with this store set.
    fn with_store(old: &str, kind: StoreKind) -> Result<String, crate::config::ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        fs::write(&file, old).unwrap();
        set_store(&file, kind)?;
        Ok(fs::read_to_string(&file).unwrap())
    }

    #[test]
    fn only_the_value_changes() {
        let old = "# mine\r\n\r\nstore   =  'keyring'   # the desktop's\r\nlogin_timeout_seconds = 60\r\n\r\n\
                   # first\r\n[[connections]]\r\nname = \"factory\" # x\r\n";
        let new = with_store(old, StoreKind::File).unwrap();
        assert_eq!(new, old.replace("'keyring'", "\"file\""));
        assert_eq!(with_store(&new, StoreKind::File).unwrap(), new);
    }

    #[test]
    fn a_missing_key_is_put_before_all_tables_and_comments_stay_with_theirs() {
        let old = "# about the factory\n[[connections]]\nname = \"factory\"\n";
        let new = with_store(old, StoreKind::File).unwrap();
        assert_eq!(new.parse::<toml::Table>().unwrap()["store"].as_str(), Some("file"), "{new}");
        assert!(new.ends_with(old), "{new}");
    }

    #[test]
    fn broken_toml_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        fs::write(&file, "a = 1\nhunter2\n").unwrap();
        let error = set_store(&file, StoreKind::File).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a = 1\nhunter2\n");
    }

    #[test]
    fn a_missing_file_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/config.toml");
        set_store(&file, StoreKind::Keyring).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "store = \"keyring\"\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_the_mode_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (link, real) = (dir.path().join("config.toml"), dir.path().join("dotfiles.toml"));
        fs::write(&real, "store = \"keyring\"\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set_store(&link, StoreKind::File).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), real);
        assert_eq!(fs::read_to_string(&real).unwrap(), "store = \"file\"\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&real), 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
