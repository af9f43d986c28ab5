//! Scripts: as a user writes them, a hundred at once, and every way they can fail.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use manutop::demo::{DemoFault, Reply};
use manutop::domain::Secret;
use serde_json::Value;

use super::machine::{LOOPBACK, Machine, PROGRAM};
use crate::support::program::{Ended, Program, eventually};

const HOUR: Duration = Duration::from_secs(3600);

/// A machine with a live Manu connection, where the program is found by its name.
fn machine() -> Machine {
    let mut machine = Machine::new(HOUR);
    let mut path = std::path::Path::new(PROGRAM).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(&machine.env["PATH"]);
    machine.env.insert("PATH", path);
    machine.add_logged_in("factory");
    machine
}

impl Machine {
    /// Runs a shell script that may print secrets.
    fn script(&mut self, text: &str) -> Ended {
        let file = self.dir().join("script");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("bash");
        command.arg(&file).env_clear().envs(&self.env).current_dir(self.dir());
        let ended = Program::start(&mut command).end();
        std::fs::remove_file(file).unwrap();
        ended
    }

    /// The JSON a command prints, which must be one object of this version.
    fn json(&mut self, arguments: &[&str], code: i32) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat()).expect(code);
        let object: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        assert_eq!(object["version"], 1, "{object}");
        object
    }
}

