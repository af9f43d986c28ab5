//! What the real program announces beyond its dashboard: the window's title, the program it runs for
//! events, and `list --watch` beside another process that refreshes.

use serde_json::Value;

use crate::support::bench::Bench;
use crate::support::factory::Factory;
use crate::support::file_home::PASSPHRASE;
use crate::support::program::{Program, eventually};
use crate::support::pty::{Terminal, shows};

/// With `lines` at the head of the configuration.
async fn bench_with(lines: &str) -> Bench {
    let factory = Factory::new();
    let configuration = format!("store = \"file\"\n{lines}\n[[connections]]{}", factory.section());
    Bench::with(factory, &configuration).await
}

/// What was sent to a terminal as its title: `+` saved, `-` given back, else a title.
fn titles(terminal: &mut Terminal) -> Vec<String> {
    let raw = String::from_utf8_lossy(&terminal.everything()).into_owned();
    let mut found = Vec::new();
    for sequence in raw.split('\x1b') {
        match sequence {
            "[22;2t" => found.push("+".to_owned()),
            _ if sequence.starts_with("[23;2t") => found.push("-".to_owned()),
            _ => found.extend(sequence.strip_prefix("]2;").map(str::to_owned)),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_follows_the_state_and_is_given_back_however_it_ends() {
    let bench = bench_with("notify = \"terminal\"").await;
    for end in ["q", "TERM"] {
        let mut terminal = bench.terminal(&[], (100, 30));
        terminal.until("it live", |screen| shows(screen, "● live"));
        eventually("a title", || titles(&mut terminal).iter().any(|title| title == "manutop: ● 1 live"));
        match end {
            "q" => terminal.keys(end),
            _ => terminal.signal(end),
        }
        assert_eq!(terminal.ended(), 0);
        let reported = titles(&mut terminal);
        assert_eq!((&*reported[0], reported.last().unwrap().as_str()), ("+", "-"), "{reported:?}");
        assert_eq!(reported.iter().filter(|reported| reported.len() == 1).count(), 2, "{reported:?}");
        assert_eq!(
            reported.iter().filter(|reported| *reported == "manutop: ● 1 live").count(),
            1,
            "set again unchanged: {reported:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_title_is_given_back_while_it_is_stopped_and_set_again_afterwards() {
    let bench = Bench::new().await;
    let mut terminal = bench.terminal(&[], (100, 30));
    terminal.until("it live", |screen| shows(screen, "● live"));
    eventually("a title", || titles(&mut terminal).iter().any(|title| title == "manutop: ● 1 live"));
    terminal.signal("TSTP");
    eventually("the old title", || titles(&mut terminal).last().unwrap() == "-");
    terminal.signal("CONT");
    eventually("the title again", || titles(&mut terminal).last().unwrap() == "manutop: ● 1 live");
    terminal.until("it live again", |screen| shows(screen, "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let reported = titles(&mut terminal);
    let count = |what: &str| reported.iter().filter(|reported| *reported == what).count();
    assert_eq!((count("+"), count("-"), reported.last().unwrap().as_str()), (2, 2, "-"), "{reported:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_prints_unknown_sequences_is_sent_no_title() {
    let bench = Bench::new().await;
    let mut command = bench.command_in_terminal(&[]);
    command.env("TERM", "linux");
    let mut terminal = Terminal::start(command, (100, 30));
    terminal.until("it live", |screen| shows(screen, "● live"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    assert_eq!(titles(&mut terminal), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_for_events_is_run_without_a_shell_and_without_the_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("notify team");
    std::fs::write(&script, "cat >> \"$1/events\"; env >> \"$1/environment\"; echo noise; echo noise >&2").unwrap();
    let words =
        ["sh", &script.display().to_string(), &dir.path().display().to_string()].map(|word| format!("{word:?}"));
    let bench = bench_with(&format!("on_event = [{}]", words.join(", "))).await;
    let mut terminal = bench.terminal(&[], (100, 30));
    terminal.until("it live", |screen| shows(screen, "● live"));
    terminal.keys("R");
    terminal.until_text("generation 42");
    // What happens in the last moment is announced all the same.
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    eventually("an event", || read("environment").contains("PATH="));
    let event: Value = serde_json::from_str(read("events").lines().next().unwrap()).unwrap();
    assert_eq!((&event["event"], &event["generation"]), (&"refreshed".into(), &42.into()));
    assert!(!read("environment").contains(PASSPHRASE) && !terminal.shows("noise"));
    assert!(!String::from_utf8_lossy(&terminal.everything()).contains("noise"));
}

/// Fails unless there is nothing but whole lines of plain text.
fn assert_plain(text: &str) {
    assert!(text.ends_with('\n') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_prints_what_another_process_does_and_sends_nothing() {
    let bench = Bench::new().await;
    let watch = bench.start(&["list", "--watch"]);
    watch.until_stdout("factory: live, access token ends in ");
    bench.run(&["refresh", "factory", "--force"], 0);
    watch.until_stdout("factory: live, new tokens, generation 42 by a command, process ");
    bench.run(&["refresh", "factory", "--force"], 0);
    watch.until_stdout("generation 43");
    assert_eq!(bench.manu().stats().token_posts.total(), 2);
    watch.signal("TERM");
    let ended = watch.end().expect(0);
    assert_plain(&ended.stdout);
    assert_eq!((ended.stdout.lines().count(), &*ended.stderr), (3, ""), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_json_is_one_object_a_line() {
    let bench = Bench::new().await;
    let watch = bench.start(&["list", "--watch", "--json"]);
    watch.until_stdout("\n");
    bench.run(&["refresh", "factory", "--force"], 0);
    watch.until_stdout("\"generation\":42");
    watch.signal("INT");
    let ended = watch.end().expect(0);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let generations: Vec<_> = lines.iter().map(|line| line["connection"]["generation"].as_u64().unwrap()).collect();
    assert_eq!(generations, [41, 42]);
    assert!(lines.iter().all(|line| line["version"] == 1 && line["at"].as_str().unwrap().ends_with('Z')));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_watch_ends_quietly_when_its_reader_is_gone() {
    let bench = Bench::new().await;
    let watch = Program::start(&mut bench.shell("{ \"$0\" list --watch; echo \"ended with $?\" >&2; } | head -n 1"));
    watch.until_stdout("factory: live");
    bench.run(&["refresh", "factory", "--force"], 0);
    let ended = watch.end().expect(0);
    assert_eq!(ended.stderr, "ended with 0\n");
}
