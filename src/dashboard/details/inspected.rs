//! What the engine reported about a connection's tokens.

use crate::domain::Inspection;

/// What is known of the tokens of the connection that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// The generation it was asked for, 0 for no tokens; `None` while nothing was asked.
    pub(super) asked: Option<u64>,
    /// The newest answer.
    pub(super) found: Option<Box<Inspection>>,
}