#[test]
#[ignore = "needs gnome-keyring and curl; scripts/test runs it"]
fn a_user_s_script_calls_the_api_with_a_token_that_is_refreshed_on_the_way() {
    let mut machine = machine();
    let api = machine.servers.manu().test_url();
    let script = format!(
        "set -euo pipefail\n\
         curl --silent --fail -H \"$(manutop token factory --header)\" {api} >first\n\
         manutop refresh factory --force >/dev/null\n\
         curl --silent --fail -H \"Authorization: Bearer $(manutop token factory --min-ttl 5m)\" {api} >second\n\
         manutop exec factory -- sh -c 'curl --silent --fail -H \"Authorization: Bearer $MANUTOP_ACCESS_TOKEN\" {api}' >third\n\
         manutop curl factory -- --silent --fail {api} >fourth\n\
         cmp first second && cmp third fourth && test -s first && rm first second third fourth\n\
         if manutop token missing; then exit 1; else echo \"refused with $?\"; fi\n"
    );
    let ended = machine.script(&script).expect(0);
    assert_eq!(ended.stdout, "refused with 2\n");
    assert!(ended.stderr.contains("there is no connection missing"), "{ended:?}");
    machine.keep(&ended);
    assert_eq!(machine.servers.manu().stats().rotations, 1);
    machine.sweep(&mut [], 6);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_script_ends_where_no_token_can_be_had() {
    let mut machine = machine();
    let secret = machine.add_manu("archive", LOOPBACK);
    machine.set_secret("archive", &secret);
    let ended = machine.script("set -euo pipefail\ntoken=$(manutop token archive)\necho \"never: $token\"\n").expect(3);
    assert_eq!(ended.stdout, "");
    machine.keep(&ended);
    machine.sweep(&mut [], 4);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_hundred_at_once_are_one_exchange() {
    let mut machine = Machine::new(HOUR);
    // The login's tokens end soon, and are then too old.
    machine.servers.manu().push_fault(DemoFault::Rewrite(|mut answer| {
        answer["expires_in"] = 61.into();
        answer.to_string()
    }));
    machine.add_logged_in("factory");
    while machine.json(&["list"], 0)["connections"][0]["access_token"]["expires_in"].as_i64().unwrap() >= 59 {
        std::thread::sleep(Duration::from_millis(100));
    }
    machine.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_millis(500)));
    let all: Vec<_> = (0..100)
        .map(|_| {
            let mut command = machine.command(&["token", "factory"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut tokens = BTreeSet::new();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        tokens.insert(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(tokens.len(), 1, "all have the same");
    let stats = machine.servers.manu().stats();
    assert_eq!((stats.rotations, stats.reuses_detected), (1, 0));
    machine.sweep(&mut [], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_token_is_as_good_as_was_asked_for_or_none() {
    let mut machine = machine();
    let token = machine.token("factory");
    let header = Program::start(&mut machine.command(&["token", "factory", "--header"])).end().expect(0);
    assert_eq!(header.stdout, format!("Authorization: Bearer {token}\n"));
    let whole = Program::start(&mut machine.command(&["token", "factory", "--json"])).end().expect(0);
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((&whole["version"], &whole["connection"]), (&1.into(), &"factory".into()));
    assert_eq!((&whole["access_token"], &whole["token_type"]), (&Value::from(&*token), &"Bearer".into()));
    assert!((3000..=3600).contains(&whole["expires_in"].as_i64().unwrap()), "in whole seconds");
    assert!(whole["expires_at"].as_str().unwrap().ends_with('Z') && whole["generation"] == 1);

    // No refresh makes it live longer than it does: nothing is sent for that.
    let too_long = machine.run(&["token", "factory", "--min-ttl", "2h"]).expect(2);
    assert!(too_long.stderr.contains("live for 3600 s in all, less than the 7200 s of --min-ttl"), "{too_long:?}");
    assert_eq!(machine.servers.manu().stats().rotations, 0);
    // It is refreshed for a caller that needs more than is left, and left alone by --no-refresh.
    let refused = machine.json(&["token", "factory", "--min-ttl", "3600s", "--no-refresh"], 5);
    assert_eq!(refused["error"]["kind"], "transient");
    assert_eq!(machine.servers.manu().stats().rotations, 0);
    let newer = Program::start(&mut machine.command(&["token", "factory", "--min-ttl", "3600s"])).end().expect(0);
    assert_ne!(newer.stdout.trim(), token);
    assert_eq!(machine.servers.manu().stats().rotations, 1);
    assert!(machine.run(&["token", "factory", "--min-ttl", "soon"]).expect(2).stderr.contains("use 90s"));
    machine.sweep(&mut [], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_token_that_lives_is_given_while_another_process_is_at_work() {
    let mut machine = machine();
    machine.servers.manu().push_fault(DemoFault::DelayBefore(Duration::from_secs(5)));
    let slow = Program::start(&mut machine.command(&["refresh", "factory", "--force"]));
    while machine.servers.manu().stats().token_posts.refresh_token < 1 {
        std::thread::sleep(Duration::from_millis(10));
    }
    machine.token("factory");
    assert_eq!(machine.servers.manu().stats().rotations, 0, "the slow one is still out");
    machine.keep(&slow.end().expect(0));
    machine.sweep(&mut [], 5);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn a_keepalive_gives_the_token_it_holds_while_the_keyring_is_locked_and_while_it_hangs() {
    let mut machine = machine();
    let token = machine.token("factory");
    let mut keepalive = Program::start(&mut machine.command(&["keepalive"]));
    keepalive.until_stderr("all connections are read");
    let socket = std::path::Path::new(&machine.env["XDG_DATA_HOME"]).join("manutop/locks/.agent.sock");
    eventually("it answers", || socket.exists());
    machine.keyring.lock();
    assert_eq!(machine.token("factory"), token);
    machine.keyring.stop_daemon();
    assert_eq!(machine.token("factory"), token);
    machine.keyring.continue_daemon();
    keepalive.signal("TERM");
    machine.keep(&keepalive.end().expect(0));
    machine.run(&["token", "factory"]).expect(6);
    machine.sweep(&mut [], 4);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn exec_hands_tokens_signals_and_the_exit_code_through() {
    let mut machine = machine();
    let secret = machine.add_manus("hr-sync");
    machine.set_secret("hr-sync", &secret);
    machine.run(&["login", "hr-sync"]).expect(0);
    let (factory, sync) = (machine.token("factory"), machine.token("hr-sync"));
    machine.env.insert("MANUTOP_PASSPHRASE", "correct horse battery staple".into());
    let script = "printf '%s %s %s' \"$MANUTOP_ACCESS_TOKEN_FACTORY\" \"$MANUTOP_ACCESS_TOKEN_HR_SYNC\" \
                  \"${MANUTOP_PASSPHRASE-none}\"; exit 42";
    let both = Program::start(&mut machine.command(&["exec", "factory,hr-sync", "--", "sh", "-c", script])).end();
    assert_eq!((both.code, &*both.stdout), (Some(42), &*format!("{factory} {sync} none")));

    let waits = "trap 'exit 7' TERM; echo ready >&2; while :; do sleep 0.05; done";
    let mut waiting =
        Program::start(&mut machine.command(&["exec", "factory", "--env", "TOKEN", "--", "sh", "-c", waits]));
    waiting.until_stderr("ready");
    let environment = std::fs::read(format!("/proc/{}/environ", waiting.id())).unwrap();
    assert!(environment.split(|byte| *byte == 0).any(|variable| variable == format!("TOKEN={factory}").as_bytes()));
    waiting.signal("TERM");
    machine.keep(&waiting.end().expect(7));

    let missing = machine.run(&["exec", "factory", "--", "no-such-program"]).expect(1);
    assert!(missing.stderr.contains("no-such-program cannot be started"), "{missing:?}");
    machine.run(&["exec", "missing", "--", "true"]).expect(2);
    machine.run(&["exec", "factory"]).expect(2);
    machine.sweep(&mut [], 6);
}

#[test]
#[ignore = "needs gnome-keyring and curl; scripts/test runs it"]
fn curl_gets_the_token_and_no_command_line_shows_it() {
    let mut machine = machine();
    let token = machine.token("factory");
    // Stands for curl: says what anybody could read of it, and then what only it is given.
    let stand_in = machine.dir().join("bin");
    std::fs::create_dir(&stand_in).unwrap();
    let script =
        "#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline\nfor word; do case $word in @*) cat \"${word#@}\";; esac; done\n";
    std::fs::write(stand_in.join("curl"), script).unwrap();
    std::fs::set_permissions(stand_in.join("curl"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = machine.command(&["curl", "factory", "--", "https://api.example/", "-i"]);
    let path = format!("{}:{}", stand_in.display(), machine.env["PATH"].to_str().unwrap());
    let said = Program::start(command.env("PATH", path)).end().expect(0).stdout;
    let (line, header) = said.split_once("--url https://api.example/ -i ").unwrap();
    assert!(line.contains("curl -q ") && line.contains("--proto =https") && !line.contains(&token), "{line}");
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));

    let api = machine.servers.manu().test_url().to_string();
    machine.run(&["curl", "factory", "--", "--silent", "--fail", "--output", "/dev/null", &api]).expect(0);
    let clear = machine.run(&["curl", "factory", "--", "http://api.example/"]).expect(2);
    assert!(clear.stderr.contains("unencrypted"), "{clear:?}");
    machine.sweep(&mut [], 4);
}

#[test]
#[ignore = "needs gnome-keyring; scripts/test runs it"]
fn every_exit_code_has_its_cause_and_its_words_in_json() {
    let mut machine = machine();
    let (manu, manus) = (machine.servers.manu().clone(), machine.servers.manus().clone());
    let secret = machine.add_manus("hr-sync");
    let error = |machine: &mut Machine, line: &[&str], code: i32| machine.json(line, code)["error"].take();

    // 0, and what `refresh` says of each
    let fresh = machine.json(&["refresh", "factory"], 0);
    assert_eq!(
        (&fresh["results"][0]["outcome"], &fresh["results"][0]["generation"]),
        (&"still_fresh".into(), &1.into())
    );
    let forced = machine.json(&["refresh", "factory", "--force"], 0);
    assert_eq!((&forced["results"][0]["outcome"], &forced["results"][0]["error"]), (&"refreshed".into(), &Value::Null));
    let works = machine.json(&["test", "factory"], 0);
    assert_eq!((&works["http_status"], works["duration_ms"].is_u64()), (&200.into(), true));

    // 2
    let missing = error(&mut machine, &["token", "missing"], 2);
    assert_eq!((&missing["kind"], &missing["exit_code"]), (&"usage".into(), &2.into()));
    // 4
    let no_secret = error(&mut machine, &["login", "hr-sync"], 4);
    assert_eq!((&no_secret["kind"], &no_secret["connection"]), (&"misconfigured".into(), &"hr-sync".into()));
    machine.set_secret("hr-sync", &secret);
    assert_eq!(machine.json(&["login", "hr-sync"], 0)["outcome"], "minted");
    assert_eq!(machine.json(&["login", "hr-sync"], 0)["outcome"], "still_fresh");

    // 5, with Retry-After
    let limited = Reply::Status { code: 429, body: "{}".into(), retry_after: Some("77".into()) };
    manu.push_fault(DemoFault::Instead(limited));
    let waits = machine.json(&["refresh", "factory", "--force"], 5)["results"][0]["error"].take();
    assert_eq!((&waits["kind"], &waits["exit_code"]), (&"transient".into(), &5.into()));
    assert!((60..=77).contains(&waits["retry_after"].as_i64().unwrap()), "{waits}");
    assert!(waits["retry_at"].as_str().unwrap().ends_with('Z'), "{waits}");
    manus.push_fault(DemoFault::status(503, "{}"));
    assert_eq!(machine.json(&["refresh", "hr-sync", "--force"], 5)["results"][0]["error"]["kind"], "transient");
    assert_eq!(
        machine.json(&["status", "hr-sync"], 5)["connections"][0]["status"],
        "retrying",
        "as every process knows"
    );
    assert_eq!(machine.json(&["refresh", "hr-sync", "--force"], 0)["results"][0]["outcome"], "refreshed");

    // 1: the API refuses a token that should be good
    let token = machine.token("hr-sync");
    manus.revoke(&Secret::new(token));
    let refused = error(&mut machine, &["test", "hr-sync"], 1);
    assert!(refused["kind"] == "failed" && refused["message"].as_str().unwrap().contains("401"), "{refused}");

    // 5 while a lost answer recovers; 7 where a person is asked; then 3
    manu.push_fault(DemoFault::lost_answer());
    assert_eq!(machine.json(&["refresh", "factory", "--force"], 5)["results"][0]["error"]["kind"], "transient");
    assert_eq!(machine.json(&["status", "factory"], 5)["connections"][0]["status"], "answer_lost");
    machine.configure("after_lost_answer = \"ask\"");
    assert_eq!(machine.json(&["refresh", "factory", "--force"], 7)["results"][0]["error"]["kind"], "uncertain");
    assert_eq!(error(&mut machine, &["token", "factory", "--min-ttl", "3600s"], 7)["kind"], "uncertain");
    assert_eq!(machine.json(&["status", "factory"], 7)["connections"][0]["status"], "uncertain");
    let sent = machine.json(&["refresh", "factory", "--force", "--yes"], 3);
    assert_eq!(sent["results"][0]["error"]["kind"], "needs_login");
    assert_eq!(machine.json(&["logout", "factory"], 0)["outcome"], "logged_out");
    assert_eq!(error(&mut machine, &["token", "factory"], 3)["kind"], "needs_login");
    assert_eq!(machine.json(&["status", "factory", "hr-sync"], 3)["connections"][1]["name"], "hr-sync");
    machine.run(&["status", "hr-sync"]).expect(0);

    // 6
    machine.keyring.lock();
    assert_eq!(error(&mut machine, &["token", "hr-sync"], 6)["kind"], "store_unavailable");
    assert_eq!(machine.json(&["list", "hr-sync"], 6)["connections"][0]["status"], "store_unavailable");
    machine.sweep(&mut [], 8);
}
