//! The checks of the fuzz targets (see fuzz/) on inputs that are worth keeping, and on variations of them: what
//! libFuzzer found in hours stays found without it.

#[path = "../../fuzz/checks/answers.rs"]
mod answers;
#[path = "../../fuzz/checks/callback.rs"]
mod callback;
#[path = "../../fuzz/checks/planted.rs"]
mod planted;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// The inputs kept for a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = fs::read_dir(&directory).unwrap();
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

/// One of the seeds with a few bytes of it replaced, dropped or put in.
fn varied(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let change = (any::<prop::sample::Index>(), 0..3usize, prop::collection::vec(any::<u8>(), 0..4));
    (prop::sample::select(seeds(target)), prop::collection::vec(change, 0..6)).prop_map(|(mut input, changes)| {
        for (at, dropped, put_in) in changes {
            let at = at.index(input.len() + 1);
            let end = input.len().min(at + dropped);
            input.splice(at..end, put_in);
        }
        input
    })
}

#[test]
fn every_seed_passes() {
    for input in seeds("answers") {
        answers::check(&input);
    }
    for input in seeds("callback") {
        callback::check(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn varied_answers_pass(input in varied("answers")) {
        answers::check(&input);
    }

    #[test]
    fn varied_requests_pass(input in varied("callback")) {
        callback::check(&input);
    }
}
