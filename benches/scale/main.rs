//! Many connections at once on automatic refresh, whole: `cargo bench --bench scale -- 10 1000 10000`.
//!
//! This process is the provider. For each number it makes a home with the encrypted file store, in
//! which as many tokens are about to be due, all at the same time, and starts another process with
//! the real engine on it, which reports how it went; with `--screen` the dashboard itself, of which keys
//! are asked meanwhile. With `--outage` the provider is out of order at first; with `--sleep` the machine
//! sleeps until all tokens have ended. `--home DIR N` makes such a home and serves it until standard
//! input ends, for a dashboard to be started on. Where temporary files go, so does the home: `TMPDIR`
//! decides what disk is measured.

mod engine;
mod home;
mod provider;
mod screen;
mod spent;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use provider::Provider;
use screen::Dashboard;

/// How much is left of each token: their refreshes are due from ten seconds on, and all within the
/// 36 seconds over which the schedule spreads them.
const LEFT: TimeDelta = TimeDelta::seconds(360 + 36 + 10);
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(1200);

const HEADINGS: &str = "connections  read/s  first..last refresh/s  least left/s  late  most at once  most in a second  in all  CPU/s  peak/MiB";

/// What is asked of a run.
#[derive(Clone, Copy, Default)]
struct Options {
    outage: bool,
    sleep: bool,
    screen: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--engine", home] => engine::run(Path::new(home), PATIENCE, false),
        ["--engine", home, "--sleep"] => engine::run(Path::new(home), PATIENCE, true),
        ["--home", home, count] => serve(Path::new(home), count.parse().expect("a number")),
        _ => {
            let mut counts = Vec::new();
            let mut options = Options::default();
            for word in words {
                match word {
                    "--outage" => options.outage = true,
                    "--sleep" => options.sleep = true,
                    "--screen" => options.screen = true,
                    number => counts.push(number.parse().expect("--outage, --sleep, --screen or a number")),
                }
            }
            assert!(!(options.sleep && options.screen), "the clock of another program cannot be advanced");
            println!("{HEADINGS}");
            for count in if counts.is_empty() { vec![10, 1000] } else { counts } {
                bench(count, options);
            }
        }
    }
}

/// Makes a home and serves it until standard input ends.
fn serve(home: &Path, count: usize) {
    let provider = Provider::start(false);
    home::make(home, provider.manu(), count, LEFT);
    let [config, data, passphrase] = home::environment(home).map(|(variable, value)| format!("{variable}='{value}'"));
    println!("export {config} {data} {passphrase}");
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn bench(count: usize, options: Options) {
    let provider = Provider::start(options.outage);
    let home = tempfile::tempdir().expect("a directory");
    home::make(home.path(), provider.manu(), count, LEFT);
    if options.screen {
        return watch(count, home.path(), provider);
    }
    let this = std::env::current_exe().expect("this program");
    let mut command = Command::new(this);
    command.arg("--engine").arg(home.path()).args(options.sleep.then_some("--sleep"));
    let child = command.stdout(Stdio::piped()).spawn();
    let output = child.and_then(Child::wait_with_output).expect("the engine's process");
    assert!(output.status.success(), "the engine's process failed");
    let reported = String::from_utf8_lossy(&output.stdout);
    let (stats, busiest) = provider.end();
    assert_eq!((stats.rotations, stats.reuses_detected), (count as u64, 0), "each is refreshed once");
    let [read, first, last, left, late, cpu, peak] = reported.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("the engine's process said {reported:?}")
    };
    let (most, all) = (stats.peak_in_flight, stats.token_posts.total());
    println!(
        "{count:11}  {read:>6}  {:>21}  {left:>12}  {late:>4}  {most:12}  {busiest:16}  {all:6}  {cpu:>5}  {peak:>8}",
        format!("{first}..{last}")
    );
}

/// Has the dashboard refresh them, and presses keys until it has.
fn watch(count: usize, home: &Path, provider: Provider) {
    let mut dashboard = Dashboard::open(home);
    let began = Instant::now();
    while provider.manu().stats().rotations < count as u64 {
        assert!(began.elapsed() < PATIENCE, "not all are refreshed");
        dashboard.press();
    }
    let (cpu, peak) = dashboard.spent();
    let took = began.elapsed().as_secs_f64();
    let (stats, busiest) = provider.end();
    assert_eq!((stats.rotations, stats.reuses_detected), (count as u64, 0), "each is refreshed once");
    let (most, all) = (stats.peak_in_flight, stats.token_posts.total());
    println!(
        "{count:11}  the dashboard: {took:.1} s; requests: {most} at once, {busiest} in a second, {all} in all; \
         CPU {cpu} s, peak {peak} MiB\n             {dashboard}"
    );
}
