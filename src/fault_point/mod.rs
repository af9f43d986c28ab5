//! Fault points: the numbered steps of a rotation and of a rename, at each of which a test can kill
//! the process.
//!
//! They exist only with the cargo feature `fault-points`, which no release build accepts; without
//! it every call compiles to nothing. With it, environment variables, read once, decide what happens:
//!
//! - `MANUTOP_FAULT_POINT=STEP:N`: at the N-th pass of that step the process sends itself SIGKILL,
//!   so that nothing is cleaned up, as if it had been killed from outside;
//! - `MANUTOP_FAULT_WITNESS=FILE`: steps that concern one record append a line to the file (step,
//!   connection, generation, fingerprint): an account apart from journal and store, to compare both
//!   with. It names no secret.
//!
//! Invariant of the witness: a line that a token was received or spent is written after that is
//! durable, a line that takes `Spending` back before it is. Killed in between, the account has
//! too little, never too much.

#[cfg(all(feature = "fault-points", not(debug_assertions)))]
compile_error!("the feature `fault-points` is for tests and has no place in a release build");

#[cfg(feature = "fault-points")]
mod armed;

use crate::domain::{ConnectionName, TokenRecord};
#[cfg(feature = "fault-points")]
pub use crate::fault_point::armed::POINT;
#[cfg(feature = "fault-points")]
pub use crate::fault_point::armed::WITNESS;

/// A step of a rotation, or of a rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The connection's lock is held.
    Locked,
    /// Store and journal were read again, and what a crash had left undone is done.
    Recovered,
    /// The pre-flight is done.
    Preflighted,
    /// A journal's new text is on disk under its temporary name.
    JournalWritten,
    /// The journal says `Spending`, durably.
    SpendingDurable,
    /// The request was sent and the head of its answer came.
    AnswerBegan,
    /// The answer was read and holds tokens, which are in memory only.
    AnswerRead,
    /// The journal says `Received`, durably.
    ReceivedDurable,
    /// The store has taken the record.
    Saved,
    /// The journal says `Settled` again.
    Settled,
    /// `Spending` is about to be taken back: nothing was sent, or a complete answer refused it.
    TakingBack,
    /// All is done; the lock is about to be released.
    Releasing,
    /// A rename holds both names.
    RenameBegun,
    /// Client secret and history are copied, and the rest can be.
    RenamePrepared,
    /// The old name's journal says that the tokens are being moved.
    RenameDeparted,
    /// The new name's journal awaits them.
    RenameAwaited,
    /// The new name has them, read back.
    RenameArrived,
    /// The configuration has the new name.
    RenameConfigured,
    /// The old name has nothing in the store any more.
    RenameEmptied,
    /// The old name's journal says that its tokens are given up.
    RenameDone,
}

/// Passes a step: dies here if the environment says so.
#[inline]
pub fn pass(step: Step) {
    #[cfg(feature = "fault-points")]
    armed::pass(step);
    #[cfg(not(feature = "fault-points"))]
    let _ = step;
}

/// Passes a step that concerns a record: leaves a line with the witness, then as [`pass`].
#[inline]
pub fn pass_with(step: Step, name: &ConnectionName, record: &TokenRecord) {
    #[cfg(feature = "fault-points")]
    armed::witness(step, name, record);
    #[cfg(not(feature = "fault-points"))]
    let _ = (name, record);
    pass(step);
}
