//! The configuration file: what is accepted, and what is said of what is not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use manutop::config;
use manutop::config::{Config, ConfigError, MAX_FILE_SIZE, NotifySettings, StoreKind};
use manutop::domain::{
    AfterLostAnswer, ChosenColour, ColourRole, Colours, CommandTerminal, ConnectionGrant, SecretSource, ThemeName,
    Written,
};
use manutop::oauth::providers::ALL;
use url::Url;

/// A value that must never come back in a message.
const MARKER: &str = "s3cr3t-v4lue";

fn parse(text: &str) -> Result<Config, String> {
    config::parse(text, Path::new("c.toml"), ALL).map_err(|error| error.to_string())
}

fn manu(lines: &str) -> String {
    format!(
        "[[connections]]\nname = \"factory\"\nprovider = \"manu\"\nclient_id = \"id\"\nredirect_uri = \"http://localhost/cb\"\n{lines}\n"
    )
}

fn manus(lines: &str) -> String {
    format!("[[connections]]\nname = \"hr\"\nprovider = \"manus\"\nclient_id = \"tm_1\"\n{lines}\n")
}

fn command(lines: &str) -> String {
    format!("[[commands]]\nkey = \"F5\"\nname = \"pull\"\n{lines}\n")
}

#[test]
fn commands_are_read_with_their_defaults() {
    let all = command("argv = [\"/bin/pull\", \"{connection}\"]")
        + &command("argv = [\"pull\"]\nsecrets = [\"access_token\"]\nterminal = \"foreground\"")
        + &command("argv = [\"pull\"]\nsecrets = []\ntimeout_seconds = 600");
    let commands = parse(&all).unwrap().commands;
    let read: Vec<_> = commands.iter().map(|command| (command.gets_access_token, command.terminal)).collect();
    let background = |seconds| CommandTerminal::Background(Duration::from_secs(seconds));
    assert_eq!(read, [(false, background(60)), (true, CommandTerminal::Foreground), (false, background(600))]);
    assert_eq!(commands[0].argv, ["/bin/pull", "{connection}"]);
    assert_eq!((commands[0].key.text.as_str(), commands[0].key.line, commands[0].key.column), ("F5", 2, 7));
    assert_eq!(commands[0].name, "pull");
}

#[test]
fn colours_are_read_by_role() {
    let config =
        parse("[colors]\naccent = \"#ff8700\"\nerror = \"bright-red\"\nselection = 237\ndim = \"245\"\n").unwrap();
    assert_eq!(config.colors.get(ColourRole::Accent), Some(ChosenColour::Rgb(255, 135, 0)));
    assert_eq!(config.colors.get(ColourRole::Error), Some(ChosenColour::Numbered(9)));
    assert_eq!(config.colors.get(ColourRole::Selection), Some(ChosenColour::Numbered(237)));
    assert_eq!(config.colors.get(ColourRole::Dim), Some(ChosenColour::Numbered(245)));
    assert_eq!(config.colors.get(ColourRole::Live), None);
    assert_eq!(parse("").unwrap().colors, Colours::NONE);
}

