//! The first look at a large configuration, from what an earlier run left, before it has been read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::file_home::FileHome;
use crate::support::program::eventually;
use crate::support::pty::Terminal;
use manutop::config;
use manutop::config::Paths;
use manutop::dashboard_loop::glance;
use manutop::dashboard_loop::glance::Glance;
use manutop::oauth::providers::ALL;
use manutop::platform::file_stamp::Stamp;

const MANY: usize = 300;

/// Connections `c000`, `c001` and so on.
fn configuration(connections: usize) -> String {
    let connection = |number| {
        format!(
            "\n[[connections]]\nname = \"c{number:03}\"\nprovider = \"manus\"\nclient_id = \"client-{number}\"\n\
             auto_refresh = false\n"
        )
    };
    (0..connections).map(connection).fold("store = \"file\"\ntheme = \"dark\"\n".into(), |text, more| text + &more)
}

fn leave(paths: &Paths, text: &str) {
    fs::write(&paths.config_file, text).unwrap();
    let stamp = Stamp::of(&paths.config_file).unwrap();
    let config = config::load(&paths.config_file, ALL).unwrap().unwrap();
    glance::leave(&paths.data_dir, &paths.config_file, stamp, &config);
}

fn paths(dir: &Path) -> Paths {
    Paths { config_file: dir.join("config.toml"), data_dir: dir.to_owned(), default_data_dir: false }
}

#[test]
fn it_has_the_first_connections_the_widest_and_every_setting() {
    let dir = tempfile::tempdir().unwrap();
    let paths = paths(dir.path());
    assert_eq!(Glance::read(&paths, ALL), None);
    let text = configuration(MANY)
        .replace("\"c290\"", "\"a-much-wider-name\"")
        .replace("name = \"c280\"", "name = \"c280\"\ntitle = \"the title\"");
    leave(&paths, &text);
    let Glance { config, total } = Glance::read(&paths, ALL).unwrap();
    assert_eq!(total, MANY);
    let whole = config::parse(&text, &paths.config_file, ALL).unwrap();
    let (first, rest) = config.connections.split_at(128);
    assert_eq!(first, &whole.connections[..128]);
    let names: Vec<_> = rest.iter().map(|connection| connection.name.as_str()).collect();
    assert_eq!(names, ["c280", "a-much-wider-name"]);
    assert_eq!((config.theme, config.store), (whole.theme, whole.store));
    assert_eq!(fs::metadata(dir.path().join("glance")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn it_is_of_that_configuration_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let paths = paths(dir.path());
    leave(&paths, &configuration(128));
    assert_eq!(Glance::read(&paths, ALL), None, "so few are read as quickly");
    leave(&paths, &configuration(129));
    let left = fs::read_to_string(dir.path().join("glance")).unwrap();
    let damaged = [left.replacen("manutop ", "manutop 9", 1), left.replacen("[[connections]]", "[[", 1), String::new()];
    for text in damaged {
        fs::write(dir.path().join("glance"), &text).unwrap();
        assert_eq!(Glance::read(&paths, ALL), None, "{text}");
    }
    fs::write(dir.path().join("glance"), left).unwrap();
    assert!(Glance::read(&paths, ALL).is_some());
    fs::write(&paths.config_file, configuration(130)).unwrap();
    assert_eq!(Glance::read(&paths, ALL), None, "the file has changed");
    leave(&paths, &configuration(130));
    assert_eq!(Glance::read(&paths, ALL).map(|glance| glance.total), Some(130));
    fs::remove_file(&paths.config_file).unwrap();
    assert_eq!(Glance::read(&paths, ALL), None);
}

/// Has the dashboard leave a glance, and makes it one that differs from the configuration by a
/// name.
fn forge(home: &FileHome) {
    let file = home.data_dir().join("glance");
    let terminal = open(home);
    eventually("a glance", || file.exists());
    assert!(!close(terminal).contains("early"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("c000", "early", 1)).unwrap();
}

fn open(home: &FileHome) -> Terminal {
    Terminal::start(home.command_in_terminal(&[]), (120, 32))
}

fn close(mut terminal: Terminal) -> String {
    terminal
        .until("every row", |screen| screen.contents().contains("c000") && screen.contents().contains("1-13 of 300"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    terminal.assert_given_back();
    String::from_utf8_lossy(&terminal.everything()).into_owned()
}

#[test]
fn the_first_frame_is_drawn_from_it_and_the_next_from_the_whole() {
    let home = FileHome::new(&configuration(MANY));
    forge(&home);
    let seen = close(open(&home));
    let (glanced, read) = (seen.find("early"), seen.find("c000"));
    assert!(glanced.is_some() && glanced < read, "{seen}");
    // Written again, though with the same words.
    fs::write(home.config(), home.text()).unwrap();
    assert!(!close(open(&home)).contains("early"));
}

#[test]
fn what_fails_after_the_first_look_is_reported_where_it_is_read() {
    let mut home = FileHome::new(&configuration(MANY));
    forge(&home);
    home.env.remove("MANUTOP_PASSPHRASE");
    home.env.insert("MANUTOP_PASSPHRASE_FILE", home.path("nowhere").display().to_string());
    let mut terminal = open(&home);
    assert_ne!(terminal.ended(), 0);
    terminal.assert_given_back();
    assert!(terminal.shows("nowhere"), "{}", terminal.picture());
    assert!(String::from_utf8_lossy(&terminal.everything()).contains("early"));
}
