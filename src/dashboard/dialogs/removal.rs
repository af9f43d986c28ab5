//! What is said of deleting a connection, before it is done and where it could not be.

use crate::domain::Problem;

/// What goes, for whoever is asked.
pub const WHAT_GOES: &str = "Its tokens and its client secret are deleted from the secret store, and it is taken out \
                             of the configuration. None of that can be brought back. The provider is not told; the \
                             log of its requests stays.";

/// Why not all of a connection was forgotten, and how much of it is left.
#[must_use]
pub fn not_forgotten(why: &Problem) -> String {
    match why {
        // Only the wait for its turn can be given up, or take too long.
        Problem::Cancelled => "the removal was given up, nothing was forgotten".into(),
        Problem::Retrying { why, .. } => format!("nothing was forgotten: {why}"),
        why => format!("not all of it could be removed: {why}"),
    }
}