#[test]
fn a_full_file_is_read_to_the_letter() {
    let config = parse(
        r#"
        store = "file"
        clipboard_clear_seconds = 0
        login_timeout_seconds = 60
        notify = "terminal"
        bell = true
        request_log_mib = 2048
        token_socket = false
        mouse = false
        read_only = true
        after_lost_answer = "ask"
        on_event = ["notify", "--team"]
        theme = "color-blind"
        columns = ["status", "name"]

        [[connections]]
        name = "factory"
        title = "Fabrik 工場"
        provider = "manu"
        client_id = "abc"
        redirect_uri = "http://127.0.0.1:8400/callback"
        scope = "READ WRITE"
        auto_refresh = false
        pkce = false
        authorize_url = "http://127.0.0.1:9000/oauth/authorize"
        token_url = "https://sandbox.example/oauth/token"
        revoke_url = "https://sandbox.example/oauth/revoke"
        test_url = "http://[::1]:9000/ping"
        client_secret_command = ["pass", "show", "manu/factory"]
        "#,
    )
    .unwrap();
    assert_eq!(config.store, StoreKind::File);
    assert_eq!(config.clipboard_clear, None);
    assert_eq!(config.login_timeout, Duration::from_secs(60));
    assert_eq!((config.notify, config.bell, config.token_socket), (NotifySettings::Terminal, true, false));
    assert_eq!((config.mouse, config.read_only), (false, true));
    assert_eq!(config.on_event, Some(vec!["notify".to_owned(), "--team".to_owned()]));
    assert_eq!(config.theme, ThemeName::ColourBlind);
    assert_eq!(config.columns, Some(vec!["status".to_owned(), "name".to_owned()]));
    assert_eq!(config.request_log, 2048 * 1024 * 1024);
    let [factory] = &config.connections[..] else { panic!("{config:?}") };
    assert_eq!(factory.name.as_str(), "factory");
    assert_eq!(factory.title.as_deref(), Some("Fabrik 工場"));
    assert_eq!(factory.provider.id, "manu");
    assert_eq!(factory.client_id, "abc");
    assert!(!factory.auto_refresh);
    assert_eq!(factory.after_lost_answer, AfterLostAnswer::Ask, "as at the top level");
    assert_eq!(factory.revoke_url.as_ref().map(Url::as_str), Some("https://sandbox.example/oauth/revoke"));
    assert_eq!(factory.token_url.as_str(), "https://sandbox.example/oauth/token");
    assert_eq!(factory.test_url.as_str(), "http://[::1]:9000/ping");
    let command = ["pass", "show", "manu/factory"].map(str::to_owned).to_vec();
    assert_eq!(factory.client_secret, SecretSource::Command(command));
    let ConnectionGrant::AuthorizationCode { authorize_url, redirect_uri, scope, pkce } = &factory.grant else {
        panic!("{:?}", factory.grant)
    };
    assert_eq!(authorize_url.as_str(), "http://127.0.0.1:9000/oauth/authorize");
    assert_eq!(redirect_uri, "http://127.0.0.1:8400/callback");
    assert_eq!(scope, "READ WRITE");
    assert!(!pkce);
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let config = parse(&(manu("") + &manus(""))).unwrap();
    assert_eq!(config.store, StoreKind::Keyring);
    assert_eq!((config.notify, config.bell, config.on_event.as_ref()), (NotifySettings::Desktop, false, None));
    assert!(config.token_socket && config.mouse && !config.read_only);
    assert_eq!(parse("notify = \"off\"").unwrap().notify, NotifySettings::Off);
    assert_eq!(config.clipboard_clear, Some(Duration::from_secs(45)));
    assert_eq!(config.login_timeout, Duration::from_secs(300));
    assert_eq!(config.request_log, 10 * 1024 * 1024);
    let [factory, hr] = &config.connections[..] else { panic!("{config:?}") };
    assert!(factory.auto_refresh && hr.auto_refresh);
    assert_eq!((factory.after_lost_answer, &factory.revoke_url), (AfterLostAnswer::Retry, &None));
    let own = parse(&("after_lost_answer = \"ask\"\n".to_owned() + &manu("after_lost_answer = \"retry\""))).unwrap();
    assert_eq!(own.connections[0].after_lost_answer, AfterLostAnswer::Retry, "a connection may say otherwise");
    assert_eq!(factory.token_url.as_str(), "https://auth.manuonline.com/oauth/token");
    assert_eq!(factory.client_secret, SecretSource::Store);
    let ConnectionGrant::AuthorizationCode { authorize_url, scope, pkce, .. } = &factory.grant else {
        panic!("{:?}", factory.grant)
    };
    assert_eq!(authorize_url.as_str(), "https://auth.manuonline.com/oauth/authorize");
    assert_eq!(scope, "API_ALL");
    assert!(pkce);
    assert_eq!(hr.grant, ConnectionGrant::ClientCredentials);
    assert_eq!(hr.token_url.as_str(), "https://api.manus.im/api/user/manage/v1/oauth/token");
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn a_missing_file_is_no_error_and_an_unreadable_one_is() {
    let directory = tempfile::tempdir().unwrap();
    let load = |name: &str| config::load(&directory.path().join(name), ALL);
    assert!(load("none.toml").unwrap().is_none());
    assert!(matches!(load("."), Err(ConfigError::Read { .. })));

    fs::write(directory.path().join("latin1.toml"), b"store = \"keyring\"\n# caf\xe9\n").unwrap();
    let error = load("latin1.toml").unwrap_err();
    assert!(matches!(error, ConfigError::NotUtf8 { line: 2, column: 6, .. }), "{error}");

    fs::write(directory.path().join("huge.toml"), vec![b'#'; usize::try_from(MAX_FILE_SIZE).unwrap() + 1]).unwrap();
    assert!(matches!(load("huge.toml"), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn reading_changes_nothing_and_tolerates_a_byte_order_mark() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.toml");
    let text = "\u{feff}# mine\r\n".to_owned() + &manu("").replace('\n', "\r\n");
    fs::write(&file, &text).unwrap();
    assert_eq!(config::load(&file, ALL).unwrap().unwrap().connections.len(), 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn all_faults_of_a_file_are_reported_at_once_and_name_the_real_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.toml");
    fs::write(&file, manu("pkce = 1\nscop = \"x\"") + &manus("test_url = \"nonsense\"")).unwrap();
    let error = config::load(&file, ALL).unwrap_err();
    let ConfigError::Invalid { faults, .. } = &error else { panic!("{error}") };
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [6, 7, 12]);
    for line in error.to_string().lines() {
        assert!(line.starts_with(file.to_str().unwrap()), "{line}");
    }
}

#[test]
fn every_fault_is_named_with_file_line_column_and_key() {
    for (text, message) in faulty_files() {
        let error = parse(&text).expect_err(&text);
        assert_eq!(error, message, "\n--- of the file:\n{text}");
        assert!(!error.contains(MARKER), "{error}");
    }
}

#[test]
fn keys_are_taken_down_with_their_places_in_the_order_of_the_file() {
    let config = parse("[keys.main]\nquit = [\"Ctrl-Q\", \"q\"]\n[keys.connection]\nrefresh = []\n").unwrap();
    let reported: Vec<_> =
        config.keys.iter().map(|wish| (wish.scope.text.as_str(), wish.action.text.as_str())).collect();
    assert_eq!(reported, [("main", "quit"), ("connection", "refresh")]);
    let [quit, refresh] = &config.keys[..] else { panic!("{config:?}") };
    let place = |word: &Written| (word.text.clone(), word.line, word.column);
    assert_eq!((quit.scope.line, quit.scope.column), (1, 7));
    assert_eq!((quit.action.line, quit.action.column), (2, 1));
    assert_eq!(quit.keys.iter().map(place).collect::<Vec<_>>(), [("Ctrl-Q".into(), 2, 9), ("q".into(), 2, 19)]);
    assert!(refresh.keys.is_empty());
}

#[expect(clippy::too_many_lines, reason = "a table reads best in one piece")]
fn faulty_files() -> Vec<(String, &'static str)> {
    vec![
        (
            "shape = \"red\"".into(),
            "c.toml:1:1: shape: unknown key; known keys are store, clipboard_clear_seconds, login_timeout_seconds, notify, bell, on_event, token_socket, after_lost_answer, theme, colors, columns, request_log_mib, mouse, read_only, keys, commands, connections",
        ),
        ("[[connection]]".into(), "c.toml:1:3: connection: unknown key; did you mean connections?"),
        ("store = \"keychain\"".into(), r#"c.toml:1:9: store: must be "keyring" or "file" (encrypted)"#),
        (
            "after_lost_answer = \"always\"".into(),
            r#"c.toml:1:21: after_lost_answer: must be "retry" (send the refresh token again) or "ask" (wait for a person)"#,
        ),
        ("store = 1".into(), "c.toml:1:9: store: must be a string in quotes, but is an integer"),
        (
            "connections = 5".into(),
            "c.toml:1:15: connections: must be a list of tables: begin each connection with a line [[connections]]",
        ),
        (
            "[connections.factory]\nname = \"factory\"".into(),
            "c.toml:1:2: connections: must be a list of tables: begin each connection with a line [[connections]]",
        ),
        ("notify = \"email\"".into(), r#"c.toml:1:10: notify: must be "desktop", "terminal" or "off""#),
        ("notify = true".into(), "c.toml:1:10: notify: must be a string in quotes, but is a truth value"),
        ("bell = \"on\"".into(), "c.toml:1:8: bell: must be true or false, but is a string"),
        ("token_socket = 0".into(), "c.toml:1:16: token_socket: must be true or false, but is an integer"),
        (
            "notfy = \"off\"\nbel = true".into(),
            "c.toml:1:1: notfy: unknown key; did you mean notify?\nc.toml:2:1: bel: unknown key; did you mean bell?",
        ),
        (
            "on_event = []".into(),
            r#"c.toml:1:12: on_event: names no program; set for example ["/home/ada/bin/notify-team"], or remove it"#,
        ),
        (
            format!("on_event = \"curl {MARKER}\""),
            r#"c.toml:1:12: on_event: must be a list of strings such as ["/home/ada/bin/notify-team"], but is a string"#,
        ),
        (
            "clipboard_clear_seconds = -1".into(),
            "c.toml:1:27: clipboard_clear_seconds: out of range; allowed are 0 to 86400 seconds",
        ),
        ("request_log_mib = 2".into(), "c.toml:1:19: request_log_mib: out of range; allowed are 4 to 4096 MiB"),
        (
            "request_log_mib = \"2 GiB\"".into(),
            "c.toml:1:19: request_log_mib: must be a whole number of MiB, but is a string",
        ),
        (
            "login_timeout_seconds = 0xFFFFF".into(),
            "c.toml:1:25: login_timeout_seconds: out of range; allowed are 10 to 3600 seconds",
        ),
        (
            "login_timeout_seconds = \"300\"".into(),
            "c.toml:1:25: login_timeout_seconds: must be a whole number of seconds, but is a string",
        ),
        (
            format!("client_secret = \"{MARKER}\""),
            "c.toml:1:1: client_secret: secrets are never kept in this file; remove the line, then store the client secret with: manutop secret set NAME (or name a program that prints it: client_secret_command)",
        ),
        (
            "\n[[connections]]".into(),
            r#"c.toml:2:1: client_id: missing; add a line such as client_id = "..."
c.toml:2:1: name: missing; add a line such as name = "factory"
c.toml:2:1: provider: missing; add a line such as provider = "manu""#,
        ),
        (
            "[[connections]]\nname = \"a b\"\nprovider = \"manuu\"\nclient_id = \" \"".into(),
            r#"c.toml:2:8: name of connection "a b": contains ' '; allowed are ASCII letters, digits, '-', '_' and '.'
c.toml:3:12: provider of connection "a b": "manuu" is not a known provider; known are "manu", "manus"; did you mean "manu"?
c.toml:4:13: client_id of connection "a b": must not be empty; set for example client_id = "...""#,
        ),
        (
            manu("redirect_url = \"http://localhost/\""),
            r#"c.toml:6:1: redirect_url of connection "factory": unknown key; did you mean redirect_uri?"#,
        ),
        (
            manu(&format!("client_secret = \"{MARKER}\"")),
            r#"c.toml:6:1: client_secret of connection "factory": secrets are never kept in this file; remove the line, then store the client secret with: manutop secret set factory (or name a program that prints it: client_secret_command)"#,
        ),
        (
            manu(&format!("refresh_token = \"{MARKER}\"")),
            r#"c.toml:6:1: refresh_token of connection "factory": secrets are never kept in this file; remove the line, then store the client secret with: manutop secret set factory (or name a program that prints it: client_secret_command)"#,
        ),
        (
            manu(&format!("client_secret = {MARKER}")),
            "c.toml:6:17: secret: secrets are never kept in this file; remove the line, then store the client secret with: manutop secret set NAME (or name a program that prints it: client_secret_command)",
        ),
        (
            manu(&format!("scope = \"{MARKER}")),
            r#"c.toml:6:22: scope: not valid TOML: invalid basic string, expected `"`"#,
        ),
        (manu(MARKER), "c.toml:6:13: not valid TOML: key with no value, expected `=`"),
        (manu("scope = \"a\"\nscope = \"b\""), "c.toml:7:1: scope: not valid TOML: duplicate key"),
        (
            manu("scope = \"\""),
            r#"c.toml:6:9: scope of connection "factory": must be words separated by single spaces (RFC 6749 section 3.3); left out, it is "API_ALL""#,
        ),
        (
            manu("title = \"a\\u202eb\""),
            r#"c.toml:6:9: title of connection "factory": contains an invisible or control character; remove it"#,
        ),
        (manu("pkce = \"yes\""), r#"c.toml:6:8: pkce of connection "factory": must be true or false, but is a string"#),
        (
            manu("client_secret_command = []"),
            r#"c.toml:6:25: client_secret_command of connection "factory": names no program; set for example ["pass", "show", "manu/factory"], or remove it to use the secret store"#,
        ),
        (
            manu(&format!("client_secret_command = \"echo {MARKER}\"")),
            r#"c.toml:6:25: client_secret_command of connection "factory": must be a list of strings such as ["pass", "show", "manu/factory"], but is a string"#,
        ),
        (
            manu("token_url = \"http://auth.example/token\""),
            r#"c.toml:6:13: token_url of connection "factory": plain http would expose secrets to the network; use https (http is for loopback only: 127.0.0.1, [::1], localhost)"#,
        ),
        (
            manu("token_url = \"auth.example/token\""),
            r#"c.toml:6:13: token_url of connection "factory": not a URL (relative URL without a base); use one such as https://example.com/oauth/token"#,
        ),
        (
            manu(&format!("token_url = \"https://me:{MARKER}@auth.example/token\"")),
            r#"c.toml:6:13: token_url of connection "factory": contains a user name or password; do not put secrets in this file"#,
        ),
        (
            manu("authorize_url = \"https://auth.example/authorize#top\""),
            r#"c.toml:6:17: authorize_url of connection "factory": has a fragment (#...), which RFC 6749 forbids; remove it"#,
        ),
        (
            manu("test_url = \"ftp://127.0.0.1/\""),
            r#"c.toml:6:12: test_url of connection "factory": must begin with https:// (or http:// on loopback)"#,
        ),
        (
            manus("redirect_uri = \"http://localhost/\"\npkce = true"),
            r#"c.toml:5:1: redirect_uri of connection "hr": not supported for Manus: it has no browser login; remove this line
c.toml:6:1: pkce of connection "hr": not supported for Manus: it has no browser login; remove this line"#,
        ),
        (
            "[[connections]]\nname = \"f\"\nprovider = \"manu\"\nclient_id = \"id\"".into(),
            r#"c.toml:1:1: redirect_uri of connection "f": missing; add a line such as redirect_uri = "http://127.0.0.1:8400/callback", exactly as registered"#,
        ),
        (
            manu("").replace("localhost", "a.example"),
            r#"c.toml:5:16: redirect_uri of connection "factory": plain http would expose the authorization code to the network; use https (http is for loopback only: 127.0.0.1, [::1], localhost)"#,
        ),
        (
            manus("") + &manus("").replace("\"hr\"", "\"HR\"") + &manus(""),
            r#"c.toml:7:8: name of connection "HR": is already the name of the connection on line 2 (upper and lower case count as the same); give the one on line 7 another
c.toml:12:8: name of connection "hr": is already the name of the connection on line 2 (upper and lower case count as the same); give the one on line 12 another"#,
        ),
        ("theme = \"lihgt\"".into(), "c.toml:1:9: theme: is no theme; did you mean light?"),
        (
            format!("theme = \"{MARKER}\""),
            "c.toml:1:9: theme: is no theme; known are auto, dark, light, high-contrast, colour-blind, 16, none",
        ),
        (
            format!("columns = [\"name\", \"{MARKER}\"]"),
            "c.toml:1:11: columns: has a column that does not exist; known are name, title, provider, status, access, ends, refresh, auto, next, last, why",
        ),
        ("columns = [\"nmae\"]".into(), "c.toml:1:11: columns: has a column that does not exist; did you mean name?"),
        ("columns = []".into(), "c.toml:1:11: columns: lists no column; remove the line to have those that fit"),
        (
            "columns = \"name\"".into(),
            "c.toml:1:11: columns: must be a list of strings such as [\"name\", \"status\", \"access\"], but is a string",
        ),
        (
            format!("[colors]\naccent = \"{MARKER}\""),
            "c.toml:2:10: colors.accent: must be \"#rrggbb\", a name such as \"blue\" or \"bright-blue\", or a number from 0 to 255",
        ),
        ("[colors]\ndim = \"gren\"".into(), "c.toml:2:7: colors.dim: unknown colour; did you mean green?"),
        ("[colors]\ndim = 256".into(), "c.toml:2:7: colors.dim: out of range; allowed are 0 to 255"),
        (
            "[colors]\nlive = true".into(),
            "c.toml:2:8: colors.live: must be \"#rrggbb\", a name such as \"blue\" or \"bright-blue\", or a number from 0 to 255",
        ),
        ("[colors]\nacent = 1".into(), "c.toml:2:1: colors.acent: unknown key; did you mean accent?"),
        (
            "[colors]\nshadow = 1".into(),
            "c.toml:2:1: colors.shadow: unknown key; known keys are accent, text, dim, border, live, busy, warning, error, background, selection",
        ),
        (
            "colors = \"red\"".into(),
            "c.toml:1:10: colors: must be a table: write a line [colors], and below it for example accent = \"#ff8700\"",
        ),
        ("theme = 16".into(), "c.toml:1:9: theme: must be a string in quotes, but is an integer"),
        (
            "keys = 1".into(),
            r#"c.toml:1:8: keys: must be tables: write for example a line [keys.connection], and below it refresh = ["F5"]"#,
        ),
        (
            "[keys]\nrefresh = [\"F5\"]".into(),
            r#"c.toml:2:11: keys.refresh: must be a table: write a line [keys.refresh], and below it for example refresh = ["F5"]"#,
        ),
        (
            "[keys.connection]\nrefresh = \"F5\"\n[keys.main]\nfilter = [\"x\", 1]".into(),
            r#"c.toml:2:11: keys.connection.refresh: must be a list of keys such as ["r", "F5", "Ctrl-R"]; [] is none
c.toml:4:10: keys.main.filter: must be a list of keys such as ["r", "F5", "Ctrl-R"]; [] is none"#,
        ),
        ("mouse = 0".into(), "c.toml:1:9: mouse: must be true or false, but is an integer"),
        ("read_only = \"yes\"".into(), "c.toml:1:13: read_only: must be true or false, but is a string"),
        (
            "[commands]\nname = \"pull\"".into(),
            "c.toml:1:1: commands: must be a list of tables: begin each command with a line [[commands]]",
        ),
        (
            "[[commands]]".into(),
            r#"c.toml:1:1: argv of command 1: missing; add a line such as argv = ["/home/ada/bin/pull", "{connection}"]
c.toml:1:1: key of command 1: missing; add a line such as key = "F5"
c.toml:1:1: name of command 1: missing; add a line such as name = "pull orders""#,
        ),
        (
            command("argv = [\"~/bin/pull\"]"),
            r#"c.toml:4:8: argv of command "pull": no shell reads it, so ~ means nothing; write the whole path"#,
        ),
        (
            command("argv = []"),
            r#"c.toml:4:8: argv of command "pull": names no program; set for example ["/home/ada/bin/pull", "{connection}"]"#,
        ),
        (
            command("argv = [\"pull\", \"{conection}\"]"),
            r#"c.toml:4:8: argv of command "pull": has an unknown placeholder; did you mean {connection}?"#,
        ),
        (
            command(&format!("argv = [\"pull\", \"{{token}}{MARKER}\"]")),
            r#"c.toml:4:8: argv of command "pull": has an unknown placeholder; known are {connection}, {provider}, {test_url}, {api_url}"#,
        ),
        (
            command("argv = [\"pull\"]\nsecrets = [\"refresh_token\"]"),
            r#"c.toml:5:11: secrets of command "pull": no program gets the refresh token: using it elsewhere can end the login; "access_token" is possible"#,
        ),
        (
            command(&format!("argv = [\"pull\"]\nsecrets = [\"{MARKER}\"]")),
            r#"c.toml:5:11: secrets of command "pull": can only be ["access_token"], or [] for none"#,
        ),
        (
            command("argv = [\"pull\"]\nterminal = \"suspend\""),
            r#"c.toml:5:12: terminal of command "pull": must be "background" or "foreground" (in the dashboard's place)"#,
        ),
        (
            command("argv = [\"pull\"]\nterminal = \"foreground\"\ntimeout_seconds = 5"),
            r#"c.toml:6:1: timeout_seconds of command "pull": only for terminal = "background"; remove the line"#,
        ),
        (
            command(&format!("argv = [\"pull\"]\ntoken = \"{MARKER}\"")),
            r#"c.toml:5:1: token of command "pull": secrets are never kept in this file; remove the line, then store the client secret with: manutop secret set NAME (or name a program that prints it: client_secret_command)"#,
        ),
        (
            command("argv = [\"pull\"]").replace("pull\"\n", "a name that is much too long\"\n"),
            r#"c.toml:3:8: name of command "a name that is much too long": must be one line of at most 24 columns: it stands in the footer"#,
        ),
        (
            "store = \"keyring\"\r\nstor = 1\r\nstore2 = 1".into(),
            "c.toml:2:1: stor: unknown key; did you mean store?
c.toml:3:1: store2: unknown key; did you mean store?",
        ),
    ]
}

#[test]
fn no_damage_to_a_file_makes_a_message_repeat_a_secret() {
    let text = manu(&format!("client_secret = \"{MARKER}\" # é\ntest_url = \"https://u:{MARKER}@a.example/\""));
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut damaged = Vec::new();
    for pair in places.windows(2) {
        damaged.push(text[..pair[0]].to_owned());
        for with in ["", "\"", "=", "\n", "[", "'", "{", "\\", "\"\"\"", "\u{0}"] {
            damaged.push(format!("{}{with}{}", &text[..pair[0]], &text[pair[1]..]));
        }
    }
    for text in damaged {
        if let Err(message) = parse(&text) {
            assert!(!message.contains(MARKER), "{message}\n--- of the file:\n{text}");
            assert!(message.lines().all(|line| line.starts_with("c.toml:")), "{message}");
        }
    }
}
