//! The loop that accepts connections.

use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::local_server::places::{OpenPlace, Places};

/// The pause after the system could not accept a connection, because of too many open files for example.
const PAUSE: Duration = Duration::from_secs(1);

/// What connections are accepted from.
pub trait Accept: Send + Sync {
    /// A connection.
    type Stream: Send;

    /// Waits for the next connection.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

#[cfg(unix)]
impl Accept for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

/// Answers every connection in a task of its own, for as long as `total` at most, until dropped: the connections end
/// with it. After `stop` nothing is accepted, silent connections end at once, and it waits for the others.
pub async fn serve_all<L: Accept, A>(
    listener: L,
    places: Places,
    total: Duration,
    stop: CancellationToken,
    answer: impl Fn(L::Stream, OpenPlace) -> A,
) where
    A: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = accepted;
        let (lost, answered) = (place.lost(), tokio::time::timeout(total, answer(stream, place)));
        connections.spawn(async move {
            tokio::select! {
                () = lost.cancelled() => {}
                _ = answered => {}
            }
        });
    }
    drop(listener);
    places.evict_all();
    while connections.join_next().await.is_some() {}
}

/// The next connection, and a place for it.
async fn accept<L: Accept>(listener: &L, places: &Places) -> (L::Stream, OpenPlace) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    // The place first: what is not accepted waits in the kernel, and takes no file descriptor.
    let free = places.free().await;
    loop {
        match listener.accept().await {
            Ok(stream) => return (stream, places.seat(free)),
            // The other side's doing; the next one may be ready.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(_) => {
                places.evict_oldest();
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
