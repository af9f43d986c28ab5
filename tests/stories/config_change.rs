//! Connections written into the configuration file and taken out of it: nothing else changes.

use std::fs;
use std::path::{Path, PathBuf};

use manutop::config;
use manutop::config::{
    ChangeError, Config, Draft, add_connection, can_rename_connection, change_connection, remove_connection,
    rename_connection,
};
use manutop::domain::{Connection, ConnectionName};
use manutop::oauth::providers::ALL;

const FILE: &str = r#"# my connections

store   =  'keyring'   # the desktop's

# the main account
[[connections]]   # header
name = "factory" # x
provider = 'manu'
client_id = "abc"
redirect_uri = "http://127.0.0.1:8400/callback"
# the sandbox
token_url = "https://sandbox.example/token" # not for long
scope = "API_ALL"
# scope = "OLD"

# people
[[connections]]
name = "hr"
provider = "manus"
client_secret_command = [ "pass",
    "show", # the vault
    "hr" ]
client_id = "tm_1"
# the end
"#;

struct Home(tempfile::TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.file(), text).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn draft_of(&self, connection: &str) -> Draft {
        Draft::of(&connection_of(&load(&self.file()), connection))
    }

    /// Changes keys of a connection, as a form does.
    fn change(&self, connection: &str, texts: &[(&str, &str)]) -> Result<Config, ChangeError> {
        let mut draft = self.draft_of(connection);
        set(&mut draft, texts);
        change_connection(&self.file(), &name(connection), &draft, ALL)
    }
}

fn load(file: &Path) -> Config {
    config::load(file, ALL).unwrap().unwrap_or_default()
}

fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).unwrap()
}

fn connection_of(config: &Config, connection: &str) -> Connection {
    config.connections.iter().find(|known| known.name.as_str() == connection).unwrap().clone()
}

fn set(draft: &mut Draft, texts: &[(&str, &str)]) {
    for (key, text) in texts {
        draft.set(key, *text);
    }
}

fn new_draft() -> Draft {
    let mut draft = Draft::default();
    set(&mut draft, &[("name", "new"), ("provider", "manus"), ("client_id", "tm_2"), ("title", "工場")]);
    draft
}

const NEW: &str = "\n[[connections]]\nname = \"new\"\ntitle = \"工場\"\nprovider = \"manus\"\nclient_id = \"tm_2\"\n";

/// Files of every kind that editors leave behind, all with the same meaning.
fn kinds() -> Vec<String> {
    let crlf = FILE.replace('\n', "\r\n");
    let mixed = FILE.replacen('\n', "\r\n", 3);
    vec![
        FILE.into(),
        crlf.clone(),
        mixed,
        format!("\u{feff}{FILE}"),
        format!("\u{feff}{crlf}"),
        FILE.trim_end().into(),
        FILE.trim_end_matches("# the end\n").trim_end().into(),
    ]
}

#[test]
fn a_new_connection_is_appended_and_nothing_else_changes() {
    for old in kinds() {
        let home = Home::new(&old);
        let config = add_connection(&home.file(), &new_draft(), ALL).unwrap();
        let new = home.text();
        assert!(new.starts_with(&old), "{new}");
        let added = new[old.len()..].replace("\r\n", "\n");
        assert_eq!(added.trim_start_matches('\n'), NEW.trim_start_matches('\n'));
        let is_crlf = old.matches("\r\n").count() == old.matches('\n').count();
        assert!(!is_crlf || !new[old.len()..].replace("\r\n", "").contains('\n'), "{new:?}");
        assert_eq!(config, load(&home.file()));
        assert_eq!(config.connections.len(), 3);
    }
}

