//! `manutop token --rejected -`: the real program, for a caller to whom the API answered 401.

use crate::support::factory::Factory;
use crate::support::file_home::FileHome;
use crate::support::program::{Ended, Program, eventually};
use manutop::demo::DemoFault;

/// The connection `factory` with a live token, and its server, which revokes on reuse.
struct Bench {
    home: FileHome,
    factory: Factory,
}

impl Bench {
    async fn new() -> Self {
        let factory = Factory::new();
        let home = FileHome::new(&factory.alone(""));
        home.log_in("factory", &factory.client_secret, factory.record.clone()).await;
        Self { home, factory }
    }

    fn start(&self, arguments: &[&str], rejected: &str) -> Program {
        let line = [&["token", "factory", "--rejected", "-"], arguments].concat();
        let mut program = Program::start(&mut self.home.command(&line));
        program.try_tell(rejected);
        program
    }

    /// Runs it with this token on standard input; fails unless it ends with this code, or if it
    /// prints what is rejected.
    fn run(&self, arguments: &[&str], rejected: &str, code: i32) -> Ended {
        let ended = self.start(arguments, rejected).end().expect(code);
        let token = rejected.trim();
        assert!(
            token.is_empty() || ![&ended.stdout, &ended.stderr].iter().any(|said| said.contains(token)),
            "{ended:?}"
        );
        ended
    }

    /// The access token there was in the beginning.
    fn first(&self) -> &str {
        self.factory.record.access_token.expose()
    }

    /// Refresh tokens replaced, and replaced ones that were sent again.
    fn rotations(&self) -> (u64, u64) {
        let stats = self.factory.servers.manu().stats();
        (stats.rotations, stats.reuses_detected)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_is_refreshed_once_in_whatever_form_it_is_given() {
    let bench = Bench::new().await;
    let newer = bench.run(&[], &format!("{}\n", bench.first()), 0);
    assert_eq!(newer.stderr, "");
    assert_eq!(bench.rotations(), (1, 0));
    let header = format!("Authorization: Bearer {}\r\n", bench.first());
    assert_eq!(bench.run(&[], &header, 0).stdout, newer.stdout);
    let whole = bench.run(&["--json"], &format!("{{\"access_token\":\"{}\"}}", bench.first()), 0);
    let whole: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((&whole["access_token"], &whole["generation"]), (&newer.stdout.trim().into(), &42.into()));
    let whole = bench.run(&["--header"], bench.first(), 0).stdout;
    assert_eq!(whole, format!("Authorization: Bearer {}", newer.stdout));
    assert_eq!(bench.run(&[], "never-issued-at-all", 0).stdout, newer.stdout);
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_processes_with_the_same_rejected_token_are_one_rotation() {
    let bench = Bench::new().await;
    bench.factory.servers.manu().push_fault(DemoFault::DelayBefore(std::time::Duration::from_millis(500)));
    let all: Vec<_> = (0..20).map(|_| bench.start(&[], bench.first())).collect();
    let mut given: Vec<_> = all.into_iter().map(|program| program.end().expect(0).stdout).collect();
    given.dedup();
    assert!(given.len() == 1 && given[0].trim() != bench.first(), "all have the same, and another one");
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_keeper_that_holds_the_rejected_token_a_new_one_is_obtained() {
    let bench = Bench::new().await;
    let mut keeper = Program::start(&mut bench.home.command(&["keepalive"]));
    keeper.until_stderr("all connections are read");
    let newer = bench.run(&[], bench.first(), 0).stdout;
    assert_eq!(bench.rotations(), (1, 0));
    let plain = || Program::start(&mut bench.home.command(&["token", "factory"])).end().expect(0).stdout;
    eventually("the keeper takes it over", || plain() == newer);
    keeper.signal("TERM");
    keeper.end().expect(0);
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_only_a_newer_token_helps() {
    let bench = Bench::new().await;
    let ended = bench.run(&["--no-refresh"], bench.first(), 5);
    assert!(ended.stderr.contains("is the rejected one") && ended.stdout.is_empty(), "{ended:?}");
    let object = bench.run(&["--no-refresh", "--json"], bench.first(), 5).stdout;
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["error"]["kind"], "transient");
    assert_eq!(bench.rotations(), (0, 0));
    let newer = bench.run(&[], bench.first(), 0).stdout;
    assert_eq!(bench.run(&["--no-refresh"], bench.first(), 0).stdout, newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_has_its_own_exit_code() {
    for (fault, code) in [
        (DemoFault::status(400, r#"{"error":"invalid_grant"}"#), 3),
        (DemoFault::status(401, r#"{"error":"invalid_client"}"#), 4),
        (DemoFault::status(503, "{}"), 5),
        (DemoFault::lost_answer(), 5),
    ] {
        let bench = Bench::new().await;
        bench.factory.servers.manu().push_fault(fault);
        let ended = bench.run(&[], bench.first(), code);
        assert!(ended.stderr.contains("factory: "), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    let bench = Bench::new().await;
    let ended = bench.run(&[], "", 2);
    assert!(ended.stderr.contains("factory: the rejected access token is empty"), "{ended:?}");
    let ended = bench.run(&["--min-ttl", "2h"], bench.first(), 2);
    assert!(ended.stderr.contains("less than the 7200 s of --min-ttl"), "{ended:?}");
    assert_eq!(bench.rotations(), (0, 0));
}
