//! A rename waits for the locks of both names.

use crate::tokens::rename::Renaming;
use crate::tokens::tests::renaming::plant;
use crate::tokens::tests::{Bench, name};

#[tokio::test]
async fn the_holder_of_either_name_s_lock_is_waited_for_and_named() {
    let bench = Bench::to_be_renamed().await;
    for busy in [name(), plant()] {
        let holder = bench.process().lock(&busy, |_| {}).await.unwrap();
        let mut holders = Vec::new();
        let (old, new) = (name(), plant());
        let begin = Renaming::begin(bench.process(), &old, &new, |name, pid| holders.push((name.clone(), pid)));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), begin).await.is_err());
        assert_eq!(holders, [(busy, Some(std::process::id()))]);
        drop(holder);
    }
    bench.rename(&name(), &plant()).await.unwrap();
    bench.assert_renamed("after waiting").await;
}
