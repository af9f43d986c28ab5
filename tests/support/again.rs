//! A test that runs itself again in a process of its own: where it plays another program, with another environment, or
//! without other tests beside it.

use std::process::Command;

/// Set in the process that runs one test alone.
const ALONE: &str = "MANUTOP_TEST_ALONE";

/// The name of the test in which this is written, as the test harness knows it.
macro_rules! this_test {
    () => {{
        fn here() {}
        $crate::support::again::test_around(std::any::type_name_of_val(&here))
    }};
}
pub(crate) use this_test;

/// The test around a function, from the function's path.
pub fn test_around(here: &'static str) -> &'static str {
    let (_, path) = here.split_once("::").expect("the crate comes first");
    // Asynchronous code is in a closure of the test.
    let end = path.find("::{{closure}}").or_else(|| path.rfind("::")).expect("the function comes last");
    &path[..end]
}

/// This test binary, to run one test.
pub fn run_only(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command.args(["--exact", test, "--include-ignored", "--nocapture"]);
    command
}

/// Whether this process runs the named test and no other. If not, runs the test in such a process, and fails if it
/// fails there. For tests that count what belongs to the whole process.
pub fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = run_only(test).env(ALONE, "1").output().expect("a test can run itself");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{test} failed alone:\n{out}\n{err}");
    print!("{out}");
    false
}

#[test]
fn the_name_of_a_test_is_found() {
    assert_eq!(this_test!(), "support::again::the_name_of_a_test_is_found");
}

#[tokio::test]
async fn the_name_of_an_asynchronous_test_is_found() {
    assert_eq!(this_test!(), "support::again::the_name_of_an_asynchronous_test_is_found");
}
