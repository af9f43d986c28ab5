//! `manutop token --rejected -`: the real program, for a caller to whom the API answered 401.

use manutop::demo::DemoFault;

use crate::support::bench::Bench;
use crate::support::program::{Ended, Program, eventually};

impl Bench {
    fn start_rejecting(&self, arguments: &[&str], rejected: &str) -> Program {
        let line = [&["token", "factory", "--rejected", "-"], arguments].concat();
        let mut program = self.start(&line);
        program.try_send(rejected);
        program
    }

    /// Runs it with this token on standard input; fails unless it ends with this code, or if it
    /// prints what is rejected.
    fn reject(&self, arguments: &[&str], rejected: &str, code: i32) -> Ended {
        let ended = self.start_rejecting(arguments, rejected).end().expect(code);
        let token = rejected.trim();
        assert!(
            token.is_empty() || ![&ended.stdout, &ended.stderr].iter().any(|said| said.contains(token)),
            "{ended:?}"
        );
        ended
    }

    /// Refresh tokens replaced, and replaced ones that were sent again.
    fn rotations(&self) -> (u64, u64) {
        let stats = self.manu().stats();
        (stats.rotations, stats.reuses_detected)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_token_is_refreshed_once_in_whatever_form_it_is_given() {
    let bench = Bench::new().await;
    let newer = bench.reject(&[], &format!("{}\n", bench.access_token()), 0);
    assert_eq!(newer.stderr, "");
    assert_eq!(bench.rotations(), (1, 0));
    let header = format!("Authorization: Bearer {}\r\n", bench.access_token());
    assert_eq!(bench.reject(&[], &header, 0).stdout, newer.stdout);
    let whole = bench.reject(&["--json"], &format!("{{\"access_token\":\"{}\"}}", bench.access_token()), 0);
    let whole: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((&whole["access_token"], &whole["generation"]), (&newer.stdout.trim().into(), &42.into()));
    let whole = bench.reject(&["--header"], bench.access_token(), 0).stdout;
    assert_eq!(whole, format!("Authorization: Bearer {}", newer.stdout));
    assert_eq!(bench.reject(&[], "never-issued-at-all", 0).stdout, newer.stdout);
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_processes_with_the_same_rejected_token_are_one_rotation() {
    let bench = Bench::new().await;
    bench.manu().push_fault(DemoFault::DelayBefore(std::time::Duration::from_millis(500)));
    let all: Vec<_> = (0..20).map(|_| bench.start_rejecting(&[], bench.access_token())).collect();
    let mut given: Vec<_> = all.into_iter().map(|program| program.end().expect(0).stdout).collect();
    given.dedup();
    assert!(given.len() == 1 && given[0].trim() != bench.access_token(), "all have the same, and another one");
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_keepalive_that_holds_the_rejected_token_a_new_one_is_obtained() {
    let bench = Bench::new().await;
    let mut keepalive = bench.start(&["keepalive"]);
    keepalive.until_stderr("all connections are read");
    let newer = bench.reject(&[], bench.access_token(), 0).stdout;
    assert_eq!(bench.rotations(), (1, 0));
    let plain = || bench.run(&["token", "factory"], 0).stdout;
    eventually("the keepalive service takes it over", || plain() == newer);
    keepalive.signal("TERM");
    keepalive.end().expect(0);
    assert_eq!(bench.rotations(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_refresh_only_a_newer_token_helps() {
    let bench = Bench::new().await;
    let ended = bench.reject(&["--no-refresh"], bench.access_token(), 5);
    assert!(ended.stderr.contains("is the rejected one") && ended.stdout.is_empty(), "{ended:?}");
    let object = bench.reject(&["--no-refresh", "--json"], bench.access_token(), 5).stdout;
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["error"]["kind"], "transient");
    assert_eq!(bench.rotations(), (0, 0));
    let newer = bench.reject(&[], bench.access_token(), 0).stdout;
    assert_eq!(bench.reject(&["--no-refresh"], bench.access_token(), 0).stdout, newer);
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
        bench.manu().push_fault(fault);
        let ended = bench.reject(&[], bench.access_token(), code);
        assert!(ended.stderr.contains("factory: "), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    let bench = Bench::new().await;
    let ended = bench.reject(&[], "", 2);
    assert!(ended.stderr.contains("factory: the rejected access token is empty"), "{ended:?}");
    let ended = bench.reject(&["--min-ttl", "2h"], bench.access_token(), 2);
    assert!(ended.stderr.contains("less than the 7200 s of --min-ttl"), "{ended:?}");
    assert_eq!(bench.rotations(), (0, 0));
}