#[test]
fn a_changed_value_is_all_that_changes() {
    for old in kinds() {
        let home = Home::new(&old);
        home.change("factory", &[("client_id", "it's \"new\""), ("token_url", "https://b.example/t")]).unwrap();
        let expected = old
            .replace("client_id = \"abc\"", "client_id = 'it''s \"new\"'")
            .replace("'it''s \"new\"'", r#""it's \"new\"""#)
            .replace("https://sandbox.example/token", "https://b.example/t");
        let new = home.text();
        assert_eq!(load(&home.file()).connections[0].client_id, "it's \"new\"");
        let quoted =
            |text: &str| text.lines().filter(|line| !line.starts_with("client_id")).collect::<Vec<_>>().join("\n");
        assert_eq!(quoted(&new), quoted(&expected));
        assert_eq!(new.matches('\r').count(), old.matches('\r').count());
    }
}

#[test]
fn a_key_comes_and_goes_and_the_comments_above_it_stay() {
    for old in kinds() {
        let home = Home::new(&old);
        home.change("factory", &[("token_url", ""), ("pkce", "false")]).unwrap();
        let expected =
            old.replace("token_url = \"https://sandbox.example/token\" # not for long", "").replace('\r', "");
        let expected = expected
            .replace("# the sandbox\n\n", "# the sandbox\n")
            .replace("scope = \"API_ALL\"\n", "scope = \"API_ALL\"\npkce = false\n");
        assert_eq!(home.text().replace('\r', "").trim_end(), expected.trim_end());
        // The last key of a table, with a comment above it.
        home.change("factory", &[("pkce", "")]).unwrap();
        assert_eq!(home.text().replace('\r', "").trim_end(), expected.replace("pkce = false\n", "").trim_end());
    }
}

#[test]
fn the_comment_above_the_last_key_stays_when_that_is_taken_out() {
    let home = Home::new(
        "[[connections]]\nname = \"hr\"\nprovider = \"manus\"\nclient_id = \"i\"\n# why\ntest_url = \"https://a.example/\"\n",
    );
    home.change("hr", &[("test_url", "")]).unwrap();
    assert_eq!(home.text(), "[[connections]]\nname = \"hr\"\nprovider = \"manus\"\nclient_id = \"i\"\n# why\n");
}

#[test]
fn a_connection_goes_with_its_own_comment_only() {
    for old in kinds() {
        let home = Home::new(&old);
        let old = old.replace('\r', "");
        remove_connection(&home.file(), &name("factory"), ALL).unwrap();
        let (before, rest) = old.split_once("# the main account").unwrap();
        let after = &rest[rest.find("# scope = \"OLD\"").unwrap()..];
        assert_eq!(home.text().replace('\r', "").trim_end(), format!("{before}{after}").trim_end());
        remove_connection(&home.file(), &name("hr"), ALL).unwrap();
        let left = home.text().replace('\r', "");
        let end = if old.contains("# the end") { "# the end" } else { "" };
        assert_eq!(left.trim_end(), format!("{before}# scope = \"OLD\"\n\n{end}").trim_end());
        assert_eq!(load(&home.file()).connections, []);
        add_connection(&home.file(), &new_draft(), ALL).unwrap();
        assert_eq!(load(&home.file()).connections.len(), 1);
    }
}

#[test]
fn inline_tables_stay_inline() {
    let old = "connections = [ # all\n  { name = \"a\", provider = \"manus\", client_id = \"1\" }, # first\n  \
               { name = \"b\", provider = \"manus\", client_id = \"2\", auto_refresh = false },\n]\nstore = \"file\" # end\n";
    let home = Home::new(old);
    home.change("b", &[("client_id", "3"), ("auto_refresh", "")]).unwrap();
    let changed = home.text();
    assert!(changed.starts_with(old.split("{ name = \"b\"").next().unwrap()), "{changed}");
    assert!(changed.ends_with("store = \"file\" # end\n"), "{changed}");
    add_connection(&home.file(), &new_draft(), ALL).unwrap();
    remove_connection(&home.file(), &name("a"), ALL).unwrap();
    let names: Vec<_> = load(&home.file()).connections.into_iter().map(|connection| connection.name).collect();
    assert_eq!(names, [name("b"), name("new")], "{}", home.text());
    assert!(home.text().starts_with("connections = ["), "{}", home.text());
}

#[test]
fn what_was_edited_elsewhere_meanwhile_stays() {
    let home = Home::new(FILE);
    let mut draft = home.draft_of("factory");
    draft.set("client_id", "mine");
    let theirs = FILE.replace("\"API_ALL\"", "\"THEIRS\"").replace("tm_1", "tm_9");
    fs::write(home.file(), &theirs).unwrap();
    change_connection(&home.file(), &name("factory"), &draft, ALL).unwrap();
    assert_eq!(home.text(), theirs.replace("\"abc\"", "\"mine\""));
    remove_connection(&home.file(), &name("factory"), ALL).unwrap();
    let gone = change_connection(&home.file(), &name("factory"), &draft, ALL).unwrap_err();
    assert!(matches!(gone, ChangeError::Gone { .. }), "{gone}");
}

#[test]
fn another_grant_takes_its_keys_along() {
    let home = Home::new(FILE);
    home.change("factory", &[("provider", "manus")]).unwrap();
    assert!(!home.text().contains("redirect_uri") && home.text().contains("# the sandbox"), "{}", home.text());
    assert!(!load(&home.file()).connections[0].needs_browser());
}

#[test]
fn faults_are_refused_and_leave_the_file_as_it_was() {
    let home = Home::new(FILE);
    let refused = home.change("factory", &[("scope", "a  b"), ("token_url", "http://a.example/")]).unwrap_err();
    let ChangeError::Refused(faults) = refused else { panic!("{refused}") };
    assert_eq!(faults.iter().map(|fault| fault.key).collect::<Vec<_>>(), ["scope", "token_url"]);
    let mut double = new_draft();
    double.set("name", "HR");
    assert!(matches!(add_connection(&home.file(), &double, ALL), Err(ChangeError::Refused(_))));
    assert_eq!(home.text(), FILE);
    // A file with faults of its own must be fixed by its owner first.
    for broken in [FILE.replace("'keyring'", "'keychain'"), format!("{FILE}[[")] {
        fs::write(home.file(), &broken).unwrap();
        let error = add_connection(&home.file(), &new_draft(), ALL).unwrap_err();
        assert!(matches!(error, ChangeError::File(_)), "{error}");
        assert_eq!(home.text(), broken);
    }
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 1, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn a_missing_file_is_made_for_its_owner_alone_and_a_link_and_a_mode_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/manutop/config.toml");
    add_connection(&file, &new_draft(), ALL).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), NEW.trim_start());
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));

    let (link, real) = (dir.path().join("config.toml"), dir.path().join("dotfiles.toml"));
    fs::write(&real, FILE).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("dotfiles.toml", &link).unwrap();
    add_connection(&link, &new_draft(), ALL).unwrap();
    remove_connection(&link, &name("hr"), ALL).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("dotfiles.toml"));
    assert_eq!((mode(&real), load(&real).connections.len()), (0o640, 2));
}

