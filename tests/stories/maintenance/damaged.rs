//! A damaged journal is its connection's trouble alone, and each advice ends it.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use manutop::domain::Secret;
use reqwest::{Client, StatusCode, header, redirect};
use serde_json::Value;
use url::Url;

use super::bench::{Bench, commented};
use crate::support::file_home::name;
use crate::support::program::{Ended, Program};

/// What it is called, and how it is done to a journal.
type Damage = (&'static str, fn(&Path));

/// What may have become of a journal that says `settled`, generation 41.
const DAMAGES: [Damage; 7] = [
    ("not JSON", |path| fs::write(path, "\0\0\0\0\0\0").unwrap()),
    ("half of it", |path| {
        let text = fs::read(path).unwrap();
        fs::write(path, &text[..text.len() / 2]).unwrap();
    }),
    ("empty", |path| fs::write(path, "").unwrap()),
    ("no text", |path| fs::write(path, b"\xff\xfe\x00").unwrap()),
    ("of another program", |path| fs::write(path, "{\"version\":1,\"state\":\"dreaming\"}\n").unwrap()),
    ("a directory", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("sealed to another identity", |path| {
        let text = fs::read_to_string(path).unwrap();
        let mut journal: Value = serde_json::from_str(&text).unwrap();
        journal["state"] = "received".into();
        journal["generation"] = 57.into();
        journal["sealed"] = "00ff".into();
        fs::write(path, journal.to_string()).unwrap();
    }),
];

fn journal(bench: &Bench) -> PathBuf {
    bench.data_dir().join("journals/factory.json")
}

/// What is kept of damaged journals.
fn asides(bench: &Bench) -> Vec<PathBuf> {
    let entries = fs::read_dir(bench.data_dir().join("journals")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.display().to_string().contains(".damaged-")).collect()
}

/// A second connection, which needs no person.
fn add_other(bench: &Bench) {
    let manus = bench.factory.servers.manus();
    manus.register_client("tm_other", &Secret::new("s3cret-of-the-other"));
    let (token_url, test_url) = (manus.token_url().to_string(), manus.test_url().to_string());
    let arguments = ["add", "other", "--provider", "manus", "--client-id", "tm_other", "--token-url", &token_url];
    let arguments = [&arguments[..], &["--test-url", &test_url, "--client-secret-stdin"]].concat();
    let mut add = Program::start(&mut bench.command(&arguments));
    add.send("s3cret-of-the-other\n");
    add.end().expect(0);
    bench.run(&["login", "other"], 0);
}

/// `manutop login`, finished by a person in a browser.
async fn log_in(bench: &Bench) -> Ended {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let mut login = Program::start(&mut bench.command(&["login", "factory", "--no-browser"]));
    let said = login.until_stderr("Ctrl-C cancels");
    let url = said.lines().find(|line| line.starts_with("http")).unwrap();
    let page = client.get(url).send().await.unwrap().text().await.unwrap();
    let (_, rest) = page.split_once(r#"name="consent" value=""#).unwrap();
    let (consent, _) = rest.split_once('"').unwrap();
    let mut endpoint = Url::parse(url).unwrap();
    endpoint.set_query(None);
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("consent", consent)
        .append_pair("decision", "allow")
        .finish();
    let kind = "application/x-www-form-urlencoded";
    let sent = client.post(endpoint).header(header::CONTENT_TYPE, kind).body(form).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let back = sent.headers()["location"].to_str().unwrap().to_owned();
    client.get(back).send().await.unwrap();
    login.end()
}

async fn generation(bench: &Bench) -> u64 {
    bench.vault().await.read(&name("factory")).await.unwrap().record.unwrap().generation
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_repairs_each_kind_of_damage_and_no_other_connection_is_affected() {
    for (what, damage) in DAMAGES {
        let bench = commented().await;
        add_other(&bench);
        damage(&journal(&bench));
        let posts = bench.manu().stats().token_posts.refresh_token;
        let refused = bench.run(&["refresh", "factory", "--force"], 3);
        assert!(
            refused.stderr.contains("damaged") && refused.stderr.contains("manutop login factory"),
            "{what}: {refused:?}"
        );
        let token = bench.run(&["token", "other"], 0);
        assert!(!token.stdout.is_empty(), "{what}");
        let all = Program::start(&mut bench.command(&["status", "--json"])).end();
        assert!(all.stdout.contains("\"other\"") && all.stdout.contains("needs_login"), "{what}: {all:?}");
        let doctor = Program::start(&mut bench.command(&["doctor"])).end();
        assert!(doctor.stdout.contains("FAIL  factory: tokens: "), "{what}: {doctor:?}");
        assert!(doctor.stdout.contains("log in with: manutop login factory"), "{what}: {doctor:?}");
        assert!(doctor.stdout.contains("ok    other: tokens: "), "{what}: {doctor:?}");
        assert_eq!(bench.manu().stats().token_posts.refresh_token, posts, "{what}: nothing is sent");

        let ended = log_in(&bench).await.expect(0);
        assert!(ended.stdout.contains("logged in, generation "), "{what}: {ended:?}");
        let newest = generation(&bench).await;
        let mark = if what.starts_with("sealed") { 57 } else { 41 };
        assert!(newest > mark, "{what}: {newest}");
        bench.run(&["refresh", "factory", "--force"], 0);
        assert_eq!(generation(&bench).await, newest + 1, "{what}");
        assert_eq!(asides(&bench).len(), 1, "{what}: it is kept");
        let doctor = Program::start(&mut bench.command(&["doctor"])).end();
        assert!(doctor.stdout.contains("a damaged journal was replaced and is kept in "), "{what}: {doctor:?}");
        bench.run(&["remove", "factory", "--yes"], 0);
        assert!(asides(&bench).is_empty(), "{what}: it goes with the connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_damage_is_given_up_by_a_logout_and_no_barrier_to_a_removal() {
    for (what, damage) in DAMAGES {
        let bench = commented().await;
        damage(&journal(&bench));
        bench.run(&["logout", "factory"], 0);
        let vault = bench.vault().await;
        let standing = vault.read(&name("factory")).await.unwrap();
        assert!(standing.record.is_none() && standing.hazard.is_none(), "{what}: {standing:?}");
        assert!(standing.mark >= 41, "{what}: old tokens that are restored stay old");
        assert!(vault.client_secret(&name("factory")).await.unwrap().is_some(), "{what}");

        let bench = commented().await;
        damage(&journal(&bench));
        bench.run(&["remove", "factory", "--yes"], 0);
        assert!(!bench.text().contains("factory") && asides(&bench).is_empty(), "{what}");
        assert!(!journal(&bench).exists(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_says_to_log_in_first_and_moves_nothing() {
    for (what, damage) in DAMAGES {
        let bench = commented().await;
        let before = bench.text();
        damage(&journal(&bench));
        let refused = Program::start(&mut bench.command(&["rename", "factory", "plant"])).end();
        assert_eq!(refused.code, Some(3), "{what}: {refused:?}");
        assert!(refused.stderr.contains("log in first with: manutop login factory"), "{what}: {refused:?}");
        assert_eq!(bench.text(), before, "{what}");
        log_in(&bench).await.expect(0);
        bench.run(&["rename", "factory", "plant"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_of_the_whole_store_is_brought_back_or_begun_again_without() {
    let bench = commented().await;
    let key = bench.data_dir().join("store/identity.age");
    let kept = fs::read(&key).unwrap();
    fs::write(&key, "damage").unwrap();
    let refused = bench.run(&["refresh", "factory", "--force"], 6);
    assert!(refused.stderr.contains("bring it back from a backup"), "{refused:?}");
    fs::write(&key, &kept).unwrap();
    bench.run(&["refresh", "factory", "--force"], 0);
    fs::write(&key, "damage").unwrap();
    fs::rename(bench.data_dir().join("store"), bench.path("damaged store")).unwrap();
    let newest = 42;
    bench.vault().await; // a cheap key
    let mut set = Program::start(&mut bench.command(&["secret", "set", "factory"]));
    set.send(&format!("{}\n", bench.factory.client_secret.expose()));
    set.end().expect(0);
    log_in(&bench).await.expect(0);
    assert_eq!(generation(&bench).await, newest + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_manutop_wrote_is_never_overwritten() {
    let bench = commented().await;
    add_other(&bench);
    let newer = "{\"version\":2,\"state\":\"dreaming\",\"generation\":99}\n";
    fs::write(journal(&bench), newer).unwrap();
    for arguments in [
        &["login", "factory", "--no-browser"][..],
        &["logout", "factory"],
        &["refresh", "factory", "--force"],
        &["remove", "factory", "--yes"],
    ] {
        let refused = Program::start(&mut bench.command(arguments)).end();
        assert_ne!(refused.code, Some(0), "{arguments:?}");
        assert!(refused.stderr.contains("use the newer manutop"), "{arguments:?}: {refused:?}");
        assert_eq!(fs::read_to_string(journal(&bench)).unwrap(), newer, "{arguments:?}");
    }
    bench.run(&["token", "other"], 0);
    assert!(bench.text().contains("factory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_minted_needs_no_person_to_replace_a_damaged_journal() {
    let bench = commented().await;
    add_other(&bench);
    for damage in ["", "{", "\0"] {
        fs::write(bench.data_dir().join("journals/other.json"), damage).unwrap();
        bench.run(&["token", "other", "--min-ttl", "0s"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_not_red_for_all_because_of_one() {
    let bench = commented().await;
    add_other(&bench);
    fs::write(journal(&bench), "{\"version\":1,").unwrap();
    let mut keepalive = Program::start(&mut bench.command(&["keepalive", "--listen", "127.0.0.1:0"]));
    let said = keepalive.until_stderr("leader: refreshing");
    let (_, rest) = said.split_once("health and metrics on ").unwrap();
    let address = rest.split(['\n', '"']).next().unwrap().to_owned();
    // The first reading has found the damage, and so has the second, under the lock.
    keepalive.until_stderr("damaged");
    let body = loop {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        if body["status"] == "starting" {
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}: {body}");
        break body;
    };
    assert_eq!((&body["status"], &body["problem"]), (&"degraded".into(), &Value::Null), "{body}");
    let of = |wanted: &str| {
        body["connections"].as_array().unwrap().iter().find(|one| one["name"] == wanted).unwrap().clone()
    };
    assert_eq!((&of("factory")["needs_person"], &of("factory")["status"]), (&true.into(), &"needs_login".into()));
    assert_eq!(of("other")["status"], "live");
    keepalive.signal("TERM");
    keepalive.end().expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_may_not_be_read_is_given_back_or_replaced() {
    let bench = commented().await;
    add_other(&bench);
    fs::set_permissions(journal(&bench), Permissions::from_mode(0o000)).unwrap();
    let run = |arguments: &[&str]| {
        // Root may read anything, unless it gives that up.
        let mut command = bench.command(arguments);
        if fs::read(journal(&bench)).is_ok() {
            let drop = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"];
            let mut humble = std::process::Command::new("setpriv");
            humble.args(drop).arg(crate::support::file_home::BINARY).args(arguments);
            humble.env_clear().envs(&bench.env).current_dir(bench.dir.path());
            command = humble;
        }
        Program::start(&mut command).end()
    };
    let refused = run(&["refresh", "factory", "--force"]);
    if refused.code == Some(127) || refused.stderr.starts_with("setpriv") {
        println!("not tried: no right can be given up here");
        return;
    }
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("cannot be read") && refused.stderr.contains("chmod 600"), "{refused:?}");
    assert_eq!(run(&["token", "other"]).code, Some(0));
    fs::set_permissions(journal(&bench), Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run(&["refresh", "factory", "--force"]).code, Some(0), "given back");
    fs::set_permissions(journal(&bench), Permissions::from_mode(0o000)).unwrap();
    assert_eq!(run(&["logout", "factory"]).code, Some(0), "given up");
    assert_eq!(fs::metadata(&asides(&bench)[0]).unwrap().permissions().mode() & 0o777, 0, "its mode is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_client_secret_is_set_again_and_a_damaged_record_replaced() {
    let bench = commented().await;
    for item in ["client-secret", "token"] {
        let store = bench.data_dir().join("store");
        // Which file is whose cannot be seen; the one that changes with a write is.
        let files = || -> Vec<(PathBuf, Vec<u8>)> {
            let entries = fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
        };
        let before = files();
        let vault = bench.vault().await;
        if item == "token" {
            bench.run(&["refresh", "factory", "--force"], 0);
        } else {
            vault.set_client_secret(&name("factory"), &bench.factory.client_secret).await.unwrap();
        }
        let changed: Vec<_> = files().into_iter().filter(|file| !before.contains(file)).collect();
        assert_eq!(changed.len(), 1, "{item}");
        fs::write(&changed[0].0, "damage").unwrap();
        let refused = Program::start(&mut bench.command(&["refresh", "factory", "--force"])).end();
        if item == "token" {
            assert_eq!(refused.code, Some(3), "{refused:?}");
            log_in(&bench).await.expect(0);
        } else {
            assert_eq!(refused.code, Some(4), "{refused:?}");
            assert!(refused.stderr.contains("manutop secret set factory"), "{refused:?}");
            let mut set = Program::start(&mut bench.command(&["secret", "set", "factory"]));
            set.send(&format!("{}\n", bench.factory.client_secret.expose()));
            set.end().expect(0);
        }
        bench.run(&["refresh", "factory", "--force"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_and_journal_from_a_backup_are_noticed_by_the_history() {
    let bench = commented().await;
    let copy = |from: &str, to: &str| {
        let ended = bench.shell(&format!("rm -rf '{to}' && cp -a '{from}' '{to}'")).status().unwrap();
        assert!(ended.success());
    };
    bench.run(&["refresh", "factory", "--force"], 0);
    for part in ["store", "journals"] {
        copy(&format!("data/{part}"), &format!("backup-{part}"));
    }
    for _ in 0..2 {
        bench.run(&["refresh", "factory", "--force"], 0);
    }
    let newest = generation(&bench).await;
    for part in ["store", "journals"] {
        copy(&format!("backup-{part}"), &format!("data/{part}"));
    }
    let stats = bench.manu().stats();
    let refused = bench.run(&["refresh", "factory", "--force"], 3);
    assert!(refused.stderr.contains(&format!("{newest} has been saved")), "{refused:?}");
    assert!(bench.run(&["doctor"], 1).stdout.contains(&format!("but {newest} was saved before")));
    let now = bench.manu().stats();
    assert_eq!((now.token_posts.refresh_token, now.reuses_detected), (stats.token_posts.refresh_token, 0));
    log_in(&bench).await.expect(0);
    assert_eq!(generation(&bench).await, newest + 1);
    bench.run(&["refresh", "factory", "--force"], 0);
}
