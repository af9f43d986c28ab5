//! What agent and command say to each other, and who may.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;

use crate::domain::ConnectionName;
use crate::engine::agent::Peer;

/// What a question says. An agent that does not know the version gives no answer.
pub(super) const VERSION: u32 = 1;
/// The longest line, in bytes: a question with a long path, an answer with a long token.
const LONGEST: u64 = 64 * 1024;

/// How long all of it may take. An answer comes within a millisecond; from a process that was stopped,
/// never.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// One line of JSON. The answer is a line, too: the [record](crate::tokens::record) without its
/// refresh token.
#[derive(Serialize, Deserialize)]
pub(super) struct AgentQuestion<'a> {
    pub(super) version: u32,
    pub(super) connection: Cow<'a, ConnectionName>,
    /// How long the token must still live.
    pub(super) least_ms: u64,
    /// Where the connection is configured: in another file the name may mean something else.
    pub(super) config_file: Cow<'a, str>,
}

/// A line, or what there is of it where it ends, or takes too long.
pub(super) async fn read_line(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut line).await.ok()?;
    Some(line)
}

/// The process at the other end, if it is the same user's.
pub(super) fn same_user(stream: &UnixStream) -> Option<Peer> {
    let peer = stream.peer_cred().ok()?;
    (peer.uid() == rustix::process::geteuid().as_raw()).then(|| Peer { pid: peer.pid() })
}
