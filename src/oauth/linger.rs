//! Listeners that stay for a few seconds after their login has ended: a browser that reloads the
//! page, or asks twice, gets the same page again.
//!
//! Invariant: none blocks the next login on its port, see [`make_room`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long they stay.
const LINGER: Duration = Duration::from_secs(5);

/// Those of this process. A port belongs to the whole process, so does this list.
static LINGERING: Mutex<Vec<Lingering>> = Mutex::new(Vec::new());

#[derive(Clone)]
struct Lingering {
    port: u16,
    stop: CancellationToken,
    gone: CancellationToken,
}

/// Lets these servers of a port run for a while longer.
pub(super) fn linger(port: u16, mut servers: JoinSet<()>) {
    let own = Lingering { port, stop: CancellationToken::new(), gone: CancellationToken::new() };
    list(|all| {
        all.retain(|other| !other.gone.is_cancelled());
        all.push(own.clone());
    });
    tokio::spawn(async move {
        // Also if the runtime ends first.
        let _gone = own.gone.drop_guard();
        let _ = tokio::time::timeout(LINGER, own.stop.cancelled()).await;
        servers.shutdown().await;
    });
}

/// Ends the listeners that linger on a port, and waits until it is free.
pub(super) async fn make_room(port: u16) {
    let there: Vec<_> = list(|all| all.iter().filter(|other| other.port == port).cloned().collect());
    for lingering in there {
        lingering.stop.cancel();
        lingering.gone.cancelled().await;
    }
}

fn list<T>(work: impl FnOnce(&mut Vec<Lingering>) -> T) -> T {
    work(&mut LINGERING.lock().unwrap_or_else(PoisonError::into_inner))
}