#[test]
fn another_name_is_all_that_changes() {
    for old in kinds() {
        let home = Home::new(&old);
        can_rename_connection(&home.file(), &name("factory"), &name("plant"), ALL).unwrap();
        assert_eq!(home.text(), old, "asking changes nothing");
        let config = rename_connection(&home.file(), &name("factory"), &name("plant"), ALL).unwrap();
        let expected = old.replace("name = \"factory\" # x", "name = \"plant\" # x");
        assert_eq!(home.text().trim_end(), expected.trim_end());
        assert_eq!(config, load(&home.file()));
    }
}

#[test]
fn a_name_that_is_taken_or_not_there_changes_nothing() {
    let home = Home::new(FILE);
    for (old, new) in [("factory", "HR"), ("missing", "plant")] {
        can_rename_connection(&home.file(), &name(old), &name(new), ALL).unwrap_err();
        rename_connection(&home.file(), &name(old), &name(new), ALL).unwrap_err();
    }
    assert_eq!(home.text(), FILE);
    let inline = "connections = [ { name = 'hr', provider = 'manus', client_id = 'i' } ] # mine\n";
    let home = Home::new(inline);
    rename_connection(&home.file(), &name("hr"), &name("people"), ALL).unwrap();
    assert_eq!(home.text(), inline.replace("'hr'", "\"people\""));
}
